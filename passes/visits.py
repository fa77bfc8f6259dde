"""Pieces that several steps use, where they cannot all stay, into the stretches they are near."""

from collections.abc import Sequence

from mirc.bounds.peak import Interval, live_bytes

Span = tuple[int, int]

AHEAD = 2
"""Steps before its use from which a piece may be on its way, where there is room."""


def visits(
    uses: Sequence[Sequence[int]], sizes: Sequence[int], room: Sequence[int], *, repeats: bool
) -> tuple[tuple[Span, ...], ...]:
    """Return for each piece its stretches of steps near, inclusive; none means that it stays.

    ``uses[n]`` are ascending steps, at least one; ``room[t]`` the bytes for these pieces at step
    ``t``. Keeping a piece from one use to the next saves its bytes once and takes its room for as
    long as that lasts, so the shortest gaps are kept first, in order of time, while they fit. In a
    phase that repeats the gap from the last use to the next run's first is one of them, and a
    stretch may wrap.
    Where room is left a stretch begins a little before its use, so that the fetch overlaps.
    Cost: O(sum of the gaps' lengths + gaps log gaps).
    """
    count = len(room)
    free = list(room)
    for steps, size in zip(uses, sizes, strict=True):
        for step in steps:
            free[step] -= size
    gaps: list[tuple[int, int, int, int, int]] = []  # length, -size, first step, piece, place
    for index, steps in enumerate(uses):
        for place, before in enumerate(steps):
            last = place == len(steps) - 1
            if not last or repeats:
                after = steps[0] + count if last else steps[place + 1]
                gaps.append((after - before - 1, -sizes[index], before + 1, index, place))
    kept: list[set[int]] = [set() for _ in uses]
    for length, size, begin, index, place in sorted(gaps):
        steps = [step % count for step in range(begin, begin + length)]
        if all(free[step] + size >= 0 for step in steps):
            kept[index].add(place)
            for step in steps:
                free[step] += size
    return tuple(
        _stretches(steps, keep, size, free, repeats=repeats)
        for steps, keep, size in zip(uses, kept, sizes, strict=True)
    )


def _stretches(
    uses: Sequence[int], kept: set[int], size: int, free: list[int], *, repeats: bool
) -> tuple[Span, ...]:
    if repeats and len(kept) == len(uses):
        return ()
    spans: list[list[int]] = []
    for place, step in enumerate(uses):
        if place and place - 1 in kept:
            spans[-1][1] = step
        else:
            spans.append([step, step])
    if repeats and len(uses) - 1 in kept:  # the last stretch goes on in the next run
        spans[0][0] = spans.pop()[0]
    spans.sort(key=lambda span: span[1])
    ends = [span[1] for span in spans]
    for place, span in enumerate(spans):
        before = ends[place - 1] if place else (ends[-1] - len(free) if repeats else -1)
        for _ in range(AHEAD):
            step = (span[0] - 1) % len(free)
            begin = span[0] - len(free) if span[0] > span[1] else span[0]
            if begin - 1 <= before or free[step] < size:
                break
            free[step] -= size
            span[0] = step
    return tuple((first, last) for first, last in spans)


def covered_bytes(spans: Sequence[Sequence[Span]], sizes: Sequence[int], steps: int) -> list[int]:
    """Return the bytes near at each step; a piece without stretches is there at all of them."""
    intervals = [
        Interval(first, last, size)
        for each, size in zip(spans, sizes, strict=True)
        for first, last in each or ((0, steps - 1),)
    ]
    return live_bytes(intervals, steps)
