"""Allocations without names into the most that was taken, and how many of each size at once."""

from collections import Counter
from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Blocks:
    """``peak_bytes`` were taken at once; ``most`` are the most blocks of a size at one time."""

    peak_bytes: int
    most: Mapping[int, int]


class Heap:
    """The blocks that are taken now, by size."""

    def __init__(self) -> None:
        self._taken: Counter[int] = Counter()
        self._most: dict[int, int] = {}
        self._bytes = 0
        self._peak = 0

    def take(self, size_bytes: int) -> None:
        """Take a block."""
        self._taken[size_bytes] += 1
        self._most[size_bytes] = max(self._most.get(size_bytes, 0), self._taken[size_bytes])
        self._bytes += size_bytes
        self._peak = max(self._peak, self._bytes)

    def give_back(self, size_bytes: int) -> None:
        """Give back a block; one that was taken before anybody looked was not counted."""
        if self._taken[size_bytes]:
            self._taken[size_bytes] -= 1
            self._bytes -= size_bytes

    def blocks(self) -> Blocks:
        """Return what was seen so far."""
        return Blocks(peak_bytes=self._peak, most=dict(self._most))
