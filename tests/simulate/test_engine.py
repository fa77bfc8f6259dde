from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from mirc.simulate.policies import POLICIES, Settings
from tests.simulate.checker import Checker
from tests.simulate.drawn import Drawn, need, scenes, steps
from tests.simulate.scenes import Step, machine, rows, workload

SMALL = Settings(chunk_bytes=16)
SEALED = [name for name, policy in POLICIES.items() if not policy.oracle]


def play(drawn: Drawn, policy: str, path: str = "python") -> Outcome:
    return simulate(
        drawn.load,
        drawn.known,
        drawn.machine,
        policy,
        record_events=True,
        settings=SMALL,
        path=path,
    )


def check(drawn: Drawn, outcome: Outcome) -> Checker:
    order = [drawn.machine.near.name, "dram", "nvme"]
    names = [name for name in order if name in outcome.peak_bytes]
    limits = [drawn.machine.memory(name).usable_bytes for name in names]
    rates = {
        (names.index(link.source), names.index(link.target)): link.peak_bytes_per_s
        for link in drawn.machine.links
    }
    fast = drawn.fast if outcome.policy in ("intent", "static", "regret") else frozenset()
    checker = Checker(limits, rates, fast).replay(outcome.events)
    for use in outcome.links:
        ends = names.index(use.source), names.index(use.target)
        assert checker.moved[ends] == use.total_bytes
    return checker


@pytest.mark.mechanism("S5-04")
@pytest.mark.parametrize("policy", list(POLICIES))
@settings(max_examples=60, deadline=None)
@given(drawn=scenes())
def test_no_policy_ever_overfills_a_memory_or_reads_bytes_in_flight(
    policy: str, drawn: Drawn
) -> None:
    outcome = play(drawn, policy)
    check(drawn, outcome)
    stall = outcome.stall_demand_ps + outcome.stall_late_ps + outcome.stall_queue_ps
    stall = stall + outcome.stall_remake_ps
    assert (outcome.step_ps == outcome.compute_ps + stall).all()
    assert int(outcome.step_ps.sum()) == outcome.end_ps
    met = outcome.prefetches
    assert met.issued == met.on_time + met.late + met.unused


@pytest.mark.parametrize("policy", SEALED)
@settings(max_examples=40, deadline=None)
@given(drawn=scenes(held=False), data=st.data())
def test_another_future_changes_no_decision_before_it(
    policy: str, drawn: Drawn, data: st.DataObject
) -> None:
    # The unit is a step: a policy learns what a step uses when it begins, all at once.
    kept = data.draw(st.integers(0, len(drawn.steps)))
    dice = Random(data.draw(st.integers(0, 2**32)))  # noqa: S311 - rolled, not kept secret
    tail = steps(drawn.made, 6, dice, begun=kept)
    other = Drawn(
        drawn.sizes,
        drawn.made,
        [*drawn.steps[:kept], *_fitting(drawn, tail)],
        drawn.known,
        drawn.machine,
        drawn.fast,
    )
    ours, theirs = play(drawn, policy).events, play(other, policy).events
    assert ours is not None
    assert theirs is not None
    assert ours[ours["step"] < kept].tobytes() == theirs[theirs["step"] < kept].tobytes()


def _fitting(drawn: Drawn, tail: list[Step]) -> list[Step]:
    room = drawn.machine.near.usable_bytes
    return [step for step in tail if need(drawn.sizes, step) <= room] or [Step()]


def test_only_belady_is_told_when_objects_are_used_next() -> None:
    # Near holds two of a, b, c. After a b c the first sequence uses b again, the second a.
    sizes, made = [10, 10, 10], [False] * 3
    begin = [Step(reads=[0]), Step(reads=[1], position=1), Step(reads=[2], position=2)]
    dropped = []
    for then in (1, 0):
        load = workload(sizes, made, [*begin, Step(reads=[then], position=3)])
        outcome = simulate(load, rows(load), machine(20), "belady", record_events=True)
        assert outcome.events is not None
        dropped.append(outcome.events["object"][outcome.events["kind"] == 6][0])
    assert dropped == [0, 1]


def test_a_step_that_does_not_fit_is_refused_by_name() -> None:
    load = workload([60, 60], [False, False], [Step(reads=[0]), Step(reads=[0, 1], position=1)])
    with pytest.raises(CouldNotRun, match=r"step 1 of `0` needs 120 bytes .* has 100"):
        simulate(load, rows(load), machine(100), "lru")


def test_masters_that_fit_nowhere_are_refused() -> None:
    load = workload([60, 60], [False, False], [Step(reads=[0])])
    with pytest.raises(CouldNotRun, match="masters of weights take 120 bytes"):
        simulate(load, rows(load), machine(100, dram=100), "lru")


def test_a_run_that_cannot_make_room_says_so_instead_of_hanging() -> None:
    # a is made, changed and has nowhere to be written to: dram is full of masters.
    load = workload([60, 60], [True, False], [Step(creates=[0]), Step(reads=[1], position=1)])
    with pytest.raises(CouldNotRun, match="step 1 waits for room for `o1`") as caught:
        simulate(load, rows(load), machine(100, dram=60), "lru")
    assert "40 bytes are free" in caught.value.message
    assert "leave: `o0` of 60 bytes that finds no room below" in caught.value.message


def test_an_unknown_policy_is_refused() -> None:
    load = workload([1], [False], [Step(reads=[0])])
    with pytest.raises(CouldNotRun, match="there is no policy `optimal`"):
        simulate(load, rows(load), machine(100), "optimal")


def test_masters_fill_dram_first_and_then_nvme_and_pass_through_dram() -> None:
    # DRAM of 300 has no room for seven masters of 50, so it keeps 4 x 50 bytes for what passes
    # through: two lie there, the third on NVMe. It crosses flash at 0.5 and then the link at
    # 1 byte/us: 100 + 50 us, one after the other.
    load = workload([50] * 7, [False] * 7, [Step(reads=[2], compute_ps=0)])
    where = machine(100, in_rate=1e6, out_rate=1e6, dram=300, nvme=1000)
    outcome = simulate(load, rows(load), where, "lru", record_events=True)
    assert outcome.end_ps == 150_000_000
    assert outcome.hits == {"hbm": 0, "dram": 0, "nvme": 1}
    assert {link.name: link.demand_bytes for link in outcome.links if link.demand_bytes} == {
        "in": 50,
        "read": 50,
    }


def test_two_runs_are_byte_identical() -> None:
    load = workload([10, 20, 30], [False, True, False], [Step(reads=[0], creates=[1])] * 3)
    logs = [
        simulate(load, rows(load), machine(40), "intent", record_events=True).events
        for _ in range(2)
    ]
    assert logs[0] is not None
    assert logs[1] is not None
    assert logs[0].tobytes() == logs[1].tobytes()


def test_recording_changes_nothing() -> None:
    load = workload([10, 20, 30], [False, True, False], [Step(reads=[0, 2], creates=[1])] * 3)
    quiet, loud = (
        simulate(load, rows(load), machine(70), "lru", record_events=on) for on in (False, True)
    )
    assert quiet.events is None
    assert np.array_equal(quiet.step_ps, loud.step_ps)
