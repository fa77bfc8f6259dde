"""Whatever fails in mid-run, it goes on or says by name why not, and no invariant breaks."""

import re
from collections.abc import Sequence

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.descriptors import Descriptors
from mirc.diagnostics import CouldNotRun
from mirc.kernels.events import Kind
from mirc.machine import Machine
from mirc.simulate.engine import simulate
from mirc.simulate.faults import Fault, FaultKind, FaultStage, Targets, fault_of
from mirc.simulate.model import Outcome, Workload
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.routing import draw_experts
from mirc.simulate.topology import topology
from tests.nightly import by_night
from tests.simulate.checker import Checker
from tests.simulate.drawn import Drawn, scenes
from tests.simulate.scenes import Step, machine, rows, workload

SMALL = Settings(chunk_bytes=16)
MS = 1_000_000_000
NIGHTLY = by_night(1, 50)


def _targets(load: Workload, where: Machine, tenants: dict[str, list[int]]) -> Targets:
    ways = topology(load, rows(load), where)
    return Targets(
        links=ways.link_names,
        memories=ways.names,
        objects=load.names,
        tenants={name: np.array(found, dtype=np.int64) for name, found in tenants.items()},
    )


def _run(load: Workload, where: Machine, *faults: str, policy: str = "intent") -> Outcome:
    half = list(range(0, load.object_count, 2))
    stage = FaultStage(map(fault_of, faults), _targets(load, where, {"a": half}), load.step_count)
    return simulate(
        load, rows(load), where, policy, record_events=True, settings=SMALL, stages=[stage]
    )


@st.composite
def faults(draw: st.DrawFn, links: Sequence[str], memories: Sequence[str], steps: int) -> Fault:
    """Draw any fault of a drawn scene."""
    kind = draw(st.sampled_from([kind for kind in FaultKind if kind is not FaultKind.LIE]))
    begin = draw(st.integers(0, steps - 1))
    lasting = kind in (FaultKind.SLOW, FaultKind.SHRINK, FaultKind.FULL)
    amounts = {
        FaultKind.SLOW: st.integers(1, 20),
        FaultKind.STOP: st.sampled_from([0, 1_000_000, 70_000_000]),
        FaultKind.SHRINK: st.integers(0, 200),
        FaultKind.FAIL: st.integers(1, 5),
    }
    names = {
        FaultKind.SLOW: links,
        FaultKind.STOP: links,
        FaultKind.SHRINK: memories,
        FaultKind.FULL: memories[1:],
        FaultKind.FAIL: ["o0"],
        FaultKind.END: ["a"],
    }
    return Fault(
        kind=kind,
        target=draw(st.sampled_from(names[kind])),
        amount=draw(amounts.get(kind, st.just(0))),
        step=begin,
        until=begin + draw(st.integers(1, 9)) if lasting and draw(st.booleans()) else None,
    )


@pytest.mark.parametrize("policy", list(POLICIES))
@settings(max_examples=40 * NIGHTLY, deadline=None)
@given(drawn=scenes(held=False), data=st.data())
def test_a_run_with_faults_goes_on_or_is_refused_by_name_and_breaks_nothing(
    policy: str, drawn: Drawn, data: st.DataObject
) -> None:
    ways = topology(drawn.load, drawn.known, drawn.machine)
    drawn_faults = st.lists(
        faults(ways.link_names, ways.names, drawn.load.step_count), min_size=1, max_size=3
    )
    chosen = data.draw(drawn_faults)
    ended = list(range(0, drawn.load.object_count, 2))
    stage = FaultStage(
        chosen, _targets(drawn.load, drawn.machine, {"a": ended}), drawn.load.step_count
    )
    try:
        outcome = simulate(
            drawn.load,
            drawn.known,
            drawn.machine,
            policy,
            record_events=True,
            settings=SMALL,
            path="python",
            stages=[stage],
        )
    except CouldNotRun as error:
        refusal = error.message
    else:
        refusal = ""
    if refusal:
        assert "`" in refusal or "its working space" in refusal
        return
    limits = [drawn.machine.memory(name).usable_bytes for name in ways.names]
    Checker(limits).replay(outcome.events, _changes(outcome, ways.names))
    stall = outcome.stall_demand_ps + outcome.stall_late_ps + outcome.stall_queue_ps
    assert (outcome.step_ps >= outcome.compute_ps + stall).all()
    assert int(outcome.step_ps.sum()) == outcome.end_ps
    assert {each.step for each in outcome.happenings} >= {fault.step for fault in chosen}


