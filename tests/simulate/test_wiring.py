"""What a file wires into SRAM, what refuses it, and what it saves a step."""

from pathlib import Path

import attrs
import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.machine import Link, Machine, Memory, Organisation, Sram, TierKind
from mirc.machine.load import load as load_machine
from mirc.report.text import as_text
from mirc.report.wired import wired_text
from mirc.simulate.study import Options, study
from mirc.simulate.wiring import Wired, Wiring, wire
from tests.simulate.toy import GB, card, scenario

SAMPLE = Path(__file__).parents[2] / "samples" / "wired-draft.mir"
MB = 1_000_000


def chip(wired_bytes: int = 300 * MB) -> Machine:
    """The toy card with 400 MB of SRAM at 1 TB/s: 100 sets x 4 ways of 1 MB lines."""
    sram = Memory(
        name="sram",
        kind=TierKind.SRAM,
        owner="gpu",
        capacity_bytes=400 * MB,
        read_bytes_per_s=1e12,
        write_bytes_per_s=1e12,
    )
    base = card()
    return attrs.evolve(
        base,
        memories=(*base.memories, sram),
        links=(*base.links, Link(name="in", source="hbm", target="sram", curve=((1, 1e11),))),
        sram=Sram(memory="sram", line_bytes=MB, ways=4, wired_bytes=wired_bytes),
    )


def weight(name: str, size: str, more: str = "") -> str:
    return (
        f"object {name} {{ class = WEIGHT_TILE size_bytes = {size} pin_level = WIRED "
        f"preferred_tiers = [SRAM, HBM] {more} }}\n"
    )


def module(text: str) -> Module:
    return load(Source("toy.mir", f"mir 1.0\n{text}"))


def wired(text: str, machine: Machine | None = None, plan: str | None = None) -> Wiring:
    return wire(module(text), machine or chip(), plan)


