"""The device and its oracle, given the same commands one after another and compared after each."""

from operator import itemgetter
from random import Random

import attrs
from hypothesis import strategies as st

from mirc.machine import Organisation, Replacement
from mirc.sram import (
    DRIVER,
    Access,
    BindFlags,
    Caller,
    Device,
    Driver,
    Fault,
    Geometry,
    Handle,
    Names,
    Probe,
    Queue,
    Range,
    ReleaseMode,
    Trap,
    encode,
    replay,
)
from tests.sram.oracle import DIRECT, Model

LINE = 8
FAR = 5  # lines of the second memory


@attrs.frozen(kw_only=True)
class Scene:
    """What a pair is made of; quotas and the budget are lines."""

    organisation: Organisation
    replacement: Replacement
    ways: int
    sets: int
    budget: int
    generation_bits: int = 2
    seed: int = 1

    @property
    def lines(self) -> int:
        """Lines of the first memory: more than two arrays full."""
        return 2 * self.ways * self.sets + 3


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any organisation and policy, small enough for everything to collide."""
    organisation = draw(st.sampled_from(Organisation))
    ways = 1 if organisation is Organisation.DIRECT_MAPPED else draw(st.integers(1, 5))
    sets = draw(st.integers(1, 4))
    return Scene(
        organisation=organisation,
        replacement=draw(st.sampled_from(Replacement)),
        ways=ways,
        sets=sets,
        budget=draw(st.integers(0, ways * sets)),
        generation_bits=draw(st.integers(1, 2)),
        seed=draw(st.integers(1, 2**32 - 1)),
    )


def every_scene() -> list[Scene]:
    """Each organisation with each policy once."""
    return [
        Scene(
            organisation=organisation,
            replacement=replacement,
            ways=1 if organisation == DIRECT else 4,
            sets=6 if organisation == DIRECT else 3,
            budget=5 if organisation == DIRECT else 8,
        )
        for organisation in Organisation
        for replacement in Replacement
    ]


class Pair:
    """A device behind its driver, and the oracle; ``operations`` counts what both were given."""

    def __init__(self, scene: Scene) -> None:
        size = scene.ways * scene.sets
        quotas = {"a": size // 2 + 1, "b": size}
        self.scene = scene
        self.driver = Driver(self.fresh())
        self.model = Model(
            ways=scene.ways,
            sets=scene.sets,
            budget=scene.budget,
            organisation=scene.organisation.value,
            replacement=scene.replacement.value,
            quotas=quotas,
            seed=scene.seed,
        )
        self.generations = dict.fromkeys(quotas, 0)
        self.operations = 0

    def fresh(self) -> Device:
        scene = self.scene
        size = scene.ways * scene.sets
        geometry = Geometry(
            line_bytes=LINE,
            ways=scene.ways,
            sets=scene.sets,
            wired_bytes=scene.budget * LINE,
            organisation=scene.organisation,
            replacement=scene.replacement,
            generation_bits=scene.generation_bits,
        )
        quotas = {"a": (size // 2 + 1) * LINE, "b": size * LINE}
        # The first memory ends within a line, so that the second does not begin where it ends.
        memories = {"near": scene.lines * LINE - 3, "far": FAR * LINE}
        return Device(geometry, quotas, memories, seed=scene.seed)

    @property
    def device(self) -> Device:
        return self.driver.device

    def at(self, first: int, count: int) -> Range:
        """Return the range of whole lines from a number on, in the memory where that is."""
        if first < self.scene.lines:
            return Range("near", first * LINE, count * LINE)
        return Range("far", (first - self.scene.lines) * LINE, count * LINE)

    def numbers(self, first: int, count: int) -> list[int] | None:
        """Return the numbers of whole lines, None if they are not all in one memory."""
        near, last = self.scene.lines, first + count - 1
        whole = near - 1  # the last line of the first memory is not whole
        if count > 0 and (last < whole or near <= first <= last < near + FAR):
            return list(range(first, first + count))
        return None

    # ── the same to both ────────────────────────────────────

    def bind(
        self, first: int, count: int, tenant: str, flags: BindFlags, place: int | None
    ) -> None:
        names = {flag.name or "" for flag in flags}
        numbers = self.numbers(first, count)
        expected = (
            "TARGET_INVALID" if numbers is None else self.model.bind(numbers, tenant, names, place)
        )
        before = self.device.state_hash()
        found = self.driver.bind(DRIVER, self.at(first, count), tenant, flags, place)
        assert found == (Handle(expected) if isinstance(expected, int) else Fault(expected))
        assert isinstance(found, Handle) or self.device.state_hash() == before
        self.check()

    def release(self, handle: int, mode: ReleaseMode) -> None:
        expected = self.model.release(handle, mode.value)
        found = self.driver.release(DRIVER, Handle(handle), mode)
        assert found == (None if expected is None else Fault(expected))
        self.check()

    def refuse(self, caller: Caller, first: int, tenant: str) -> None:
        """Let someone try what it may not do for a tenant: nothing happens."""
        before = self.device.state_hash()
        denied = Fault.PERMISSION_DENIED
        assert self.driver.bind(caller, self.at(first, 1), tenant) is denied
        assert self.driver.invalidate(caller, tenant) is denied
        for handle, bound in self.model.bindings.items():
            if bound.tenant == tenant:
                found = self.driver.release(caller, Handle(handle), ReleaseMode.INVALIDATE)
                assert found is denied
        assert self.device.state_hash() == before

    def invalidate(self, tenant: str) -> None:
        self.generations[tenant] += 1
        wraps = self.generations[tenant] % 2**self.scene.generation_bits == 0
        self.model.invalidate(tenant, wraps=wraps)
        found = self.driver.invalidate(DRIVER, tenant)
        assert found is None
        self.check()

    def read(self, first: int, count: int) -> None:
        numbers = self.numbers(first, count)
        found = self.driver.read(self.at(first, count))
        if numbers is None:
            assert found is Fault.TARGET_INVALID
        else:
            hits, misses, bypassed = self.model.read(numbers)
            assert found == Access(hits=hits, misses=misses, bypassed=bypassed)
        self.check()

    def write(self, first: int, count: int) -> None:
        numbers = self.numbers(first, count)
        found = self.driver.write(self.at(first, count))
        if numbers is None:
            assert found is Fault.TARGET_INVALID
        else:
            expected = self.model.write(numbers)
            if isinstance(expected, str):
                assert found is Trap(expected)
            else:
                hits, misses, bypassed = expected
                assert found == Access(hits=hits, misses=misses, bypassed=bypassed)
        self.check()

    def probe(self, first: int, count: int, kind: Probe) -> None:
        numbers = self.numbers(first, count)
        found = self.driver.probe(self.at(first, count), kind)
        if numbers is None:
            assert found is Fault.TARGET_INVALID
        else:
            expected = self.model.probe(numbers, kind.value)
            assert found == (None if expected is None else Trap(expected))
        self.check()

    def anything(self, random: Random) -> None:
        """Give both one command that is drawn, accesses more often than others."""
        first, count = random.randrange(self.scene.lines + FAR), random.choice((1, 1, 2, 3, 5))
        kind = random.random()
        if kind < 0.25:
            self.read(first, count)
        elif kind < 0.4:
            self.write(first, count)
        elif kind < 0.52:
            self.probe(first, count, random.choice(tuple(Probe)))
        elif kind < 0.8:
            flags = BindFlags(random.randrange(8))
            place = random.choice((None, None, random.randrange(self.scene.sets + 1)))
            self.bind(first, count, random.choice(("a", "a", "b", "b", "#7")), flags, place)
        elif kind < 0.96:
            known = [*self.model.bindings] * 3 + self.model.old[-3:]
            self.release(random.choice(known or [1]), random.choice(tuple(ReleaseMode)))
        else:
            self.invalidate(random.choice("ab"))

    # ── what must be equal ──────────────────────────────────

    def check(self) -> None:
        self.operations += 1
        model, device = self.model, self.device
        assert [
            (
                place,
                entry.number,
                entry.valid,
                entry.dirty,
                entry.data,
                entry.pin.value,
                entry.immutable,
                entry.tenant,
                entry.handle.number,
            )
            for *place, entry in device.lines()
        ] == [
            (
                [*place],
                entry.number,
                entry.valid,
                entry.dirty,
                entry.data,
                entry.level,
                entry.immutable,
                entry.tenant,
                entry.handle,
            )
            for place, entry in sorted(model.where.items(), key=itemgetter(0))
            if not entry.dead
        ]
        for tenant, limit in model.quotas.items():
            quota = device.quota(tenant)
            assert quota.limit_bytes == limit * LINE
            assert quota.used_bytes == model.held(tenant) * LINE <= limit * LINE
        assert device.wired_bytes == model.held(level="WIRED") * LINE
        assert device.wired_bytes <= self.scene.budget * LINE
        told = [
            (e.number, e.kind.value, e.tenant, e.handle.number, e.target)
            for e in device.take_events()
        ]
        start = model.emitted - len(model.events)
        assert told == [
            (start + i, kind, tenant, handle, self.at(first, size) if size else None)
            for i, (kind, tenant, handle, first, size) in enumerate(model.events)
        ]
        model.events.clear()
        counters = device.counters
        assert (counters.loaded_lines, counters.written_lines) == (model.loaded, model.written)
        assert (counters.evicted_lines, counters.lost_lines) == (model.evicted, model.lost)
        assert (counters.bypassed_lines, counters.violations) == (
            model.bypassed,
            model.violations,
        )
        assert (counters.coherence_messages, counters.suppressed_messages) == (
            model.messages,
            model.suppressed,
        )

    def check_contents(self) -> None:
        """Hold every byte that a read would see against the oracle, and what each binding holds."""
        model, device = self.model, self.device
        near = self.scene.lines - 1
        seen = [model.seen(number) for number in range(near + 1 + FAR)]
        assert device.contents(Range("near", 0, near * LINE)) == tuple(seen[:near])
        assert device.contents(Range("far", 0, FAR * LINE)) == tuple(seen[near + 1 :])
        for handle, bound in model.bindings.items():
            lines = sum(e.handle == handle and not e.dead for e in model.where.values())
            assert device.held_bytes(Handle(handle)) == lines * LINE
            assert bound.level == "SOFT" or lines == len(bound.numbers)

    def replayed(self) -> None:
        """Hold devices that are given the log again, by calls and by records, against this one."""
        called, queued = self.fresh(), self.fresh()
        names = Names.of(called)
        records = b"".join(encode(command, names) for command in self.driver.log)
        assert replay(self.driver.log, called) == Queue(queued).submit(records)
        assert called.state_hash() == queued.state_hash() == self.device.state_hash()