def _changes(outcome: Outcome, names: Sequence[str]) -> list[tuple[int, int, int]]:
    """Read off the audit what a memory was said to have from a step on."""
    return [
        (each.step, names.index(each.object), int(each.detail.split(" bytes are usable")[0]))
        for each in outcome.happenings
        if each.detail.endswith("bytes are usable")
    ]


def _stream(steps: int = 6) -> tuple[Workload, Machine]:
    """Two objects of 60 take turns in a near memory of 100; each crosses `in` in 60 us."""
    played = [Step(reads=[step % 2], position=step, compute_ps=0) for step in range(steps)]
    return workload([60, 60], [False, False], played), machine(100, in_rate=1e6)


def test_a_link_that_slows_takes_so_many_times_longer_and_recovers() -> None:
    load, where = _stream()
    assert _run(load, where).end_ps == 360_000_000
    # Steps 2 and 3 take 600 us each.
    found = _run(load, where, "slow:in=10@2..4")
    assert found.step_ps.tolist() == [60_000_000] * 2 + [600_000_000] * 2 + [60_000_000] * 2
    assert [(each.what, each.outcome) for each in found.happenings] == [
        ("slow", "begins"),
        ("slow", "over"),
    ]


def test_a_link_that_stands_still_for_a_time_costs_that_time() -> None:
    load, where = _stream()
    assert _run(load, where, "stop:in=7ms@3").end_ps == 360_000_000 + 7 * MS


def test_however_slow_a_link_becomes_it_takes_the_time_that_was_said() -> None:
    load, where = _stream()
    found = _run(load, where, "slow:in=1000000@2..3", "stop:in=72000s@4")
    assert found.step_ps[2] == 60_000_000 * 1_000_000
    assert found.step_ps[4] == 72_000 * 1000 * MS + 60_000_000


def test_a_link_that_would_be_too_slow_for_an_object_is_refused_with_its_name() -> None:
    # 100 GB cross `in` in 100,000 s already; a million times that is 3,000 years.
    load = workload([100_000_000_000], [False], [Step(reads=[0])])
    with pytest.raises(CouldNotRun, match="`o0` would take more than 20 hours to cross `in`"):
        _run(load, machine(10**12, in_rate=1e6), "slow:in=1000000@0")


def test_a_link_that_stops_for_good_is_named_with_what_waits_for_it() -> None:
    load, where = _stream()
    with pytest.raises(CouldNotRun, match="step 3 waits for `o1`, which cannot cross `in`"):
        _run(load, where, "stop:in@3")


def test_what_near_memory_still_holds_is_read_though_the_link_has_stopped() -> None:
    load = workload([60], [False], [Step(reads=[0], position=p) for p in range(4)])
    assert _run(load, machine(100, in_rate=1e6), "stop:in@1").end_ps > 0


def test_a_transfer_that_fails_is_made_again_and_costs_its_time_twice() -> None:
    load, where = _stream()
    found = _run(load, where, "fail:o1=2@1")
    # Step 1 takes three times 60 us.
    assert found.end_ps == 480_000_000
    assert found.events is not None
    fails = found.events[found.events["kind"] == Kind.FAIL]
    assert fails["object"].tolist() == [1, 1]
    assert {link.name: link.demand_bytes for link in found.links}["in"] == 60 * 8


def test_a_transfer_that_always_fails_is_named() -> None:
    load, where = _stream()
    with pytest.raises(CouldNotRun, match="`o1` did not cross `in` undamaged in 4 attempts"):
        _run(load, where, "fail:o1=9@1")


def test_a_damaged_hop_gives_back_the_room_that_it_took_between() -> None:
    load = workload([50, 50], [False] * 2, [Step(reads=[1]), Step(reads=[1], position=1)])
    where = machine(100, in_rate=1e6, dram=250, nvme=1000)
    found = _run(load, where, "fail:o1@0")
    limits = [100, 250, 1000]
    Checker(limits).replay(found.events)
    assert found.events is not None
    assert (found.events["kind"] == Kind.FAIL).sum() == 1


