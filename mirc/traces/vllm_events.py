"""The cache events of a serving engine, a batch a line, into the requests that caused them.

An engine tells of blocks when it stores and when it drops them, not of requests. What is stored in
a row, each block on the one before and no more than ``PAUSE_MS`` apart, is read as one request: its
prompt is the path from the root through the first batch, what is added one block at a time
after that it generated. A request that found all of its blocks left no event, and is not seen.
The format is that of vLLM and SGLang: ``[ts, events, rank]`` or ``{"ts": .., "events": [..]}``,
each event an array ``["BlockStored", hashes, parent, tokens, block_size, ..]`` or an object with
its ``type``. Source: vLLM, ``vllm.distributed.kv_events``.
"""

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.traces.lines import lines_of, unpacked
from mirc.traces.requests import LONGEST_LINE, MOST_BLOCKS, MOST_BYTES, MOST_REQUESTS, Request

PAUSE_MS = 1_000
_LONGEST_HASH = 200
_KINDS = {
    "BlockStored": ("block_hashes", "parent_block_hash", "token_ids", "block_size"),
    "BlockRemoved": ("block_hashes",),
    "AllBlocksCleared": (),
}
_GROUP = {"BlockStored": 9, "BlockRemoved": 3}  # where an array holds the cache group
_KNOWN = "give one batch of KV cache events a line: ts, events"
_MOST_MS = 1 << 53

Hash = int | str


@attrs.frozen(kw_only=True)
class Recording:
    """Requests with blocks of ``block_tokens``, and how many events were of what is not served.

    ``removed`` blocks were dropped by the engine, which is its own policy at its own capacity;
    events of other cache groups than the first, and blocks on a parent that was never stored
    (the recording began too late), are ``skipped``.
    """

    requests: tuple[Request, ...]
    block_tokens: int
    removed: int
    skipped: int


@attrs.define
class _Open:
    """A request that may go on: when it came and was last heard of, its blocks, its prompt."""

    at_ms: int
    heard_ms: int
    blocks: list[int]
    prompt: int

    def takes(self, blocks: int, at_ms: int) -> bool:
        """Say whether so many blocks after its last are its own: one, or more of its prompt."""
        prompt = len(self.blocks) == self.prompt
        return at_ms - self.heard_ms <= PAUSE_MS and (blocks == 1 or prompt)

    def add(self, blocks: list[int], at_ms: int) -> None:
        """Let it go on by blocks that it takes."""
        self.prompt += len(blocks) if len(blocks) > 1 else 0
        self.blocks += blocks
        self.heard_ms = at_ms


def is_batch(value: Any) -> bool:
    """Say whether a JSON value is a batch of such events."""
    if isinstance(value, dict):
        return isinstance(value.get("events"), list) and "ts" in value
    return isinstance(value, list) and len(value) >= 2 and isinstance(value[1], list)


def read(path: str) -> Recording:
    """Read a recording, plain or gzipped.

    Raises CouldNotRun, with the line, for what is none, for what stands in no order of time, and
    for what is larger than the limits of ``mirc.traces.requests``.
    """
    try:
        with Path(path).open("rb") as file:
            return load(file, path)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the request trace `{path}`: {reason}") from error


def load(file: BinaryIO, name: str) -> Recording:
    """Read an open file; ``name`` is what messages call it. Raises CouldNotRun as ``read`` does."""
    reader = _Reader(name)
    for number, at_ms, events in _batches(unpacked(file), name):
        for event in events:
            reader.hear(event, at_ms, number)
    if not reader.requests:
        raise CouldNotRun(f"`{name}` stores no block", _KNOWN)
    return Recording(
        requests=tuple(_request(each, reader.block_tokens) for each in reader.requests),
        block_tokens=reader.block_tokens,
        removed=reader.removed,
        skipped=reader.skipped,
    )


def _request(each: _Open, block_tokens: int) -> Request:
    return Request(
        at_ms=each.at_ms,
        input_tokens=each.prompt * block_tokens,
        output_tokens=(len(each.blocks) - each.prompt) * block_tokens,
        blocks=tuple(each.blocks[: each.prompt]),
    )


