"""Where objects lie off chip, and which lines hold a range."""

import pytest

from mirc.sram import Layout, Range
from mirc.sram.space import Space

LAYOUT = Layout("hbm", 100, {"a": 250, "b": 100})
# 25 bytes of lines of 10 are three lines: the second memory begins with number 3.
SPACE = Space(10, {"hbm": 25, "cxl": 40})


def test_every_object_begins_on_a_line() -> None:
    assert LAYOUT.range_of("a", 0, 250) == Range("hbm", 0, 300)  # 250 bytes take three lines
    assert LAYOUT.range_of("b", 0, 100) == Range("hbm", 300, 100)
    assert LAYOUT.size_bytes == 400


def test_a_part_that_ends_inside_the_object_is_left_as_it_is() -> None:
    assert LAYOUT.range_of("a", 100, 50) == Range("hbm", 100, 50)  # for BIND to refuse: half a line
    assert LAYOUT.range_of("a", 200, 50) == Range("hbm", 200, 100)  # the end, its line whole


@pytest.mark.parametrize(("offset", "size"), [(-1, 1), (0, 251), (250, 1), (0, -1)])
def test_bytes_outside_of_the_object_are_an_error(offset: int, size: int) -> None:
    with pytest.raises(ValueError, match=rf"`a` has 250 bytes, not {offset} \+ {size}"):
        LAYOUT.range_of("a", offset, size)


def test_no_bytes_of_an_object_are_a_range() -> None:
    assert LAYOUT.range_of("a", 0, 0) == Range("hbm", 0, 0)


def test_lines_have_bytes() -> None:
    assert Layout("hbm", 1, {"a": 3}).size_bytes == 3
    with pytest.raises(ValueError, match="line_bytes"):
        Layout("hbm", 0, {})


def test_a_range_takes_every_line_that_it_touches() -> None:
    assert SPACE.lines_of(Range("hbm", 9, 2)) == range(2)  # bytes 9 and 10
    assert SPACE.lines_of(Range("hbm", 10, 10)) == range(1, 2)
    assert SPACE.lines_of(Range("hbm", 0, 1)) == range(1)


def test_each_memory_begins_on_a_line_of_its_own() -> None:
    assert SPACE.lines_of(Range("cxl", 0, 1)) == range(3, 4)
    assert SPACE.lines_of(Range("cxl", 30, 10)) == range(6, 7)


@pytest.mark.parametrize(
    "nothing",
    [
        Range("hbm", 0, 0),
        Range("hbm", -1, 2),
        Range("hbm", 24, 2),
        Range("hbm", 25, 1),
        Range("cxl", 31, 10),
        Range("dram", 0, 1),
    ],
)
def test_what_is_not_in_a_memory_has_no_lines(nothing: Range) -> None:
    assert SPACE.lines_of(nothing) is None


def test_a_memory_s_last_byte_is_in_it() -> None:
    assert SPACE.lines_of(Range("hbm", 24, 1)) == range(2, 3)
