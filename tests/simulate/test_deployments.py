"""One accelerator, a pair, a CXL pool and storage: the same weights over every hierarchy."""

import attrs
import pytest

from mirc.controller.ingest import ingest
from mirc.controller.precision.units import Unit
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.machine import Machine
from mirc.machine.load import load as preset
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.ladders import managed, physics
from mirc.simulate.model import Outcome
from mirc.simulate.precision import Aim, PrecisionStage
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import Scenario, build

GB = 1_000_000_000
LADDER = "dtype = bfloat16 precision_ladder = [bfloat16, float8_e4m3fn, int4] sensitivity = LOW"
# What stands below near memory, nearest first.
BELOW = {
    "h100-sxm": ("dram", "nvme"),
    "h100-pair": ("peer", "dram", "nvme"),
    "cxl-node": ("dram", "cxl", "nvme"),
    "edge": ("nvme",),
}


def cut(name: str, size: int) -> Machine:
    """Return a preset of which every memory but the last and the SRAM has ``size`` usable bytes."""
    machine = preset(name)
    small = {machine.near.name, *BELOW[name][:-1]}
    return attrs.evolve(
        machine,
        memories=tuple(
            attrs.evolve(memory, capacity_bytes=size, reserve_bytes=0)
            if memory.name in small
            else memory
            for memory in machine.memories
        ),
    )


def cycle(count: int, fields: str, laps: int) -> tuple[Source, str]:
    """Return a file of ``count`` weights of 1 GB, read in turn."""
    objects = "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = {GB} {fields} }}\n" for i in range(count)
    )
    steps = "".join(f"  step s{i} {{ reads = [w{i}] }}\n" for i in range(count))
    schedule = f"REPEAT({laps}, decode)"
    return Source("x.mir", f"mir 1.0\n{objects}phase decode {{\n{steps}}}\n"), schedule


def scene(
    machine: Machine, count: int, fields: str = "", laps: int = 6
) -> tuple[Scenario, Outcome]:
    source, schedule = cycle(count, fields, laps)
    module = load(source)
    scenario = build(module, schedule_of(module, None, schedule), machine, source=source)
    known = ingest(seal(module), machine, None, scenario.workload.names)
    return scenario, simulate(scenario.workload, known, machine, "intent", path="python")


@pytest.mark.mechanism("S1-15", "S1-16")
@pytest.mark.parametrize("name", list(BELOW))
def test_masters_fill_a_hierarchy_from_near_to_far_and_stream_from_every_tier(name: str) -> None:
    # 10 GB in each memory, 30 weights of 1 GB and four of them in passing: all tiers are needed
    _, outcome = scene(cut(name, 10 * GB), 30)
    found = [tier for tier in BELOW[name] if outcome.hits[tier]]
    assert tuple(found) == BELOW[name]
    held = [outcome.peak_bytes[tier] for tier in BELOW[name]]
    assert sum(held) >= 30 * GB
    assert all(size <= 10 * GB for size in held[:-1])


@pytest.mark.mechanism("S1-15")
def test_cxl_memory_is_a_tier_of_its_own_and_not_a_way_to_dram() -> None:
    machine = cut("cxl-node", 12 * GB)
    _, outcome = scene(machine, 18)
    moved = {(link.source, link.target): link.total_bytes for link in outcome.links}
    assert moved["cxl", "hbm"] > 0, "it is read from where it lies"
    assert moved.get(("cxl", "dram"), 0) == 0
    assert outcome.hits["nvme"] == 0


@pytest.mark.mechanism("S1-16")
def test_a_peer_holds_what_it_lends_and_no_more() -> None:
    machine = preset("h100-pair")
    lent = machine.memory("peer").usable_bytes
    _, outcome = scene(machine, 100, "backing = [PEER, DRAM]", laps=2)
    assert 0 < outcome.peak_bytes["peer"] <= lent
    # what comes from the peer does not pass the host
    assert all({link.source, link.target} != {"peer", "dram"} for link in outcome.links)


def joint(machine: Machine, count: int, aim: Aim | None) -> int:
    """Return the picoseconds of the last lap, with or without precision."""
    source, schedule = cycle(count, LADDER, 8)
    module = load(source)
    packed = seal(module)
    scenario = build(module, schedule_of(module, None, schedule), machine, source=source)
    work = scenario.workload
    known = ingest(packed, machine, None, work.names)
    units = managed(packed, None, work, known)
    prices = physics(units, work, known, machine)
    stages = [] if aim is None else [PrecisionStage(units, prices, aim)]
    outcome = simulate(work, known, machine, "intent", path="python", stages=stages)
    return int(outcome.step_ps[-count:].sum())


@pytest.mark.mechanism("S1-17")
@pytest.mark.parametrize("count", [8, 12, 20, 30])
def test_precision_and_residency_together_are_at_least_as_good_as_each_alone(count: int) -> None:
    machine = cut("h100-sxm", 10 * GB)
    machine = attrs.evolve(
        machine,
        memories=tuple(
            attrs.evolve(memory, capacity_bytes=500 * GB) if memory.name == "dram" else memory
            for memory in machine.memories
        ),
    )
    offload, fit, speed = (joint(machine, count, aim) for aim in (None, Aim.FIT, Aim.SPEED))
    # quantised to a rung at which all fit, streaming nothing: each byte left is read once a lap
    near_ps = 1e12 / (machine.near.read_bytes_per_s * machine.compute.memory_efficiency)
    unit = Unit(name="w", rungs=(GB, GB // 2 + GB // 128, GB // 4 + GB // 128))
    assert fit <= offload
    assert speed <= offload
    narrowest = count * unit.rungs[2]
    if narrowest <= 10 * GB:
        assert speed <= narrowest * near_ps * 1.001