class _Reader:
    """The tree of what was stored, and the requests that end in its newest leaves."""

    def __init__(self, name: str) -> None:
        self.requests: list[_Open] = []
        self.block_tokens = 0
        self.removed = 0
        self.skipped = 0
        self._name = name
        self._numbers: dict[Hash, int] = {}
        self._parents: list[int] = []
        self._ends: dict[int, _Open] = {}  # by the last block
        self._blocks = 0

    def hear(self, event: Any, at_ms: int, number: int) -> None:
        """Take an event in."""
        kind, fields, group = _event(event, number, self._name)
        if group:
            self.skipped += 1
        elif kind == "BlockStored":
            self._stored(fields, at_ms, number)
        elif kind == "BlockRemoved":
            self.removed += len(_hashes(fields["block_hashes"], number, self._name))

    def _stored(self, fields: Mapping[str, Any], at_ms: int, number: int) -> None:
        self._check_size(fields, number)
        hashes = _hashes(fields["block_hashes"], number, self._name)
        parent = fields["parent_block_hash"]
        known = parent is None or _hash(parent, number, self._name) in self._numbers
        if not hashes or not known:
            self.skipped += 1
            return
        below = -1 if parent is None else self._numbers[parent]
        added = [self._place(each, number) for each in hashes]
        for place, block in enumerate(added):
            on = added[place - 1] if place else below
            if block == len(self._parents):
                self._parents.append(on)
            elif self._parents[block] != on:
                raise _wrong(self._name, number, "stores a block after another block than before")
        self._extend(below, added, at_ms, number)

    def _extend(self, below: int, added: list[int], at_ms: int, number: int) -> None:
        request = self._ends.pop(below, None)
        if request is not None and request.takes(len(added), at_ms):
            request.add(added, at_ms)
            self._blocks += len(added)
        else:
            path = [*self._path(below), *added]
            request = _Open(at_ms, at_ms, path, len(path))
            self.requests.append(request)
            self._blocks += len(path)
        if self._blocks > MOST_BLOCKS:
            raise _wrong(self._name, number, f"is where the trace exceeds {MOST_BLOCKS:_} blocks")
        self._ends[added[-1]] = request

    def _path(self, block: int) -> list[int]:
        path = []
        while block >= 0:
            path.append(block)
            block = self._parents[block]
        return path[::-1]

    def _place(self, value: Hash, number: int) -> int:
        if len(self._numbers) >= MOST_BLOCKS:
            raise _wrong(self._name, number, f"is where the trace exceeds {MOST_BLOCKS:_} blocks")
        return self._numbers.setdefault(value, len(self._numbers))

    def _check_size(self, fields: Mapping[str, Any], number: int) -> None:
        size = fields["block_size"]
        if type(size) is not int or not 0 < size < 1 << 31:
            raise _wrong(self._name, number, "has no whole `block_size`")
        if self.block_tokens and size != self.block_tokens:
            said = f"stores blocks of {size} tokens, and lines above of {self.block_tokens}"
            raise _wrong(self._name, number, said)
        self.block_tokens = size


def _batches(file: BinaryIO, name: str) -> Iterator[tuple[int, int, list[Any]]]:
    """Yield (line, milliseconds since the first, events)."""
    start = before = 0
    first = True
    lines = lines_of(file, name, most=MOST_REQUESTS, longest=LONGEST_LINE, most_bytes=MOST_BYTES)
    for number, line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _wrong(name, number, "is not JSON") from error
        if not is_batch(value):
            raise _wrong(name, number, "is no batch of events")
        time, events = (value["ts"], value["events"]) if isinstance(value, dict) else value[:2]
        if type(time) not in {int, float} or not isfinite(time) or not 0 <= time * 1e3 < _MOST_MS:
            raise _wrong(name, number, "has no time `ts` in seconds")
        at_ms = int(time * 1e3)
        if first:
            start, first = at_ms, False
        elif at_ms < before:
            raise _wrong(name, number, "comes before the line above it in time")
        before = at_ms
        yield number, at_ms - start, events


def _event(value: Any, number: int, name: str) -> tuple[str, Mapping[str, Any], int]:
    """Return an event's kind, its fields, and the cache group that it is of."""
    if isinstance(value, dict) and value.get("type") in _KINDS:
        kind = str(value["type"])
        fields = {key: value.get(key) for key in _KINDS[kind]}
        return kind, fields, _group(value.get("group_idx"))
    if isinstance(value, list) and value and isinstance(value[0], str) and value[0] in _KINDS:
        kind = value[0]
        keys = _KINDS[kind]
        if len(value) > len(keys):
            at = _GROUP.get(kind, len(value))
            group = _group(value[at]) if len(value) > at else 0
            return kind, dict(zip(keys, value[1:], strict=False)), group
    raise _wrong(name, number, f"has an event that is none of {', '.join(_KINDS)}")


def _group(value: Any) -> int:
    return value if type(value) is int else 0


def _hashes(value: Any, number: int, name: str) -> list[Hash]:
    if not isinstance(value, list):
        raise _wrong(name, number, "has no list `block_hashes`")
    return [_hash(each, number, name) for each in value]


def _hash(value: Any, number: int, name: str) -> Hash:
    if type(value) is int and -(1 << 63) <= value < 1 << 64:
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_HASH:
        return value
    raise _wrong(name, number, "has a hash that is no number of 64 bits and no short text")


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(f"line {number} of `{name}` {what}", _KNOWN)
