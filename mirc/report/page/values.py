"""Figures into what a chart reads: numbers short enough for a page, and how many bars there are."""

from collections.abc import Iterable

from mirc.report.page.model import Frame

PS_PER_S = 1e12
_DIGITS = 5


def rounded(values: Iterable[float]) -> list[float]:
    """Return values with as many digits as anybody reads."""
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def most(frames: Iterable[Frame], column: str) -> int:
    """Return the most values that a column has in any frame, one where there are none."""
    return max(len({*frame.columns[column]} or {""}) for frame in frames)
