"""A trace file into accesses to numbered objects, held as arrays within a bound."""

from collections.abc import Callable, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.kernels.tiers.state import READ
from mirc.simulate.accesses.model import NOTHING, Accesses
from mirc.simulate.accesses.numbering import Numbering
from mirc.traces.accesses import Rows, cache_csv, oracle_general
from mirc.traces.detect import TraceFormat, detect
from mirc.traces.requests import read as read_requests

MOST_ACCESSES = 150_000_000
PS_PER_US = 1_000_000
_LONGEST_US = (1 << 62) // PS_PER_US


@attrs.frozen(kw_only=True)
class Reading:
    """How a trace is read.

    ``form`` forces its format, ``columns`` those of a CSV; ``object_bytes`` is every object's size,
    whatever the trace says. ``speedup`` divides the times between accesses; None: the times are not
    read, each access follows the one before.
    """

    form: TraceFormat | None = None
    columns: str | None = None
    object_bytes: int | None = None
    speedup: float | None = None


def read(path: str, reading: Reading, tell: Callable[[str], None] | None = None) -> Accesses:
    """Return a trace's accesses; an object has the size that its first access gives.

    Requests ask for the blocks of their prompts, in order, at the time of their arrival. Takes 8
    bytes an access (24 with times and writes), twice while they are joined, and some 100 for each
    object. Raises CouldNotRun, with the line or record, for what is wrong with it, and for more
    than ``MOST_ACCESSES``.
    """
    numbering = Numbering()
    parts: list[tuple[NDArray[np.int64], Rows]] = []
    sizes: list[NDArray[np.int64]] = []
    known = count = 0
    for rows in _rows(path, reading):
        ids = numbering.ids(rows.keys)
        if numbering.count > known:
            sizes.append(_first_sizes(ids, rows.size_bytes, known, numbering.count))
            known = numbering.count
        count += len(ids)
        if count > MOST_ACCESSES:
            raise CouldNotRun(f"`{path}` has more than {MOST_ACCESSES:_} accesses", "give a part")
        parts.append((ids, _kept(rows, reading)))
        if tell is not None:
            tell(f"reading {path}: {count:_} accesses to {known:_} objects")
    writes = any(len(rows.what) for _, rows in parts)
    return Accesses(
        ids=np.concatenate([ids for ids, _ in parts]),
        size_bytes=_sizes(sizes, known, reading),
        at_ps=_times([rows.at_us for _, rows in parts], path, reading),
        what=np.concatenate([_what(rows, len(ids)) for ids, rows in parts if writes] or [NOTHING]),
    )


def _rows(path: str, reading: Reading) -> Iterator[Rows]:
    form = reading.form or detect(path)
    if form is TraceFormat.ORACLE_GENERAL:
        yield from oracle_general(path)
    elif form is TraceFormat.CSV:
        yield from cache_csv(path, reading.columns)
    elif form is TraceFormat.MOONCAKE:
        requests = read_requests(path)
        lengths = [len(request.blocks) for request in requests]
        total = sum(lengths)
        yield Rows(
            keys=np.array([b for request in requests for b in request.blocks], dtype=np.int64),
            size_bytes=np.zeros(total, dtype=np.int64),
            what=np.full(total, READ, dtype=np.int64),
            at_us=np.repeat([request.at_ms * 1000 for request in requests], lengths),
        )
    else:
        raise CouldNotRun(
            f"`{path}` holds requests ({form}), whose blocks cannot be replayed one by one",
            "serve them: `mirc simulate FILE.mir --trace TRACE`",
        )


def _kept(rows: Rows, reading: Reading) -> Rows:
    """Drop what is not asked for, so that it takes no memory."""
    return attrs.evolve(
        rows,
        keys=NOTHING,
        size_bytes=NOTHING,
        what=rows.what if (rows.what != READ).any() else NOTHING,
        at_us=NOTHING if reading.speedup is None else rows.at_us,
    )


def _what(rows: Rows, count: int) -> NDArray[np.int64]:
    return rows.what if len(rows.what) else np.full(count, READ, dtype=np.int64)


def _first_sizes(
    ids: NDArray[np.int64], size_bytes: NDArray[np.int64], known: int, count: int
) -> NDArray[np.int64]:
    """Return the sizes that the first accesses to new objects give."""
    found = np.zeros(count - known, dtype=np.int64)
    new = np.flatnonzero(ids >= known)[::-1]  # of several, the first is written last
    found[ids[new] - known] = size_bytes[new]
    return found


def _sizes(parts: list[NDArray[np.int64]], count: int, reading: Reading) -> NDArray[np.int64]:
    if reading.object_bytes is not None:
        return np.full(count, reading.object_bytes, dtype=np.int64)
    return np.concatenate(parts)


def _times(parts: list[NDArray[np.int64]], path: str, reading: Reading) -> NDArray[np.int64]:
    if reading.speedup is None:
        return NOTHING
    since = np.concatenate(parts)
    since -= since[0]
    if since[-1] / reading.speedup >= _LONGEST_US:
        raise CouldNotRun(
            f"`{path}` spans {since[-1] // 1_000_000:_} s, longer than picoseconds of 64 bits hold",
            "give `--speedup`, or leave out the times",
        )
    return np.rint(since / reading.speedup * PS_PER_US).astype(np.int64)
