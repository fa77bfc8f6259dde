"""What comes near over several runs: what a plan's residences move, and the least that any move."""

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import gcd

import attrs

from mirc.bounds.packing import Gap, divisible_saved_bytes, use_gaps, whole_saved_bytes
from mirc.passes.placing import Mode, Residence

MOST_USES = 2_000_000
"""Uses, over all runs, above which gaps are not packed."""

MOST_WHOLE = 400
"""Gaps of unlike pieces up to which pieces are not divided: a larger MILP may take minutes."""


@attrs.frozen(kw_only=True)
class Moves:
    """A phase's certain pieces, ascending ``uses`` of each in a run, and the runs, ``laps``.

    ``room[t]`` are the near bytes for pieces at step ``t`` of a run.
    """

    sizes: tuple[int, ...]
    uses: tuple[tuple[int, ...], ...]
    room: tuple[int, ...]
    laps: int

    @property
    def count(self) -> int:
        """Return the uses over all runs."""
        return self.laps * sum(map(len, self.uses))

    @property
    def returns(self) -> bool:
        """Say whether some piece is used by several steps of a run."""
        return any(len(steps) > 1 for steps in self.uses)


@attrs.frozen(kw_only=True)
class Least:
    """The least bytes that come near, what computed them and in how many seconds."""

    size_bytes: int
    method: str
    solver: str
    seconds: float


def moved_bytes(moves: Moves, residences: Sequence[Residence]) -> int:
    """Return what comes near for the uses of all runs; the first finds nothing there.

    What stays comes once, the rest once for each of its stretches in each run. A stretch that wraps
    and has uses on both sides of a run's end is one more: its first half in the first run, which
    no run before has begun.
    """
    return sum(
        size * (1 if residence.mode is Mode.STAYS else _arrivals(residence, steps, moves.laps))
        for size, steps, residence in zip(moves.sizes, moves.uses, residences, strict=True)
    )


def _arrivals(residence: Residence, uses: Sequence[int], laps: int) -> int:
    arrivals = 0
    for first, last in residence.stretches:
        if first <= last:
            arrivals += laps
        else:
            arrivals += laps - 1 + (uses[0] <= last) + (uses[-1] >= first)
    return arrivals


def least_moved(moves: Moves) -> Least:
    """Return the least bytes that come near over all runs, the first finding nothing there.

    The relaxation in which pieces are divisible is solved exactly, at any size; what whole pieces
    take of the room is a multiple of their greatest common divisor. Of at most ``MOST_WHOLE`` gaps
    of unlike pieces HiGHS bounds the packing of whole ones too.
    """
    begin = time.perf_counter()
    at, room = _all_runs(moves)
    gaps = use_gaps(at, moves.sizes)
    unit = gcd(*moves.sizes)
    beside = [left - left % unit for left in _beside(at, moves.sizes, room)]
    saved = divisible_saved_bytes(gaps, beside)
    method, solver = "LP relaxation of the packing of use gaps", "farthest next use, byte by byte"
    if len(gaps) <= MOST_WHOLE and len({gap.size_bytes for gap in gaps}) > 1:
        whole = whole_saved_bytes(gaps, beside)
        if whole < saved:
            saved, method, solver = whole, "packing of use gaps, pieces whole", "HiGHS"
    return Least(
        size_bytes=_fetched(at, moves.sizes) - saved,
        method=method,
        solver=solver,
        seconds=time.perf_counter() - begin,
    )


def least_warm_bytes(moves: Moves, more: int) -> int:
    """Return the least bytes a run that come into room and ``more`` bytes beside it.

    Whatever fits may be there when the first run begins. A mean over the runs, rounded down.
    """
    at, narrow = _all_runs(moves)
    room = [size + more for size in narrow]
    gaps = [*use_gaps(at, moves.sizes), *_before_first(at, moves.sizes)]
    there = sum(size for steps, size in zip(at, moves.sizes, strict=True) if steps[0] == 0)
    beside = _beside(at, moves.sizes, room)
    moved = _fetched(at, moves.sizes) - there - divisible_saved_bytes(gaps, beside)
    return moved // moves.laps


def _before_first(at: Sequence[Sequence[int]], sizes: Sequence[int]) -> Iterator[Gap]:
    for steps, size in zip(at, sizes, strict=True):
        if steps[0]:
            yield Gap(0, steps[0] - 1, size, size)


def _all_runs(moves: Moves) -> tuple[list[list[int]], list[int]]:
    steps = len(moves.room)
    at = [[lap * steps + step for lap in range(moves.laps) for step in use] for use in moves.uses]
    return at, list(moves.room) * moves.laps


def _beside(at: Sequence[Sequence[int]], sizes: Sequence[int], room: Sequence[int]) -> list[int]:
    """Return the room that each step leaves beside what it uses."""
    left = list(room)
    for steps, size in zip(at, sizes, strict=True):
        for step in steps:
            left[step] -= size
    return left


def _fetched(at: Sequence[Sequence[int]], sizes: Sequence[int]) -> int:
    """Return what comes if nothing is kept but from one step to the very next."""
    return sum(
        size * (len(steps) - sum(after - before == 1 for before, after in pairwise(steps)))
        for steps, size in zip(at, sizes, strict=True)
    )
