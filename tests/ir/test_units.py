import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.ir import units


@given(st.integers(0, 10**30))
def test_a_size_reads_back_as_itself(size_bytes: int) -> None:
    assert units.parse_size(units.print_size(size_bytes)) == size_bytes


@given(st.integers(0, 10**30))
def test_a_time_reads_back_as_itself(picoseconds: int) -> None:
    assert units.parse_time(units.print_time(picoseconds)) == picoseconds


@given(st.integers(-(10**30), 10**30))
def test_a_number_reads_back_as_itself(value: int) -> None:
    assert units.parse_int(units.print_int(value)) == value


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0B"),
        (1, "1B"),
        (1000, "1KB"),
        (1024, "1KiB"),
        (1_024_000, "1_000KiB"),  # also 1024 KB, in a smaller unit
        (128 * 2**20, "128MiB"),
        (3 * 10**12, "3TB"),
        (2**50, "1_024TiB"),
    ],
)
def test_a_size_is_written_in_the_largest_unit_that_keeps_it_whole(
    size_bytes: int, text: str
) -> None:
    assert units.print_size(size_bytes) == text


@pytest.mark.parametrize(
    ("picoseconds", "text"),
    [(0, "0us"), (1, "1ps"), (12 * 10**6, "12us"), (30 * 10**12, "30s"), (1500 * 10**6, "1_500us")],
)
def test_a_time_is_written_in_the_largest_unit_that_keeps_it_whole(
    picoseconds: int, text: str
) -> None:
    assert units.print_time(picoseconds) == text


@pytest.mark.parametrize(
    ("text", "exact"), [("1.5KiB", 1536), ("0.5GB", 5 * 10**8), ("1_000B", 1000)]
)
def test_a_fraction_is_fine_where_the_bytes_are_whole(text: str, exact: int) -> None:
    assert units.parse_size(text) == exact


@pytest.mark.parametrize("text", ["0.1KiB", "1.5B", "1XB", "9" * 50 + "B"])
def test_a_size_without_whole_bytes_is_refused(text: str) -> None:
    with pytest.raises(units.Unreadable):
        units.parse_size(text)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "1." + "0" * 50])
def test_a_float_without_a_finite_value_is_refused(text: str) -> None:
    with pytest.raises(units.Unreadable):
        units.parse_float(text)


def test_what_is_not_finite_is_never_written() -> None:
    with pytest.raises(ValueError, match="finite"):
        units.print_float(float("nan"))