def test_a_memory_that_shrinks_lets_go_of_what_no_longer_fits() -> None:
    steps = [Step(reads=[p % 3], position=p) for p in range(12)]
    load = workload([30] * 3, [False] * 3, steps)
    found = _run(load, machine(100), "shrink:hbm=70B@6", policy="lru")
    assert found.hits["hbm"] == 3  # 3 .. 5; from then on two of three fit, and LRU finds none
    assert [(each.what, each.outcome) for each in found.happenings] == [
        ("shrink", "begins"),
        ("shrink", "done"),
    ]
    Checker([100, 1 << 50]).replay(found.events, [(6, 0, 70)])


def test_a_memory_that_shrinks_below_what_is_dirty_goes_on_shrinking_as_it_is_written() -> None:
    # Two made objects of 40: 80 bytes are near and dirty when only 50 are left.
    steps = [Step(creates=[0]), Step(creates=[1], position=1)]
    steps += [Step(position=p, compute_ps=100_000_000) for p in range(2, 6)]
    load = workload([40, 40], [True, True], steps)
    found = _run(load, machine(100, out_rate=1e6), "shrink:hbm=50B@3")
    said = [(each.step, each.outcome, each.detail) for each in found.happenings]
    assert said == [
        (3, "begins", "to 50B"),
        (3, "goes on", "80 bytes are usable"),
        (4, "done", "50 bytes are usable"),
    ]


def test_a_step_that_no_longer_fits_is_refused_by_name() -> None:
    load, where = _stream()
    with pytest.raises(CouldNotRun, match="step 3 waits for room for `o1`"):
        _run(load, where, "shrink:hbm=59B@3")


def test_a_full_nvme_refuses_what_would_be_spilled_there_and_the_run_says_so() -> None:
    # DRAM has room for the master alone; what is made can go to NVMe only.
    steps = [Step(creates=[0]), Step(reads=[1], position=1), Step(reads=[0], position=2)]
    load = workload([60, 60], [True, False], steps)
    where = machine(100, dram=300, nvme=1000)
    assert _run(load, where).end_ps > 0
    with pytest.raises(CouldNotRun, match="step 1 waits for room for `o1`"):
        _run(load, where, "full:nvme@1", "full:dram@1")


def test_a_tenant_that_ends_in_mid_flight_leaves_nothing_and_the_others_go_on() -> None:
    # o0 and o2 are a's; o2 is on the link, as a prefetch or not, whenever a ends.
    steps = [Step(reads=[p % 3], writes=[3], position=p, compute_ps=10_000_000) for p in range(9)]
    load = workload([40, 40, 40, 10], [False, False, False, True], steps)
    for when in range(1, 9):
        found = _run(load, machine(100, in_rate=1e6), f"end:a@{when}")
        checker = Checker([100, 1 << 50]).replay(found.events)
        assert found.events is not None
        after = found.events[found.events["step"] >= when]
        used = np.isin(after["kind"], (Kind.READ, Kind.WRITE, Kind.CREATE, Kind.ISSUE))
        assert set(after["object"][used].tolist()) <= {1, 3}
        assert {o: copy.home for o, copy in checker.copies.items() if copy.home} == {1: 1}


def test_a_router_that_lies_costs_time_and_nothing_else() -> None:
    # Four experts of 40 in turn, room for two; the plan announces each in time for its step.
    names = tuple(f"e[{part}]" for part in range(4))
    steps = [Step(reads=[p % 4], position=p % 4, compute_ps=100_000_000) for p in range(24)]
    load = workload([40] * 4, [False] * 4, steps)
    load = attrs.evolve(load, names=names)
    first = {0: {o: 100.0 * o for o in range(4)}}
    known = rows(load, first_us=first, period_us=400.0)
    where = machine(100, in_rate=1e6)

    def play(*faults_: str) -> Outcome:
        stage = FaultStage(map(fault_of, faults_), _targets(load, where, {}), load.step_count)
        return simulate(load, known, where, "intent", record_events=True, stages=[stage])

    honest, lying = play(), play("lie:e@8")
    assert honest.step_ps[:8].tolist() == lying.step_ps[:8].tolist()
    assert lying.end_ps > honest.end_ps
    assert int(lying.stall_demand_ps.sum()) > int(honest.stall_demand_ps.sum())
    Checker([100, 1 << 50]).replay(lying.events)


