"""Each counter of what goes wrong in a run, on the smallest scene in which it must move."""

import attrs
import pytest
from hypothesis import given, settings

from mirc.controller.schedule import MOST_TRIES
from mirc.kernels import world as k
from mirc.kernels.counts import DEFERRED, DEFERRED_PS, STORM
from mirc.kernels.links import dispatch, next_event, settle
from mirc.kernels.moves import copy_down, fetch
from mirc.machine import Machine
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome, Troubles
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.setup import stage
from mirc.simulate.troubles import CASCADE
from tests.simulate.drawn import Drawn, scenes
from tests.simulate.scenes import Step, machine, rows, workload
from tests.simulate.test_engine import play

US = 1_000_000


def cycle(policy: str, laps: int, weights: int, room: int, compute_us: int) -> Outcome:
    """Read weights of 100 bytes in turn; a fetch takes 100 us."""
    steps = [
        Step(reads=[o], compute_ps=compute_us * US, position=o)
        for _ in range(laps)
        for o in range(weights)
    ]
    load = workload([100] * weights, [False] * weights, steps)
    first = {0: {o: float(compute_us * o) for o in range(weights)}}
    known = rows(load, first_us=first, period_us=float(compute_us * weights))
    return simulate(load, known, machine(room, in_rate=1e6), policy)


@pytest.mark.mechanism("S0-45b")
def test_a_refetch_is_a_fetch_of_what_had_been_near_before() -> None:
    found = cycle("lru", laps=3, weights=4, room=300, compute_us=1).troubles  # misses every read
    assert (found.refetches, found.refetch_bytes) == (8, 800)
    assert cycle("lru", laps=3, weights=3, room=300, compute_us=1).troubles.refetches == 0


@pytest.mark.mechanism("S0-45b")
@pytest.mark.parametrize(("weights", "cascades"), [(3, 0), (4, 1), (9, 1)])
def test_a_stall_cascade_is_four_steps_in_a_row_that_wait(weights: int, cascades: int) -> None:
    found = cycle("lru", laps=1, weights=weights, room=1000, compute_us=1).troubles
    assert CASCADE == 4
    assert (found.stall_cascades, found.longest_cascade) == (cascades, weights)


@pytest.mark.mechanism("S0-45b")
@pytest.mark.parametrize(("dirty", "storms"), [(STORM - 1, 0), (STORM, 1)])
def test_a_spill_storm_is_a_step_for_whose_room_eight_objects_are_written_back(
    dirty: int, storms: int
) -> None:
    steps = [*(Step(creates=[o]) for o in range(dirty)), Step(creates=[dirty])]
    load = workload([10] * dirty + [10 * dirty], [True] * (dirty + 1), steps)
    found = simulate(load, rows(load), machine(10 * dirty), "lru")
    assert found.troubles.spill_storms == storms


@pytest.mark.mechanism("S0-45b")
def test_a_copy_is_avoidable_if_what_was_written_back_is_never_read_there() -> None:
    # 0 is written back for 1, and ends; or it is read again first
    begin = [Step(creates=[0]), Step(creates=[1], retires=[1])]
    for then, wasted in (([Step(retires=[0])], 100), ([Step(reads=[0], retires=[0])], 0)):
        load = workload([100, 100], [True, True], begin + then)
        found = simulate(load, rows(load), machine(150), "lru").troubles
        assert (found.idle_write_bytes, found.avoidable_bytes) == (wasted, wasted)


@pytest.mark.mechanism("S0-45b")
def test_a_copy_is_avoidable_if_what_was_prefetched_leaves_unused() -> None:
    # 1 comes ahead of a use that never is, and leaves for 2
    steps = [Step(reads=[0], compute_ps=300 * US), Step(reads=[2], phase=1)]
    load = workload([100, 100, 200], [False] * 3, steps)
    known = rows(load, first_us={0: {0: 0.0, 1: 300.0}}, period_us=600.0)
    found = simulate(load, known, machine(200, in_rate=1e6), "intent")
    assert found.prefetches.unused == 1
    assert (found.troubles.idle_prefetch_bytes, found.troubles.avoidable_bytes) == (100, 100)


