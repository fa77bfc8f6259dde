"""Traces of serving requests, a JSON object a line, into requests that name their blocks."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir.suggest import closest
from mirc.traces.lines import lines_of, so_far, unpacked

MOST_REQUESTS = 5_000_000
MOST_BLOCKS = 50_000_000
LONGEST_LINE = 1 << 24
MOST_BYTES = 4 << 30  # of text, however small the file that it unpacks from
_LONGEST_NAME = 200
_LIMIT = 1 << 63  # numbers are 64 bits wide
_KNOWN = "give one Mooncake request a line: timestamp, input_length, output_length, hash_ids"


@attrs.frozen(kw_only=True)
class Request:
    """One request: its prompt as the prefix blocks that it is made of, and what it generates.

    ``blocks`` are ids in order from the root, each once; equal ids are equal blocks after equal
    blocks, so an id always stands on the same one. The last block may be partly filled:
    ``input_tokens`` counts tokens. The rest is "", or 0, where a trace does not say: ``session``,
    the conversation that the request continues; ``parent``, the session from which it was forked;
    ``tenant``; ``tool_wait_ms``, how long a tool runs after it before its session goes on.
    """

    at_ms: int
    input_tokens: int
    output_tokens: int
    blocks: tuple[int, ...]
    session: str = ""
    tenant: str = ""
    parent: str = ""
    tool_wait_ms: int = 0


def read(path: str) -> tuple[Request, ...]:
    """Read a trace in the form of Mooncake's, plain or gzipped: its content decides.

    Raises CouldNotRun, with the line, for what is none, for what stands in no order of time, and
    for what is larger than this module's limits.
    """
    found, cut = read_so_far(path)
    if cut is not None:
        raise cut
    return found


def read_so_far(path: str) -> tuple[tuple[Request, ...], CouldNotRun | None]:
    """Return the requests before what is wrong, and what that is; raises it if there are none."""
    try:
        with Path(path).open("rb") as file:
            return so_far(_requests(file, path))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the request trace `{path}`: {reason}") from error


def load(file: BinaryIO, name: str) -> tuple[Request, ...]:
    """Read an open file; ``name`` is what messages call it. Raises CouldNotRun as ``read`` does.

    Source: the traces of Qin et al., Mooncake (FAST 2025): ``timestamp`` in ms, ``input_length``
    and ``output_length`` in tokens, ``hash_ids`` of blocks of 512 tokens.
    """
    return tuple(_requests(file, name))


def _requests(file: BinaryIO, name: str) -> Iterator[Request]:
    text = unpacked(file)
    at_ms = blocks = 0
    number = 0
    parents: dict[int, int] = {}
    begun: dict[str, None] = {}  # sessions, in the order in which they began
    for number, value in _values(text, name):
        request = _request(value, number, name)
        if request.at_ms < at_ms:
            raise _wrong(name, number, "comes before the line above it in time")
        at_ms = request.at_ms
        blocks += len(request.blocks)
        if blocks > MOST_BLOCKS:
            raise _wrong(name, number, f"is where the trace exceeds {MOST_BLOCKS:_} blocks")
        _check_tree(request.blocks, parents, number, name)
        _check_parent(request.parent, begun, number, name)
        if request.session:
            begun[request.session] = None
        yield request
    if not number:
        raise CouldNotRun(f"`{name}` holds no request", _KNOWN)


def dump(requests: Iterable[Request]) -> Iterator[str]:
    """Yield the lines of a file that ``read`` reads; what a request does not say is left out."""
    for request in requests:
        row = {
            "timestamp": request.at_ms,
            "input_length": request.input_tokens,
            "output_length": request.output_tokens,
            "hash_ids": list(request.blocks),
        }
        said = {
            "session": request.session,
            "tenant": request.tenant,
            "parent": request.parent,
            "tool_wait_ms": request.tool_wait_ms,
        }
        more = {key: value for key, value in said.items() if value}
        yield json.dumps({**row, **more}, separators=(",", ":")) + "\n"


def _values(file: BinaryIO, name: str) -> Iterator[tuple[int, Any]]:
    lines = lines_of(file, name, most=MOST_REQUESTS, longest=LONGEST_LINE, most_bytes=MOST_BYTES)
    for number, line in lines:
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _wrong(name, number, "is not JSON") from error


def _request(value: Any, number: int, name: str) -> Request:
    if not isinstance(value, dict):
        raise _wrong(name, number, "is no JSON object")
    return Request(
        at_ms=_whole(value, "timestamp", number, name),
        input_tokens=_whole(value, "input_length", number, name),
        output_tokens=_whole(value, "output_length", number, name),
        blocks=_blocks(value.get("hash_ids"), number, name),
        session=_name(value, "session", number, name),
        tenant=_name(value, "tenant", number, name),
        parent=_name(value, "parent", number, name),
        tool_wait_ms=_whole({"tool_wait_ms": 0, **value}, "tool_wait_ms", number, name),
    )


def _whole(value: Mapping[str, Any], key: str, number: int, name: str) -> int:
    """Return a field that is a whole number; one written with a decimal point may be one too."""
    found = value.get(key)
    if type(found) is float and found.is_integer():
        found = int(found)
    if type(found) is not int or not 0 <= found < _LIMIT:
        raise _wrong(name, number, f"has no whole `{key}`")
    return found


def _blocks(value: Any, number: int, name: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(
        type(block) is int and 0 <= block < _LIMIT for block in value
    ):
        raise _wrong(name, number, "has no list of whole numbers `hash_ids`")
    if len(set(value)) < len(value):
        raise _wrong(name, number, "names a block twice in `hash_ids`")
    return tuple(value)


def _name(value: Mapping[str, Any], key: str, number: int, name: str) -> str:
    found = value.get(key)
    if found is None:
        return ""
    if type(found) is int and 0 <= found < _LIMIT:
        return str(found)
    if not isinstance(found, str) or len(found) > _LONGEST_NAME:
        raise _wrong(name, number, f"has a `{key}` that is no short name")
    return found


def _check_tree(blocks: tuple[int, ...], parents: dict[int, int], number: int, name: str) -> None:
    """Hold each block to the one that it stood on before; -1 stands under the first."""
    below = -1
    for block in blocks:
        if parents.setdefault(block, below) != below:
            raise _wrong(name, number, f"has block {block} after another block than before")
        below = block


def _check_parent(parent: str, begun: Collection[str], number: int, name: str) -> None:
    """Hold a fork to a session that a line above belongs to."""
    if not parent or parent in begun:
        return
    near = closest(parent, begun)
    raise CouldNotRun(
        f"line {number} of `{name}` is forked from `{parent}`, and no line above it is of such a "
        "session",
        f"did you mean `{near}`?" if near else "begin the trace earlier, or leave `parent` out",
    )


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(f"line {number} of `{name}` {what}", _KNOWN)
