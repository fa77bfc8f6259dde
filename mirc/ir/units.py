"""Quantities with a unit, from text to exact integers and back."""

import math
import re

_SIZES = {
    "B": 1,
    "KB": 10**3,
    "KiB": 2**10,
    "MB": 10**6,
    "MiB": 2**20,
    "GB": 10**9,
    "GiB": 2**30,
    "TB": 10**12,
    "TiB": 2**40,
}
_TIMES = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}
PS_PER_US = 10**6
MAX_DIGITS = 40  # no byte count, FLOP count or time of this world needs more

_QUANTITY = re.compile(r"([0-9_]+)(?:\.([0-9]+))?([A-Za-z]+)")


class Unreadable(ValueError):  # noqa: N818 - it is what the text is
    """A number that the grammar accepts but that has no exact value here."""


def parse_int(text: str) -> int:
    """Read ``-1_024``; at most 40 digits."""
    if len(text) > MAX_DIGITS:
        _bounded(text)
    return int(text)


def parse_float(text: str) -> float:
    """Read ``1.5e-3``; finite."""
    if len(text) > MAX_DIGITS:
        _bounded(text)
    value = float(text)
    if not math.isfinite(value):
        raise Unreadable("the number is too large")
    return value


def parse_size(text: str) -> int:
    """Read ``1.5GiB`` into bytes; raise ``Unreadable`` unless they are whole."""
    return _exact(text, _SIZES, "bytes")


def parse_time(text: str) -> int:
    """Read ``12us`` into picoseconds; raise ``Unreadable`` unless they are whole."""
    return _exact(text, _TIMES, "picoseconds")


def print_size(size_bytes: int) -> str:
    """Write bytes in the largest unit that keeps them whole: ``128MiB``."""
    return _largest(size_bytes, _SIZES)


def print_time(picoseconds: int) -> str:
    """Write picoseconds in the largest unit that keeps them whole: ``12us``."""
    return _largest(picoseconds, _TIMES)


def print_int(value: int) -> str:
    """Write an integer in groups of three: ``134_217_728``."""
    return f"{value:_}"


def print_float(value: float) -> str:
    """Write the shortest text that reads back as the same float; finite."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    return repr(value)


def _bounded(text: str) -> None:
    if len(text) - text.count("_") > MAX_DIGITS:
        raise Unreadable(f"a number has at most {MAX_DIGITS} digits")


def _exact(text: str, units: dict[str, int], whole: str) -> int:
    _bounded(text)
    match = _QUANTITY.fullmatch(text)
    if match is None or match[3] not in units:
        raise Unreadable(f"`{text}` has no known unit")
    fraction = match[2] or ""
    scaled = int(match[1] + fraction) * units[match[3]]
    amount, rest = divmod(scaled, int("1" + "0" * len(fraction)))
    if rest:
        raise Unreadable(f"`{text}` is not a whole number of {whole}")
    return amount


def _largest(amount: int, units: dict[str, int]) -> str:
    unit = "B" if units is _SIZES else "us"
    if amount:
        unit = max((u for u in units if amount % units[u] == 0), key=lambda u: units[u])
    return f"{amount // units[unit]:_}{unit}"
