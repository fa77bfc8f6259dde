"""Bindings, quota registers and generations: what the device knows beside its lines."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from operator import itemgetter

import attrs
import numpy as np

from mirc.ir.enums import PinLevel
from mirc.kernels.lines.state import REGISTER, SOFT_LINES, TENANT_ROWS, WIRED_LINES
from mirc.kernels.world import Table
from mirc.sram.words import NO_BINDING, BindFlags, Event, EventKind, Handle, Range


def level_of(flags: BindFlags) -> PinLevel:
    """Return how BIND with these flags holds its lines."""
    return PinLevel.SOFT if BindFlags.SOFT_PIN in flags else PinLevel.WIRED


class Register:
    """One tenant's quota and generation; its lines are counted by how they are bound.

    All but the limit is a column of the table that the array reads and counts in.
    """

    def __init__(self, limit_bytes: int, table: Table, column: int) -> None:
        """Name a column of ``Lines.tenant``."""
        self.limit_bytes = limit_bytes
        self._table, self._column = table, column

    @property
    def generation(self) -> int:
        """Its generation that runs."""
        return int(self._table[REGISTER, self._column])

    @property
    def wired_lines(self) -> int:
        """Lines that are wired for it."""
        return int(self._table[WIRED_LINES, self._column])

    @property
    def soft_lines(self) -> int:
        """Lines that are held for it as long as nothing else can give way."""
        return int(self._table[SOFT_LINES, self._column])

    def begin(self, generation: int) -> None:
        """Begin a generation, in which nothing is bound."""
        self._table[:, self._column] = 0
        self._table[REGISTER, self._column] = generation

    def __repr__(self) -> str:
        """Say all that it holds."""
        return (
            f"Register(limit_bytes={self.limit_bytes}, generation={self.generation}, "
            f"wired_lines={self.wired_lines}, soft_lines={self.soft_lines})"
        )


@attrs.frozen(kw_only=True)
class Binding:
    """One BIND that was accepted, for the generation of its tenant at that time."""

    handle: Handle
    tenant: str
    generation: int
    target: Range
    lines: range
    level: PinLevel
    immutable: bool


@attrs.define
class Ledger:
    """Registers by tenant, bindings by handle and by place, and the events not yet taken.

    A binding of an older generation is none, and forgotten when another takes its place, so that
    ending a generation visits nothing.
    """

    registers: dict[str, Register]
    tenants: Table = attrs.field(repr=False, eq=False)  # what the registers are columns of
    bindings: dict[Handle, Binding] = attrs.field(factory=dict)
    _starts: list[tuple[int, int]] = attrs.field(factory=list)
    _issued: int = 0
    _emitted: int = 0
    _events: list[Event] = attrs.field(factory=list, repr=False)  # taking them is no command

    @classmethod
    def of(cls, quotas: Mapping[str, int]) -> "Ledger":
        """Return the ledger of tenants that may bind so many bytes."""
        table = np.zeros((TENANT_ROWS, 1 + len(quotas)), dtype=np.int64)
        registers = {
            tenant: Register(limit, table, column)
            for column, (tenant, limit) in enumerate(quotas.items(), 1)
        }
        return cls(registers, table)

    def is_current(self, tenant: str, generation: int) -> bool:
        """Tell whether a tenant's generation still runs."""
        return self.registers[tenant].generation == generation

    def add(self, tenant: str, target: Range, lines: range, flags: BindFlags) -> Binding:
        """Note a binding that overlaps no other, and forget those whose lines it takes over."""
        for stale in self._meeting(lines):
            self.remove(stale)
        self._issued += 1
        binding = Binding(
            handle=Handle(self._issued),
            tenant=tenant,
            generation=self.registers[tenant].generation,
            target=target,
            lines=lines,
            level=level_of(flags),
            immutable=BindFlags.IMMUTABLE in flags,
        )
        self.bindings[binding.handle] = binding
        insort(self._starts, (lines.start, self._issued))
        return binding

    def find(self, handle: Handle) -> Binding | None:
        """Return a binding that holds."""
        binding = self.bindings.get(handle)
        if binding is None or not self.is_current(binding.tenant, binding.generation):
            return None
        return binding

    def remove(self, binding: Binding) -> None:
        """Forget a binding."""
        del self.bindings[binding.handle]
        place = (binding.lines.start, binding.handle.number)
        del self._starts[bisect_left(self._starts, place)]

    def overlapping(self, lines: range) -> list[Binding]:
        """Return the bindings that hold any of the lines. O(log bindings) and what is found."""
        return [b for b in self._meeting(lines) if self.is_current(b.tenant, b.generation)]

    def forget(self, tenant: str) -> None:
        """Forget every binding of a tenant. O(bindings)."""
        for binding in [b for b in self.bindings.values() if b.tenant == tenant]:
            self.remove(binding)

    def emit(
        self, kind: EventKind, tenant: str, handle: Handle = NO_BINDING, at: Range | None = None
    ) -> None:
        """Add an event after all others."""
        self._events.append(
            Event(number=self._emitted, kind=kind, tenant=tenant, handle=handle, target=at)
        )
        self._emitted += 1

    def take_events(self) -> tuple[Event, ...]:
        """Return the events that nobody took yet, oldest first."""
        taken = tuple(self._events)
        self._events.clear()
        return taken

    def _meeting(self, lines: range) -> list[Binding]:
        """Return the bindings, of whatever generation, that hold any of the lines.

        They never overlap one another, so that only the last that begins before may reach in.
        """
        first = bisect_right(self._starts, lines.start, key=itemgetter(0))
        last = bisect_left(self._starts, lines.stop, key=itemgetter(0))
        near = [self.bindings[Handle(n)] for _, n in self._starts[max(first - 1, 0) : last]]
        return [binding for binding in near if binding.lines.stop > lines.start]
