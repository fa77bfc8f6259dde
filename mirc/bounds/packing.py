"""Use gaps under a capacity into the transfers to save: LP bound and greedy choice.

A gap is the stretch between two uses of one object. Keeping the object through the gap saves a
transfer and costs room at each step of it: choosing the gaps to keep is weighted interval packing.
"""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import accumulate, pairwise

import attrs
from attrs import validators as v


@attrs.frozen(slots=True)
class Gap:
    """The steps ``first`` to ``last`` (inclusive) strictly between two uses of one object.

    ``saved_bytes`` need not move again if its ``size_bytes`` stay through all of them.
    """

    first: int
    last: int
    size_bytes: int = attrs.field(validator=v.gt(0))
    saved_bytes: int = attrs.field(validator=v.ge(0))


def use_gaps(uses: Sequence[Sequence[int]], sizes: Sequence[int]) -> tuple[Gap, ...]:
    """Return the gaps between the ascending uses (step indices) of each object.

    Uses in neighbouring steps leave no step between them: such an object simply stays, and no
    gap is made.
    """
    return tuple(
        Gap(before + 1, after - 1, size, size)
        for steps, size in zip(uses, sizes, strict=True)
        for before, after in pairwise(steps)
        if after - before > 1
    )


def greedy_keep(gaps: Sequence[Gap], room: Sequence[int]) -> tuple[bool, ...]:
    """Choose gaps to keep so that the kept bytes fit into ``room`` at every step.

    Most bytes saved per byte and step of room first, ties by position. Cost: O(sum of lengths).
    """
    left = list(room)
    keep = [False] * len(gaps)

    def value(index: int) -> tuple[float, int]:
        gap = gaps[index]
        return -gap.saved_bytes / (gap.size_bytes * (gap.last - gap.first + 1)), index

    for index in sorted(range(len(gaps)), key=value):
        gap = gaps[index]
        steps = range(gap.first, gap.last + 1)
        if all(left[step] >= gap.size_bytes for step in steps):
            keep[index] = True
            for step in steps:
                left[step] -= gap.size_bytes
    return tuple(keep)


def saved_bytes_bound(gaps: Sequence[Gap], room: Sequence[int]) -> float:
    """Return what no choice of gaps can save more than: the LP relaxation, by HiGHS.

    Room is checked where a gap begins only: the bytes kept are largest there. ``room`` must
    therefore be constant or given for the tightest case of each stretch, else the bound is weak
    but still holds. Source: Berger et al., Practical Bounds on Optimal Caching with Variable
    Object Sizes, SIGMETRICS 2018.
    """
    return _highs(gaps, room, whole=False) if gaps else 0.0


NODES = 500
"""Nodes of the branch and bound after which HiGHS gives the bound it has: alike on any computer."""

SLACK = 1e-6
"""HiGHS's tolerance, as a share of the largest gap: the bound is loosened by it."""


def whole_saved_bytes(gaps: Sequence[Gap], room: Sequence[int]) -> int:
    """Return what no choice of whole gaps can save more than: the MILP's bound, by HiGHS.

    Room is checked as in ``saved_bytes_bound``; the search ends after ``NODES`` nodes. For a few
    hundred gaps of unlike sizes: for gaps of one size the relaxation is as good.
    """
    if not gaps:
        return 0
    slack = SLACK * max(gap.size_bytes for gap in gaps)
    return int(_highs(gaps, room, whole=True) * (1 + SLACK) + slack)


