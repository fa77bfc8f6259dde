"""A CSV of accesses, as libCacheSim reads them, into arrays."""

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.traces.accesses import CHUNK, FETCH_AHEAD, READ, WRITE, Rows
from mirc.traces.csv_columns import columns_of
from mirc.traces.lines import Block, blocks_of, lines_of, unpacked

MOST_ROWS = 1 << 31
MOST_BYTES = 1 << 38
BLOCK_BYTES = 1 << 24
LONGEST_LINE = 1 << 16
LARGEST_BYTES = 1 << 50  # of one object
_LARGEST_SECONDS = 1e12
_LONGEST_KEY = 40  # digits, zeros in front among them
_TIMES = ("time", "timestamp", "clock_time", "time_s")
_KEYS = ("id", "obj_id", "obj-id", "object", "object_id", "key")
_SIZES = ("size", "obj_size", "obj-size", "size_bytes", "object_size")
_WHATS = ("op", "what", "operation", "command")
OPERATIONS: Mapping[str, int] = {
    **dict.fromkeys(("", "get", "gets", "read", "r", "head"), READ),
    **dict.fromkeys(("set", "put", "write", "w", "add", "replace", "append", "cas"), WRITE),
    **dict.fromkeys(("prefetch", "fetch-ahead"), FETCH_AHEAD),
}
COLUMNS = ("time", "id", "size", "op")
_USUAL: Mapping[str, int] = {name: at for at, name in enumerate(COLUMNS)}


def cache_csv(path: str, columns: str | None = None, rows: int = CHUNK) -> Iterator[Rows]:
    """Yield the accesses of a CSV, plain or gzipped: a header names its columns, or ``columns``.

    ``columns`` is such as ``time=2,id=5,size=4``, counted from 1. Keys that are no whole numbers
    are hashed to 64 bits. Raises CouldNotRun, with the line, for what is wrong, after what comes
    before it.
    """
    where: Mapping[str, int] | None = None if columns is None else _given(columns)
    before = None
    try:
        with Path(path).open("rb") as file:
            blocks = blocks_of(
                unpacked(file),
                path,
                size=BLOCK_BYTES,
                most=MOST_ROWS,
                longest=LONGEST_LINE,
                most_bytes=MOST_BYTES,
            )
            for block in blocks:
                begun = where is not None and block.number > 1
                rest, where = (block, where) if begun else _without_header(block, where, path)
                for found in _parsed(rest, where or _USUAL, path, before or 0):
                    before = int(found.at_us[-1])
                    yield from _pieces(found, rows)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the trace `{path}`: {reason}") from error
    if before is None:
        raise CouldNotRun(f"`{path}` holds no access", "give a line for each: time, id, size")


def _pieces(found: Rows, rows: int) -> Iterator[Rows]:
    for begin in range(0, len(found.keys), rows):
        piece = slice(begin, begin + rows)
        yield Rows(
            keys=found.keys[piece],
            size_bytes=found.size_bytes[piece],
            what=found.what[piece],
            at_us=found.at_us[piece],
        )


def _without_header(
    block: Block, where: Mapping[str, int] | None, name: str
) -> tuple[Block, Mapping[str, int]]:
    """Return what follows a header in a block, and where columns are, by it or as usual."""
    for number, line in _lines(block, name):
        named = _named(_cells(line, name, number))
        if named is None:
            return block, where or _USUAL
        text = io.BytesIO(block.text)
        for _ in range(block.number, number + 1):
            text.readline()
        return Block(number=number + 1, text=text.read()), where or named
    return Block(number=block.number, text=b""), where or _USUAL


