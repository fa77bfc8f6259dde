"""Objects and their sizes into the off-chip ranges that BIND is given."""

from collections.abc import Mapping

import attrs
from attrs import validators as v

from mirc.sram.words import Range


@attrs.frozen
class Layout:
    """Where objects lie in the off-chip ``memory``: one after another, each beginning on a line.

    ``sizes`` are bytes by name; the map is not changed afterwards.
    """

    memory: str
    line_bytes: int = attrs.field(validator=v.gt(0))
    sizes: Mapping[str, int]
    _addresses: dict[str, int] = attrs.field(init=False)

    @_addresses.default
    def _placed(self) -> dict[str, int]:
        placed: dict[str, int] = {}
        address = 0
        for name, size in self.sizes.items():
            placed[name] = address
            address += self._padded(size)
        return placed

    @property
    def size_bytes(self) -> int:
        """All that the objects take, in whole lines."""
        return sum(self._padded(size) for size in self.sizes.values())

    def range_of(self, name: str, offset_bytes: int, size_bytes: int) -> Range:
        """Return where a part of an object lies; an object's end is that of its last line.

        Raises KeyError for an unknown object, ValueError for bytes outside of it.
        """
        size = self.sizes[name]
        if offset_bytes < 0 or size_bytes < 0 or offset_bytes + size_bytes > size:
            raise ValueError(f"`{name}` has {size} bytes, not {offset_bytes} + {size_bytes}")
        if offset_bytes + size_bytes == size:
            size_bytes = self._padded(size) - offset_bytes
        return Range(self.memory, self._addresses[name] + offset_bytes, size_bytes)

    def _padded(self, size_bytes: int) -> int:
        return -(-size_bytes // self.line_bytes) * self.line_bytes
