"""Intervals with sizes into offsets in one memory, and the gap to the peak that none undercuts."""

from collections.abc import Callable, Sequence

import attrs

from mirc.bounds.peak import Interval, live_bytes

ALIGNMENT = 256
"""Bytes that offsets are multiples of: what accelerators ask of an allocation."""

MANY = 10_000
"""Above so many intervals a plan within ``NEAR`` of its bound is good enough."""
NEAR = 1.01


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
    orders are tried (by size times steps, by steps, by birth) and the lowest plan is kept; of more
    than ``MANY`` intervals only where the gap is above 1 %. Offsets are multiples of ``align``.
    Cost: O(n log n + pairs that overlap in time) for each order. Raises IndexError where an
    interval leaves the ``steps``.

    Source: greedy by size of Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
    Inference, arXiv:2001.03288, section 4.2; first fit for interval colouring.
    """
    peak = max(live_bytes(intervals, steps), default=0)
    best: OffsetPlan | None = None
    for name, key in _ORDERS:
        order = sorted(range(len(intervals)), key=[key(i, steps) for i in intervals].__getitem__)
        offsets = _first_fit(intervals, steps, align, order)
        height = max((o + i.size_bytes for o, i in zip(offsets, intervals, strict=True)), default=0)
        if best is None or height < best.height_bytes:
            best = OffsetPlan(
                offsets=tuple(offsets), height_bytes=height, peak_bytes=peak, order=name
            )
        near = len(intervals) > MANY and best.height_bytes <= NEAR * peak
        if near or best.height_bytes <= peak:
            break
    assert best is not None  # noqa: S101 - there are orders
    return best


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
    placed: list[list[int]] = [[] for _ in range(steps)]  # by step, what is placed there
    base = 0
    for index, interval in enumerate(intervals):
        if _length(interval, steps) == steps:  # at the bottom, where nothing has to miss it
            offsets[index] = base
            base = -(-(base + interval.size_bytes) // align) * align
    for index in order:
        interval = intervals[index]
        if not interval.size_bytes or _length(interval, steps) == steps:
            continue
        beside: set[int] = set()
        for step in _steps(interval, steps):
            beside.update(placed[step])
            placed[step].append(index)
        offsets[index] = _lowest(
            sorted((offsets[other], intervals[other].size_bytes) for other in beside),
            interval.size_bytes,
            align,
            base,
        )
    return offsets


def _steps(interval: Interval, steps: int) -> Sequence[int]:
    if interval.first <= interval.last:
        return range(interval.first, interval.last + 1)
    return [*range(interval.first, steps), *range(interval.last + 1)]


def _lowest(taken: Sequence[tuple[int, int]], size: int, align: int, base: int) -> int:
    """Return the lowest multiple of ``align`` from ``base`` on where ``size`` bytes miss others."""
    at = base
    for offset, length in taken:
        if at + size <= offset:
            break
        at = max(at, -(-(offset + length) // align) * align)
    return at