def _routed(seed: int) -> tuple[Workload, Descriptors, Machine]:
    """Draw 2 of 5 experts of 40 in each of 400 steps; the plan keeps the likeliest of them near."""
    chance = np.array([0.9, 0.6, 0.3, 0.1, 0.1])
    drawn = [draw_experts(chance, 2, 1, (seed, step)).tolist() for step in range(400)]
    steps = [Step(reads=experts, compute_ps=1_000_000) for experts in drawn]
    load = workload([40] * 5, [False] * 5, steps)
    load = attrs.evolve(load, names=tuple(f"e[{part}]" for part in range(5)))
    known = rows(load, first_us={0: dict.fromkeys(range(5), 0.0)}, period_us=1.0)
    phase = attrs.evolve(known.phases[0], probability=chance, stays=chance > 0.5)
    return (
        load,
        attrs.evolve(known, phases=(phase,), probability=chance),
        machine(170, in_rate=1e6),
    )


@pytest.mark.mechanism("S0-26", "S0-45")
@pytest.mark.parametrize("when", [0, 2, 50])
def test_a_router_that_goes_on_lying_is_corrected_by_what_it_chooses(when: int) -> None:
    for seed in range(4):
        load, known, where = _routed(seed)

        lie, targets = fault_of(f"lie:e@{when}"), _targets(load, where, {})
        found, static, recency = (
            simulate(
                load,
                known,
                where,
                policy,
                record_events=True,
                stages=[FaultStage([lie], targets, load.step_count)],
            )
            for policy in ("intent", "static", "lru")
        )
        assert found.end_ps <= 1.03 * min(static.end_ps, recency.end_ps)
        after = [each for each in found.corrections if each.runs > when]
        assert after
        assert after[0].runs <= when + 12
        assert max(each.unlikely for each in after) >= 2
        honest = simulate(load, known, where, "lru", record_events=True)
        assert honest.events is not None
        assert recency.events is not None
        assert honest.events.tobytes() == recency.events.tobytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slow:in@4", "`slow:in@4` is not written as a fault is"),
        ("slow:in=some@4", "is not written as a fault is"),
        ("slow:in=0@4", "`slow:in=0@4` is beyond what can be simulated"),
        ("slow:in=1000001@4", "is beyond what can be simulated"),
        ("fail:o0=1000001@4", "is beyond what can be simulated"),
        ("stop:in=0s@4", "is beyond what can be simulated"),
        ("stop:in=72001s@4", "is beyond what can be simulated"),
        ("stop:in=999999999999999999999s@4", "is beyond what can be simulated"),
        ("slow:in=10", "is not written as a fault is"),
        ("slow:in=10@8..4", "is not written as a fault is"),
        ("stop:in@4..8", "is not written as a fault is"),
        ("end:a=3@4", "is not written as a fault is"),
        ("shrink:hbm=70@4", "has no known unit"),
        ("melt:in@4", "`melt:in@4` is no fault that can be simulated"),
        ("slow:inn=2@4", "there is no link `inn` in this run"),
        ("full:hbm@4", "there is no memory below `hbm` in this run"),
        ("fail:o7@4", "there is no object `o7` in this run"),
        ("lie:w@4", "there is no family `w` in this run"),
        ("lie:o0@4", "there is no family `o0` in this run"),
        ("slow:in=2@6", "no fault can come before step 6: the run has 6 steps"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(text: str, message: str) -> None:
    load, where = _stream()
    with pytest.raises(CouldNotRun, match=re.escape(message)):
        _run(load, where, text)


@settings(max_examples=15, deadline=None)
@given(drawn=scenes(held=False), data=st.data())
def test_both_paths_agree_on_every_event_when_something_fails(
    drawn: Drawn, data: st.DataObject
) -> None:
    ways = topology(drawn.load, drawn.known, drawn.machine)
    chosen = data.draw(
        st.lists(faults(ways.link_names, ways.names, drawn.load.step_count), min_size=1, max_size=3)
    )
    found = []
    for path in ("python", "compiled"):
        targets = _targets(drawn.load, drawn.machine, {"a": [0]})
        try:
            events = simulate(
                drawn.load,
                drawn.known,
                drawn.machine,
                "intent",
                record_events=True,
                settings=SMALL,
                path=path,
                stages=[FaultStage(chosen, targets, drawn.load.step_count)],
            ).events
        except CouldNotRun as error:
            found.append(error.message.encode())
        else:
            assert events is not None
            found.append(events.tobytes())
    assert found[0] == found[1]
