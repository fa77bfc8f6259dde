import pytest

from mirc.report.units import change_text, percent_text, size_text, time_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ps"),
        (999, "999 ps"),
        (1_000, "1.000 ns"),
        (12_345_678, "12.35 us"),
        (1_171_241_350_981, "1.171 s"),
        (77_439_358_696_727, "77.44 s"),
        (7_743_935_869_672_700, "7744 s"),
    ],
)
def test_times_have_four_digits_in_the_largest_unit(value: int, text: str) -> None:
    assert time_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (16_384, "16.38 kB"), (136_240_000_000, "136.2 GB"), (4.2592e12, "4.259 TB")],
)
def test_sizes_are_decimal_as_links_are(value: float, text: str) -> None:
    assert size_text(value) == text


def test_ratios_are_shown_in_percent() -> None:
    assert [percent_text(r) for r in (0.1234, 1.5, -0.00001)] == ["12.34 %", "150 %", "0.00 %"]


def test_changes_carry_their_sign() -> None:
    assert [change_text(r) for r in (0.5, -0.25, 0.0)] == ["+50.00 %", "-25.00 %", "0.00 %"]
