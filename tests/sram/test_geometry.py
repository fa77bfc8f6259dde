from mirc.machine.load import load
from mirc.sram import Geometry


def test_the_npu_has_as_many_sets_as_its_lines_and_ways_leave() -> None:
    # 268,435,456 bytes / (1,024 a line x 16 ways) = 16,384 sets
    found = Geometry.of(load("npu-scratchpad"))
    assert found == Geometry(line_bytes=1024, ways=16, sets=16_384, wired_bytes=201_326_592)


def test_a_range_takes_every_line_that_it_touches() -> None:
    geometry = Geometry(line_bytes=10, ways=2, sets=4, wired_bytes=0)
    assert list(geometry.lines_of(9, 2)) == [0, 1]  # bytes 9 and 10
    assert list(geometry.lines_of(10, 10)) == [1]


def test_consecutive_lines_fall_into_sets_in_turn() -> None:
    geometry = Geometry(line_bytes=10, ways=2, sets=4, wired_bytes=0)
    # Lines 2 .. 6 of 4 sets: line = tag x 4 + set, so 2 = (0, 2), 3 = (0, 3), 4 = (1, 0) ...
    tags = [list(geometry.tags_in(range(2, 7), index)) for index in range(4)]
    assert tags == [[1], [1], [0, 1], [0]]
