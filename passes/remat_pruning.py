"""A schedule within its budget into one without the extra moves that the budget does not need."""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from mirc.bounds.remat import Move, Moves, Problem, room_taken, touched
from mirc.passes.remat_edits import extras, without_spares

GONE = -(1 << 62)
"""Room that a dropped move takes: below any, whatever is added to it."""


def pruned(problem: Problem, moves: Moves, price: Callable[[Move], float]) -> Moves:
    """Return the schedule without extra moves that its budget does not need, dearest first.

    Each is tried by what dropping it changes: what it brought stays from the touch before, what it
    read for the last time goes then. Cost: O(extra moves x their gaps), in arrays.
    """
    places = sorted(extras(problem, moves), key=lambda place: (-price(moves[place]), place))
    room = _Room(problem, moves)
    gone = {place for place in places if room.dropped(place)}
    return without_spares(tuple(move for at, move in enumerate(moves) if at not in gone))


class _Room:
    """The bytes taken at each move, and who touches what when, as moves are dropped."""

    def __init__(self, problem: Problem, moves: Moves) -> None:
        self._problem = problem
        self._moves = moves
        self._taken = np.array(room_taken(problem, moves), dtype=np.int64)
        self._touches: dict[int, list[int]] = {}
        self._brought: set[tuple[int, int]] = set()
        for place, move in enumerate(moves):
            needs, brings = touched(problem, move)
            for value in (*needs, *brings):
                self._touches.setdefault(value, []).append(place)
            self._brought.update((value, place) for value in brings)
        for value in problem.kept:
            self._touches[value].append(len(moves))

    def dropped(self, place: int) -> bool:
        """Drop a move if the budget holds without it, and say whether it did."""
        needs, brings = touched(self._problem, self._moves[place])
        changes = [self._without_bring(value, place) for value in brings]
        changes += [self._without_need(value, place) for value in dict.fromkeys(needs)]
        was = self._taken.copy()
        self._taken[place] = GONE
        for begin, end, size in changes:
            self._taken[begin:end] += size
        grown = [self._taken[begin:end] for begin, end, size in changes if size > 0 and begin < end]
        if any(int(part.max()) > self._problem.budget_bytes for part in grown):
            self._taken = was
            return False
        for value in dict.fromkeys((*needs, *brings)):
            self._touches[value].remove(place)
        self._brought.difference_update((value, place) for value in brings)
        return True

    def _around(self, value: int, place: int) -> tuple[int, int | None]:
        """Return the touches before ``place`` and behind it in one residence (None: none)."""
        touches = self._touches[value]
        at = bisect_left(touches, place)
        after = touches[at + 1] if at + 1 < len(touches) else None
        if after is not None and (value, after) in self._brought:
            after = None
        return touches[at - 1], after

    def _without_bring(self, value: int, place: int) -> tuple[int, int, int]:
        """Return from where to where (exclusive) a value's bytes change, and by how much."""
        before, after = self._around(value, place)
        size = self._problem.values[value].size_bytes
        return (before + 1, place, size) if after is not None else (place, place, 0)

    def _without_need(self, value: int, place: int) -> tuple[int, int, int]:
        before, after = self._around(value, place)
        size = self._problem.values[value].size_bytes
        return (before + 1, place, -size) if after is None else (place, place, 0)
