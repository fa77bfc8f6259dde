"""What runs of a phase teach: true positions, chances of use, and nothing where hints are true."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.descriptors import UNSAID, Descriptors
from mirc.simulate.corrupt import SHARES, redrawn
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome, Workload
from tests.simulate.scenes import MIB, Step, machine, rows, workload

COUNT, NEAR = 24, 12
NO_CLASS = np.zeros(COUNT, dtype=np.int64)


def cycle(laps: int) -> tuple[Workload, Descriptors]:
    """Read 24 weights of 1 MiB, one a step of 100 us, in each of some laps, as is hinted."""
    lap = [Step(reads=[o], compute_ps=100_000_000, position=o) for o in range(COUNT)]
    load = workload([MIB] * COUNT, [False] * COUNT, lap * laps)
    first = {o: 100.0 * o for o in range(COUNT)}
    return load, rows(load, first_us={0: first}, period_us=100.0 * COUNT)


def run(load: Workload, known: Descriptors, policy: str = "intent") -> Outcome:
    return simulate(load, known, machine(NEAR * MIB), policy, path="python", record_events=True)


def stall_ps(outcome: Outcome) -> int:
    return outcome.end_ps - int(outcome.compute_ps.sum())


def test_true_hints_are_not_touched() -> None:
    assert run(*cycle(6)).corrections == ()


@pytest.mark.mechanism("S0-26")
def test_after_one_lap_what_came_out_of_order_stands_where_it_was_seen() -> None:
    load, known = cycle(6)
    phase = known.phases[0]
    first = phase.first_ps.copy()
    first[[3, 20]] = first[[20, 3]]
    lied = attrs.evolve(known, phases=(attrs.evolve(phase, first_ps=first, last_ps=first),))
    found = run(load, lied).corrections
    assert [(each.runs, each.misplaced, each.unlikely) for each in found] == [(1, 2, 0)]


@pytest.mark.mechanism("S0-26", "S0-45")
def test_no_share_of_lies_costs_more_than_a_few_percent_of_the_better_opponent() -> None:
    load, known = cycle(40)
    best = min(stall_ps(run(load, known, policy)) for policy in ("static", "lru"))
    shares = (0.0, 0.3, 1.0)
    stalls = [stall_ps(run(load, redrawn(known, NO_CLASS, share, seed=1))) for share in shares]
    assert max(stalls) <= 1.03 * best
    assert stalls[0] <= best


@pytest.mark.mechanism("S0-46")
def test_a_placement_that_believes_the_same_lies_and_recency_both_do_worse() -> None:
    load, known = cycle(20)
    lied = redrawn(known, NO_CLASS, 1.0, seed=1)
    ours = stall_ps(run(load, lied))
    assert ours < stall_ps(run(load, lied, "lru"))
    assert ours < 1.05 * stall_ps(run(load, lied, "static"))
    assert stall_ps(run(load, known, "belady")) < stall_ps(run(load, known, "lru"))


EXPERTS = 40


def routed(laps: int, seed: int) -> tuple[Workload, Descriptors]:
    """Read 6 of 40 experts of 1 MiB in a lap, the first eight far more often than the others."""
    rng = np.random.default_rng(seed)
    chance = np.where(np.arange(EXPERTS) < 8, 0.6, 0.03)
    drawn = [np.flatnonzero(rng.random(EXPERTS) < chance).tolist()[:9] for _ in range(laps)]
    steps = [Step(reads=experts, compute_ps=100_000_000) for experts in drawn]
    load = workload([MIB] * EXPERTS, [False] * EXPERTS, steps)
    known = rows(load, first_us={0: dict.fromkeys(range(EXPERTS), 0.0)}, period_us=100.0)
    phase = attrs.evolve(known.phases[0], probability=chance)
    return load, attrs.evolve(known, phases=(phase,), probability=chance)


@pytest.mark.mechanism("S0-26", "S0-37")
def test_chances_of_experts_are_learned_where_the_declared_ones_prove_false() -> None:
    load, known = routed(150, seed=3)
    lied = redrawn(known, np.zeros(EXPERTS, dtype=np.int64), 1.0, seed=5)
    told, found = run(load, known), run(load, lied)
    assert found.corrections[-1].trust[0] < 0.5
    assert stall_ps(found) < 1.25 * stall_ps(told)
    assert stall_ps(found) < 0.8 * stall_ps(run(load, lied, "static"))
    assert stall_ps(found) < stall_ps(run(load, lied, "lru"))


def test_an_object_that_no_hint_names_is_left_alone() -> None:
    load, known = cycle(4)
    phase = known.phases[0]
    first = phase.first_ps.copy()
    first[5] = UNSAID
    unsaid = attrs.evolve(known, phases=(attrs.evolve(phase, first_ps=first, last_ps=first),))
    assert run(load, unsaid).corrections == ()


@settings(max_examples=6, deadline=None)
@given(share=st.sampled_from(SHARES), seed=st.integers(0, 99))
def test_the_same_lies_give_the_same_run(share: float, seed: int) -> None:
    load, known = cycle(3)
    lied = redrawn(known, NO_CLASS, share, seed)
    one, other = run(load, lied), run(load, redrawn(known, NO_CLASS, share, seed))
    assert one.events is not None
    assert other.events is not None
    assert one.events.tobytes() == other.events.tobytes()
    assert one.corrections == other.corrections


def test_redrawn_hints_are_those_of_another_object_of_the_class() -> None:
    _, known = routed(1, seed=0)
    classes = np.arange(EXPERTS, dtype=np.int64) % 2
    told = redrawn(known, classes, 0.5, seed=2)
    moved = told.phases[0].probability != known.phases[0].probability
    assert 0 < moved.sum() <= 20
    assert (
        redrawn(known, classes, 0.0, seed=2).phases[0].first_ps == known.phases[0].first_ps
    ).all()
    assert set(told.phases[0].probability) <= set(known.phases[0].probability)
