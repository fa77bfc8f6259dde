"""A machine's SRAM section into sets, ways and lines."""

import attrs
from attrs import validators as v

from mirc.machine import Machine, Organisation, Replacement


@attrs.frozen(kw_only=True)
class Geometry:
    """An on-chip array: ``sets`` sets of ``ways`` lines of ``line_bytes``.

    In a set-associative or direct-mapped array the line's number decides its set. In a
    software-managed one a set is a region: BIND may choose any, and what nobody bound is staged in
    the region of its own stripe of ``ways`` lines. At most ``wired_bytes`` may be wired; the rest
    is the reserve for everything else. A generation has ``generation_bits``.
    """

    line_bytes: int = attrs.field(validator=v.gt(0))
    ways: int = attrs.field(validator=v.gt(0))
    sets: int = attrs.field(validator=v.gt(0))
    wired_bytes: int = attrs.field(validator=v.ge(0))
    organisation: Organisation = Organisation.SET_ASSOCIATIVE
    replacement: Replacement = Replacement.LRU
    generation_bits: int = attrs.field(default=8, validator=v.gt(0))

    def __attrs_post_init__(self) -> None:
        if self.organisation is Organisation.DIRECT_MAPPED and self.ways != 1:
            raise ValueError(f"a direct-mapped array has one way a set, not {self.ways}")

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
            organisation=sram.organisation,
            replacement=sram.replacement,
        )

    @property
    def open_ways(self) -> int:
        """Ways of a set that BIND never wires, so that an access always has a victim.

        A direct-mapped array has none to leave: what maps to a wired line bypasses the array.
        """
        return 0 if self.organisation is Organisation.DIRECT_MAPPED else 1

    @property
    def capacity_bytes(self) -> int:
        """All bytes of the array."""
        return self.sets * self.ways * self.line_bytes

    def home(self, number: int) -> int:
        """Return the set that a line goes to if nobody chose another."""
        if self.organisation is Organisation.SOFTWARE_MANAGED:
            return number // self.ways % self.sets
        return number % self.sets
