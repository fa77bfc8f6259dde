"""Declared ladders, floors and sensitivities into units with sizes."""

import pytest

from mirc.controller.ingest import ingest
from mirc.controller.precision.states import State
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.packed.pack import seal
from mirc.simulate.ladders import Managed, managed, physics
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import card

# 12,800 elements: 100 groups of 128, whose scales take 200 bytes below 16 bits
TWO = "class = WEIGHT_TILE dtype = bfloat16 size_bytes = 25_600"
LADDER = "precision_ladder = [bfloat16, float8_e4m3fn, int4]"


def units(*declared: str) -> tuple[Managed, ...]:
    names = [f"w{number}" for number in range(len(declared))]
    objects = "".join(f"object {n} {{ {d} }}\n" for n, d in zip(names, declared, strict=True))
    reads = ", ".join(names)
    text = f"mir 1.0\n{objects}phase decode {{\n  step s {{ reads = [{reads}] }}\n}}\n"
    source = Source("toy.mir", text)
    module = load(source)
    packed, machine = seal(module), card()
    scenario = build(module, schedule_of(module, None, None), machine, source=source)
    known = ingest(packed, machine, None, scenario.workload.names)
    found = managed(packed, None, scenario.workload, known)
    prices = physics(found, scenario.workload, known, machine)
    assert prices.service_ps.shape[0] == max((len(each.unit.rungs) for each in found), default=1)
    return found


@pytest.mark.mechanism("S1-18", "S1-01")
def test_a_rung_takes_its_bits_and_the_scales_of_its_groups() -> None:
    (found,) = units(f"{TWO} {LADDER}")
    assert found.unit.rungs == (25_600, 12_800 + 200, 6_400 + 200)
    assert found.dtypes == ("bfloat16", "float8_e4m3fn", "int4")


@pytest.mark.mechanism("S1-09")
def test_the_floor_is_the_last_rung_that_it_allows() -> None:
    eight, none, all_ = units(
        f"{TWO} {LADDER} precision_floor = float8_e4m3fn",
        f"{TWO} {LADDER} precision_floor = bfloat16",
        f"{TWO} {LADDER}",
    )
    assert [each.unit.lowest for each in (eight, none, all_)] == [1, 0, 2]


def test_sensitivity_is_a_level_or_a_number_and_medium_if_unsaid() -> None:
    found = units(f"{TWO} sensitivity = LOW", f"{TWO} sensitivity = 0.5", TWO)
    assert [each.unit.sensitivity for each in found] == [0.05, 0.5, 0.25]


def test_a_weight_without_a_ladder_stays_as_it_is() -> None:
    (found,) = units(TWO)
    assert (found.unit.rungs, found.dtypes) == ((25_600,), ("bfloat16",))


def test_a_rung_whose_scales_outweigh_its_bits_is_none() -> None:
    # one element of 2 bytes: a byte and a scale of 2
    (found,) = units(f"class = WEIGHT_TILE dtype = bfloat16 size_bytes = 2 {LADDER}")
    assert found.unit.rungs == (2,)


def test_what_is_wired_is_left_alone_and_what_backs_on_storage_is_cold() -> None:
    found = units(f"{TWO} {LADDER} pin_level = WIRED", f"{TWO} {LADDER} backing = [NVME]")
    assert [(each.unit.name, each.unit.home) for each in found] == [("w1", State.S4)]


@pytest.mark.mechanism("S1-01")
def test_weights_tiles_and_experts_are_units_and_what_the_run_makes_is_none() -> None:
    text = f"""mir 1.0
object norm {{ {TWO} {LADDER} }}
object proj[0:64] {{ {TWO} {LADDER} }}
object proj[64:128] {{ {TWO} {LADDER} }}
object experts[3] {{ class = EXPERT_WEIGHT dtype = bfloat16 size_bytes = 25_600 {LADDER}
  route_probability = 0.25 }}
object temp {{ class = ACTIVATION_TEMP size_bytes = 100 }}
phase decode {{
  step s {{ reads = [norm, proj[0:64], proj[64:128], experts[3]] writes = [temp] }}
  step t {{ reads = [temp] }}
}}
"""
    source = Source("toy.mir", text)
    module = load(source)
    packed, machine = seal(module), card()
    work = build(module, schedule_of(module, None, None), machine, source=source).workload
    found = managed(packed, None, work, ingest(packed, machine, None, work.names))
    chosen = {each.unit.name: each.chosen for each in found}
    assert chosen == {"norm": 1, "proj[0:64]": 1, "proj[64:128]": 1, "experts[3]": 0.25}
    assert all(each.unit.lowest == 2 for each in found)
