"""Shadow prices against what a closed form says of the same machine."""

import pytest

from mirc.answers.shadow import GB, ShadowPrice, shadow_prices
from mirc.graph import Program
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.passes.pipeline import run
from tests.passes.programs import decoder, machine


def prices(program: Program, made_for: Machine) -> dict[tuple[str, str], ShadowPrice]:
    found = shadow_prices(program, run(program, machines=(made_for,)))
    return {(price.part, price.phase): price for price in found}


def test_a_gigabyte_more_saves_its_own_transfer_where_the_link_is_the_limit() -> None:
    # 80 layers and two vocabularies are 141 GB in bfloat16; 60 GB of them stay, the rest comes over
    # 50 GB/s in each run: 1 GB more near spares 1 GB / 50 GB/s = 20 ms of it.
    found = prices(decoder(), machine(60 * GB, link_bytes_per_s=50e9))
    near = found["hbm", "decode_step"]
    assert near.saved_ms == pytest.approx(20, rel=0.1)
    assert near.weighted_ms == pytest.approx(128 * near.saved_ms)  # the default schedule's runs
    # r = bytes / bandwidth, so 1 GB/s more saves a 51st of the run
    link = found["in", "decode_step"]
    assert link.saved_ms == pytest.approx(link.run_ms / 51, rel=0.05)
    assert (link.unit, link.step, near.unit, near.step) == ("GB/s", 1.0, "GB", 1.0)


def test_what_nothing_waits_for_is_worth_nothing() -> None:
    found = prices(decoder(layers=2), machine(200 * GB))
    assert len(found) == 4  # two memories, two links
    assert {price.saved_ms for price in found.values()} == {0.0}
    streamed = prices(decoder(), machine(60 * GB, link_bytes_per_s=50e9))
    assert streamed["dram", "decode_step"].saved_ms == 0
    assert streamed["out", "decode_step"].saved_ms == 0


def test_small_parts_are_tried_with_a_sixteenth_more() -> None:
    found = prices(decoder(layers=1), load("h100-sxm"))
    l2 = load("h100-sxm").memory("l2").capacity_bytes
    assert found["l2", "decode_step"].step == l2 // 16 / GB


def test_asking_for_prices_leaves_the_plan_as_it_was() -> None:
    program = decoder(layers=2)
    facts = run(program, machines=(machine(GB),))
    before = list(facts)
    list(shadow_prices(program, facts))
    assert list(facts) == before
