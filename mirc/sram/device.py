"""BIND, RELEASE and accesses into the state of a wired SRAM."""

from collections.abc import Iterator, Mapping

import attrs

from mirc.sram.geometry import Geometry
from mirc.sram.layout import Range
from mirc.sram.tags import Line, TagArray
from mirc.sram.words import Access, BindFlags, Caller, Fault, Handle, Quota, ReleaseMode, Traffic


@attrs.define
class _Register:
    """What the device knows of one tenant; ``bindings`` are those of its current generation."""

    limit_bytes: int
    used_bytes: int = 0
    bindings: dict[Handle, range] = attrs.field(factory=dict)


class Device:
    """A set-associative SRAM with LRU replacement, in which ranges can be wired.

    A wired line is no candidate for replacement until it is released or its tenant invalidated,
    however often others are used. ``quotas`` are the most bytes that each tenant may wire. Every
    command either succeeds or returns a fault and has changed nothing.
    """

    def __init__(self, geometry: Geometry, quotas: Mapping[str, int]) -> None:
        self.geometry = geometry
        self._generations = dict.fromkeys(quotas, 0)
        self._registers = {tenant: _Register(limit) for tenant, limit in quotas.items()}
        self._tags = TagArray(geometry, self._generations)
        self._wired_bytes = 0
        self._issued = 0

    def bind(
        self, caller: Caller, target: Range, tenant: str, flags: BindFlags = BindFlags.NONE
    ) -> Handle | Fault:
        """Wire a range for a tenant. O(lines).

        One way of every set stays unwired, so that an access always has a victim: an array with
        one way cannot be bound at all.
        """
        lines = self.geometry.lines_of(target.address, target.size_bytes)
        fault = self._refusal(caller, target, tenant, lines)
        if fault is not None:
            return fault
        self._tags.wire(lines, tenant)
        if BindFlags.PREFETCH in flags:
            self._tags.load(lines)
        register = self._registers[tenant]
        register.used_bytes += target.size_bytes
        self._wired_bytes += target.size_bytes
        self._issued += 1
        handle = Handle(tenant, self._issued)
        register.bindings[handle] = lines
        return handle

    def release(self, caller: Caller, handle: Handle, mode: ReleaseMode) -> Fault | None:
        """End a binding; None means that it was done. O(lines)."""
        if not caller.privileged:
            return Fault.PERMISSION_DENIED
        register = self._registers.get(handle.tenant)
        if register is None or handle not in register.bindings:
            return Fault.INVALID_HANDLE
        if not caller.may_act_for(handle.tenant):
            return Fault.PERMISSION_DENIED
        lines = register.bindings.pop(handle)
        if mode is ReleaseMode.WRITEBACK:
            self._tags.unwire(lines)
        else:
            self._tags.drop(lines)
        size = len(lines) * self.geometry.line_bytes
        register.used_bytes -= size
        self._wired_bytes -= size
        return None

    def invalidate(self, caller: Caller, tenant: str) -> Fault | None:
        """Advance a tenant's generation; None means that it was done. O(1): no line is visited.

        Its lines are empty from now on, its handles invalid and its quota unused. Dirty bytes
        that were not released with WRITEBACK before are lost.
        """
        if not caller.may_act_for(tenant):
            return Fault.PERMISSION_DENIED
        register = self._registers.get(tenant)
        if register is None:
            return Fault.TARGET_INVALID
        self._generations[tenant] += 1
        self._wired_bytes -= register.used_bytes
        register.used_bytes = 0
        register.bindings = {}
        return None

    def read(self, address: int, size_bytes: int) -> Access:
        """Read at least one byte: lines that are not there are loaded. O(lines)."""
        hits = [self._tags.touch(number)[1] for number in self._lines(address, size_bytes)]
        return Access(hits=sum(hits), misses=len(hits) - sum(hits))

    def write(self, address: int, size_bytes: int) -> Access:
        """Write at least one byte, as ``read``; the lines are dirty until written back."""
        hits = 0
        lines = self._lines(address, size_bytes)
        for number in lines:
            line, hit = self._tags.touch(number)
            line.dirty = True
            hits += hit
        return Access(hits=hits, misses=len(lines) - hits)

    def quota(self, tenant: str) -> Quota:
        """Return a tenant's quota register; one that the device does not know has nothing."""
        register = self._registers.get(tenant)
        if register is None:
            return Quota(limit_bytes=0, used_bytes=0)
        return Quota(limit_bytes=register.limit_bytes, used_bytes=register.used_bytes)

    def left_bytes(self, tenant: str) -> int:
        """Return what quota and wired budget leave to a tenant: to bind more is refused."""
        quota = self.quota(tenant)
        budget = self.geometry.wired_bytes - self._wired_bytes
        return min(quota.limit_bytes - quota.used_bytes, budget)

    @property
    def wired_bytes(self) -> int:
        """What is bound, of all tenants."""
        return self._wired_bytes

    @property
    def traffic(self) -> Traffic:
        """What was loaded and written back so far."""
        size = self.geometry.line_bytes
        return Traffic(
            loaded_bytes=self._tags.loaded_lines * size,
            written_bytes=self._tags.written_lines * size,
        )

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Yield a copy of each line with the number of its set, for whoever looks at the array."""
        return self._tags.lines()

    def _lines(self, address: int, size_bytes: int) -> range:
        if address < 0 or size_bytes <= 0:
            raise ValueError(f"{size_bytes} bytes at {address} are no range")
        return self.geometry.lines_of(address, size_bytes)

    def _refusal(self, caller: Caller, target: Range, tenant: str, lines: range) -> Fault | None:
        """Say why a range cannot be bound. What costs O(1) is asked first: sizes may be absurd."""
        if not caller.may_act_for(tenant):
            return Fault.PERMISSION_DENIED
        size, line_bytes = target.size_bytes, self.geometry.line_bytes
        if target.address < 0 or size <= 0 or target.address % line_bytes or size % line_bytes:
            return Fault.ALIGN_ERROR
        quota = self.quota(tenant)
        if quota.used_bytes + size > quota.limit_bytes:
            return Fault.QUOTA_EXCEEDED
        if self._wired_bytes + size > self.geometry.wired_bytes:
            return Fault.NO_SPACE
        return self._refusal_of_sets(lines)

    def _refusal_of_sets(self, lines: range) -> Fault | None:
        if self._tags.holds_wired(lines):
            return Fault.TARGET_INVALID
        if self._tags.most_wired(lines) >= self.geometry.ways:
            return Fault.NO_SPACE
        return None
