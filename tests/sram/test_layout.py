import pytest

from mirc.sram import Layout, Range

LAYOUT = Layout(100, {"a": 250, "b": 100})


def test_every_object_begins_on_a_line() -> None:
    assert LAYOUT.range_of("a", 0, 250) == Range(0, 300)  # 250 bytes take three lines
    assert LAYOUT.range_of("b", 0, 100) == Range(300, 100)


def test_a_part_that_ends_inside_the_object_is_left_as_it_is() -> None:
    assert LAYOUT.range_of("a", 100, 50) == Range(100, 50)  # for BIND to refuse: half a line
    assert LAYOUT.range_of("a", 200, 50) == Range(200, 100)  # the object's end, its line whole


@pytest.mark.parametrize(("offset", "size"), [(-1, 1), (0, 251), (250, 1), (0, -1)])
def test_bytes_outside_of_the_object_are_an_error(offset: int, size: int) -> None:
    with pytest.raises(ValueError, match="`a` has 250 bytes"):
        LAYOUT.range_of("a", offset, size)
