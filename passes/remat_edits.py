"""A schedule over its budget into edits that free room, each with its price and its relief."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mirc.bounds.remat import Kind, Move, Moves, Problem, Stay, room_taken, stays


class Means(StrEnum):
    """What a planner may do with a value between two of its uses, besides keeping it."""

    SPILL = "spill"
    RECOMPUTE = "recompute"


BOTH = frozenset(Means)

DEEPEST = 64
"""Values that one edit makes again at most; cones of real models are as deep as their layers."""


class Edit(NamedTuple):
    """Moves to insert before places of a schedule.

    ``relief`` is by how much the sum over all moves of bytes above the budget falls, as far as
    the schedule before the edit shows; ``cost`` what the edit adds.
    """

    cost: float
    relief: int
    value: int
    inserted: tuple[tuple[int, Move], ...]


class Draft:
    """One schedule with what its edits are computed from."""

    def __init__(self, problem: Problem, moves: Moves) -> None:
        self.problem = problem
        self.moves = moves
        self.stays = stays(problem, moves)
        self._taken = np.array(room_taken(problem, moves), dtype=np.int64)
        self._over = np.maximum(self._taken - problem.budget_bytes, 0)
        self.excess = int(self._over.sum())
        self._spans: dict[int, list[Stay]] = {}
        for stay in self.stays:
            self._spans.setdefault(stay.value, []).append(stay)
        self._out_at: dict[int, int] = {}
        for place, move in enumerate(moves):
            if move.kind is Kind.OUT:
                self._out_at.setdefault(move.place, place)

    def edits(self, means: frozenset[Means]) -> Iterator[Edit]:
        """Yield every edit of one gap that lowers the excess."""
        hot = np.flatnonzero(self._over).tolist()
        over = self._over[hot]
        for stay in self.stays:
            size = self.problem.values[stay.value].size_bytes
            for before, after in pairwise(stay.touches):
                first, end = bisect_right(hot, before), bisect_left(hot, after)
                if size and first < end:
                    relief = int(np.minimum(over[first:end], size).sum())
                    if Means.SPILL in means:
                        yield from self._spill(stay.value, before, after, relief)
                    if Means.RECOMPUTE in means:
                        yield from self._remake(stay.value, after, relief)

    def _spill(self, value: int, before: int, after: int, relief: int) -> Iterator[Edit]:
        known = self.problem.values[value]
        if known.out_cost == float("inf"):
            return
        fetch = (after, Move(Kind.IN, value))
        out_at = self._out_at.get(value, len(self.moves) + 1)
        if out_at <= before:
            yield Edit(known.in_cost, relief, value, (fetch,))
            return
        # An OUT that comes later is superfluous then: without_spares drops it.
        cost = known.in_cost + (known.out_cost if out_at > len(self.moves) else 0.0)
        yield Edit(cost, relief, value, ((before + 1, Move(Kind.OUT, value)), fetch))

    def _remake(self, value: int, place: int, relief: int) -> Iterator[Edit]:
        made: dict[int, None] = {}
        shallow = self._again(value, place, made, deep=False)
        if shallow is None:
            return
        cost, moves, stretched = shallow
        harm = sum(self._harm(each, place) for each in stretched)
        if relief > harm:
            yield Edit(cost, relief - harm, value, tuple((place, move) for move in moves))
        if not stretched:
            return
        deep = self._again(value, place, {}, deep=True)
        if deep is not None:
            cost, moves, stretched = deep
            harm = sum(self._harm(each, place) for each in stretched)
            if relief > harm:
                yield Edit(cost, relief - harm, value, tuple((place, move) for move in moves))

    def _again(
        self, value: int, place: int, made: dict[int, None], *, deep: bool
    ) -> tuple[float, list[Move], list[int]] | None:
        """Return cost, moves and the inputs that must stay longer to remake ``value``."""
        op_index = self.problem.makers[value]
        op = self.problem.ops[op_index]
        if not op.repeatable or len(made) > DEEPEST:
            return None
        cost, moves, stretched = op.cost, [], []
        for read in op.reads:
            if read in made or self._present(read, place):
                continue
            fetch = self.problem.values[read].in_cost
            on_far = self._out_at.get(read, place) < place
            below = self._again(read, place, made, deep=True) if deep else None
            if on_far and (below is None or fetch <= below[0]):
                cost += fetch
                moves.append(Move(Kind.IN, read))
            elif below is not None:
                cost += below[0]
                moves += below[1]
                stretched += below[2]
            else:
                stretched.append(read)
            made[read] = None
        made.update(dict.fromkeys(op.writes))
        moves.append(Move(Kind.RUN, op_index))
        return cost, moves, stretched

    def _present(self, value: int, place: int) -> bool:
        return any(
            stay.touches[0] < place <= stay.touches[-1] for stay in self._spans.get(value, ())
        )

    def _harm(self, value: int, place: int) -> int:
        """Return the excess that keeping ``value`` from its last touch to ``place`` adds."""
        size = self.problem.values[value].size_bytes
        ends = [s.touches[-1] for s in self._spans[value] if s.touches[-1] < place]
        near = self._taken[max(ends) + 1 : place]
        return int(np.clip(near + (size - self.problem.budget_bytes), 0, size).sum())


def applied(moves: Moves, edits: Sequence[Edit]) -> Moves:
    """Return a schedule with edits made, their places being those of the schedule before."""
    at: dict[int, dict[Move, None]] = {}
    for edit in edits:
        for place, move in edit.inserted:
            at.setdefault(place, {})[move] = None
    result: list[Move] = []
    for place in range(len(moves) + 1):
        result += at.get(place, ())
        if place < len(moves):
            result.append(moves[place])
    return without_spares(tuple(result))


def without_spares(moves: Moves) -> Moves:
    """Drop copies out after the first of a value, and those that nothing fetches."""
    fetched = {move.place for move in moves if move.kind is Kind.IN}
    out: set[int] = set()
    kept: list[Move] = []
    for move in moves:
        if move.kind is Kind.OUT:
            if move.place in out or move.place not in fetched:
                continue
            out.add(move.place)
        kept.append(move)
    return tuple(kept)


def extras(problem: Problem, moves: Moves) -> list[int]:
    """Return the places of moves that a schedule can do without: all but each op's first run."""
    ran = [False] * len(problem.ops)
    found = []
    for place, (kind, index) in enumerate(moves):
        if kind is Kind.RUN and not ran[index]:
            ran[index] = True
        elif kind is not Kind.OUT:
            found.append(place)
    return found
