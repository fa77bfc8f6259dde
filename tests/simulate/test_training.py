"""A training schedule runs: what is handed on begins and ends with each round, bytes are kept."""

import numpy as np
import pytest

from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.machine import Machine
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.limits import held_bytes, inflow_bytes_per_s, limits
from mirc.simulate.metrics import figures, steady_ps
from mirc.simulate.model import CREATE, Workload
from mirc.simulate.policies import POLICIES
from tests.simulate.checker import Checker
from tests.simulate.toy import GB, card, scenario

OBJECTS = """
object w {
  class = WEIGHT_TILE size_bytes = 1_000_000_000 mutability = MUTABLE write_policy = WRITE_BACK
}
object m { class = OPTIMIZER_STATE size_bytes = 2_000_000_000 }
object s { class = ACTIVATION size_bytes = 1_000_000_000 persistence_scope = UPDATE_WINDOW }
object g { class = GRADIENT_SHARD size_bytes = 1_000_000_000 }
object c { class = CHECKPOINT_FRAGMENT size_bytes = 1_000_000_000 }
"""
PHASES = """
phase forward { kind = FORWARD step f { reads = [w] writes = [s] } }
phase backward {
  kind = BACKWARD
  step b0 { reads = [s, w] }
  step b1 { reads = [s] writes = [g] }
}
phase optimizer_update { kind = OPTIMIZER_UPDATE step u { reads = [w, g, m] writes = [w, m] } }
phase checkpoint { kind = CHECKPOINT step k { reads = [w] writes = [c] } }
"""
ROUND = "forward, backward, optimizer_update"
SCHEDULE = f"REPEAT(4, {ROUND}, EVERY(2, checkpoint))"
ROOMY = card(near_bytes=8 * GB)


def training(schedule: str = SCHEDULE, machine: Machine = ROOMY) -> Workload:
    return scenario(OBJECTS + PHASES, schedule=schedule, machine=machine).workload


def creations(workload: Workload, name: str) -> list[int]:
    steps = np.repeat(np.arange(workload.step_count), np.diff(workload.access_ptr))
    made = workload.access_kind == CREATE
    mine = workload.access_object == workload.names.index(name)
    return [int(step) for step in steps[made & mine]]


def retirements(workload: Workload, name: str) -> list[int]:
    steps = np.repeat(np.arange(workload.step_count), np.diff(workload.retire_ptr))
    return [int(step) for step in steps[workload.retire_object == workload.names.index(name)]]


def test_what_forward_saves_lives_until_backward_has_read_it_in_every_round() -> None:
    # a round is f, b0, b1, u; rounds 2 and 4 end with k: they begin at 0, 4, 9, 13
    workload = training()
    assert creations(workload, "s") == [0, 4, 9, 13]
    assert retirements(workload, "s") == [2, 6, 11, 15]


def test_gradients_live_from_backward_to_the_end_of_the_update() -> None:
    workload = training()
    assert creations(workload, "g") == [2, 6, 11, 15]
    assert retirements(workload, "g") == [3, 7, 12, 16]


def test_a_fragment_is_written_over_without_being_fetched_and_never_ends() -> None:
    workload = training()
    assert creations(workload, "c") == [8, 17]
    assert retirements(workload, "c") == []


def test_what_is_held_rises_in_forward_and_falls_after_the_update() -> None:
    held = held_bytes(training(f"REPEAT(2, {ROUND})")) // GB
    assert held.tolist() == [1, 1, 2, 1] * 2  # s; s; s and g; g


def test_a_gradient_that_no_phase_of_the_file_consumes_stays() -> None:
    text = OBJECTS + PHASES.replace("g, m", "m")
    workload = scenario(text, schedule=f"REPEAT(2, {ROUND})", machine=ROOMY).workload
    assert retirements(workload, "g") == []


def test_lives_do_not_tell_what_is_still_to_run() -> None:
    # the same first round, whatever follows it
    short, long = training(ROUND), training(SCHEDULE)
    count = short.step_count
    for name in ("s", "g"):
        assert creations(short, name) == [at for at in creations(long, name) if at < count]
        assert retirements(short, name) == [at for at in retirements(long, name) if at < count]


def test_an_iteration_of_training_is_a_whole_round_without_its_checkpoint() -> None:
    found = scenario(OBJECTS + PHASES, schedule=SCHEDULE, machine=ROOMY)
    assert (found.before, found.iterated) == (("forward", "backward"), "optimizer_update")
    assert found.workload.iteration_ptr.tolist() == [0, 4, 9, 13, 17]
    # after the first round; a step's time is one here, so a round of four steps takes 4
    ones = np.ones(found.workload.step_count, dtype=np.int64)
    assert steady_ps(ones, found.workload).tolist() == [4, 4, 4]


def test_the_bound_of_an_iteration_counts_all_phases_of_its_round() -> None:
    # computing takes as long whatever must move: the sum over the steps f, b0, b1 and u
    roomy, tight = training(machine=ROOMY), training(machine=card(near_bytes=4 * GB))
    compute = [
        limits(load_, machine.near.usable_bytes, inflow_bytes_per_s(machine)).compute_ps
        for load_, machine in ((roomy, ROOMY), (tight, card(near_bytes=4 * GB)))
    ]
    steps = roomy.compute_ps
    assert compute == [int(steps[4:8].sum())] * 2


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("near", [4, 5, 8])
def test_every_policy_trains_within_capacity_and_loses_no_byte(policy: str, near: int) -> None:
    # the update needs w, g and m at once: 4 GB is the least that can train at all
    machine = card(near_bytes=near * GB)
    source = Source("toy.mir", f"mir 1.0\n{OBJECTS}{PHASES}")
    found = scenario(OBJECTS + PHASES, schedule=SCHEDULE, machine=machine)
    workload = found.workload
    known = ingest(seal(load(source)), machine, None, workload.names, found.runs)
    outcome = simulate(workload, known, machine, policy, record_events=True)
    names = [one.name for one in machine.memories]
    rates = {
        (names.index(link.source), names.index(link.target)): link.peak_bytes_per_s
        for link in machine.links
    }
    checker = Checker([one.usable_bytes for one in machine.memories], rates)
    checker.replay(outcome.events)
    bounds = limits(workload, machine.near.usable_bytes, inflow_bytes_per_s(machine))
    row = figures(outcome, workload, bounds, machine.near.name, found.tokens)
    assert row.total_ps >= bounds.total_ps
    assert row.near_bytes >= bounds.near_bytes
    if near == 8:  # all fits: w and m come in once, all else is made near
        assert row.near_bytes == 3 * GB
