"""Schedules of keeping, spilling and remaking: what they take, and what none takes less than."""

import random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.bounds.remat import (
    Kind,
    Move,
    Moves,
    Op,
    Problem,
    Value,
    cost_of,
    keep_all,
    peak_bytes,
    room_taken,
    stays,
)
from mirc.bounds.remat_bound import crossing_bound
from tests.bounds.remat_drawn import squeezed, training
from tests.bounds.remat_exact import optimum

# a (4 bytes) -> b (2 bytes) -> c (1 byte); c also reads a
CHAIN = Problem(
    ops=(
        Op(cost=1.0, writes=(0,)),
        Op(cost=2.0, reads=(0,), writes=(1,)),
        Op(cost=4.0, reads=(1, 0), writes=(2,), workspace_bytes=10),
    ),
    values=tuple(Value(size_bytes=size, out_cost=0.5, in_cost=0.25) for size in (4, 2, 1)),
    budget_bytes=100,
)


def run(*places: int) -> tuple[Move, ...]:
    return tuple(Move(Kind.RUN, place) for place in places)


def test_a_value_stays_from_its_making_to_its_last_use() -> None:
    assert room_taken(CHAIN, keep_all(CHAIN)) == [4, 6, 17]  # the last: 4 + 2 + 1 and workspace
    assert cost_of(CHAIN, keep_all(CHAIN)) == 7.0


def test_a_value_that_is_made_again_is_absent_in_between() -> None:
    again = run(0, 1, 0, 2)
    assert [stay for stay in stays(CHAIN, again) if stay.value == 0] == [
        (0, (0, 1)),
        (0, (2, 3)),
    ]
    assert cost_of(CHAIN, again) == 8.0


def test_a_spilled_value_costs_a_copy_out_and_a_copy_in() -> None:
    away = (*run(0), Move(Kind.OUT, 0), *run(1), Move(Kind.IN, 0), *run(2))
    assert cost_of(CHAIN, away) == 7.75
    assert room_taken(CHAIN, away) == [4, 4, 6, 6, 17]


@pytest.mark.parametrize(
    ("moves", "message"),
    [
        (run(1), "touches value 0 before it is made"),
        ((*run(0), Move(Kind.IN, 0)), "fetches value 0, which never went out"),
    ],
)
def test_a_schedule_that_cannot_run_is_refused(moves: Moves, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stays(CHAIN, moves)


def test_what_may_run_only_once_is_not_repeated() -> None:
    once = attrs.evolve(CHAIN, ops=tuple(attrs.evolve(op, repeatable=False) for op in CHAIN.ops))
    with pytest.raises(ValueError, match="repeats operation 0"):
        stays(once, run(0, 1, 0, 2))


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ((Op(cost=1.0, reads=(0,)), Op(cost=1.0, writes=(0,))), "before it is made"),
        ((Op(cost=1.0, writes=(0,)), Op(cost=1.0, writes=(0,))), "made twice"),
        ((Op(cost=1.0),), "no operation makes value 0"),
    ],
)
def test_a_problem_out_of_order_cannot_be_built(ops: tuple[Op, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Problem(ops=ops, values=(Value(size_bytes=1),), budget_bytes=1)


def executed(problem: Problem, moves: Moves) -> int:
    """Execute a schedule with a set of present values and return the most bytes it held."""
    uses = [
        (set(problem.ops[p].reads), set(problem.ops[p].writes))
        if kind is Kind.RUN
        else ((set(), {p}) if kind is Kind.IN else ({p}, set()))
        for kind, p in moves
    ]
    present: set[int] = set()
    most = 0
    for at, (reads, writes) in enumerate(uses):
        assert reads <= present
        present |= writes
        kind, place = moves[at]
        extra = problem.ops[place].workspace_bytes if kind is Kind.RUN else 0
        most = max(most, extra + sum(problem.values[v].size_bytes for v in present))
        for value in list(present):
            later = next((use for use in uses[at + 1 :] if value in use[0] | use[1]), None)
            read_next = later is not None and value in later[0]
            if not read_next and not (later is None and value in problem.kept):
                present.remove(value)
    return most


@given(seed=st.integers(0, 10**6), layers=st.integers(1, 6))
def test_the_peak_is_that_of_an_execution_move_by_move(seed: int, layers: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    problem = training(rng, layers, skips=True)
    moves = list(keep_all(problem))
    for _ in range(4):  # any repeated run after its first is executable
        op = rng.randrange(len(problem.ops))
        moves.insert(rng.randrange(op + 1, len(moves) + 1), Move(Kind.RUN, op))
    legal = tuple(moves)
    try:
        stays(problem, legal)
    except ValueError:  # inserted before what it reads was first made
        return
    assert peak_bytes(problem, legal) == executed(problem, legal)


@pytest.mark.parametrize("seed", range(6))
def test_no_schedule_costs_less_than_the_bound_of_its_tightest_moment(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    problem = squeezed(training(rng, 5, skips=seed % 2 == 1), 0.4)
    taken = room_taken(problem, keep_all(problem))
    tightest = max(range(len(taken)), key=taken.__getitem__)
    bound = crossing_bound(problem, tightest)
    exact = optimum(problem)
    assert bound >= 0
    assert problem.base_cost + bound <= exact.cost * (1 + 1e-6)


def test_the_bound_is_reached_where_only_one_moment_is_short() -> None:
    # Forward makes x (8 bytes, 1.0 again) and y (8 bytes, 9.0 again); at the boundary 8 may stay.
    room = 1000
    problem = Problem(
        ops=(
            Op(cost=1.0, writes=(0,)),
            Op(cost=9.0, writes=(1,)),
            Op(cost=0.0, workspace_bytes=room),
            Op(cost=1.0, reads=(0, 1)),
        ),
        values=(Value(size_bytes=8), Value(size_bytes=8)),
        budget_bytes=room + 8,
    )
    assert crossing_bound(problem, 2) == pytest.approx(1.0, rel=1e-3)
