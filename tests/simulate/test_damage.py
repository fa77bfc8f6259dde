"""Transfers that arrive damaged again and again: what is given up, and what ends a run."""

import numpy as np
import pytest

from mirc.diagnostics import CouldNotRun
from mirc.kernels.events import Kind, Reason
from mirc.machine import Machine
from mirc.simulate.engine import simulate
from mirc.simulate.faults import FaultStage, Targets, fault_of
from mirc.simulate.model import Outcome, Workload
from mirc.simulate.policies import Settings
from mirc.simulate.topology import topology
from tests.simulate.checker import Checker
from tests.simulate.scenes import Step, machine, rows, workload

SMALL = Settings(chunk_bytes=16)
MS = 1_000_000_000


def _failing(load: Workload, where: Machine, *faults: str) -> FaultStage:
    """Return the stage of these faults; the second object is tenant a's."""
    ways = topology(load, rows(load), where)
    targets = Targets(
        links=ways.link_names,
        memories=ways.names,
        objects=load.names,
        tenants={"a": np.array([1], dtype=np.int64)},
    )
    return FaultStage(map(fault_of, faults), targets, load.step_count)


def _ahead(where: Machine, *faults: str, path: str = "python") -> Outcome:
    """Play a step of 1 ms on o0, then one on o1, which crosses each link in 60 us before that."""
    steps = [Step(reads=[p % 2], position=p % 2, compute_ps=MS) for p in range(4)]
    load = workload([60, 60], [False] * 2, steps)
    known = rows(load, first_us={0: {0: 0.0, 1: 1000.0}}, period_us=2000.0)
    stage = _failing(load, where, *faults)
    return simulate(
        load, known, where, "intent", record_events=True, path=path, settings=SMALL, stages=[stage]
    )


def _fates(outcome: Outcome) -> list[tuple[int, int]]:
    assert outcome.events is not None
    of = outcome.events[(outcome.events["object"] == 1) & (outcome.events["step"] < 2)]
    told = of[np.isin(of["kind"], (Kind.ISSUE, Kind.FAIL, Kind.CANCEL))]
    return list(zip(told["kind"].tolist(), told["reason"].tolist(), strict=True))


@pytest.mark.parametrize("path", ["python", "compiled"])
def test_a_prefetch_that_always_fails_is_given_up_and_only_a_demand_ends_the_run(path: str) -> None:
    where = machine(200, in_rate=1e6)
    sound = _ahead(where, path=path)
    found = _ahead(where, "fail:o1=4@0", path=path)
    Checker([200, 1 << 50]).replay(found.events)
    assert _fates(sound) == [(Kind.ISSUE, Reason.PLANNED)]
    assert _fates(found) == [
        (Kind.ISSUE, Reason.PLANNED),
        *[(Kind.FAIL, Reason.DAMAGED)] * 4,
        (Kind.CANCEL, Reason.DAMAGED),
        (Kind.ISSUE, Reason.NEEDED),
    ]
    assert found.end_ps == sound.end_ps + 60_000_000
    with pytest.raises(CouldNotRun, match="`o1` did not cross `in` undamaged in 4 attempts"):
        _ahead(where, "fail:o1=8@0", path=path)


def test_a_prefetch_that_is_given_up_half_way_frees_the_room_between() -> None:
    # o1 has come from NVMe to DRAM when `in` goes on after 1.5 ms, and fails there four times.
    steps = [Step(creates=[0], compute_ps=MS), Step(position=1, compute_ps=MS)]
    load = workload([60, 100], [True, False], [*steps, Step(reads=[1], position=2)])
    known = rows(load, first_us={0: {0: 0.0, 1: 2000.0}}, period_us=3000.0)
    where = machine(200, in_rate=1e6, dram=110, nvme=1000)
    stage = _failing(load, where, "stop:in=1500us@0", "fail:o1=4@1")
    found = simulate(load, known, where, "intent", record_events=True, stages=[stage])
    assert found.events is not None
    fails = found.events[found.events["kind"] == Kind.FAIL]
    assert fails[["source", "target"]].tolist() == [(1, 0)] * 4
    assert (found.events["kind"] == Kind.CANCEL).sum() == 1
    # DRAM has room for one: with the first still there, the second could not have come.
    Checker([200, 110, 1000]).replay(found.events)


def test_a_write_back_that_fails_goes_on_until_a_step_waits_for_its_room() -> None:
    # o0 is written back while nobody waits, each time in 50 us; nothing else lies near.
    steps = [Step(creates=[0]), *[Step(position=p, compute_ps=MS) for p in (1, 2)]]
    load = workload([50], [True], steps)
    known, where = rows(load, departs=[0]), machine(100, out_rate=1e6)
    stage = _failing(load, where, "fail:o0=6@0")
    found = simulate(load, known, where, "intent", record_events=True, stages=[stage])
    Checker([100, 1 << 50]).replay(found.events)
    assert found.events is not None
    kinds = found.events["kind"].tolist()
    assert (kinds.count(Kind.COPY), kinds.count(Kind.FAIL), kinds.count(Kind.LAND)) == (1, 6, 1)


def test_what_ends_while_it_comes_vanishes_however_damaged_it_arrives() -> None:
    # o1 is on its way when its tenant ends with step 0, 10 us into the 60 that it takes.
    steps = [Step(reads=[0], compute_ps=10_000_000), Step(reads=[1], position=1, compute_ps=MS)]
    load, where = workload([60, 60], [False] * 2, steps), machine(200, in_rate=1e6)
    known = rows(load, first_us={0: {0: 0.0, 1: 10.0}}, period_us=1010.0)
    stage = _failing(load, where, "fail:o1=9@0", "end:a@1")
    found = simulate(load, known, where, "intent", record_events=True, stages=[stage])
    Checker([200, 1 << 50]).replay(found.events)
    assert found.events is not None
    fate = found.events[found.events["object"] == 1]["kind"].tolist()
    assert fate[-3:] == [Kind.START, Kind.LAND, Kind.RETIRE]
