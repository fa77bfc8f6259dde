"""Protections end with the event or step that ends them; signals change strengths for a while."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.descriptors import HELD_FAST
from mirc.controller.ingest import ingest
from mirc.controller.signals import Course, Guard, Raised, SignalStage
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.kernels.events import Kind, Reason
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from mirc.simulate.policies import Settings
from mirc.simulate.schedule import schedule_of
from mirc.simulate.stages import stages_of
from mirc.simulate.topology import topology
from mirc.simulate.workload import build
from tests.simulate.checker import Checker
from tests.simulate.drawn import Drawn, scenes
from tests.simulate.scenes import Step, machine, rows, workload
from tests.simulate.toy import GB, card


def _run(
    text: str, schedule: str | None = None, *, near: int = 3 * GB
) -> tuple[Outcome, tuple[str, ...]]:
    source = Source("toy.mir", f"mir 1.0\n{text}")
    module = load(source)
    machine = card(near)
    scenario = build(module, schedule_of(module, None, schedule), machine, source=source)
    packed = seal(module)
    known = ingest(packed, machine, None, scenario.workload.names)
    stages = stages_of(packed, scenario, known, machine, policy="intent", plan=None)
    outcome = simulate(
        scenario.workload, known, machine, "intent", record_events=True, stages=stages
    )
    return outcome, scenario.workload.names


def _weights(count: int) -> str:
    return "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = {GB} }}\n" for i in range(count)
    )


def _left(found: tuple[Outcome, tuple[str, ...]], name: str) -> list[int]:
    """Return the steps in which an object left near memory before its life ended."""
    outcome, names = found
    assert outcome.events is not None
    events = outcome.events
    leaving = np.isin(events["kind"], (Kind.DROP, Kind.WRITE_BACK)) & (events["reason"] != 5)
    mine = leaving & (events["object"] == names.index(name))
    return [int(step) for step in events["step"][mine]]


def _said(found: tuple[Outcome, tuple[str, ...]]) -> list[tuple[int, str, str, str]]:
    rows = (each for each in found[0].happenings if each.actor == "signals")
    return [(each.step, each.what, each.object, each.detail) for each in rows]


def _gradient(rule: str) -> str:
    """Two guarded objects of 1 GB are made in 3 GB; weights want the room of one, then of both."""
    return (
        _weights(4)
        + f"""object g {{ class = GRADIENT_SHARD size_bytes = {GB} preferred_tiers = [HBM] {rule} }}
        object h {{ class = GRADIENT_SHARD size_bytes = {GB} pin_level = SOFT }}
        phase update {{
          step make {{ writes = [g, h] }}
          step a {{ reads = [w0] }}
          step reduce {{ reads = [w2, w3] raises = [ALLREDUCE_COMPLETE] }}
          step b {{ reads = [w0, w1, w2] }}
          step apply {{ reads = [g, h] }}
        }}"""
    )


@pytest.mark.mechanism("S0-20")
def test_a_shard_is_protected_until_the_event_and_may_leave_in_the_very_next_step() -> None:
    found = _run(_gradient("anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE"))
    assert _said(found) == [
        (0, "protect", "g", "UNTIL_ALLREDUCE_COMPLETE"),
        (3, "raised", "", "ALLREDUCE_COMPLETE"),
        (3, "release", "g", "UNTIL_ALLREDUCE_COMPLETE"),
    ]
    assert (_left(found, "g"), _left(found, "h")) == ([3], [2])
    assert found[0].path == "python + signals, promises"


def test_without_a_rule_the_first_of_two_equals_leaves() -> None:
    found = _run(_gradient("pin_level = SOFT"))
    assert (_left(found, "g"), _left(found, "h")) == ([2], [3])


@pytest.mark.mechanism("S0-20")
def test_a_protection_that_no_event_ends_is_never_broken_but_refuses_by_name() -> None:
    with pytest.raises(CouldNotRun, match="step 3 waits for room for `w1`") as caught:
        _run(_gradient("anti_evict_rule = UNTIL_SEQUENCE_END"))
    assert "`g` of 1_000_000_000 bytes by a rule" in caught.value.message


def test_the_next_run_that_raises_the_event_protects_anew() -> None:
    found = _run(_gradient("anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE"), "REPEAT(2, update)")
    assert [step for step, what, *_ in _said(found) if what == "protect"] == [0, 5]
    assert _left(found, "g") == [3, 8]


def _prefix(rule: str, sharers: str = "") -> str:
    return (
        _weights(4)
        + f"""object p {{ class = KV_BLOCK size_bytes = {GB} preferred_tiers = [HBM]
          persistence_scope = SESSION {rule} {sharers} }}
        phase many {{ batch = 3
          step a {{ writes = [p] }}
          step b {{ reads = [w0, w1] }}
          step c {{ reads = [w2, w3] }}
        }}
        phase one {{ batch = 1
          step d {{ reads = [w0, w1, w2] }}
        }}"""
    )


@pytest.mark.mechanism("S0-20")
def test_a_prefix_is_guarded_while_more_than_one_sequence_shares_it() -> None:
    found = _run(_prefix("anti_evict_rule = WHILE_FANOUT_GT_1"), "many, one")
    assert _said(found) == [
        (0, "protect", "p", "WHILE_FANOUT_GT_1"),
        (3, "release", "p", "WHILE_FANOUT_GT_1"),
    ]
    assert _left(found, "p") == [3]


def test_a_named_group_counts_its_members_whatever_runs() -> None:
    group = "sharing_scope = SEQUENCE_GROUP(17, 18, 21)"
    with pytest.raises(CouldNotRun, match="step 3 waits for room for `w1`"):
        _run(_prefix("anti_evict_rule = WHILE_FANOUT_GE_3", group), "many, one")
    assert _left(_run(_prefix("anti_evict_rule = WHILE_FANOUT_GE_4", group), "many, one"), "p")


def test_a_rule_that_allows_every_tier_of_the_machine_holds_nothing() -> None:
    text = _gradient("anti_evict_rule = UNTIL_SEQUENCE_END anti_evict_from = [HBM, DRAM]")
    found = _run(text)
    assert _left(found, "g") == [2]
    assert _said(found) == []


@pytest.mark.mechanism("S0-20")
def test_what_is_guarded_may_move_within_its_tiers_and_never_below_them() -> None:
    # Two dirty objects of 40 in 100 bytes; DRAM (number 1) has room for one of them, NVMe for all.
    steps = [Step(creates=[0]), Step(creates=[1], position=1), Step(creates=[2], position=2)]
    load = workload([40, 40, 60], [True] * 3, steps)
    known = rows(load)
    where = machine(100, dram=300, nvme=1000)
    nowhere = 1 << 1 | 1 << 2

    def run(barred: int) -> Outcome:
        course = Course(
            names=load.names,
            phases=load.phase_names,
            phase=load.step_phase.astype(np.int64),
            begins=frozenset({0}),
            raises={},
            fanout=np.ones((1, 3), dtype=np.int64),
        )
        guards = [Guard(object=o, until=True, word="never", barred=barred) for o in (0, 1)]
        stage = SignalStage(course, [guards], {})
        return simulate(load, known, where, "intent", record_events=True, stages=[stage])

    for barred, homes in ((1 << 2, {1}), (1 << 1, {2})):
        events = run(barred).events
        assert events is not None
        assert set(events["target"][events["kind"] == Kind.WRITE_BACK].tolist()) == homes
    with pytest.raises(CouldNotRun, match="step 2 waits for room for `o2`"):
        run(nowhere)


def test_a_rule_of_the_next_phase_that_holds_more_takes_the_place_of_the_last_ones() -> None:
    # Phase 0 bars o0 (40 of 100 bytes) from NVMe alone, phase 1 holds it where it is.
    steps = [Step(creates=[0]), Step(phase=1), Step(creates=[1], phase=1, position=1)]
    load = workload([40, 70], [True] * 2, steps)
    course = Course(
        names=load.names,
        phases=load.phase_names,
        phase=load.step_phase.astype(np.int64),
        begins=frozenset({0, 1}),
        raises={},
        fanout=np.ones((2, 2), dtype=np.int64),
    )
    outer, inner = (Guard(object=0, until=True, word="never", barred=b) for b in (1 << 2, 0))
    where = machine(100, dram=1000, nvme=1000)
    for guards, said in (([[outer], [inner]], 3), ([[inner], [inner]], 1)):
        stage = SignalStage(course, guards, {})
        with pytest.raises(CouldNotRun, match="step 2 waits for room for `o1`"):
            simulate(load, rows(load), where, "intent", stages=[stage])
        quiet = attrs.evolve(load, access_kind=np.zeros_like(load.access_kind))
        quiet = attrs.evolve(quiet, access_object=np.zeros_like(load.access_object))
        stage = SignalStage(course, guards, {})
        assert len(simulate(quiet, rows(load), where, "intent", stages=[stage]).happenings) == said
    stage = SignalStage(course, [[inner], [outer]], {})
    assert simulate(load, rows(load), where, "intent", stages=[stage]).end_ps > 0


def test_what_is_dirty_is_kept_while_it_is() -> None:
    with pytest.raises(CouldNotRun, match="step 3 waits for room for `w1`"):
        _run(_gradient("anti_evict_rule = WHILE_DIRTY"))


def _signal(strengths: str) -> str:
    """Three weights of 1 GB stay in turn in 2 GB; the end of the first step raises `done`."""
    return (
        f"""object a {{ class = KV_BLOCK size_bytes = {GB} persistence_scope = SESSION }}
        object b {{ class = KV_BLOCK size_bytes = {GB} persistence_scope = SESSION }}
        """
        + _weights(2)
        + f"""phase go {{
          step s0 {{ writes = [a, b] raises = [compact] }}
          step s1 {{ reads = [w0] }}
          step s2 {{ reads = [a, b] }}
        }}
        on compact {{ {strengths} }}"""
    )


def test_a_signal_changes_who_leaves_first_and_its_end_changes_it_back() -> None:
    # Without a signal a, the first of two equals, leaves for w0; held fast by it, b does.
    plain = _run(_signal(""), near=2 * GB)
    assert _left(plain, "a")[0] == 1
    assert 1 not in _left(plain, "b")
    found = _run(_signal("override a { spill_policy = NEVER }"), "REPEAT(2, go)", near=2 * GB)
    assert 1 not in _left(found, "a")
    assert _left(found, "b")[0] == 1
    assert [(step, what) for step, what, *_ in _said(found)] == [
        (1, "raised"),
        (1, "begin"),
        (3, "end"),
        (4, "raised"),
        (4, "begin"),
    ]


def test_a_file_without_rules_and_signals_has_no_such_stage() -> None:
    found = _run(_weights(1) + "phase f { step s { reads = [w0] raises = [done] } }")
    assert found[0].path == "python"


@st.composite
def _guarded(draw: st.DrawFn) -> tuple[Drawn, SignalStage]:
    """Draw a scene, rules that hold until events, and a signal that changes strengths."""
    drawn = draw(scenes(held=False))
    load = drawn.load
    count, steps = len(drawn.sizes), load.step_count
    words = st.sampled_from(["first", "second"])
    raises = draw(st.dictionaries(st.integers(0, steps - 1), words, max_size=6))
    guards = [
        Guard(object=o, until=True, word=draw(words))
        for o in range(count)
        if draw(st.integers(0, 5)) == 0
    ]
    strengths = st.dictionaries(st.integers(0, count - 1), st.integers(0, HELD_FAST), max_size=3)
    phases = len(drawn.known.phases)
    course = Course(
        names=load.names,
        phases=load.phase_names,
        phase=load.step_phase.astype(np.int64),
        begins=frozenset(np.flatnonzero(load.step_position == 0).tolist()),
        raises={step: (Raised(word),) for step, word in raises.items()},
        fanout=np.ones((phases, count), dtype=np.int64),
    )
    return drawn, SignalStage(course, [guards] * phases, {"first": draw(strengths)})


@settings(max_examples=100, deadline=None)
@given(scene=_guarded())
def test_nothing_leaves_while_a_rule_holds_it_and_nothing_else_breaks(
    scene: tuple[Drawn, SignalStage],
) -> None:
    drawn, stage = scene
    try:
        outcome = simulate(
            drawn.load,
            drawn.known,
            drawn.machine,
            "intent",
            record_events=True,
            settings=Settings(chunk_bytes=16),
            path="python",
            stages=[stage],
        )
    except CouldNotRun as error:
        refusal = error.message
        assert "waits for" in refusal
        return
    names = topology(drawn.load, drawn.known, drawn.machine).names
    Checker([drawn.machine.memory(name).usable_bytes for name in names]).replay(outcome.events)
    assert outcome.events is not None
    rows = list(outcome.happenings)
    held: set[int] = set()
    for event in outcome.events.tolist():
        while rows and rows[0].step <= event[6]:
            row = rows.pop(0)
            if row.what in ("protect", "release"):
                number = drawn.load.names.index(row.object)
                held = held | {number} if row.what == "protect" else held - {number}
        if event[1] in (Kind.DROP, Kind.WRITE_BACK, Kind.FORGET) and event[7] != Reason.ENDED:
            assert event[2] not in held, event
