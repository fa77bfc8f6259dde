"""Prefetches for likely experts and for coalitions, and their end when the prior proves wrong."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest

from mirc.controller.descriptors import UNSAID, Descriptors
from mirc.controller.observe import enter
from mirc.controller.schedule import MOST_TRIES, yielding
from mirc.controller.veto import horizon_of
from mirc.diagnostics import Source
from mirc.kernels import world as k
from mirc.kernels.counts import MOST_LOOKS
from mirc.kernels.events import Kind, Reason
from mirc.kernels.offers import cleaned, offer
from mirc.machine import Machine
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome, Workload
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.setup import stage
from tests.simulate.checker import Checker
from tests.simulate.scenes import Step, machine, rows, workload

US = 1_000_000


def played(
    load: Workload, known: Descriptors, where: Machine, *, settings: Settings | None = None
) -> Outcome:
    found = simulate(
        load, known, where, "intent", record_events=True, settings=settings, path="python"
    )
    Checker([where.near.usable_bytes, 1 << 50]).replay(found.events)
    return found


def of_kind(outcome: Outcome, kind: Kind, reason: Reason) -> list[int]:
    assert outcome.events is not None
    rows_ = outcome.events[(outcome.events["kind"] == kind) & (outcome.events["reason"] == reason)]
    return [int(o) for o in rows_["object"]]


def likely(known: Descriptors, chances: Sequence[float]) -> Descriptors:
    """Give every object its probability, in the run and in each phase."""
    probability = np.array(chances)
    phases = tuple(attrs.evolve(p, probability=probability) for p in known.phases)
    return attrs.evolve(known, probability=probability, phases=phases)


def experts(chances: Sequence[float], guesses: float, *, room: int = 1000) -> Outcome:
    """Object 0 is computed with for 400 us; experts of 100 bytes, 1 us a byte, may follow it."""
    count = 1 + len(chances)
    first = {0: 0.0} | dict.fromkeys(range(1, count), 500.0)
    steps = [Step(reads=[0], compute_ps=400 * US), Step(reads=[1], position=1)]
    load = workload([100] * count, [False] * count, steps)
    known = rows(load, first_us={0: first}, period_us=600.0)
    return played(
        load,
        likely(known, [1.0, *chances]),
        machine(room, in_rate=1e6),
        settings=Settings(guess_objects=guesses),
    )


@pytest.mark.parametrize(
    "budget",
    [0, *(pytest.param(n, marks=pytest.mark.mechanism("S0-25", "S1-14")) for n in (1, 2, 3))],
)
def test_the_likeliest_experts_are_fetched_ahead_within_a_budget(budget: int) -> None:
    # 0.4 before 0.3 before 0.2, as many as the budget of a lap has; the chance of 0 is never taken
    found = experts([0.4, 0.2, 0.3, 0.0], budget)
    assert of_kind(found, Kind.ISSUE, Reason.GUESSED) == [1, 3, 2][:budget]
    assert found.troubles.guess_bytes == 100 * budget
    assert found.troubles.guesses_used == min(1, budget)
    # the first arrives 100 us into the 400: without it the second step waits for 100
    assert found.end_ps == (100 + 400 + (0 if budget else 100)) * US + 1_000


@pytest.mark.mechanism("S0-25")
def test_a_guess_displaces_only_what_is_clearly_less_likely() -> None:
    # room for 0 and two experts; nothing leaves for 4, which is as likely as what is there
    found = experts([0.4, 0.4, 0.4, 0.4], 8, room=300)
    assert len(of_kind(found, Kind.ISSUE, Reason.GUESSED)) == 2
    assert of_kind(found, Kind.DROP, Reason.FARTHER) == []


@pytest.mark.mechanism("S1-14", "S0-39")
def test_a_prefetch_that_still_waits_when_its_step_has_begun_without_it_is_taken_back() -> None:
    # The plan says that step 1 uses 1, 2 and 3; it uses 1. At 100 us 1 begins to cross the link, at
    # 200 us 2 does; step 1 takes 10 us from 250 on. At 260 us step 2 begins: 3 waits for nothing.
    steps = [
        Step(reads=[0], compute_ps=150 * US),
        Step(reads=[1], compute_ps=10 * US, position=1),
        Step(reads=[4], compute_ps=900 * US, position=2),
    ]
    load = workload([100] * 5, [False] * 5, steps)
    first = {0: {0: 0.0, 1: 160.0, 2: 160.0, 3: 160.0, 4: 170.0}}
    known = rows(load, first_us=first, period_us=1000.0)
    found = played(load, known, machine(1000, in_rate=1e6), settings=Settings(depth=3))
    assert of_kind(found, Kind.CANCEL, Reason.CHANGED) == [3]
    assert found.troubles.cancelled == 1


def test_what_is_used_when_it_was_planned_is_never_taken_back() -> None:
    steps = [Step(reads=[o], compute_ps=50 * US, position=o) for o in range(4)]
    load = workload([100] * 4, [False] * 4, steps)
    known = rows(load, first_us={0: {o: 50.0 * o for o in range(4)}}, period_us=200.0)
    found = played(load, known, machine(1000, in_rate=1e6), settings=Settings(depth=3))
    assert found.troubles.cancelled == 0


@pytest.mark.mechanism("S0-39")
def test_another_phase_takes_back_what_it_does_not_plan_to_use() -> None:
    steps = [
        Step(reads=[0], compute_ps=50 * US),
        Step(reads=[3], compute_ps=900 * US, phase=1),
    ]
    load = workload([100] * 4, [False] * 4, steps)
    known = rows(load, first_us={0: {0: 0.0, 1: 60.0, 2: 70.0}, 1: {3: 0.0}}, period_us=1000.0)
    found = played(load, known, machine(1000, in_rate=1e6), settings=Settings(depth=3))
    # 1 is on the link when phase 1 begins; 2 waits, and phase 1 knows nothing of it
    assert of_kind(found, Kind.CANCEL, Reason.CHANGED) == [2]
    assert 1 not in of_kind(found, Kind.CANCEL, Reason.CHANGED)


@pytest.mark.mechanism("S1-11")
def test_a_horizon_is_never_less_than_transfer_widening_and_a_quarter_of_both() -> None:
    # 100 us on the link and 1000 to widen, asked for 50 us ahead: the run's horizon is 4 * 100
    load = workload([100, 100], [False] * 2, [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 0.0, 1: 10.0}}, period_us=40.0, unpack_us={1: 1000.0})
    where = machine(300, in_rate=1e6)
    w = stage(load, known, where, POLICIES["intent"], settings=Settings()).world
    enter(w, 0)
    w.horizon[0, :] = 50 * US
    assert [int(horizon_of(w, o)) // US for o in (0, 1)] == [200, 1375]


@pytest.mark.mechanism("S1-13", "S1-11")
def test_what_was_spilled_comes_back_ahead_of_its_use_into_free_room() -> None:
    # 0 leaves for 1, 1 ends; 2 computes for 300 us, in which 0 comes back in 100
    steps = [
        Step(creates=[0]),
        Step(creates=[1], retires=[1], position=1),
        Step(compute_ps=300 * US, position=2),
        Step(reads=[0], position=3),
    ]
    load = workload([100, 150, 100], [True, True, False], steps)
    known = rows(load, first_us={0: {0: 0.0, 2: 900.0}}, period_us=1000.0)
    known.phases[0].last_ps[0] = 310 * US
    found = played(load, known, machine(200, in_rate=1e6, out_rate=1e6))
    assert 0 in of_kind(found, Kind.ISSUE, Reason.PLANNED)
    assert (found.prefetches.on_time, int(found.stall_demand_ps[3])) == (1, 0)


@pytest.mark.mechanism("S0-38", "S7-04")
def test_what_leaves_at_once_is_found_behind_any_number_of_dirty_objects() -> None:
    # 200 objects are dirty, and rank lower than the one whose copy lies below: no decision looks
    # at more than 64, and yet nothing is written back for the next
    load = workload([1] * 202, [True] * 202, [Step(creates=[201])])
    first = {0: dict.fromkeys(range(202), 0.0)}
    known = rows(load, first_us=first, period_us=1e6)
    w = stage(load, known, machine(1000), POLICIES["intent"], settings=Settings()).world
    enter(w, 0)
    for o in range(201):
        w.obj[k.STATE, o], w.obj[k.DIRTY, o] = k.RESIDENT, int(o < 200)
        w.obj[k.HOME, o] = 1
        k.take_near(w, o)
        offer(w, o)
    assert yielding(w, w.loose, w.bits) == 200
    w.obj[k.DIRTY, 7] = 0
    cleaned(w, 7)  # its copy has landed
    assert yielding(w, w.loose, w.bits) == 7
    assert w.counts[MOST_LOOKS] <= MOST_TRIES


def hints(
    *, mates: tuple[tuple[int, ...], ...], cap: int = 0, chances: Sequence[float] = (1.0,) * 6
) -> Outcome:
    """Without a plan, two layers of three tiles each are read tile by tile, 200 us apart."""
    steps = [Step(reads=[o], compute_ps=200 * US, position=o) for o in range(6)]
    load = workload([100] * 6, [False] * 6, steps)
    bare = rows(load)
    likely = np.array(chances)
    known = attrs.evolve(
        bare,
        mates=mates,
        caps_bytes=(cap,) * len(mates),
        probability=likely,
        phases=tuple(attrs.evolve(phase, probability=likely) for phase in bare.phases),
    )
    return played(load, known, machine(1000, in_rate=1e6))


@pytest.mark.mechanism("S0-19")
def test_what_belongs_together_comes_together_on_hints_alone() -> None:
    # alone each tile is waited for, 100 us; in coalitions only the first of each layer is
    alone, joined = hints(mates=()), hints(mates=((0, 1, 2), (3, 4, 5)))
    assert alone.stall_demand_ps.tolist() == [100 * US] * 6
    assert joined.stall_demand_ps.tolist() == [100 * US, 0, 0] * 2
    assert (alone.prefetches.on_time, joined.prefetches.on_time) == (0, 4)
    assert of_kind(joined, Kind.ISSUE, Reason.TOGETHER) == [1, 2, 4, 5]
    assert joined.troubles.together == 4


@pytest.mark.mechanism("S0-19")
def test_no_more_of_a_coalition_comes_together_than_its_cap() -> None:
    capped = hints(mates=((0, 1, 2, 3, 4, 5),), cap=200)
    assert of_kind(capped, Kind.ISSUE, Reason.TOGETHER) == [1, 3, 5]


def test_what_is_rarely_used_is_not_fetched_for_its_coalition() -> None:
    # experts of one coalition: the router chose one, and two of the others are unlikely
    chosen = hints(mates=((0, 1, 2), (3, 4, 5)), chances=(1.0, 0.49, 0.5, 1.0, 0.1, 0.2))
    assert of_kind(chosen, Kind.ISSUE, Reason.TOGETHER) == [2]


@pytest.mark.mechanism("S0-19")
def test_coalitions_of_a_file_reach_the_controller_by_any_of_their_names() -> None:
    from mirc.controller.ingest import ingest  # noqa: PLC0415 - the file's other tests need none
    from mirc.grammar import load as parse  # noqa: PLC0415
    from mirc.packed.pack import seal  # noqa: PLC0415

    tiles = "".join(
        f"object l{i}.{part} {{ class = WEIGHT_TILE size_bytes = 8 {hint} }}\n"
        for i, part, hint in (
            (0, "a", ""),
            (0, "b", ""),
            (1, "a", "coalition_hints = [second]"),
            (1, "b", "coalition_hints = [second]"),
        )
    )
    text = f"mir 1.0\n{tiles}coalition one {{ members = [l0.a, l0.b] cap_bytes = 12 }}\n"
    text += "coalition second { members = [l1.a] }\n"
    packed = seal(parse(Source("c.mir", text)))
    known = ingest(packed, machine(100), None, ("l0.a", "l1.a", "l0.b", "l1.b"))
    assert known.mates == ((0, 2), (1, 3))
    assert known.caps_bytes == (12, 0)
    assert known.remade.tolist() == [False] * 4
    assert UNSAID not in known.unpack_ps
