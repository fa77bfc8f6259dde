"""Traces of accesses, in the forms that libCacheSim reads, into arrays, and back."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun

RECORD = np.dtype(
    [("time_s", "<u4"), ("key", "<u8"), ("size_bytes", "<u4"), ("next_access", "<i8")]
)
"""One access of oracleGeneral: 24 bytes, packed, little-endian."""

CHUNK = 1 << 20
READ, WRITE, FETCH_AHEAD = 0, 1, 2
Keys: TypeAlias = NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Some accesses, in order: of which key, how large the object is (0: unsaid), what, when."""

    keys: Keys
    size_bytes: NDArray[np.int64]
    what: NDArray[np.int64]
    at_us: NDArray[np.int64]


def oracle_general(path: str, rows: int = CHUNK) -> Iterator[Rows]:
    """Yield the accesses of an oracleGeneral file, piece by piece: memory does not grow with it.

    Raises CouldNotRun, after what comes before it, for a record that is cut off, and for a time
    that goes back, with the record.
    """
    count, before = records_in(path), 0
    try:
        with Path(path).open("rb") as file:
            for begin in range(0, count, rows):
                part = np.fromfile(file, dtype=RECORD, count=min(rows, count - begin))
                times = part["time_s"].astype(np.int64)
                back = np.flatnonzero(np.diff(times, prepend=before) < 0)
                good = int(back[0]) if len(back) else len(part)
                if good:
                    yield _records(part[:good], times[:good])
                if good < len(part):
                    raise CouldNotRun(
                        f"record {begin + good + 1} of `{path}` comes before the one above it in "
                        "time",
                        "sort the trace by time",
                    )
                if not len(part):
                    break  # it has become shorter since
                before = int(times[-1])
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise _unreadable(path, error) from error
    if size != count * RECORD.itemsize or not size:
        raise CouldNotRun(
            f"`{path}` has {size:_} bytes, which are not whole records of {RECORD.itemsize}",
            "it may be cut off: fetch it again",
        )


def records_in(path: str) -> int:
    """Return how many whole records an oracleGeneral file has; raises CouldNotRun."""
    try:
        return Path(path).stat().st_size // RECORD.itemsize
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> CouldNotRun:
    reason = error.strerror or "it cannot be read"
    return CouldNotRun(f"cannot read the trace `{path}`: {reason}")


def _records(part: NDArray[np.void], times: NDArray[np.int64]) -> Rows:
    return Rows(
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
