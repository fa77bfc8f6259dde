from typing import Any

import attrs
import pytest

from mirc.machine import (
    Compute,
    InvalidMachineError,
    Link,
    Machine,
    Memory,
    Organisation,
    Sram,
    TierKind,
)


def memory(name: str, kind: TierKind = TierKind.DRAM, **fields: Any) -> Memory:
    defaults: dict[str, Any] = {
        "owner": "host",
        "capacity_bytes": 1_000_000,
        "read_bytes_per_s": 1e9,
        "write_bytes_per_s": 1e9,
    }
    return Memory(name=name, kind=kind, **(defaults | fields))


def link(source: str, target: str, **fields: Any) -> Link:
    defaults: dict[str, Any] = {"name": f"{source}-{target}", "curve": ((1, 1e9),)}
    return Link(source=source, target=target, **(defaults | fields))


def machine(**fields: Any) -> Machine:
    defaults: dict[str, Any] = {
        "name": "m",
        "summary": "a test",
        "memories": (memory("hbm", TierKind.HBM, owner="gpu"), memory("dram")),
        "links": (link("dram", "hbm"),),
        "compute": Compute(
            owner="gpu",
            memory="hbm",
            peak_flops={"bfloat16": 1e12},
            efficiency={"matmul": 1.0, "attention": 0.5, "other": 0.1},
        ),
    }
    return Machine(**(defaults | fields))


def test_the_reserve_is_never_usable() -> None:
    assert memory("hbm", capacity_bytes=100, reserve_bytes=10).usable_bytes == 90


def test_the_near_memory_is_the_one_that_compute_names() -> None:
    assert machine().near.name == "hbm"


def test_an_unknown_memory_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nvme"):
        machine().memory("nvme")


def test_a_tier_of_several_memories_means_the_nearest() -> None:
    hbms = tuple(
        memory(n, TierKind.HBM, owner=o) for n, o in (("a", "x"), ("b", "gpu"), ("c", "x"))
    )
    near_c = attrs.evolve(machine().compute, memory="c")
    links = (link("a", "c"), link("b", "c"))
    assert machine(memories=hbms, links=links, compute=near_c).tier("HBM") == hbms[2]
    # Of the two others, b is compute's own.
    drams = (hbms[0], hbms[1], memory("d", TierKind.DRAM, owner="x"), memory("e", owner="gpu"))
    far = machine(
        memories=drams,
        links=(link("b", "a"), link("d", "a"), link("e", "a")),
        compute=attrs.evolve(near_c, memory="a"),
    )
    assert far.tier(TierKind.DRAM) == drams[3]


def test_a_tier_that_the_machine_lacks_is_none() -> None:
    assert machine().tier(TierKind.CXL) is None


def test_a_sink_that_is_only_written_to_is_part_of_a_machine() -> None:
    memories = (*machine().memories, memory("l2", TierKind.SRAM))
    assert machine(memories=memories, links=(*machine().links, link("hbm", "l2")))


def broken(case: str) -> dict[str, Any]:
    hbm, dram = machine().memories
    compute = machine().compute
    cases: dict[str, dict[str, Any]] = {
        "memory[1].name": {"memories": (hbm, attrs.evolve(dram, name="hbm")), "links": ()},
        "memory[0].reserve_bytes": {"memories": (attrs.evolve(hbm, reserve_bytes=1_000_000), dram)},
        "link[0].source": {"links": (link("dam", "hbm"),)},
        "link[0].target": {"links": (link("dram", "dram"),)},
        "link[1].name": {"links": (link("dram", "hbm"), link("hbm", "dram", name="dram-hbm"))},
        "link[0].curve": {"links": (link("dram", "hbm", curve=((8, 2.0), (16, 1.0))),)},
        "compute.memory": {"compute": attrs.evolve(compute, memory="l3")},
        "compute.peak_flops": {"compute": attrs.evolve(compute, peak_flops={})},
        "compute.peak_flops.int8": {"compute": attrs.evolve(compute, peak_flops={"int8": 0.0})},
        "compute.efficiency.other": {
            "compute": attrs.evolve(compute, efficiency={"matmul": 1.0, "attention": 1.0})
        },
        "compute.efficiency.matmul": {
            "compute": attrs.evolve(compute, efficiency={**compute.efficiency, "matmul": 1.5})
        },
        "sram.memory": {"sram": Sram(memory="l2", line_bytes=64, ways=4, wired_bytes=0)},
        "sram.ways": {"sram": Sram(memory="hbm", line_bytes=64, ways=3, wired_bytes=0)},
        "sram.wired_bytes": {"sram": Sram(memory="hbm", line_bytes=64, ways=1, wired_bytes=2**30)},
        "two ways: sram.ways": {
            "sram": Sram(
                memory="hbm",
                line_bytes=50,
                ways=2,
                wired_bytes=0,
                organisation=Organisation.DIRECT_MAPPED,
            )
        },
        "an island: memory[1].name": {"links": ()},
    }
    return cases[case]


@pytest.mark.parametrize(
    "case",
    [
        "memory[1].name",
        "memory[0].reserve_bytes",
        "link[0].source",
        "link[0].target",
        "link[1].name",
        "link[0].curve",
        "compute.memory",
        "compute.peak_flops",
        "compute.peak_flops.int8",
        "compute.efficiency.other",
        "compute.efficiency.matmul",
        "sram.memory",
        "sram.ways",
        "sram.wired_bytes",
        "two ways: sram.ways",
        "an island: memory[1].name",
    ],
)
def test_parts_that_do_not_fit_name_their_key(case: str) -> None:
    with pytest.raises(InvalidMachineError) as caught:
        machine(**broken(case))
    assert caught.value.problem.key == case.rsplit(": ", maxsplit=1)[-1]
    assert caught.value.problem.hint


def test_a_misspelled_memory_is_guessed() -> None:
    with pytest.raises(InvalidMachineError, match="did you mean `dram`") as caught:
        machine(links=(link("drum", "hbm"),))
    assert "drum" in caught.value.problem.message
