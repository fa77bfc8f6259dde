"""A machine's SRAM section into sets, ways and lines."""

import attrs
from attrs import validators as v

from mirc.machine import Machine


@attrs.frozen(kw_only=True)
class Geometry:
    """A set-associative array: ``sets`` sets of ``ways`` lines of ``line_bytes``.

    At most ``wired_bytes`` may be bound. What lies at an address belongs into the set
    ``address // line_bytes % sets``; the quotient is its tag.
    """

    line_bytes: int = attrs.field(validator=v.gt(0))
    ways: int = attrs.field(validator=v.gt(0))
    sets: int = attrs.field(validator=v.gt(0))
    wired_bytes: int = attrs.field(validator=v.ge(0))

    @classmethod
    def of(cls, machine: Machine) -> "Geometry | None":
        """Return the geometry of the machine's SRAM, or None if the machine has no such section."""
        sram = machine.sram
        if sram is None:
            return None
        capacity = machine.memory(sram.memory).capacity_bytes
        return cls(
            line_bytes=sram.line_bytes,
            ways=sram.ways,
            sets=capacity // (sram.line_bytes * sram.ways),
            wired_bytes=sram.wired_bytes,
        )

    def lines_of(self, address: int, size_bytes: int) -> range:
        """Return the numbers of the lines that hold a range of at least one byte."""
        return range(address // self.line_bytes, (address + size_bytes - 1) // self.line_bytes + 1)

    def tags_in(self, lines: range, index: int) -> range:
        """Return the tags that consecutive ``lines`` have in the set ``index``."""
        return range(
            -((index - lines.start) // self.sets), (lines.stop - 1 - index) // self.sets + 1
        )