def outcome(found: Wiring) -> list[tuple[str, int, str | None]]:
    return [(wish.name, wish.bound_bytes // MB, wish.refusal) for wish in found.wishes]


def test_objects_are_bound_in_written_order_the_last_in_part() -> None:
    # 300 MB may be wired: 120 and 120 fit, of the third the 60 that are left.
    found = wired(weight("c", "120MB") + weight("a", "120MB") + weight("b", "120MB"))
    assert outcome(found) == [("c", 120, None), ("a", 120, None), ("b", 60, "NO_SPACE")]
    assert (found.asked_bytes, found.bound_bytes) == (360 * MB, 300 * MB)
    assert (found.memory, found.loaded_bytes) == ("sram", 300 * MB)


@pytest.mark.mechanism("S3-11")
def test_what_does_not_fit_together_is_chosen_by_the_reads_that_it_saves() -> None:
    # 300 MB may be wired: 200 that are read twice a run, 60 read once; 40 are left for the rest.
    found = wired(
        weight("rare", "140MB", "reuse = 0.1")
        + weight("busy", "200MB", "reuse = 2.0")
        + weight("small", "60MB", "reuse = EVERY(ITERATION)")
    )
    assert outcome(found) == [("rare", 40, "NO_SPACE"), ("busy", 200, None), ("small", 60, None)]


@pytest.mark.mechanism("S3-16")
def test_near_the_quota_what_no_deadline_is_hard_for_is_bound_softly() -> None:
    # 300 MB: 280 are wired first; the 20 of what may come late stand above 90 % of the quota.
    late = "deadline_class = SOFT reuse = 0.5"
    found = wired(weight("a", "280MB", "reuse = 2.0") + weight("b", "20MB", late))
    assert [(wish.name, wish.soft) for wish in found.wishes] == [("a", False), ("b", True)]
    assert found.bound_bytes == 300 * MB


def test_a_tenant_wires_no_more_than_its_wired_quota() -> None:
    found = wired(
        "tenant t { quota_bytes = 1GB wired_quota_bytes = 50MB }\ntenant none { }\n"
        + weight("a", "80MB", "tenant_id = t")
        + weight("b", "80MB", "tenant_id = none")
        + weight("c", "80MB")
    )
    assert outcome(found) == [
        ("a", 50, "QUOTA_EXCEEDED"),
        ("b", 0, "QUOTA_EXCEEDED"),
        ("c", 80, None),
    ]


def test_one_way_of_each_set_is_left_whatever_the_machine_file_says() -> None:
    # All 400 MB may be wired, but 100 sets x 3 of 4 ways are 300: 301 lines do not fit, nor do the
    # 301 that the budget would leave.
    found = wired(weight("a", "301MB"), chip(wired_bytes=400 * MB))
    assert outcome(found) == [("a", 0, "NO_SPACE")]


def test_the_machine_s_organisation_decides_what_is_left_open() -> None:
    # The same 400 lines of 1 MB: direct-mapped, all that the budget admits are bound.
    machine = chip(wired_bytes=400 * MB)
    assert machine.sram is not None
    direct = attrs.evolve(machine.sram, ways=1, organisation=Organisation.DIRECT_MAPPED)
    found = wired(weight("a", "301MB"), attrs.evolve(machine, sram=direct))
    assert outcome(found) == [("a", 301, None)]


def test_an_sram_of_too_many_lines_is_refused_and_an_absurd_object_is_not() -> None:
    fine = attrs.evolve(
        chip(), sram=Sram(memory="sram", line_bytes=100, ways=4, wired_bytes=GB // 4)
    )
    with pytest.raises(CouldNotRun, match="`sram` of toy may wire more than 2_000_000 lines"):
        wired(weight("w", "1MB"), fine)
    assert outcome(wired(weight("w", "1_000_000_000_000_000_000"))) == [("w", 300, "NO_SPACE")]


def test_only_what_is_wired_and_belongs_into_sram_is_bound() -> None:
    found = wired(
        "object near { class = WEIGHT_TILE size_bytes = 1MB pin_level = WIRED "
        "preferred_tiers = [HBM] }\n"
        "object soft { class = WEIGHT_TILE size_bytes = 1MB pin_level = SOFT "
        "preferred_tiers = [SRAM, HBM] }\n"
    )
    assert found == Wiring(memory=None, wishes=())


def test_a_plan_may_say_what_belongs_into_sram() -> None:
    text = (
        "object w { class = WEIGHT_TILE size_bytes = 1MB pin_level = WIRED "
        "preferred_tiers = [HBM] }\n"
        "phase p { step s { reads = [w] } }\n"
        'plan toy { machine = "toy" phase p { override w { residency = [SRAM, DRAM] } } }\n'
    )
    assert outcome(wired(text, plan="toy")) == [("w", 1, None)]
    assert outcome(wired(text)) == []


def test_what_the_run_makes_cannot_be_bound_at_load() -> None:
    found = wired(
        "template kv { class = KV_BLOCK size_bytes = PER_TOKEN(1MB) pin_level = WIRED "
        "preferred_tiers = [SRAM, HBM] }\n"
    )
    assert outcome(found) == [("kv", 0, "made by the run, not there at load")]
    assert found.asked_bytes == 0


READS = (
    weight("w", "200MB")
    + "object big { class = WEIGHT_TILE size_bytes = 800MB }\n"
    + "phase p { step s { reads = [w, big] } step t { reads = [w, w] traffic_bytes = 100MB } }\n"
)


def test_what_is_bound_is_no_near_memory_traffic_in_any_step() -> None:
    # s: 800 of 1000 MB at 100 GB/s, 8 ms. t: reads w twice, 400 MB of SRAM at 1 TB/s, 0.4 ms, and
    # its inner 100 MB, 1 ms.
    found = scenario(READS, machine=chip(), schedule="REPEAT(2, p)")
    assert found.workload.compute_ps.tolist() == [8_000_000_000, 1_000_000_000] * 2
    assert found.wired is not None
    assert found.wired.near_bytes == 2 * (1000 + 500) * MB
    assert found.wired.sram_bytes == 2 * (200 + 400) * MB


def test_sram_has_a_roof_of_its_own() -> None:
    # 200 MB of SRAM at 1 TB/s: 0.2 ms, and nothing else to wait for.
    text = weight("w", "200MB") + "phase p { step s { reads = [w] } }\n"
    found = scenario(text, machine=chip(), schedule="p")
    assert found.workload.compute_ps.tolist() == [200_000_000]


def test_near_memory_holds_what_it_held() -> None:
    there = scenario(READS, machine=chip(), schedule="p").workload
    without = scenario(READS, machine=card(), schedule="p").workload
    assert there.names == without.names
    assert there.access_bytes.tolist() == without.access_bytes.tolist()
    assert without.compute_ps.tolist() == [10_000_000_000, 5_000_000_000]


def test_writes_and_gathered_rows_go_to_near_memory() -> None:
    text = (
        weight("w", "200MB")
        + "object state { class = OPTIMIZER_STATE size_bytes = 50MB pin_level = WIRED "
        "preferred_tiers = [SRAM] }\n"
        "phase p { step s { reads = [TOUCH(w, 10MB)] writes = [state] } }\n"
    )
    found = scenario(text, machine=chip(), schedule="p").wired
    assert found is not None
    assert found.wiring.bound_bytes == 250 * MB
    assert (found.near_bytes, found.sram_bytes) == (60 * MB, 0)


def test_a_file_that_wires_nothing_says_nothing_of_wiring() -> None:
    text = READS.replace("pin_level = WIRED", "")
    assert scenario(text, machine=chip(), schedule="p").wired is None


@pytest.mark.parametrize("near", [True, False])
def test_a_machine_without_sram_beside_near_memory_says_so(near: bool) -> None:  # noqa: FBT001
    # No section at all; or one for near memory itself, from which nothing could be saved.
    section = Sram(memory="hbm", line_bytes=MB, ways=4, wired_bytes=GB) if near else None
    machine = attrs.evolve(card(), sram=section)
    found = scenario(READS, machine=machine, schedule="p").wired
    assert found is not None
    assert found.sram_bytes == 0
    assert wired_text(found, "toy", tokens=1) == (
        "wired: nothing of 200.0 MB, since toy has no SRAM beside its near memory"
    )


def test_96_mb_of_a_7b_model_save_what_they_are_of_its_bytes() -> None:
    # 96 MB of 14 GB that are read for every token: 0.69 %. That is what wiring is worth here.
    text = (
        weight("w", "96MB")
        + "object rest { class = WEIGHT_TILE size_bytes = 13_904_000_000 }\n"
        + "phase decode { step s { reads = [w, rest] } }\n"
    )
    machine = attrs.evolve(chip(), memories=(card(20 * GB).memories[0], *chip().memories[1:]))
    found = scenario(text, machine=machine, schedule="REPEAT(512, decode)")
    assert found.wired is not None
    assert wired_text(found.wired, "toy", found.tokens) == (
        "wired: 96.00 MB of 96.00 MB in sram; near-memory bytes per token 14.00 GB without "
        "wiring, 13.90 GB with it: saves 0.69 % of the bytes; binding reads 96.00 MB once, before "
        "the run and not counted in it"
    )


def test_what_was_refused_is_named_and_beyond_five_counted() -> None:
    text = "".join(weight(f"w{i}", "100MB") for i in range(9))
    line = wired_text(Wired(wiring=wired(text), near_bytes=0, sram_bytes=0), "toy", tokens=1)
    assert "300.0 MB of 900.0 MB in sram (`w3`: NO_SPACE, " in line
    assert "`w7`: NO_SPACE, 1 more)" in line


def test_the_sample_wires_its_draft_up_to_the_tenants_quota() -> None:
    # 66 + 66 MiB and 28 of the head's 32 are the 160 MiB of the quota. A step reads 132 MiB from
    # the scratchpad, 2.7 TB/s x 0.9, and 28 of it with 4 MiB from LPDDR, 204.8 GB/s x 0.9.
    source = Source("wired-draft.mir", SAMPLE.read_text("utf-8"))
    options = Options(
        machines=("npu-scratchpad",), policies="intent", schedule="REPEAT(3, draft_step)"
    )
    found = study(load(source), options, source)
    wiring = wire(load(source), load_machine("npu-scratchpad"), None)
    assert [wish.bound_bytes >> 20 for wish in wiring.wishes] == [66, 66, 28]
    assert [wish.refusal for wish in wiring.wishes] == [None, None, "QUOTA_EXCEEDED"]
    layers_ps, head_ps = (132 << 20) / 2.43, (4 << 20) / 0.18432  # bytes over TB/s are ps
    [row] = found.comparisons[0].rows
    assert row.p50_ps == pytest.approx(layers_ps + head_ps, abs=2)
    assert "wired: 167.8 MB of 172.0 MB in scratchpad (`draft.head`: QUOTA_EXCEEDED)" in as_text(
        found
    )


def test_a_range_of_an_object_is_bound_alone() -> None:
    found = wired(weight("a", "200MB", "pin_range = RANGE(100_000_000, 150_000_000)"))
    assert outcome(found) == [("a", 50, None)]
    assert found.asked_bytes == 50 * MB


def test_a_range_is_cut_at_its_object_s_end_and_one_outside_of_it_is_refused() -> None:
    found = wired(
        weight("a", "20MB", "pin_range = RANGE(0, 90_000_000)")
        + weight("b", "20MB", "pin_range = RANGE(20_000_000, 21_000_000)")
    )
    assert outcome(found) == [("a", 20, None), ("b", 0, "its range lies outside")]
