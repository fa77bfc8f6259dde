"""Extra moves that a budget does not need, dropped in arrays as one by one; and large problems."""

import random

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.bounds.remat import Kind, Moves, Op, Problem, Value, cost_of, keep_all, room_taken, stays
from mirc.bounds.remat_bound import crossing_bound
from mirc.passes.remat_edits import BOTH, Draft, Means, applied, extras, without_spares
from mirc.passes.remat_planner import LARGE, first_plan
from mirc.passes.remat_pruning import pruned
from tests.bounds.remat_drawn import least_room, squeezed, training


def rng_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


def one_by_one(problem: Problem, moves: Moves) -> Moves:
    """Try each extra move, dearest first, by counting the room of the whole schedule again."""
    places = sorted(
        extras(problem, moves), key=lambda place: (-cost_of(problem, (moves[place],)), place)
    )
    gone: set[int] = set()
    for place in places:
        tried = tuple(move for at, move in enumerate(moves) if at not in gone | {place})
        if max(room_taken(problem, tried)) <= problem.budget_bytes:
            gone.add(place)
    return without_spares(tuple(move for at, move in enumerate(moves) if at not in gone))


def edited(problem: Problem, rng: random.Random) -> Moves:
    """Return a schedule with spills and repeated runs put in at random, needed or not."""
    moves = keep_all(problem)
    tight = attrs.evolve(problem, budget_bytes=least_room(problem))
    for _ in range(rng.randint(1, 6)):
        edits = list(Draft(tight, moves).edits(BOTH))
        if edits:
            moves = applied(moves, [rng.choice(edits)])
    return moves


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.3, 0.6, 1.0]))
def test_dropping_in_arrays_drops_what_counting_anew_would(seed: int, share: float) -> None:
    rng = rng_of(seed)
    problem = squeezed(training(rng, rng.randint(2, 9), skips=True), share)
    moves = edited(problem, rng)
    budget = max(problem.budget_bytes, *room_taken(problem, moves))
    problem = attrs.evolve(problem, budget_bytes=budget)
    found = pruned(problem, moves, lambda move: cost_of(problem, (move,)))
    assert found == one_by_one(problem, moves)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_room_of_a_schedule_is_that_of_its_stays(seed: int) -> None:
    rng = rng_of(seed)
    problem = training(rng, rng.randint(2, 9), skips=True)
    moves = edited(problem, rng)
    taken = [0] * len(moves)
    for value, touches in stays(problem, moves):
        for place in range(touches[0], min(touches[-1], len(moves) - 1) + 1):
            taken[place] += problem.values[value].size_bytes
    assert room_taken(problem, moves) == taken


def deep(layers: int, budget_layers: int) -> Problem:
    """Four operations a layer, of which one saved value is dear and two are cheap to make again."""
    ops: list[Op] = []
    values: list[Value] = []

    def add(cost: float, reads: list[int], size: int) -> int:
        ops.append(Op(cost=cost, reads=tuple(reads), writes=(len(values),)))
        values.append(Value(size_bytes=size, out_cost=0.5 * size, in_cost=0.5 * size))
        return len(values) - 1

    kept: list[list[int]] = []
    x = add(1.0, [], 8)
    for _ in range(layers):
        wide = add(40.0, [x], 16)
        bent = add(1.0, [wide], 16)
        kept.append([x, wide, bent])
        x = add(20.0, [bent, x], 8)
    gradient = add(1.0, [x], 8)
    for saved in reversed(kept):
        gradient = add(120.0, [gradient, *saved], 8)
    plain = Problem(ops=tuple(ops), values=tuple(values), budget_bytes=0)
    return attrs.evolve(plain, budget_bytes=40 * budget_layers + 100)


def test_a_large_problem_is_planned_by_cuts_close_to_its_bound() -> None:
    # 3 + 1 operations a layer; 40 bytes of each are wanted again, 16 of them for a cost of 1
    layers = 150
    problem = deep(layers, budget_layers=layers // 2)
    assert len(problem.ops) > LARGE
    found = first_plan(problem, BOTH)
    taken = room_taken(problem, keep_all(problem))
    bound = crossing_bound(problem, max(range(len(taken)), key=taken.__getitem__))
    assert found.fits
    assert problem.base_cost + bound <= found.cost * (1 + 1e-9)
    # 20 bytes a layer must go: 16 by one run more of cost 1, 4 of the 24 others at 1 a byte
    assert found.cost - problem.base_cost <= 1.05 * bound
    for means in Means:
        alone = first_plan(problem, frozenset({means}))
        assert not alone.fits or found.cost <= alone.cost * (1 + 1e-9)
    runs = [place for kind, place in found.moves if kind is Kind.RUN]
    assert list(dict.fromkeys(runs)) == list(range(len(problem.ops)))


def test_below_what_is_kept_a_large_problem_is_given_up_at_once() -> None:
    problem = attrs.evolve(deep(150, 1), budget_bytes=8)
    found = first_plan(problem, BOTH)
    assert not found.fits
    assert found.peak_bytes > 8
