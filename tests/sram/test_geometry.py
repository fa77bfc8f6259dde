"""What a machine file says of its on-chip memory, as sets and ways."""

import attrs
import pytest

from mirc.machine import Organisation, Replacement
from mirc.machine.load import load
from mirc.sram import Geometry

BASE = Geometry(line_bytes=10, ways=2, sets=4, wired_bytes=0)


def test_the_npu_has_as_many_sets_as_its_lines_and_ways_leave() -> None:
    # 268,435,456 bytes / (1,024 a line x 16 ways) = 16,384 sets
    found = Geometry.of(load("npu-scratchpad"))
    assert found == Geometry(line_bytes=1024, ways=16, sets=16_384, wired_bytes=201_326_592)
    assert found.capacity_bytes == 268_435_456
    assert found.organisation is Organisation.SET_ASSOCIATIVE
    assert found.replacement is Replacement.LRU
    assert found.generation_bits == 8


def test_a_machine_says_organisation_and_replacement() -> None:
    npu = load("npu-scratchpad")
    assert npu.sram is not None
    section = attrs.evolve(
        npu.sram, organisation=Organisation.SOFTWARE_MANAGED, replacement=Replacement.RRIP
    )
    found = Geometry.of(attrs.evolve(npu, sram=section))
    assert found is not None
    assert found.organisation is Organisation.SOFTWARE_MANAGED
    assert found.replacement is Replacement.RRIP


def test_a_machine_without_the_section_has_no_geometry() -> None:
    assert Geometry.of(attrs.evolve(load("npu-scratchpad"), sram=None)) is None


def test_the_address_decides_the_set_unless_software_does() -> None:
    # 4 sets: lines take them in turn. 4 regions of 2 lines: two lines each, in turn.
    assert [BASE.home(number) for number in (0, 3, 4, 9)] == [0, 3, 0, 1]
    managed = attrs.evolve(BASE, organisation=Organisation.SOFTWARE_MANAGED)
    assert [managed.home(number) for number in (0, 1, 2, 7, 8, 11)] == [0, 0, 1, 3, 0, 1]
    direct = attrs.evolve(BASE, ways=1, organisation=Organisation.DIRECT_MAPPED)
    assert [direct.home(number) for number in (0, 3, 4, 9)] == [0, 3, 0, 1]


def test_all_but_a_direct_mapped_array_leave_a_way_of_each_set_open() -> None:
    assert BASE.open_ways == 1
    assert attrs.evolve(BASE, organisation=Organisation.SOFTWARE_MANAGED).open_ways == 1
    assert attrs.evolve(BASE, ways=1, organisation=Organisation.DIRECT_MAPPED).open_ways == 0


def test_a_direct_mapped_array_has_one_way_a_set() -> None:
    with pytest.raises(ValueError, match="a direct-mapped array has one way a set, not 2"):
        attrs.evolve(BASE, organisation=Organisation.DIRECT_MAPPED)


@pytest.mark.parametrize(
    ("field", "least"),
    [("line_bytes", 1), ("ways", 1), ("sets", 1), ("wired_bytes", 0), ("generation_bits", 1)],
)
def test_sizes_have_a_least_value(field: str, least: int) -> None:
    sizes = {"line_bytes": 10, "ways": 2, "sets": 4, "wired_bytes": 0, "generation_bits": 8}
    assert getattr(geometry(sizes | {field: least}), field) == least
    with pytest.raises(ValueError, match=field):
        geometry(sizes | {field: least - 1})


def geometry(sizes: dict[str, int]) -> Geometry:
    return Geometry(
        line_bytes=sizes["line_bytes"],
        ways=sizes["ways"],
        sets=sizes["sets"],
        wired_bytes=sizes["wired_bytes"],
        generation_bits=sizes["generation_bits"],
    )
