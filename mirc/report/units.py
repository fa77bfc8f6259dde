"""Picoseconds, bytes and ratios into the words of a report."""

_TIMES = ((1_000_000_000_000, "s"), (1_000_000_000, "ms"), (1_000_000, "us"), (1_000, "ns"))
_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def time_text(picoseconds: float) -> str:
    """Return a duration in the largest unit of which it holds one: ``12.34 ms``."""
    return _scaled(picoseconds, _TIMES, "ps")


def size_text(size_bytes: float) -> str:
    """Return an amount in decimal units, as links and datasheets count: ``1.235 GB``."""
    return _scaled(size_bytes, _SIZES, "B")


def percent_text(ratio: float) -> str:
    """Return 0.1234 as ``12.34 %``: two decimals below a hundred percent, none above."""
    value = ratio * 100
    text = f"{value:.{2 if abs(value) < 100 else 0}f}"
    return f"{text.removeprefix('-') if float(text) == 0 else text} %"


def change_text(ratio: float) -> str:
    """Return a relative change with its sign: ``+12.34 %``, ``-3.00 %``, ``0.00 %``."""
    text = percent_text(ratio)
    return text if text.startswith(("-", "0.00")) else f"+{text}"


def _scaled(value: float, units: tuple[tuple[int, str], ...], smallest: str) -> str:
    for unit, name in units:
        if value >= unit:
            return f"{_digits(value / unit)} {name}"
    return f"{value:.0f} {smallest}"


def _digits(value: float) -> str:
    """Keep four significant digits of a number that is at least one."""
    whole = len(str(int(value)))
    return f"{value:.{max(0, 4 - whole)}f}"
