"""Ranges of named off-chip memories into the numbers of their lines."""

from collections.abc import Mapping

from mirc.sram.words import Range


class Space:
    """The off-chip memories, one after another in one space of line numbers from 0 on.

    ``memories`` are bytes by name. Each begins on a line of its own.
    """

    def __init__(self, line_bytes: int, memories: Mapping[str, int]) -> None:
        self._line_bytes = line_bytes
        self._sizes = dict(memories)
        self._first: dict[str, int] = {}
        number = 0
        for name, size in memories.items():
            self._first[name] = number
            number += -(-size // line_bytes)

    def lines_of(self, target: Range) -> range | None:
        """Return the numbers of the lines that hold a range, None if there are no such bytes."""
        start, stop = target.address, target.address + target.size_bytes
        if not 0 <= start < stop <= self._sizes.get(target.memory, 0):
            return None
        first = self._first[target.memory]
        return range(first + start // self._line_bytes, first + -(-stop // self._line_bytes))
