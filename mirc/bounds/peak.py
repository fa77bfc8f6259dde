"""Live intervals into the bytes live at each step, and the peak no allocator can undercut."""

from collections.abc import Iterable, Sequence

import attrs
from attrs import validators as v


@attrs.frozen(slots=True)
class Interval:
    """``size_bytes`` that exist from step ``first`` to step ``last``, both inclusive.

    Where ``first > last`` the interval wraps around the end of a repeated phase: it covers the
    steps from ``first`` to the end and those from the start to ``last``.
    """

    first: int = attrs.field(validator=v.ge(0))
    last: int = attrs.field(validator=v.ge(0))
    size_bytes: int = attrs.field(validator=v.ge(0))


@attrs.frozen(slots=True)
class Peak:
    """The most bytes that are live at once, and the first step at which they are."""

    size_bytes: int
    step: int


def live_bytes(intervals: Iterable[Interval], steps: int) -> list[int]:
    """Return the bytes live at each of ``steps`` steps.

    Cost: O(intervals + steps), by differences. Raises IndexError where an interval leaves the
    phase.
    """
    change = [0] * (steps + 1)
    for interval in intervals:
        if interval.first >= steps or interval.last >= steps:
            raise IndexError(f"interval {interval} leaves a phase of {steps} steps")
        change[interval.first] += interval.size_bytes
        change[interval.last + 1] -= interval.size_bytes
        if interval.first > interval.last:  # wraps: live at both ends
            change[0] += interval.size_bytes
            change[steps] -= interval.size_bytes
    return _running(change[:steps])


def peak(intervals: Iterable[Interval]) -> Peak:
    """Return the peak of intervals that do not wrap, by one sorted sweep in O(n log n).

    No placement of these bytes needs less room than this (a lower bound on any offset plan).
    Source: the maximum-overlap bound of interval colouring, with sizes as weights.
    """
    events = sorted(
        event
        for i in intervals
        if i.size_bytes
        for event in ((i.first, i.size_bytes), (i.last + 1, -i.size_bytes))
    )  # at equal steps ends sort before births, as the last step is inclusive
    best = Peak(0, 0)
    live = 0
    for step, change in events:
        live += change
        if live > best.size_bytes:
            best = Peak(live, step)
    return best


def _running(change: Sequence[int]) -> list[int]:
    total = 0
    sums = []
    for amount in change:
        total += amount
        sums.append(total)
    return sums
