"""Records of odd widths into bytes without gaps, and back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Layout: TypeAlias = tuple[tuple[str, int], ...]
"""Names and widths in bits of a record's numbers, the first in the lowest bits."""

_TOGETHER = 8  # so many records of any width fill whole bytes


def width_of(layout: Layout) -> int:
    """Return the bits of one record."""
    return sum(width for _, width in layout)


def size_of(layout: Layout, count: int) -> int:
    """Return the bytes of so many records."""
    return -(-count * width_of(layout) // 8)


def to_bytes(layout: Layout, records: Sequence[Mapping[str, int]]) -> bytes:
    """Return records side by side, the first in the lowest bits; the last byte ends in zeros.

    Raises ValueError for a number that does not fit.
    """
    groups = (records[first : first + _TOGETHER] for first in range(0, len(records), _TOGETHER))
    return b"".join(_joined(layout, group) for group in groups)


def from_bytes(layout: Layout, data: bytes, count: int) -> Iterator[dict[str, int]]:
    """Yield so many records; ``data`` has at least ``size_of`` bytes."""
    width = width_of(layout)
    for first in range(0, count, _TOGETHER):
        start = first // _TOGETHER * width
        number = int.from_bytes(data[start : start + width], "little")
        for _ in range(min(_TOGETHER, count - first)):
            record = {}
            for key, bits in layout:
                record[key] = number & (1 << bits) - 1
                number >>= bits
            yield record


def _joined(layout: Layout, records: Sequence[Mapping[str, int]]) -> bytes:
    number = shift = 0
    for record in records:
        for key, bits in layout:
            code = record[key]
            if not 0 <= code < 1 << bits:
                raise ValueError(f"`{key}` has {bits} bits, too few for {code}")
            number |= code << shift
            shift += bits
    return number.to_bytes(-(-shift // 8), "little")
