"""Who keeps the room near: what a loss costs comes before what the plan says stays."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest

from mirc.controller.descriptors import Descriptors
from mirc.machine import Machine
from mirc.simulate.corrupt import redrawn
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome, Workload
from tests.simulate.scenes import MIB, Step, machine, rows, workload

EXPERTS, HOT = 480, 160
KIB = 1 << 10


def run(load: Workload, known: Descriptors, where: Machine, policy: str = "intent") -> Outcome:
    return simulate(load, known, where, policy, path="python")


def staying(known: Descriptors, objects: Sequence[int]) -> Descriptors:
    phase = known.phases[0]
    stays = np.zeros_like(phase.stays)
    stays[list(objects)] = True
    return attrs.evolve(known, phases=(attrs.evolve(phase, stays=stays),))


def routed(laps: int) -> tuple[Workload, Descriptors]:
    """Draw from 480 experts of 64 KiB: 160 with a chance of 0.9, the others with one of 0.5."""
    rng = np.random.default_rng(2)
    chance = np.where(np.arange(EXPERTS) < HOT, 0.9, 0.5)
    drawn = [np.flatnonzero(rng.random(EXPERTS) < chance).tolist() for _ in range(laps)]
    # Each of eight steps of a lap uses its share of them, hot and cold ones mixed.
    steps = [
        Step(reads=[o for o in lap if o % 8 == at], compute_ps=100_000_000, position=at)
        for lap in drawn
        for at in range(8)
    ]
    load = workload([64 * KIB] * EXPERTS, [False] * EXPERTS, steps)
    first = {o: 100.0 * (o % 8) for o in range(EXPERTS)}
    known = rows(load, first_us={0: first}, period_us=800.0)
    phase = attrs.evolve(known.phases[0], probability=chance)
    return load, attrs.evolve(known, phases=(phase,), probability=chance)


def test_what_the_plan_keeps_yields_to_what_is_likelier_used() -> None:
    load, known = routed(12)
    near = machine(320 * 64 * KIB)
    told = run(load, known, near)
    blind = run(load, staying(known, range(HOT, HOT + 190)), near)
    assert blind.end_ps <= 1.03 * told.end_ps
    assert blind.end_ps <= run(load, known, near, "static").end_ps


def tiers(laps: int) -> tuple[Workload, Descriptors, Machine]:
    """Read 96 weights of 1 MiB in turn, three in four from NVMe, and keep some of those."""
    count = 96
    lap = [Step(reads=[o], compute_ps=100_000_000, position=o) for o in range(count)]
    load = workload([MIB] * count, [False] * count, lap * laps)
    first = {o: 100.0 * o for o in range(count)}
    known = rows(load, first_us={0: first}, period_us=100.0 * count)
    homes = tuple(("NVME",) if o % 4 else ("DRAM",) for o in range(count))
    known = attrs.evolve(staying(known, [o for o in range(53) if o % 4]), backing=homes)
    return load, known, machine(48 * MIB, nvme=1 << 40)


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_wrong_hints_do_not_make_it_forget_what_comes_from_far_below(share: float) -> None:
    load, known, where = tiers(10)
    lied = redrawn(known, np.zeros(load.object_count, dtype=np.int64), share, seed=1)
    ours = run(load, lied, where)
    assert ours.corrections
    assert ours.end_ps <= 1.03 * run(load, known, where).end_ps
