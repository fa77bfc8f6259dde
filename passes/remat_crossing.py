"""The moment that is shortest of room, crossed at least cost, into schedules to start from."""

from math import sqrt

from mirc.bounds.remat import Kind, Move, Moves, Problem, keep_all, room_taken
from mirc.bounds.remat_bound import CHEAPEST, Crossing, Network, dearest
from mirc.passes.remat_edits import Means, without_spares

BISECTIONS = 18
"""Halvings of the range of prices: to 1 part in 10,000."""
Dropped = tuple[frozenset[int], frozenset[int]]
"""The operations before the boundary that may run again, and the values that are spilled."""


def crossed(problem: Problem, means: frozenset[Means]) -> tuple[Moves, ...]:
    """Return schedules that cross the moment shortest of room at least cost.

    Room is priced at the operation where keeping everything takes most beyond the budget; what
    crosses it is chosen by a minimum cut for each price, and the price is bisected. Equal layers
    change sides at one price, so between the last choice over the budget and the first within it
    the independent parts of the difference are taken one by one, cheapest byte first.
    """
    taken = room_taken(problem, keep_all(problem))
    boundary = max(range(len(taken)), key=taken.__getitem__, default=0)
    if not taken or taken[boundary] <= problem.budget_bytes:
        return ()
    high = dearest(problem)
    low = CHEAPEST * high

    network = Network(
        problem, boundary, spill=Means.SPILL in means, recompute=Means.RECOMPUTE in means
    )

    def at(price: float) -> Dropped:
        return _dropped(network.at(price))

    over: Dropped = (frozenset(), frozenset())
    within = at(high)
    for _ in range(BISECTIONS):
        price = sqrt(low * high)
        choice = at(price)
        if _room(problem, boundary, choice) <= problem.budget_bytes:
            within, high = choice, price
        else:
            over, low = choice, price
    return tuple(
        across(problem, boundary, choice)
        for choice in (over, _between(problem, boundary, over, within), within)
    )


def _dropped(found: Crossing) -> Dropped:
    return found.remade, found.spilled


def _room(problem: Problem, boundary: int, choice: Dropped) -> int:
    return max(room_taken(problem, across(problem, boundary, choice)))


def _between(problem: Problem, boundary: int, over: Dropped, within: Dropped) -> Dropped:
    """Return a choice that takes from ``over`` to the budget as few parts as will do."""
    parts: list[tuple[float, int, Dropped]] = []
    base = _crossing_bytes(problem, boundary, over)
    for ops in _components(problem, within[0] - over[0]):
        part: Dropped = (over[0] | ops, over[1])
        freed = base - _crossing_bytes(problem, boundary, part)
        cost = sum(problem.ops[op].cost for op in ops)
        parts.append((cost / max(1, freed), min(ops), (ops, frozenset())))
    for value in within[1] - over[1]:
        known = problem.values[value]
        cost = known.out_cost + known.in_cost
        parts.append((cost / max(1, known.size_bytes), value, (frozenset(), frozenset({value}))))
    parts.sort(key=lambda part: part[:2])

    def taking(count: int) -> Dropped:
        ops, values = over
        for _, _, part in parts[:count]:
            ops, values = ops | part[0], values | part[1]
        return ops, values

    least, most = 0, len(parts)
    while least < most:
        middle = (least + most) // 2
        if _room(problem, boundary, taking(middle)) <= problem.budget_bytes:
            most = middle
        else:
            least = middle + 1
    return taking(most)


def _components(problem: Problem, ops: frozenset[int]) -> list[frozenset[int]]:
    """Return sets of operations such that no value passes from one to another."""
    group = {op: {op} for op in ops}
    for op in sorted(ops):
        for value in problem.ops[op].reads:
            maker = problem.makers[value]
            if maker in group and group[maker] is not group[op]:
                small, large = sorted((group[maker], group[op]), key=len)
                large |= small
                group.update(dict.fromkeys(small, large))
    return [frozenset(each) for each in {id(each): each for each in group.values()}.values()]


def _crossing_bytes(problem: Problem, boundary: int, choice: Dropped) -> int:
    return sum(problem.values[value].size_bytes for value in _staying(problem, boundary, choice))


def _staying(problem: Problem, boundary: int, choice: Dropped) -> frozenset[int]:
    """Return the values that must stay across the boundary so that all others can come back."""
    again, spilled = choice
    todo = [v for op in problem.ops[boundary:] for v in op.reads] + list(problem.kept)
    seen: set[int] = set()
    staying: set[int] = set()
    while todo:
        value = todo.pop()
        maker = problem.makers[value]
        if value in seen or maker >= boundary:
            continue
        seen.add(value)
        if value in spilled:
            continue
        if maker in again:
            todo += problem.ops[maker].reads
        else:
            staying.add(value)
    return frozenset(staying)


def across(problem: Problem, boundary: int, choice: Dropped) -> Moves:
    """Return the schedule of a choice: what left comes back when it is first wanted."""
    back = _Back(problem, boundary, choice)
    moves = back.moves
    for place, op in enumerate(problem.ops[:boundary]):
        moves.append(Move(Kind.RUN, place))
        moves += [Move(Kind.OUT, value) for value in op.writes if value in choice[1]]
    for place in range(boundary, len(problem.ops)):
        for value in problem.ops[place].reads:
            back.bring(value)
        moves.append(Move(Kind.RUN, place))
    for value in sorted(problem.kept):
        back.bring(value)
    return without_spares(tuple(moves))


class _Back:
    """Brings values back behind the boundary, each once: it then stays to its last use."""

    def __init__(self, problem: Problem, boundary: int, choice: Dropped) -> None:
        self.moves: list[Move] = []
        self._problem = problem
        self._boundary = boundary
        self._again, self._spilled = choice
        self._here = set(_staying(problem, boundary, choice))

    def bring(self, wanted: int) -> None:
        """Append what makes or fetches a value that is wanted, and what that needs first."""
        todo = [(wanted, False)]  # by hand: a cone is deeper than Python's stack
        while todo:
            value, ready = todo.pop()
            maker = self._problem.makers[value]
            if value in self._here or maker >= self._boundary:
                continue
            if value in self._spilled:
                self._here.add(value)
                self.moves.append(Move(Kind.IN, value))
            elif ready:
                self._here.update(self._problem.ops[maker].writes)
                self.moves.append(Move(Kind.RUN, maker))
            elif maker in self._again:
                todo.append((value, True))
                todo += [(read, False) for read in reversed(self._problem.ops[maker].reads)]
