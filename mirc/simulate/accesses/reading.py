"""A trace file into accesses to numbered objects, which can be played again and again."""

from collections.abc import Callable, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.kernels.tiers.state import READ
from mirc.simulate.accesses.model import NOTHING, Accesses, Trace
from mirc.simulate.accesses.numbering import Numbering
from mirc.traces.accesses import Rows, oracle_general, records_in
from mirc.traces.cache_csv import cache_csv
from mirc.traces.detect import TraceFormat, detect
from mirc.traces.requests import read_so_far as requests_so_far

MOST_HELD = 150_000_000  # accesses that are kept in memory
MOST_OBJECTS = 1 << 26
HELD_RECORDS = 1 << 22  # of oracleGeneral up to which they are kept, and not read again
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


def read(path: str, reading: Reading, tell: Callable[[str], None] | None = None) -> Trace:
    """Return a trace's accesses; an object has the size that its first access gives.

    Requests ask for the blocks of their prompts, in order, at the time of their arrival. Raises
    CouldNotRun, with the line or record, for what is wrong with it.
    """
    found = read_so_far(path, reading, tell)
    if found.cut is not None:
        raise found.cut
    return found


def read_so_far(path: str, reading: Reading, tell: Callable[[str], None] | None = None) -> Trace:
    """Return the same, and of a trace that goes wrong somewhere what comes before that.

    Takes 16 to 64 bytes for each distinct key. Records of oracleGeneral stay in the file, which is
    read again for each run; other accesses take 4 bytes (13 with writes and times) each. Raises
    CouldNotRun for more than ``MOST_OBJECTS``, or ``MOST_HELD`` that have to be kept, and where
    nothing comes before what is wrong.
    """
    form = reading.form or detect(path)
    if reading.columns is not None and form is not TraceFormat.CSV:
        raise CouldNotRun(f"`{path}` is no CSV, but {form}", "leave out `--columns`")
    scan = _Scan(path, reading, kept=_is_kept(path, form))
    cut = None
    try:
        for rows in _rows(path, form, reading):
            scan.take(rows)
            if tell is not None:
                tell(f"reading {path}: {scan.count:_} accesses to {scan.known:_} objects")
    except CouldNotRun as error:
        if not scan.count:
            raise
        cut = error
    return scan.trace(cut)


class _Scan:
    """What one pass over a trace finds, and all that the next ones need."""

    def __init__(self, path: str, reading: Reading, *, kept: bool) -> None:
        self._path, self._reading = path, reading
        self._numbering = Numbering()
        self._sizes: list[NDArray[np.int64]] = []
        self._held: list[_Held] | None = [] if kept else None
        self._since_us = self._ended_us = 0
        self.count = 0
        self.known = 0

    def take(self, rows: Rows) -> None:
        """Take what comes next; raises CouldNotRun for too much."""
        ids = self._numbering.ids(rows.keys)
        now = self._numbering.count
        _refuse_if_many(self._path, now, MOST_OBJECTS, "objects")
        if now > self.known:
            self._sizes.append(_first_sizes(ids, rows.size_bytes, self.known, now))
            self.known = now
        if self._held is not None:
            _refuse_if_many(self._path, self.count + len(ids), MOST_HELD, "accesses")
            self._held.append(_Held.of(ids, rows, self._reading))
        if not self.count:
            self._since_us = int(rows.at_us[0])
        self._ended_us = int(rows.at_us[-1])
        self.count += len(ids)

    def trace(self, cut: CouldNotRun | None) -> Trace:
        """Return what was taken; raises CouldNotRun for a span that picoseconds cannot hold."""
        if self._reading.speedup is not None:
            _refuse_if_long(self._path, self._ended_us - self._since_us, self._reading.speedup)
        size_bytes = _sizes(self._sizes, self.known, self._reading)

        def parts() -> Iterator[Accesses]:
            for part in self._again() if self._held is None else self._held:
                yield part.accesses(size_bytes, self._since_us, self._reading)

        return Trace(count=self.count, size_bytes=size_bytes, parts=parts, cut=cut)

    def _again(self) -> Iterator["_Held"]:
        left = self.count
        for rows in oracle_general(self._path):
            part = _Held.of(self._numbering.ids(rows.keys)[:left], rows, self._reading)
            if self._numbering.count > self.known:
                break
            yield part
            left -= len(part.ids)
            if not left:
                return
        raise CouldNotRun(f"`{self._path}` was changed while it was read", "run it again")


@attrs.frozen(kw_only=True, eq=False)
class _Held:
    """Some accesses in few bytes; what is not asked for is empty."""

    ids: NDArray[np.int32]
    what: NDArray[np.int8]
    at_us: NDArray[np.int64]

    @staticmethod
    def of(ids: NDArray[np.int64], rows: Rows, reading: Reading) -> "_Held":
        return _Held(
            ids=ids.astype(np.int32),
            what=(rows.what if (rows.what != READ).any() else NOTHING).astype(np.int8),
            at_us=NOTHING if reading.speedup is None else rows.at_us,
        )

    def accesses(self, size_bytes: NDArray[np.int64], since: int, reading: Reading) -> Accesses:
        times = NOTHING
        if reading.speedup is not None:
            times = np.rint((self.at_us - since) / reading.speedup * PS_PER_US).astype(np.int64)
        return Accesses(
            ids=self.ids.astype(np.int64),
            size_bytes=size_bytes,
            what=self.what.astype(np.int64),
            at_ps=times[: len(self.ids)],
        )


def _is_kept(path: str, form: TraceFormat) -> bool:
    """Tell whether accesses are kept: text is slow to read again, and a short file soon kept."""
    if form is not TraceFormat.ORACLE_GENERAL:
        return True
    return records_in(path) <= HELD_RECORDS


def _refuse_if_many(path: str, count: int, most: int, noun: str) -> None:
    if count > most:
        raise CouldNotRun(f"`{path}` has more than {most:_} {noun}", "give a part of it")


def _rows(path: str, form: TraceFormat, reading: Reading) -> Iterator[Rows]:
    if form is TraceFormat.ORACLE_GENERAL:
        yield from oracle_general(path)
    elif form is TraceFormat.CSV:
        yield from cache_csv(path, reading.columns)
    elif form is TraceFormat.MOONCAKE:
        requests, cut = requests_so_far(path)
        lengths = [len(request.blocks) for request in requests]
        total = sum(lengths)
        if not total:
            raise CouldNotRun(f"`{path}` asks for no block", "give requests with `hash_ids`")
        yield Rows(
            keys=np.array([b for request in requests for b in request.blocks], dtype=np.int64),
            size_bytes=np.zeros(total, dtype=np.int64),
            what=np.full(total, READ, dtype=np.int64),
            at_us=np.repeat([request.at_ms * 1000 for request in requests], lengths),
        )
        if cut is not None:
            raise cut
    else:
        raise CouldNotRun(
            f"`{path}` holds requests ({form}), whose blocks cannot be replayed one by one",
            "serve them: `mirc simulate FILE.mir --trace TRACE`",
        )


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


def _refuse_if_long(path: str, span_us: int, speedup: float) -> None:
    if span_us / speedup >= _LONGEST_US:
        raise CouldNotRun(
            f"`{path}` spans {span_us // 1_000_000:_} s, longer than picoseconds of 64 bits hold",
            "give `--speedup`, or leave out the times",
        )