def _highs(gaps: Sequence[Gap], room: Sequence[int], *, whole: bool) -> float:
    """Return the upper bound on what gaps save, each kept whole or not at all if ``whole``."""
    # Imported here: scipy takes 0.3 s to start and most plans are closed forms.
    import numpy as np  # noqa: PLC0415
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    starts = sorted({gap.first for gap in gaps})
    row_of = {start: row for row, start in enumerate(starts)}
    rows: list[int] = []
    columns: list[int] = []
    entries: list[float] = []
    unit = float(max(gap.size_bytes for gap in gaps))  # HiGHS's tolerances are absolute

    def enter(row: int, column: int, value: float) -> None:
        if row < len(starts):
            rows.append(row)
            columns.append(column)
            entries.append(value)

    # Row t less row t - 1: a gap stands in the row of its start and in the first after its end,
    # and the room left over is carried from row to row. Two entries a gap, not one a step.
    for column, gap in enumerate(gaps):
        enter(row_of[gap.first], column, gap.size_bytes / unit)
        enter(bisect_right(starts, gap.last), column, -gap.size_bytes / unit)
    for row in range(len(starts)):
        enter(row, len(gaps) + row, 1.0)
        enter(row + 1, len(gaps) + row, -1.0)
    width = len(gaps) + len(starts)
    matrix = csr_matrix((entries, (rows, columns)), shape=(len(starts), width))
    rooms = np.array([max(0, room[start]) / unit for start in starts])
    change = np.diff(rooms, prepend=0.0)
    saved = np.array([float(gap.saved_bytes) for gap in gaps])
    result = milp(
        integrality=np.repeat([int(whole), 0], [len(gaps), len(starts)]),  # all zeros: an LP
        options={"node_limit": NODES},
        c=-np.concatenate([saved / unit, np.zeros(len(starts))]),
        constraints=LinearConstraint(matrix, change, change),
        bounds=Bounds(0.0, np.concatenate([np.ones(len(gaps)), np.full(len(starts), np.inf)])),
    )
    bound = result.mip_dual_bound if whole else result.fun
    if bound is None or not np.isfinite(bound):
        raise ArithmeticError(f"HiGHS found no bound: {result.message}")
    return float(-bound) * unit


def divisible_saved_bytes(gaps: Sequence[Gap], room: Sequence[int]) -> int:
    """Return the most bytes that gaps of divisible objects can save, each byte worth one byte.

    ``saved_bytes`` are taken to be ``size_bytes``: this is the LP relaxation then, with room
    checked at every step, without a solver and at any size. Wherever room is short, the bytes
    whose next use is farthest leave. Cost: O((gaps + steps) log gaps). Source: Belady, IBM Systems
    Journal 5(2), 1966, byte by byte; Berger et al., SIGMETRICS 2018, for the relaxation.
    """
    left = [gap.size_bytes for gap in gaps]
    _drop_farthest(gaps, room, left, whole=False)
    return sum(left)


def farthest_keep(gaps: Sequence[Gap], room: Sequence[int]) -> tuple[bool, ...]:
    """Choose whole gaps to keep: where room is short, those that end farthest leave.

    What was dropped and fits after all into the room that is left in the end is kept again, the
    most bytes first. Cost: O((gaps + steps) log gaps + sum of the lengths of dropped gaps).
    """
    left = [gap.size_bytes for gap in gaps]
    _drop_farthest(gaps, room, left, whole=True)
    keep = [size > 0 for size in left]
    change = [0] * (len(room) + 1)
    for gap, kept in zip(gaps, keep, strict=True):
        if kept:
            change[gap.first] -= gap.size_bytes
            change[gap.last + 1] += gap.size_bytes
    free = [have + used for have, used in zip(room, accumulate(change[:-1]), strict=True)]
    dropped = [i for i, kept in enumerate(keep) if not kept]
    for index in sorted(dropped, key=lambda i: (-gaps[i].saved_bytes, i)):
        gap = gaps[index]
        if min(free[gap.first : gap.last + 1]) >= gap.size_bytes:
            keep[index] = True
            for step in range(gap.first, gap.last + 1):
                free[step] -= gap.size_bytes
    return tuple(keep)


def _drop_farthest(
    gaps: Sequence[Gap], room: Sequence[int], left: list[int], *, whole: bool
) -> None:
    """Take from ``left``, the bytes kept of each gap, what does not fit; all of a gap if whole."""
    begins: list[list[int]] = [[] for _ in room]
    ends: list[list[int]] = [[] for _ in range(len(room) + 1)]
    for index, gap in enumerate(gaps):
        begins[gap.first].append(index)
        ends[gap.last + 1].append(index)
    farthest: list[tuple[int, int, int]] = []
    held = 0
    for step, have in enumerate(room):
        held -= sum(left[index] for index in ends[step])
        for index in begins[step]:
            held += left[index]
            heappush(farthest, (-gaps[index].last, -gaps[index].size_bytes, index))
        while held > max(0, have):
            index = farthest[0][2]
            taken = left[index] if whole else min(left[index], held - max(0, have))
            left[index] -= taken
            held -= taken
            if not left[index]:
                heappop(farthest)
