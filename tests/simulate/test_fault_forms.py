"""Several faults of one thing, faults that change nothing, and how faults are written."""

import attrs
import pytest

from mirc.diagnostics import CouldNotRun
from mirc.simulate.engine import simulate
from mirc.simulate.faults import FaultStage, fault_of
from tests.simulate.checker import Checker
from tests.simulate.scenes import Step, machine, rows, workload
from tests.simulate.test_faults import MS, SMALL, _changes, _run, _stream, _targets


def test_faults_of_one_link_multiply_and_the_end_of_one_leaves_the_others() -> None:
    load, where = _stream(10)
    found = _run(load, where, "slow:in=2@1..9", "slow:in=3@4..6")
    assert (found.step_ps // 60_000_000).tolist() == [1, 2, 2, 2, 6, 6, 2, 2, 2, 1]
    said = [(each.step, each.outcome, each.detail) for each in found.happenings]
    assert said == [
        (1, "begins", "2 times slower"),
        (4, "begins", "6 times slower"),
        (6, "over", "2 times slower"),
        (9, "over", "as fast as before"),
    ]
    with pytest.raises(CouldNotRun, match="more than 20 hours"):
        _run(load, where, "slow:in=1000000@1", "slow:in=1000000@2")


def test_a_link_that_stands_still_for_good_is_not_woken_by_a_shorter_stop() -> None:
    load, where = _stream()
    with pytest.raises(CouldNotRun, match="`o1`, which cannot cross `in`"):
        _run(load, where, "stop:in@1", "stop:in=1ms@1")
    assert _run(load, where, "stop:in=7ms@3", "stop:in=2ms@3").end_ps == 360_000_000 + 7 * MS


def test_a_memory_whose_inner_fault_is_over_stays_as_small_as_the_outer_one_says() -> None:
    steps = [Step(reads=[p % 3], position=p) for p in range(12)]
    load = workload([30] * 3, [False] * 3, steps)
    found = _run(load, machine(100), "shrink:hbm=70B@2..10", "shrink:hbm=40B@4..6", policy="lru")
    assert found.events is not None
    limits = _changes(found, ("hbm", "dram"))
    assert [limits[0], limits[1], limits[-1]] == [(2, 0, 70), (4, 0, 40), (10, 0, 100)]
    assert (6, 0, 70) in limits
    Checker([100, 1 << 50]).replay(found.events, limits)


def test_damage_that_finds_no_transfer_is_told_when_the_run_has_ended() -> None:
    load = workload([60], [False], [Step(reads=[0], position=p) for p in range(4)])
    where = machine(100, in_rate=1e6)
    said = []
    for text in ("fail:o0=2@1", "fail:o0=2@0"):
        stage = FaultStage([fault_of(text)], _targets(load, where, {}), load.step_count)
        simulate(load, rows(load), where, "lru", settings=SMALL, stages=[stage])
        said.append(
            [(each.step, each.object, each.outcome, each.detail) for each in stage.left_over()]
        )
    assert said == [
        [(4, "o0", "never struck", "2 of 2 times there was no transfer of it any more")],
        [],
    ]


def test_a_memory_does_not_shrink_to_what_it_has() -> None:
    load, where = _stream()
    targets = attrs.evolve(_targets(load, where, {}), sizes=(100, 1 << 50))
    with pytest.raises(CouldNotRun, match="`hbm` has 100 usable bytes: it does not shrink to 100"):
        FaultStage([fault_of("shrink:hbm=100B@1")], targets, load.step_count)
    FaultStage([fault_of("shrink:hbm=99B@1")], targets, load.step_count)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("slow:in=1.5@4", "TIMES is a whole number of at least 1"),
        ("slow:in=2@8..8", "a second STEP comes after the first"),
        ("stop:in=5@3", "TIME is a number with ps, ns, us, ms or s"),
        ("fail:o0=1.5@3", "TIMES is a whole number of at least 1"),
        ("shrink:hbm=3@1", "BYTES is a number with a unit"),
    ],
)
def test_how_a_fault_is_written_is_said_where_it_is_not(text: str, hint: str) -> None:
    with pytest.raises(CouldNotRun) as caught:
        fault_of(text)
    assert hint in str(caught.value.hint)
