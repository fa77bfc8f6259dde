"""The device against a model that scans everything, shares no code with it and counts afresh."""

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mirc.sram import (
    DRIVER,
    Access,
    BindFlags,
    Caller,
    Device,
    Fault,
    Geometry,
    Handle,
    Range,
    ReleaseMode,
)

LINE, WAYS, SETS, BUDGET = 16, 3, 4, 7  # 12 lines; the guard would admit 8 wired, the budget 7
QUOTAS = {"a": 5, "b": 4}  # lines: together more than the budget
TENANTS = st.sampled_from(("a", "b", "c"))
NUMBERS = st.integers(0, 4 * SETS)


@attrs.define
class Entry:
    number: int
    used: int
    valid: bool
    dirty: bool = False
    handle: Handle | None = None


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        geometry = Geometry(line_bytes=LINE, ways=WAYS, sets=SETS, wired_bytes=BUDGET * LINE)
        self.device = Device(geometry, {name: size * LINE for name, size in QUOTAS.items()})
        self.entries: list[Entry] = []
        self.bindings: dict[Handle, list[int]] = {}
        self.old: list[Handle] = []
        self.clock = self.loaded = self.written = 0

    # ── the model ───────────────────────────────────────────

    def held(self, tenant: str | None = None) -> int:
        return sum(len(lines) for h, lines in self.bindings.items() if tenant in (None, h.tenant))

    def of_set(self, number: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.number % SETS == number % SETS]

    def entry(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.number == number), None)

    def fill(self, number: int, *, valid: bool) -> Entry:
        ways = self.of_set(number)
        if len(ways) == WAYS:
            victim = min((e for e in ways if e.handle is None), key=lambda e: e.used)
            self.written += victim.dirty
            self.entries.remove(victim)
        fresh = Entry(number, self.clock, valid)
        self.entries.append(fresh)
        return fresh

    def expected_fault(self, lines: list[int], tenant: str) -> Fault | None:
        if not lines:
            return Fault.ALIGN_ERROR
        if self.held(tenant) + len(lines) > QUOTAS.get(tenant, 0):
            return Fault.QUOTA_EXCEEDED
        if self.held() + len(lines) > BUDGET:
            return Fault.NO_SPACE
        wired = [e.number for e in self.entries if e.handle is not None]
        if any(number in wired for number in lines):
            return Fault.TARGET_INVALID
        together = [*wired, *lines]
        if any(sum(n % SETS == s for n in together) >= WAYS for s in range(SETS)):
            return Fault.NO_SPACE
        return None

    # ── what may happen ─────────────────────────────────────

    @rule(first=NUMBERS, count=st.integers(0, 6), tenant=TENANTS, prefetch=st.booleans())
    def bind(self, first: int, count: int, tenant: str, *, prefetch: bool) -> None:
        lines = list(range(first, first + count))
        expected = self.expected_fault(lines, tenant)
        flags = BindFlags.PREFETCH if prefetch else BindFlags.NONE
        found = self.device.bind(DRIVER, Range(first * LINE, count * LINE), tenant, flags)
        if expected is not None:
            assert found is expected
            return
        assert isinstance(found, Handle)
        assert found not in self.bindings
        assert found not in self.old
        for number in lines:
            entry = self.entry(number) or self.fill(number, valid=False)
            entry.handle = found
            if prefetch and not entry.valid:
                entry.valid = True
                self.loaded += 1
        self.bindings[found] = lines

    @rule(first=NUMBERS, tenant=TENANTS)
    def bind_without_right(self, first: int, tenant: str) -> None:
        kernel = Caller(privileged=False, tenant=tenant)
        found = self.device.bind(kernel, Range(first * LINE, LINE), tenant)
        assert found is Fault.PERMISSION_DENIED

    @rule(pick=st.integers(0, 20), mode=st.sampled_from(ReleaseMode))
    def release(self, pick: int, mode: ReleaseMode) -> None:
        if not self.bindings:
            return
        handle = list(self.bindings)[pick % len(self.bindings)]
        assert self.device.release(DRIVER, handle, mode) is None
        self.clock += 1
        self.old.append(handle)
        for number in self.bindings.pop(handle):
            entry = self.entry(number)
            assert entry is not None
            entry.handle = None
            if mode is ReleaseMode.INVALIDATE or not entry.valid:
                self.entries.remove(entry)
                continue
            self.written += entry.dirty
            entry.dirty = False
            self.clock += 1
            entry.used = self.clock

    @rule(pick=st.integers(0, 20))
    def release_again(self, pick: int) -> None:
        if self.old:
            handle = self.old[pick % len(self.old)]
            assert self.device.release(DRIVER, handle, ReleaseMode.WRITEBACK) is (
                Fault.INVALID_HANDLE
            )

    @rule(tenant=st.sampled_from(tuple(QUOTAS)))
    def invalidate(self, tenant: str) -> None:
        assert self.device.invalidate(DRIVER, tenant) is None
        gone = [handle for handle in self.bindings if handle.tenant == tenant]
        self.entries = [entry for entry in self.entries if entry.handle not in gone]
        for handle in gone:
            del self.bindings[handle]
        self.old += gone

    @rule(
        first=st.integers(0, 4 * SETS * LINE), size=st.integers(1, 4 * LINE), writes=st.booleans()
    )
    def access(self, first: int, size: int, *, writes: bool) -> None:
        numbers = sorted({byte // LINE for byte in range(first, first + size)})
        hits = 0
        for number in numbers:
            self.clock += 1
            entry = self.entry(number)
            hits += entry is not None and entry.valid
            entry = entry or self.fill(number, valid=False)
            self.loaded += not entry.valid
            entry.valid, entry.used = True, self.clock
            entry.dirty = entry.dirty or writes
        found = (self.device.write if writes else self.device.read)(first, size)
        assert found == Access(hits=hits, misses=len(numbers) - hits)

    # ── what always holds ───────────────────────────────────

    @invariant()
    def the_array_holds_what_the_model_says(self) -> None:
        found = sorted(
            (line.tag * SETS + index, line.valid, line.wired, line.dirty)
            for index, line in self.device.lines()
        )
        assert found == sorted(
            (entry.number, entry.valid, entry.handle is not None, entry.dirty)
            for entry in self.entries
        )

    @invariant()
    def every_bound_line_is_there_and_wired(self) -> None:
        wired = {line.tag * SETS + index for index, line in self.device.lines() if line.wired}
        assert wired == {number for lines in self.bindings.values() for number in lines}

    @invariant()
    def quotas_and_budget_hold_and_add_up(self) -> None:
        for tenant, limit in QUOTAS.items():
            used = self.device.quota(tenant).used_bytes
            assert used == self.held(tenant) * LINE <= limit * LINE
        assert self.device.wired_bytes == self.held() * LINE <= BUDGET * LINE

    @invariant()
    def traffic_is_what_was_loaded_and_written(self) -> None:
        assert self.device.traffic.loaded_bytes == self.loaded * LINE
        assert self.device.traffic.written_bytes == self.written * LINE

    def teardown(self) -> None:
        for handle in self.bindings:
            assert self.device.release(DRIVER, handle, ReleaseMode.INVALIDATE) is None
        assert self.device.wired_bytes == 0
        assert all(self.device.quota(tenant).used_bytes == 0 for tenant in QUOTAS)
        assert not any(line.wired for _, line in self.device.lines())


TestDevice = Machine.TestCase
TestDevice.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
