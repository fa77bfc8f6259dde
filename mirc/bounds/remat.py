"""Operations with sizes and prices, and schedules that keep, spill or remake what they need again.

A schedule is a sequence of moves. Residence is implied: a value is in near memory from the move
that makes or fetches it to the last move that touches it before it is made or fetched again, so
every sequence whose first touch follows a making is executable as it stands.
"""

from collections.abc import Sequence
from enum import IntEnum
from itertools import accumulate
from typing import NamedTuple

import attrs
from attrs import validators as v


@attrs.frozen(slots=True, kw_only=True)
class Value:
    """Bytes that one operation makes; ``out_cost`` and ``in_cost`` are in the unit of ``Op.cost``.

    An infinite ``out_cost`` means that it cannot leave near memory.
    """

    size_bytes: int = attrs.field(validator=v.ge(0))
    out_cost: float = float("inf")
    in_cost: float = float("inf")


@attrs.frozen(slots=True, kw_only=True)
class Op:
    """One operation: what it reads and writes (positions of values), what running it costs.

    ``workspace_bytes`` exist while it runs. What ``repeatable`` is False for runs exactly once
    (a random draw, a collective, an operation that overwrites what it read).
    """

    cost: float = attrs.field(validator=v.ge(0))
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    repeatable: bool = True
    workspace_bytes: int = 0


@attrs.frozen(kw_only=True)
class Problem:
    """Operations in the order in which each must first run; ``kept`` values exist at the end.

    What no operation makes (weights, inputs) is no value: its room is not in the budget. Raises
    ValueError where an operation reads what none before it makes, or two make one value.
    """

    ops: tuple[Op, ...]
    values: tuple[Value, ...]
    budget_bytes: int
    kept: frozenset[int] = frozenset()
    makers: tuple[int, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        makers = [-1] * len(self.values)
        for place, op in enumerate(self.ops):
            for value in op.reads:
                if makers[value] < 0:
                    raise ValueError(f"operation {place} reads value {value} before it is made")
            for value in op.writes:
                if makers[value] >= 0:
                    raise ValueError(f"value {value} is made twice")
                makers[value] = place
        if min(makers, default=0) < 0:
            raise ValueError(f"no operation makes value {makers.index(-1)}")
        object.__setattr__(self, "makers", tuple(makers))

    @property
    def base_cost(self) -> float:
        """What running every operation once costs."""
        return sum(op.cost for op in self.ops)


class Kind(IntEnum):
    """What a move does with its index."""

    RUN = 0
    """Runs the operation of that index."""
    IN = 1
    """Fetches the value of that index from far memory."""
    OUT = 2
    """Copies the value of that index to far memory, where it then stays."""


class Move(NamedTuple):
    """One entry of a schedule: an operation or a value, by its position, and what happens to it."""

    kind: Kind
    place: int


Moves = tuple[Move, ...]


def keep_all(problem: Problem) -> Moves:
    """Return the schedule that runs each operation once and moves nothing."""
    return tuple(Move(Kind.RUN, index) for index in range(len(problem.ops)))


def cost_of(problem: Problem, moves: Sequence[Move]) -> float:
    """Return what a schedule costs: its runs and its transfers, one after the other.

    Nothing is overlapped, as in Patil et al., POET, ICML 2022: an upper bound on what a run with
    transfers beside its compute takes.
    """
    total = 0.0
    for kind, index in moves:
        if kind is Kind.RUN:
            total += problem.ops[index].cost
        elif kind is Kind.IN:
            total += problem.values[index].in_cost
        else:
            total += problem.values[index].out_cost
    return total


def touched(problem: Problem, move: Move) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the values that a move needs in near memory, and those that it brings there."""
    if move.kind is Kind.RUN:
        op = problem.ops[move.place]
        return op.reads, op.writes
    if move.kind is Kind.IN:
        return (), (move.place,)
    return (move.place,), ()


class Stay(NamedTuple):
    """One residence of ``value``: its touches, the first of which makes or fetches it."""

    value: int
    touches: tuple[int, ...]


def stays(problem: Problem, moves: Sequence[Move]) -> list[Stay]:
    """Return every residence in the order in which they begin.

    Raises ValueError where a move touches what was never made, fetches what never went out,
    or repeats an operation that cannot be.
    """
    open_stays: dict[int, list[int]] = {}
    found: list[tuple[int, list[int]]] = []
    ran: set[int] = set()
    out: set[int] = set()
    for place, move in enumerate(moves):
        if move.kind is Kind.RUN:
            if move.place in ran and not problem.ops[move.place].repeatable:
                raise ValueError(f"move {place} repeats operation {move.place}")
            ran.add(move.place)
        elif move.kind is Kind.OUT:
            out.add(move.place)
        elif move.place not in out:
            raise ValueError(f"move {place} fetches value {move.place}, which never went out")
        needs, brings = touched(problem, move)
        for value in needs:
            if value not in open_stays:
                raise ValueError(f"move {place} touches value {value} before it is made")
            open_stays[value].append(place)
        for value in brings:
            open_stays[value] = [place]
            found.append((value, open_stays[value]))
    for value in problem.kept:
        open_stays[value].append(len(moves))
    return [Stay(value, tuple(places)) for value, places in found]


def room_taken(problem: Problem, moves: Sequence[Move]) -> list[int]:
    """Return the bytes in near memory during each move of a schedule that ``stays`` accepts.

    Cost: O(moves + touches), without the lists that ``stays`` makes: planners ask often.
    """
    count = len(moves)
    change = [0] * (count + 2)
    begun: dict[int, int] = {}
    last: dict[int, int] = {}
    values = problem.values

    def close(value: int) -> None:
        size = values[value].size_bytes
        change[begun[value]] += size
        change[last[value] + 1] -= size

    for place, move in enumerate(moves):
        needs, brings = touched(problem, move)
        for value in needs:
            last[value] = place
        for value in brings:
            if value in begun:
                close(value)
            begun[value] = last[value] = place
    last.update(dict.fromkeys(problem.kept, count))
    for value in begun:
        close(value)
    taken = list(accumulate(change[:count]))
    for place, (kind, index) in enumerate(moves):
        if kind is Kind.RUN:
            taken[place] += problem.ops[index].workspace_bytes
    return taken


def peak_bytes(problem: Problem, moves: Sequence[Move]) -> int:
    """Return the most bytes that a schedule has in near memory at once."""
    return max(room_taken(problem, moves), default=0)