@pytest.mark.mechanism("S0-45b")
@pytest.mark.parametrize(("second", "regretted"), [((0, 1), 1), ((2,), 0)])
def test_an_eviction_is_regretted_if_its_victim_is_used_before_what_it_made_room_for(
    second: tuple[int, ...], regretted: int
) -> None:
    # 0 and 1 are near; the plan says that 2 follows and they are far: one leaves for it
    steps = [
        Step(reads=[0, 1]),
        Step(compute_ps=300 * US, position=1),
        Step(reads=second, position=2),
        Step(reads=[2, 0], position=3),
    ]
    load = workload([100] * 3, [False] * 3, steps)
    known = rows(load, first_us={0: {0: 0.0, 1: 10.0, 2: 300.0}}, period_us=1000.0)
    found = simulate(load, known, machine(200, in_rate=1e6), "intent")
    assert found.troubles.eviction_regret == regretted


@pytest.mark.mechanism("S1-11", "S0-45b")
@pytest.mark.parametrize("slack_us", [100, 129, 130, 131, 200])
def test_a_prefetch_is_late_if_there_is_less_time_than_transfer_and_widening(slack_us: int) -> None:
    # 100 bytes cross in 100 us and are widened in 30; the step before computes for the slack
    steps = [Step(reads=[0], compute_ps=slack_us * US), Step(reads=[1], position=1)]
    load = workload([1, 100], [False] * 2, steps)
    known = rows(
        load, first_us={0: {0: 0.0, 1: float(slack_us)}}, period_us=1000.0, unpack_us={1: 30.0}
    )
    found = simulate(load, known, machine(1000, in_rate=1e6), "intent")
    late = slack_us < 130
    assert (found.prefetches.late, found.prefetches.on_time) == (int(late), int(not late))
    assert int(found.stall_late_ps.sum()) == max(0, 130 - slack_us) * US