def _parsed(block: Block, where: Mapping[str, int], name: str, before: int) -> Iterator[Rows]:
    """Yield the accesses of a block: at once where all its lines are plain, else one by one."""
    if not block.text:
        return
    found = columns_of(block.text, where, OPERATIONS)
    if found is not None and found.size_bytes.max() <= LARGEST_BYTES:
        times = np.concatenate(([before], found.at_us))
        if (times[1:] >= times[:-1]).all():
            yield found
            return
    held: list[tuple[int, int, int, int]] = []
    try:
        for number, line in _lines(block, name):
            row = _row(_cells(line, name, number), where, name, number)
            if row[3] < before:
                raise _wrong(name, number, "comes before the line above it in time")
            before = row[3]
            held.append(row)
    except CouldNotRun:
        if held:
            yield _rows(held)
        raise
    if held:
        yield _rows(held)


def _lines(block: Block, name: str) -> Iterator[tuple[int, bytes]]:
    text = io.BytesIO(block.text)
    lines = lines_of(text, name, most=MOST_ROWS, longest=LONGEST_LINE, most_bytes=MOST_BYTES)
    return ((number + block.number - 1, line) for number, line in lines)


def _rows(held: Sequence[tuple[int, int, int, int]]) -> Rows:
    table = np.array(held, dtype=np.uint64)
    keys, sizes, what, at_us = (np.ascontiguousarray(table[:, i]).view(np.int64) for i in range(4))
    return Rows(keys=keys, size_bytes=sizes, what=what, at_us=at_us)


def _cells(line: bytes, name: str, number: int) -> list[str]:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip().lstrip("#")
        return [cell.strip() for cell in next(csv.reader([text]))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(name, number, "is no line of a CSV") from error


def _named(cells: Sequence[str]) -> dict[str, int] | None:
    """Return where a header has the columns, None for what is none."""
    lowered = [cell.casefold() for cell in cells]
    found: dict[str, int] = {}
    for column, names in zip(COLUMNS, (_TIMES, _KEYS, _SIZES, _WHATS), strict=True):
        at = next((i for i, cell in enumerate(lowered) if cell in names), None)
        if at is not None:
            found[column] = at
    return found if "id" in found else None


def _given(columns: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in columns.split(","):
        name, _, at = part.partition("=")
        name = name.strip().removesuffix("-col").removeprefix("obj-")
        if name not in COLUMNS or not at.strip().isdecimal() or not 1 <= int(at) <= 1000:
            raise CouldNotRun(
                f"`{part}` names no column", "write such as `time=2,id=5,size=4`, counted from 1"
            )
        found[name] = int(at) - 1
    if "id" not in found:
        raise CouldNotRun(f"`{columns}` does not say where the id is", "add `id=N`")
    return found


def _row(
    cells: Sequence[str], where: Mapping[str, int], name: str, number: int
) -> tuple[int, int, int, int]:
    def cell(column: str) -> str:
        at = where.get(column)
        return cells[at] if at is not None and at < len(cells) else ""

    if not cell("id"):
        raise _wrong(name, number, "has no id")
    what = OPERATIONS.get(cell("op").casefold())
    if what is None:
        raise _wrong(name, number, f"has an operation `{cell('op')[:40]}` that is none")
    return (
        _key(cell("id"), name, number),
        _size(cell("size"), name, number),
        what,
        _us(cell("time"), name, number),
    )


def _key(text: str, name: str, number: int) -> int:
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not digits.isascii():
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    if digits != text or len(text) > _LONGEST_KEY or int(text) >> 64:
        raise CouldNotRun(
            f"line {number} of `{name}` has an id `{text[:40]}` that is no number of 64 bits",
            "give ids from 0 to 18446744073709551615, or names: a letter makes one",
        )
    return int(text)


def _size(text: str, name: str, number: int) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 16 or int(text) > LARGEST_BYTES:
        raise _wrong(name, number, f"has a size `{text[:40]}` that is no number of bytes")
    return int(text)


def _us(text: str, name: str, number: int) -> int:
    try:
        seconds = float(text) if text else 0.0
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LARGEST_SECONDS:
        raise _wrong(name, number, f"has a time `{text[:40]}` that is no number of seconds")
    return round(seconds * 1_000_000)


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(f"line {number} of `{name}` {what}", "give time, id, size and op a line")
