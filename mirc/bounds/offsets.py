"""Intervals with sizes into offsets in one memory, and the gap to the peak that none undercuts."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.bounds.peak import Interval, live_bytes

ALIGNMENT = 256
"""Bytes that offsets are multiples of: what accelerators ask of an allocation."""

PAIRS = 20_000_000
"""Above so many pairs of intervals that overlap one order is tried: each takes seconds."""

FEW = 1_000_000
NEAR = 1.01
"""Above ``FEW`` such pairs a plan within 1 % of its bound is good enough."""

BLOCK = 64
"""Intervals that are looked at, or passed over, together."""

Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class OffsetPlan:
    """``offsets[i]`` is where interval ``i`` begins; all lie below ``height_bytes``.

    ``peak_bytes`` is the most that is live at once: no plan is lower. ``order`` names the order in
    which the intervals were placed.
    """

    offsets: tuple[int, ...]
    height_bytes: int
    peak_bytes: int
    order: str


def place_offsets(intervals: Sequence[Interval], steps: int, align: int = 1) -> OffsetPlan:
    """Give every interval the lowest offset that is free in all its steps, the largest first.

    What is there at every step lies at the bottom. Where a gap to the peak is left, three other
    orders are tried (by size times steps, by steps, by birth) and the lowest plan is kept; with
    more than ``FEW`` pairs of intervals that overlap only where the gap is above 1 %, with more
    than ``PAIRS`` not at all, and ``order`` says so. Offsets are multiples of ``align``. Cost for
    each order: O(n^2 / BLOCK + p log p), p the pairs that overlap, both in vector operations:
    8,000 intervals with 7 million pairs take half a second. Raises IndexError where an interval
    leaves the ``steps``.

    Source: greedy by size of Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
    Inference, arXiv:2001.03288, section 4.2; first fit for interval colouring.
    """
    peak = max(live_bytes(intervals, steps), default=0)
    pairs = _overlapping(intervals, steps)
    orders = _ORDERS if pairs <= PAIRS else _ORDERS[:1]
    best: OffsetPlan | None = None
    for name, key in orders:
        order = sorted(range(len(intervals)), key=[key(i, steps) for i in intervals].__getitem__)
        offsets = _first_fit(intervals, steps, align, order)
        height = max((o + i.size_bytes for o, i in zip(offsets, intervals, strict=True)), default=0)
        if best is None or height < best.height_bytes:
            best = OffsetPlan(
                offsets=tuple(offsets), height_bytes=height, peak_bytes=peak, order=name
            )
        near = pairs > FEW and best.height_bytes <= NEAR * peak
        if near or best.height_bytes <= peak:
            break
    assert best is not None  # noqa: S101 - there are orders
    if pairs > PAIRS and best.height_bytes > peak:
        only = f"{best.order}, the only order tried for {pairs:_} pairs that overlap"
        return attrs.evolve(best, order=only)
    return best


def _overlapping(intervals: Sequence[Interval], steps: int) -> int:
    """Return the pairs that overlap, those of what is there throughout left out.

    A pair overlaps from the first step of one of them on; one that wraps counts as its two parts.
    """
    parts = [part for each in intervals for part in _parts(each, steps)]
    begun = np.bincount([first for first, _ in parts], minlength=steps)
    alive = live_bytes([Interval(first, last, 1) for first, last in parts], steps)
    before = np.array(alive) - begun
    return int((begun * before + begun * (begun - 1) // 2).sum())


def _parts(interval: Interval, steps: int) -> list[tuple[int, int]]:
    """Return the stretches that do not wrap; none where it takes no room of its own."""
    if not interval.size_bytes or _length(interval, steps) == steps:
        return []
    if interval.first <= interval.last:
        return [(interval.first, interval.last)]
    return [(interval.first, steps - 1), (0, interval.last)]


def _length(interval: Interval, steps: int) -> int:
    length = interval.last - interval.first + 1
    return length if length > 0 else length + steps


_ORDERS: tuple[tuple[str, Callable[[Interval, int], tuple[int, ...]]], ...] = (
    ("decreasing size", lambda i, _: (-i.size_bytes, i.first)),
    ("decreasing size times steps", lambda i, n: (-i.size_bytes * _length(i, n), i.first)),
    ("decreasing steps", lambda i, n: (-_length(i, n), -i.size_bytes, i.first)),
    ("birth", lambda i, _: (i.first, -i.size_bytes)),
)


def _first_fit(
    intervals: Sequence[Interval], steps: int, align: int, order: Sequence[int]
) -> list[int]:
    offsets = [0] * len(intervals)
    base = 0
    for index, interval in enumerate(intervals):
        if _length(interval, steps) == steps:  # at the bottom, where nothing has to miss it
            offsets[index] = base
            base = _aligned(base + interval.size_bytes, align)
    shelf = _Shelf([_parts(interval, steps) for interval in intervals])
    for index in order:
        if shelf.parts[index]:
            size = intervals[index].size_bytes
            low, high = shelf.beside(index)
            offsets[index] = _lowest(low, high, size, base)
            shelf.put(index, offsets[index], _aligned(offsets[index] + size, align))
    return offsets


def _aligned(offset: int, align: int) -> int:
    return -(-offset // align) * align


class _Shelf:
    """What was placed, by its first step, in blocks that are passed over where all ended before."""

    def __init__(self, parts: list[list[tuple[int, int]]]) -> None:
        self.parts = parts
        rows = sorted(
            (first, last, index) for index, each in enumerate(parts) for first, last in each
        )
        blocks = -(-len(rows) // BLOCK)
        self.rows: list[list[int]] = [[] for _ in parts]
        for row, (_, _, index) in enumerate(rows):
            self.rows[index].append(row)
        self.first = np.full(blocks * BLOCK, np.iinfo(np.int64).max)
        self.first[: len(rows)] = [first for first, _, _ in rows]
        self.ends = np.array([last for _, last, _ in rows], dtype=np.int64)
        self.last, self.low, self.high = (
            np.full(blocks * BLOCK, -1, dtype=np.int64) for _ in range(3)
        )
        self.last_of = np.full(blocks, -1, dtype=np.int64)

    def put(self, index: int, low: int, high: int) -> None:
        """Let bytes ``low`` to ``high`` (exclusive) be taken for as long as an interval lasts."""
        for row in self.rows[index]:
            self.last[row] = self.ends[row]
            self.low[row], self.high[row] = low, high
            block = row // BLOCK
            self.last_of[block] = max(self.last_of[block], self.ends[row])

    def beside(self, index: int) -> tuple[Ints, Ints]:
        """Return the bytes taken, from and to (exclusive), at some time of an interval."""
        found = [self._during(first, last) for first, last in self.parts[index]]
        if len(found) == 1:
            return found[0]
        lows, highs = zip(*found, strict=True)
        return np.concatenate(lows), np.concatenate(highs)

    def _during(self, first: int, last: int) -> tuple[Ints, Ints]:
        begun = int(np.searchsorted(self.first, last, side="right"))
        blocks = np.flatnonzero(self.last_of[: -(-begun // BLOCK)] >= first)
        begins, ends, low, high = (
            each.reshape(-1, BLOCK)[blocks] for each in (self.first, self.last, self.low, self.high)
        )
        there = (begins <= last) & (ends >= first)
        return low[there], high[there]


def _lowest(low: Ints, high: Ints, size: int, base: int) -> int:
    """Return the lowest offset from ``base`` on where ``size`` bytes miss all that is taken.

    With ends and begins sorted apart, the k-th end is where bytes are free again if no more than
    k begin before it, and they are until the next begin.
    """
    if not len(low):
        return base
    low = np.sort(low)
    high = np.sort(high)
    if base + size <= low[0]:
        return base
    wide = np.flatnonzero(low[1:] - high[:-1] >= size)
    return int(high[wide[0]] if len(wide) else high[-1])
