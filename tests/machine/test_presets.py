import re
from importlib.resources import files

import pytest

from mirc.machine import Machine, TierKind
from mirc.machine.load import load, names, source

EXPECTED = (
    "a100-80g",
    "b200",
    "card-24g",
    "cxl-node",
    "edge",
    "gh200",
    "h100-pair",
    "h100-sxm",
    "h200",
    "mi300x",
    "npu-scratchpad",
)
DATA_CENTER = ("a100-80g", "b200", "gh200", "h100-sxm", "h200", "mi300x")
NUMBER = re.compile(r"^[\w-]+ = [\d\[]")


def test_the_presets_are_these() -> None:
    assert names() == EXPECTED


@pytest.fixture(params=EXPECTED)
def machine(request: pytest.FixtureRequest) -> Machine:
    return load(request.param)


def test_a_preset_is_called_what_its_file_is(machine: Machine) -> None:
    assert (files("mirc.machine") / "presets" / f"{machine.name}.toml").is_file()


def test_no_link_is_quicker_than_the_memories_that_it_joins(machine: Machine) -> None:
    for link in machine.links:
        assert link.peak_bytes_per_s <= machine.memory(link.source).read_bytes_per_s
        assert link.peak_bytes_per_s <= machine.memory(link.target).write_bytes_per_s


@pytest.mark.mechanism("S2-04")
def test_bandwidth_falls_with_distance(machine: Machine) -> None:
    order = list(TierKind)
    by_distance = sorted(machine.memories, key=lambda m: order.index(m.kind))
    rates = [memory.read_bytes_per_s for memory in by_distance]
    assert rates == sorted(rates, reverse=True)


def test_on_chip_memory_may_not_be_wired_whole(machine: Machine) -> None:
    assert machine.sram is not None
    assert 0 < machine.sram.wired_bytes < machine.memory(machine.sram.memory).capacity_bytes


@pytest.mark.parametrize("name", DATA_CENTER)
def test_a_tenth_of_a_data_center_card_is_reserved(name: str) -> None:
    near = load(name).near
    assert near.reserve_bytes * 10 == near.capacity_bytes


@pytest.mark.mechanism("S2-04")
@pytest.mark.parametrize("name", EXPECTED)
def test_every_number_has_its_source_beside_it(name: str) -> None:
    lines = source(name).splitlines()
    for number, line in enumerate(lines):
        assert len(line) <= 100, line
        if not NUMBER.match(line):
            continue
        # Beside it, or as the comment right above (for a curve that fills its line).
        assert "# " in line or lines[number - 1].startswith("# "), f"{name}:{number + 1}: {line}"


def test_llama3_70b_overflows_both_demonstration_machines() -> None:
    # 70.55e9 parameters of 2 bytes; on gh200 its overflow streams faster than a step reads memory
    weights = 141.1e9
    gh200 = load("gh200")
    link = gh200.link("dram", "hbm")
    assert link is not None
    for machine in (load("h100-sxm"), gh200):
        assert machine.near.usable_bytes < weights
    overflow_s = (weights - gh200.near.usable_bytes) / link.peak_bytes_per_s
    step_s = weights / (gh200.near.read_bytes_per_s * gh200.compute.memory_efficiency)
    assert overflow_s < step_s
