"""Use gaps under a capacity into the transfers to save: LP bound and greedy choice.

A gap is the stretch between two uses of one object. Keeping the object through the gap saves a
transfer and costs room at each step of it: choosing the gaps to keep is weighted interval packing.
Held against brute force by tests; no pass consults it yet.
"""

from collections.abc import Sequence
from itertools import pairwise

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
    if not gaps:
        return 0.0
    # Imported here: scipy takes 0.3 s to start and most plans are closed forms.
    import numpy as np  # noqa: PLC0415
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    starts = sorted({gap.first for gap in gaps})
    row_of = {start: row for row, start in enumerate(starts)}
    rows: list[int] = []
    columns: list[int] = []
    sizes: list[float] = []
    for column, gap in enumerate(gaps):
        for start in starts[row_of[gap.first] :]:
            if start > gap.last:
                break
            rows.append(row_of[start])
            columns.append(column)
            sizes.append(float(gap.size_bytes))
    matrix = csr_matrix((sizes, (rows, columns)), shape=(len(starts), len(gaps)))
    room_at_starts = np.array([float(max(0, room[start])) for start in starts])
    result = milp(  # without integrality: HiGHS's LP
        c=-np.array([float(gap.saved_bytes) for gap in gaps]),
        constraints=LinearConstraint(matrix, ub=room_at_starts),
        bounds=Bounds(0.0, 1.0),
    )
    if not result.success:
        raise ArithmeticError(f"HiGHS found no bound: {result.message}")
    return float(-result.fun)