@pytest.mark.mechanism("S1-12", "S5-03")
@pytest.mark.parametrize("asked_us", [0, 1, 55, 99, 160])
def test_a_step_waits_for_a_write_back_no_longer_than_a_chunk(asked_us: int) -> None:
    # one root both ways, 1 us a byte, chunks of 20 bytes: a demand that comes while 200 bytes go
    # out waits for the chunk on its way, then takes its 100 us; the write-back goes on after it
    load = workload([200, 100], [True, False], [Step(creates=[0])])
    where = machine(1000, in_rate=1e6, out_rate=1e6, root="pcie")
    chunked = Settings(chunk_bytes=20)
    w = stage(load, rows(load), where, POLICIES["lru"], settings=chunked).world
    w.obj[k.STATE, 0], w.obj[k.DIRTY, 0] = k.RESIDENT, 1
    assert copy_down(w, 0)
    dispatch(w)
    w.run[k.NOW] = asked_us * US
    settle(w)
    fetch(w, 1, k.DEMAND)
    dispatch(w)
    while w.obj[k.STATE, 1] != k.RESIDENT:
        w.run[k.NOW] = next_event(w)
        settle(w)
    chunk_end = 20 * (asked_us // 20 + 1)
    assert w.run[k.NOW] == (chunk_end + 100) * US
    while w.obj[k.CLASS, 0] != k.NONE:
        w.run[k.NOW] = next_event(w)
        settle(w)
    assert w.run[k.NOW] == 300 * US  # deferred, not lost
    deferred = w.counts[[DEFERRED, DEFERRED_PS]].tolist()
    assert deferred == [1, 100 * US]


@pytest.mark.mechanism("S1-13")
@pytest.mark.parametrize("compute_us", [20, 50, 100, 150])
def test_transfers_beside_computing_take_the_longer_of_the_two(compute_us: int) -> None:
    # five weights, each fetched in 100 us: one after the other both would take 5 (100 + c)
    found = cycle("intent", laps=1, weights=5, room=1000, compute_us=compute_us)
    longer = max(5 * 100 + compute_us, 100 + 5 * compute_us)
    assert found.end_ps == longer * US
    assert found.end_ps < 5 * (100 + compute_us) * US


@pytest.mark.mechanism("S0-38")
@settings(max_examples=25, deadline=None)
@given(drawn=scenes())
def test_no_decision_of_intent_looks_at_more_than_its_bound(drawn: Drawn) -> None:
    found = play(drawn, "intent").troubles
    assert found.most_candidates <= MOST_TRIES
    assert found.candidates <= found.decisions * MOST_TRIES


@pytest.mark.mechanism("S0-38")
def test_work_for_a_decision_does_not_grow_with_the_objects() -> None:
    few = cycle("intent", laps=2, weights=8, room=500, compute_us=100).troubles
    many = cycle("intent", laps=2, weights=80, room=5000, compute_us=100).troubles
    assert few.decisions > 0
    assert many.decisions > few.decisions
    assert many.most_candidates <= MOST_TRIES


@pytest.mark.mechanism("S0-47")
def test_a_prefix_that_is_cold_to_recency_and_about_to_be_used_stays() -> None:
    # the prefix is made, three weights pass through the rest of the room, then it is read
    steps = [Step(creates=[0]), *(Step(reads=[o], position=o) for o in (1, 2, 3))]
    steps.append(Step(reads=[0], position=4))
    load = workload([100] * 4, [True, False, False, False], steps)
    moved = {
        policy: sum(use.total_bytes for use in simulate(load, rows(load), near, policy).links)
        for policy, near in (("lru", machine(300)), ("intent", machine(300)))
    }
    assert moved == {"lru": 300 + 200, "intent": 300}  # out and in again


@pytest.mark.mechanism("S7-04")
@pytest.mark.parametrize("turns", [1, 4])
def test_a_copy_is_written_once_and_dropped_free_of_charge_until_it_is_changed(turns: int) -> None:
    # two made objects take turns in room for one: each is written back when it first leaves
    reads = [Step(reads=[o]) for _ in range(turns) for o in (0, 1)]
    load = workload([100, 100], [True, True], [Step(creates=[0]), Step(creates=[1]), *reads])
    found = simulate(load, rows(load), machine(150), "lru")
    written = sum(use.writeback_bytes for use in found.links)
    assert written == 200
    changed = [*reads, Step(writes=[1]), Step(reads=[0])]
    load = workload([100, 100], [True, True], [Step(creates=[0]), Step(creates=[1]), *changed])
    found = simulate(load, rows(load), machine(150), "lru")
    assert sum(use.writeback_bytes for use in found.links) == 300


def curved(where: Machine, curve: tuple[tuple[int, float], ...]) -> Machine:
    return attrs.evolve(where, links=tuple(attrs.evolve(link, curve=curve) for link in where.links))


@pytest.mark.mechanism("S7-05")
def test_pages_cross_a_link_at_the_rate_of_their_fragments() -> None:
    # 100 bytes in one piece at 1 byte/us, in ten pieces at a tenth of it
    load = workload([100], [False], [Step(reads=[0], compute_ps=0)])
    where = curved(machine(1000), ((10, 1e5), (100, 1e6)))
    whole = rows(load)
    paged = attrs.evolve(whole, fragment_bytes=whole.fragment_bytes + 10)
    ends = [simulate(load, known, where, "intent").end_ps for known in (whole, paged)]
    assert ends == [100 * US, 1000 * US]


@pytest.mark.mechanism("S7-09")
@pytest.mark.parametrize("policy", list(POLICIES))
def test_no_policy_uses_the_reserve(policy: str) -> None:
    # 300 bytes, of which 100 are not to be used: of four weights of 100 two are near at most
    steps = [Step(reads=[o], position=o) for _ in range(3) for o in range(4)]
    load = workload([100] * 4, [False] * 4, steps)
    known = rows(load, first_us={0: {o: float(o) for o in range(4)}}, period_us=4.0)
    found = simulate(load, known, machine(200, reserve=100), policy)
    assert found.peak_bytes["hbm"] == 200


def test_a_run_without_trouble_counts_none() -> None:
    found = cycle("intent", laps=3, weights=2, room=1000, compute_us=200).troubles
    calm = attrs.evolve(
        Troubles(),
        decisions=found.decisions,
        candidates=found.candidates,
        most_candidates=found.most_candidates,
        longest_cascade=1,  # the first fetch is waited for
    )
    assert found == calm
