"""BIND, RELEASE and accesses into the state of a wired SRAM."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat

from mirc.ir.enums import PinLevel
from mirc.kernels.lines.play import EMPTY, OVERWRITE, READ, RELEASE, SNOOP, TALLY, WRITE
from mirc.machine import Organisation
from mirc.sram.geometry import Geometry
from mirc.sram.ledger import Ledger, level_of
from mirc.sram.space import Space
from mirc.sram.tags import Line, Run, TagArray
from mirc.sram.words import (
    Access,
    BindFlags,
    Caller,
    Counters,
    Event,
    EventKind,
    Fault,
    Handle,
    Probe,
    Quota,
    Range,
    ReleaseMode,
    Traffic,
    Trap,
)

_Places = list[int]  # the set that each line of a range is to be in


class Device:
    """An on-chip array in which ranges of off-chip memory can be bound, as essay 003 asks.

    A wired line is no candidate for replacement until it is released or its tenant invalidated,
    under any organisation and policy, however often others are used; a soft one is a candidate
    only where there is no other. ``quotas`` are the most bytes that each tenant may bind,
    ``memories`` the bytes of each off-chip memory. ``seed`` decides what RANDOM replaces. ``path``
    forces ``python`` or ``compiled``; they do the same, and it is chosen by what there is to do.

    Every command either succeeds or returns a fault and has changed nothing.
    """

    def __init__(
        self,
        geometry: Geometry,
        quotas: Mapping[str, int],
        memories: Mapping[str, int],
        seed: int = 1,
        path: str | None = None,
    ) -> None:
        self.geometry = geometry
        self.tenants = tuple(quotas)
        self.memories = tuple(memories)
        self._space = Space(geometry.line_bytes, memories)
        self._ledger = Ledger.of(quotas)
        self._tags = TagArray(geometry, self._ledger, seed, path)
        self._writes = 0

    # ── commands of privileged callers ──────────────────────

    def bind(
        self,
        caller: Caller,
        target: Range,
        tenant: str,
        flags: BindFlags = BindFlags.NONE,
        place: int | None = None,
    ) -> Handle | Fault:
        """Bind an off-chip range for a tenant: wired, or soft with SOFT_PIN. O(lines).

        ``place`` is the on-chip target: the region that is to hold all of it in a software-managed
        array, the set of the first line in others, where the address decides it; None is any.
        What is asked is, in this order, whether the caller may, the range begins and ends on a
        line, it is there and free, the quota admits it, and there is room. A wired line leaves its
        set an open way (``Geometry.open_ways``) and all sets together the reserve; a soft one may
        take what is left, and is displaced by a wired one.
        """
        places = self._placed(caller, target, tenant, flags, place)
        if isinstance(places, Fault):
            return places
        lines = self._space.lines_of(target) or range(0)
        binding = self._ledger.add(tenant, target, lines, flags)
        self._tags.bind(binding, places, prefetch=BindFlags.PREFETCH in flags)
        return binding.handle

    def release(self, caller: Caller, handle: Handle, mode: ReleaseMode) -> Fault | None:
        """End a binding; None means that it was done. O(lines)."""
        if not caller.privileged:
            return Fault.PERMISSION_DENIED
        binding = self._ledger.find(handle)
        if binding is None:
            return Fault.INVALID_HANDLE
        if not caller.may_act_for(binding.tenant):
            return Fault.PERMISSION_DENIED
        self._tags.of_binding(RELEASE if mode is ReleaseMode.WRITEBACK else EMPTY, binding)
        self._ledger.remove(binding)
        return None

    def invalidate(self, caller: Caller, tenant: str) -> Fault | None:
        """Advance a tenant's generation; None means that it was done. O(1): no line is visited.

        Its lines are empty from now on, its handles invalid, its ranges writable and its quota
        unused. Dirty bytes that were not released with WRITEBACK before are lost. A generation
        that comes round to 0 (once in 2^generation_bits) could be taken for an old one: then, and
        only then, every set is swept for the tenant's lines, and an event says so.
        """
        if not caller.may_act_for(tenant):
            return Fault.PERMISSION_DENIED
        register = self._ledger.registers.get(tenant)
        if register is None:
            return Fault.TARGET_INVALID
        register.begin((register.generation + 1) % (1 << self.geometry.generation_bits))
        if register.generation == 0:
            self._tags.sweep(tenant)
            self._ledger.forget(tenant)
            self._ledger.emit(EventKind.GENERATION_WRAP, tenant)
        return None

    # ── accesses ────────────────────────────────────────────

    def read(self, source: Range) -> Access | Fault:
        """Read bytes that exist, at least one: lines that are not there are loaded. O(lines)."""
        lines = self._space.lines_of(source)
        if lines is None:
            return Fault.TARGET_INVALID
        return self._accessed([Run(does=READ, lines=lines)])

    def read_all(self, sources: Sequence[Range]) -> Access | Fault:
        """Read ranges one after another, as ``read`` does, and add up; a fault reads none."""
        each = [self._space.lines_of(source) for source in sources]
        if None in each:
            return Fault.TARGET_INVALID
        return self._accessed([Run(does=READ, lines=lines) for lines in each if lines])

    def write(self, target: Range) -> Access | Fault | Trap:
        """Write bytes, as ``read``; the lines are dirty until written back.

        A range that is IMMUTABLE, in part at least, is not written at all.
        """
        lines = self._space.lines_of(target)
        if lines is None:
            return Fault.TARGET_INVALID
        if self._is_protected(target, lines):
            return Trap.BINDING_VIOLATION
        self._writes += 1
        return self._accessed([Run(does=WRITE, lines=lines, write=self._writes)])

    def probe(self, target: Range, probe: Probe) -> Fault | Trap | None:
        """Let another agent read or write off-chip bytes; None means that it did. O(lines).

        A message goes to each valid copy on chip, except to immutable ones: nobody can write their
        backing, so they need none. A dirty copy is written back first. A copy that was overwritten
        is dropped; a bound one stays where it is and is loaded again when it is next used.
        """
        lines = self._space.lines_of(target)
        if lines is None:
            return Fault.TARGET_INVALID
        if probe is Probe.READ:
            self._tags.play([Run(does=SNOOP, lines=lines)])
            return None
        if self._is_protected(target, lines):
            return Trap.BINDING_VIOLATION
        self._writes += 1
        self._tags.play([Run(does=OVERWRITE, lines=lines, write=self._writes)])
        return None

    # ── what may be asked at no cost to the array ───────────

    def quota(self, tenant: str) -> Quota:
        """Return a tenant's quota register; one that the device does not know has nothing."""
        register = self._ledger.registers.get(tenant)
        if register is None:
            return Quota(limit_bytes=0, used_bytes=0)
        used = (register.wired_lines + register.soft_lines) * self.geometry.line_bytes
        return Quota(limit_bytes=register.limit_bytes, used_bytes=used)

    def left_bytes(self, tenant: str) -> int:
        """Return what quota and reserve leave to a tenant: to wire more is refused."""
        quota = self.quota(tenant)
        budget = self.geometry.wired_bytes - self.wired_bytes
        return min(quota.limit_bytes - quota.used_bytes, budget)

    def held_bytes(self, handle: Handle) -> int:
        """Return what a binding still holds on chip: all of it, unless it is soft. O(lines)."""
        binding = self._ledger.find(handle)
        if binding is None:
            return 0
        return self._tags.of_binding(TALLY, binding) * self.geometry.line_bytes

    @property
    def wired_bytes(self) -> int:
        """What is wired, of all tenants; soft lines are not."""
        registers = self._ledger.registers.values()
        return sum(register.wired_lines for register in registers) * self.geometry.line_bytes

    @property
    def traffic(self) -> Traffic:
        """What was loaded and written back so far, past the array or into it."""
        size, counters = self.geometry.line_bytes, self._tags.counters
        return Traffic(
            loaded_bytes=counters.loaded_lines * size,
            written_bytes=counters.written_lines * size,
        )

    @property
    def counters(self) -> Counters:
        """A copy of what the device counted."""
        return self._tags.counters

    def take_events(self) -> tuple[Event, ...]:
        """Return the events since they were last taken, in the order in which they happened."""
        return self._ledger.take_events()

    # ── for whoever looks at the array from outside ─────────

    def lines(self) -> Iterator[tuple[int, int, Line]]:
        """Yield the set, the way and a copy of each line."""
        return self._tags.lines()

    def contents(self, source: Range) -> tuple[int, ...]:
        """Return, for each line of a range, which write a read would see: 0 is none so far.

        Writes of this device and of other agents count alike, from 1. Bytes that are not there
        have no contents.
        """
        return tuple(self._tags.contents(number) for number in self._space.lines_of(source) or ())

    def state_hash(self) -> str:
        """Return the SHA-256 of all state: tags, policies, registers, bindings, backing, counts.

        Devices that were given the same commands from the start have the same hash. Taking events
        is no command.
        """
        return hashlib.sha256(repr((self._tags, self._writes)).encode()).hexdigest()

    # ── how ─────────────────────────────────────────────────

    def _accessed(self, what: Sequence[Run]) -> Access:
        lines = sum(len(run.lines) for run in what)
        ((hits, bypassed), *_) = self._tags.play(what)
        return Access(hits=hits, misses=lines - hits, bypassed=bypassed)

    def _is_protected(self, target: Range, lines: range) -> bool:
        """Tell whether the memory protection stops a write, after the event that says so."""
        for binding in self._ledger.overlapping(lines):
            if binding.immutable:
                self._tags.violations += 1
                kind = EventKind.BINDING_VIOLATION
                self._ledger.emit(kind, binding.tenant, binding.handle, target)
                return True
        return False

    def _placed(
        self, caller: Caller, target: Range, tenant: str, flags: BindFlags, place: int | None
    ) -> _Places | Fault:
        """Choose a set for each line, or say why the range cannot be bound."""
        if not caller.may_act_for(tenant):
            return Fault.PERMISSION_DENIED
        size, line_bytes = target.size_bytes, self.geometry.line_bytes
        if target.address % line_bytes or size % line_bytes:
            return Fault.ALIGN_ERROR
        lines = self._space.lines_of(target)
        if lines is None or self._ledger.overlapping(lines) or not self._offers(place, lines):
            return Fault.TARGET_INVALID
        quota = self.quota(tenant)
        if quota.used_bytes + size > quota.limit_bytes:
            return Fault.QUOTA_EXCEEDED
        level = level_of(flags)
        if level is PinLevel.WIRED and self.wired_bytes + size > self.geometry.wired_bytes:
            return Fault.NO_SPACE
        return self._with_room(lines, level, place)

    @property
    def _chooses(self) -> bool:
        return self.geometry.organisation is Organisation.SOFTWARE_MANAGED

    def _offers(self, place: int | None, lines: range) -> bool:
        if place is None:
            return True
        if self._chooses:
            return 0 <= place < self.geometry.sets
        return place == self.geometry.home(lines.start)

    def _with_room(self, lines: range, level: PinLevel, place: int | None) -> _Places | Fault:
        """Give each line a set that has room for it.

        Where software chooses, that is the place, or else the first regions that have any.
        """
        places = list(islice(self._slots(lines, level, place), len(lines)))
        return places if len(places) == len(lines) else Fault.NO_SPACE

    def _slots(self, lines: range, level: PinLevel, place: int | None) -> Iterable[int]:
        """Yield a set for each of the lines, in order, as long as there is room."""
        if self._chooses:
            regions = range(self.geometry.sets) if place is None else (place,)
            for index in regions:
                yield from repeat(index, self._tags.room(index, level))
            return
        left: dict[int, int] = {}
        for index in map(self.geometry.home, lines):
            if index not in left:
                left[index] = self._tags.room(index, level)
            if not left[index]:
                return
            left[index] -= 1
            yield index
