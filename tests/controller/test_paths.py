"""Which way an object comes back: by which links, or by computing it again; at what price."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.observe import enter
from mirc.controller.paths import (
    RECOMPUTE,
    REPLICATE,
    RETAIN,
    SPILL,
    Economics,
    at_leisure,
    cheapest,
    when_pressed,
)
from mirc.kernels import world as k
from mirc.kernels.events import Kind
from mirc.kernels.moves import fetch
from mirc.kernels.routes import landing_ps, quickest
from mirc.kernels.world import World
from mirc.simulate.engine import simulate
from mirc.simulate.limits import limits
from mirc.simulate.model import Outcome
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.setup import stage
from tests.simulate.checker import Checker
from tests.simulate.scenes import Step, machine, rows, workload

US = 1_000_000
FATES = (RETAIN, REPLICATE, RECOMPUTE, SPILL)


def kinds(outcome: Outcome, kind: Kind, o: int) -> int:
    assert outcome.events is not None
    mine = (outcome.events["kind"] == kind) & (outcome.events["object"] == o)
    return int(mine.sum())


def moved(outcome: Outcome) -> int:
    return sum(use.total_bytes for use in outcome.links)


@pytest.mark.mechanism("S5-03")
@pytest.mark.parametrize(
    "queued",
    [0, 1, *(pytest.param(n, marks=pytest.mark.mechanism("S1-05")) for n in range(2, 6))],
)
def test_a_queue_turns_a_fetch_into_computing_at_the_closed_form_point(queued: int) -> None:
    # The link takes 1 us a byte. A step needs `queued` objects of 100 bytes, then one more that can
    # be made again in 250 us: it would land after 100 * queued + 100, which exceeds 250 from 2 on.
    load = workload([100] * (queued + 1), [False] * (queued + 1), [Step(reads=range(queued + 1))])
    known = rows(load, remake_us={queued: 250.0})
    found = simulate(load, known, machine(1000, in_rate=1e6), "intent", record_events=True)
    remade = 100 * queued + 100 > 250
    assert kinds(found, Kind.REMAKE, queued) == remade
    assert moved(found) == 100 * (queued + 1 - remade)  # nothing crosses a link for it
    # Links and compute work side by side: the step begins when the later of the two is done.
    assert found.end_ps == max(100 * (queued + 1 - remade), 250 * remade) * US + 1_000


@pytest.mark.mechanism("S5-03")
@pytest.mark.parametrize("queued", range(6))
def test_a_queue_turns_a_staged_way_into_the_direct_one_at_the_closed_form_point(
    queued: int,
) -> None:
    # NVMe to DRAM 2 us a byte, DRAM to HBM 1, NVMe to HBM 4: 100 bytes land after max(200, q) + 100
    # behind a queue of q us in front of HBM, and after 400 past it. Above q = 300 they go past it.
    load = workload([100] * (queued + 1), [False] * (queued + 1), [Step(reads=[0])])
    where = machine(2000, in_rate=1e6, dram=400 + 100 * queued, nvme=10_000, direct_rate=0.25e6)
    w = stage(load, rows(load), where, POLICIES["lru"], settings=Settings()).world
    assert w.obj[k.HOME].tolist() == [1] * queued + [2]
    for o in range(queued):
        fetch(w, o, k.DEMAND)
    path = int(quickest(w, queued, k.INWARD, 2, k.DEMAND))
    direct = 100 * queued > 300
    assert path == (2 + len(w.mem[0]) if direct else 2)
    lands = 400 if direct else max(200, 100 * queued) + 100
    assert landing_ps(w, queued, k.INWARD, path, k.DEMAND) == lands * US


def test_bytes_that_go_past_a_queue_come_in_over_the_direct_link() -> None:
    load = workload([100] * 5, [False] * 5, [Step(reads=range(5))])
    where = machine(2000, in_rate=1e6, dram=800, nvme=10_000, direct_rate=0.25e6)
    found = simulate(load, rows(load), where, "lru", record_events=True)
    crossed = {use.name: use.total_bytes for use in found.links if use.total_bytes}
    assert crossed == {"in": 400, "skip": 100}
    assert found.troubles.rerouted == 1
    Checker([2000, 800, 10_000]).replay(found.events)


@pytest.mark.mechanism("S0-48")
@settings(max_examples=60)
@given(st.tuples(*[st.one_of(st.integers(0, 9), st.just(k.NEVER))] * 4))
def test_the_fate_chosen_is_the_cheapest_of_four(costs: tuple[int, int, int, int]) -> None:
    assert cheapest(Economics(*costs)) == min(FATES, key=lambda fate: (costs[fate], fate))


def pressed(remake_us: float, *, departs: bool = False, queued: int = 0) -> World:
    """Object 0 of 100 bytes is dirty; its way out takes 200 us, in 100; used again in 50 us."""
    load = workload([100] * 4, [True] * 4, [Step(creates=[0])])
    known = rows(
        load,
        first_us={0: {0: 50.0}},
        period_us=1000.0,
        remake_us={0: remake_us},
        departs=[0] if departs else [],
    )
    where = machine(1000, in_rate=1e6, out_rate=0.5e6)
    w = stage(load, known, where, POLICIES["intent"], settings=Settings()).world
    enter(w, 0)
    w.obj[k.STATE, 0], w.obj[k.DIRTY, 0] = k.RESIDENT, 1
    w.srv[k.BACKLOG + k.WRITEBACK, w.link[k.SERVER, w.route[k.OUTWARD, 1, 1]]] = queued * 200 * US
    return w


@pytest.mark.mechanism("S0-48", "S5-03", "S1-05")
@pytest.mark.parametrize(("remake", "queued"), [(299, 0), (300, 0), (301, 0), (301, 1), (701, 2)])
def test_what_must_leave_is_spilled_only_where_both_ways_are_shorter_than_computing(
    remake: int, queued: int
) -> None:
    # out 200 behind 200 a write-back, and in 100, of which nothing is hidden: it is used in 50 us
    costs = when_pressed(pressed(float(remake), queued=queued), 0)
    spill = (queued + 1) * 200 + 100
    assert costs == (k.NEVER, k.NEVER, remake * US, spill * US)
    assert cheapest(costs) == (RECOMPUTE if remake <= spill else SPILL)


@pytest.mark.mechanism("S0-48", "S0-23", "S1-05")
def test_what_the_plan_lets_leave_is_copied_down_ahead_and_what_it_keeps_stays() -> None:
    kept, leaving = pressed(900.0), pressed(900.0, departs=True)
    assert cheapest(at_leisure(kept, 0)) == RETAIN
    # staying 200 + 100, copied now 0 + 100 (its own 200 beside the computing), spilled 200 + 100
    assert at_leisure(leaving, 0) == (300 * US, 100 * US, 900 * US, 300 * US)
    assert cheapest(at_leisure(leaving, 0)) == REPLICATE
    # Behind two others a copy waits 400, and computing it in 450 is the cheapest.
    assert cheapest(at_leisure(pressed(450.0, departs=True, queued=2), 0)) == RETAIN
    assert cheapest(at_leisure(pressed(250.0, departs=True, queued=2), 0)) == RECOMPUTE


def dropped(policy: str, remake_us: float | None) -> Outcome:
    """Two objects of 100 bytes are made, room is for one and a half; then both are read."""
    steps = [
        Step(creates=[0], compute_ps=10 * US),
        Step(creates=[1], compute_ps=10 * US),
        Step(reads=[0], compute_ps=10 * US, retires=[0]),
        Step(reads=[1], compute_ps=10 * US, retires=[1]),
    ]
    load = workload([100, 100], [True, True], steps)
    again = {} if remake_us is None else dict.fromkeys((0, 1), remake_us)
    where = machine(150, in_rate=1e6, out_rate=1e6)
    found = simulate(load, rows(load, remake_us=again), where, policy, record_events=True)
    Checker([150, 1 << 50]).replay(found.events)
    return found


@pytest.mark.mechanism("S1-05", "S5-03", "S0-23")
def test_what_may_be_dropped_costs_its_computing_and_moves_no_byte() -> None:
    # 4 steps of 10 us; both are dropped once and made again in 30 us
    found = dropped("intent", 30.0)
    assert moved(found) == 0
    assert found.end_ps == (4 * 10 + 2 * 30) * US
    assert found.stall_remake_ps.tolist() == [0, 0, 30 * US, 30 * US]
    assert (found.troubles.forgotten, found.troubles.remade_ps) == (2, 60 * US)
    assert found.peak_bytes["hbm"] == 100


def test_what_may_not_be_dropped_is_spilled() -> None:
    # out 100 us and in 100 us for the first; the second leaves while the first comes back
    assert moved(dropped("intent", None)) == 400
    assert moved(dropped("lru", 30.0)) == 400  # knows no intent


def test_what_costs_more_to_make_than_to_move_is_spilled() -> None:
    assert kinds(dropped("intent", 201.0), Kind.FORGET, 0) == 0
    assert kinds(dropped("intent", 200.0), Kind.FORGET, 0) == 1


def test_what_is_dropped_is_read_only_when_it_has_been_made_again() -> None:
    events = dropped("intent", 30.0).events
    assert events is not None
    mine = events[events["object"] == 0]
    begun, done = (int(mine["time_ps"][mine["kind"] == e][0]) for e in (Kind.REMAKE, Kind.REMADE))
    reads = mine["time_ps"][mine["kind"] == Kind.READ]
    assert done - begun == 30 * US
    assert (reads >= done).all()


@pytest.mark.mechanism("S0-48", "S7-04")
@pytest.mark.parametrize("departs", [(), (0,)])
def test_a_copy_begun_ahead_makes_room_without_a_wait(departs: tuple[int, ...]) -> None:
    # 0 takes 100 us to leave. The step after it computes for 300: copied down beside that, it is
    # dropped at once for 1; else 1 waits for its way out.
    steps = [
        Step(creates=[0]),
        Step(compute_ps=300 * US, position=1),
        Step(creates=[1], retires=[1], position=2),
        Step(reads=[0], position=3),
    ]
    load = workload([100, 150], [True, True], steps)
    known = rows(load, departs=departs)
    where = machine(200, in_rate=1e6, out_rate=1e6)
    found = simulate(load, known, where, "intent", record_events=True)
    Checker([200, 1 << 50]).replay(found.events)
    assert int(found.stall_queue_ps[2]) == (0 if departs else 100 * US)
    assert found.troubles.early_copies == len(departs)
    assert moved(found) == 200  # out and in, whenever


def test_a_bound_counts_no_bytes_of_what_can_be_made_again() -> None:
    # room for one of two objects that take turns: the other must come in, or be computed again
    steps = [Step(creates=[0]), Step(creates=[1]), *(Step(reads=[o]) for o in (0, 1, 0, 1))]
    load = workload([100, 100], [True, True], steps)
    again = rows(load, remake_us={0: 5.0, 1: 5.0}).remade
    assert again.tolist() == [True, True]
    assert limits(load, 100, 1e6).near_bytes > 0
    assert limits(load, 100, 1e6, again).near_bytes == 0
