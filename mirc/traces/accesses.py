"""Traces of accesses, in the forms that libCacheSim reads, into arrays, and back."""

import csv
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.traces.lines import lines_of, unpacked

RECORD = np.dtype(
    [("time_s", "<u4"), ("key", "<u8"), ("size_bytes", "<u4"), ("next_access", "<i8")]
)
"""One access of oracleGeneral: 24 bytes, packed, little-endian."""

CHUNK = 1 << 20
READ, WRITE, FETCH_AHEAD = 0, 1, 2
MOST_ROWS = 1 << 31
MOST_BYTES = 1 << 38
LONGEST_LINE = 1 << 16
LARGEST_BYTES = 1 << 50  # of one object
_LARGEST_SECONDS = 1e12
_TIMES = ("time", "timestamp", "clock_time", "time_s")
_KEYS = ("id", "obj_id", "obj-id", "object", "object_id", "key")
_SIZES = ("size", "obj_size", "obj-size", "size_bytes", "object_size")
_WHATS = ("op", "what", "operation", "command")
_OPERATIONS: Mapping[str, int] = {
    **dict.fromkeys(("", "get", "gets", "read", "r", "head"), READ),
    **dict.fromkeys(("set", "put", "write", "w", "add", "replace", "append", "cas"), WRITE),
    **dict.fromkeys(("prefetch", "fetch-ahead"), FETCH_AHEAD),
}
COLUMNS = ("time", "id", "size", "op")

Keys: TypeAlias = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Some accesses, in order: of which key, how large the object is (0: unsaid), what, when."""

    keys: Keys
    size_bytes: NDArray[np.int64]
    what: NDArray[np.int64]
    at_us: NDArray[np.int64]


def oracle_general(path: str, rows: int = CHUNK) -> Iterator[Rows]:
    """Yield the accesses of an oracleGeneral file; it is mapped, so memory does not grow with it.

    Raises CouldNotRun for one that is cut off, and for times that go back, with the record.
    """
    try:
        size = Path(path).stat().st_size
        if not size or size % RECORD.itemsize:
            raise CouldNotRun(
                f"`{path}` has {size:_} bytes, which are not whole records of {RECORD.itemsize}",
                "it may be cut off: fetch it again",
            )
        mapped = np.memmap(path, dtype=RECORD, mode="r")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the trace `{path}`: {reason}") from error
    before = 0
    for begin in range(0, len(mapped), rows):
        part = mapped[begin : begin + rows]
        times = part["time_s"].astype(np.int64)
        steps = np.diff(times, prepend=before)
        if (steps < 0).any():
            number = begin + int(np.argmax(steps < 0)) + 1
            raise CouldNotRun(
                f"record {number} of `{path}` comes before the one above it in time",
                "sort the trace by time",
            )
        before = int(times[-1])
        yield Rows(
            keys=part["key"].astype(np.uint64).view(np.int64),
            size_bytes=part["size_bytes"].astype(np.int64),
            what=np.full(len(part), READ, dtype=np.int64),
            at_us=times * 1_000_000,
        )


def write_oracle_general(file: BinaryIO, rows: Rows, next_access: NDArray[np.int64]) -> None:
    """Append accesses to an oracleGeneral file; ``next_access`` is -1 where there is none.

    Raises CouldNotRun for what its fields cannot hold: sizes and seconds of 32 bits.
    """
    seconds = rows.at_us // 1_000_000
    for values, noun in ((rows.size_bytes, "a size in bytes"), (seconds, "a time in seconds")):
        if (values < 0).any() or (values >> 32 != 0).any():
            raise CouldNotRun(
                f"{noun} is beyond the 32 bits that oracleGeneral has for it",
                "write CSV: end the name with .csv",
            )
    packed = np.empty(len(rows.keys), dtype=RECORD)
    packed["time_s"], packed["key"] = seconds, rows.keys.view(np.uint64)
    packed["size_bytes"], packed["next_access"] = rows.size_bytes, next_access
    file.write(packed.tobytes())


def cache_csv(path: str, columns: str | None = None, rows: int = CHUNK) -> Iterator[Rows]:
    """Yield the accesses of a CSV, plain or gzipped: a header names its columns, or ``columns``.

    ``columns`` is such as ``time=2,id=5,size=4``, counted from 1. Keys that are no whole numbers
    are hashed to 64 bits. Raises CouldNotRun, with the line, for what is wrong.
    """
    try:
        with Path(path).open("rb") as file:
            lines = lines_of(
                unpacked(file), path, most=MOST_ROWS, longest=LONGEST_LINE, most_bytes=MOST_BYTES
            )
            yield from _parsed(lines, path, columns, rows)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the trace `{path}`: {reason}") from error


def csv_lines(rows: Rows) -> Iterator[str]:
    """Yield the lines of a CSV of these accesses, without the header."""
    words = {READ: "get", WRITE: "set", FETCH_AHEAD: "prefetch"}
    for at, key, size, what in zip(
        rows.at_us.tolist(),
        rows.keys.view(np.uint64).tolist(),
        rows.size_bytes.tolist(),
        rows.what.tolist(),
        strict=True,
    ):
        yield f"{at / 1e6:.6f},{key},{size},{words[what]}\n"


CSV_HEADER = "time,id,size,op\n"


def _parsed(
    lines: Iterator[tuple[int, bytes]], name: str, columns: str | None, rows: int
) -> Iterator[Rows]:
    where = None if columns is None else _given(columns)
    held: list[tuple[int, int, int, int]] = []
    before, any_row = 0, False
    for number, line in lines:
        cells = _cells(line, name, number)
        if where is None:
            where = _named(cells)
            if where is not None:
                continue
            where = {"time": 0, "id": 1, "size": 2, "op": 3}
        elif not any_row and number == 1 and _named(cells) is not None:
            continue
        row = _row(cells, where, name, number)
        if row[3] < before:
            raise _wrong(name, number, "comes before the line above it in time")
        before, any_row = row[3], True
        held.append(row)
        if len(held) == rows:
            yield _rows(held)
            held = []
    if held:
        yield _rows(held)
    if not any_row:
        raise CouldNotRun(f"`{name}` holds no access", "give a line for each: time, id, size")


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
    what = _OPERATIONS.get(cell("op").casefold())
    if what is None:
        raise _wrong(name, number, f"has an operation `{cell('op')[:40]}` that is none")
    return (
        _key(cell("id")),
        _size(cell("size"), name, number),
        what,
        _us(cell("time"), name, number),
    )


def _key(text: str) -> int:
    if text.isdecimal() and len(text) <= 20 and int(text) < 1 << 64:
        return int(text)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


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
