"""A second wired SRAM that scans everything and shares no code with the first.

It speaks of line numbers, not of bytes, and ends a generation by visiting every line.
"""

import attrs

LRU, TREE, RRIP, RANDOM = "lru", "tree-plru", "rrip", "random"
ASSOCIATIVE, DIRECT, MANAGED = "set-associative", "direct-mapped", "software-managed"


@attrs.define
class Entry:
    number: int
    valid: bool = False
    dirty: bool = False
    data: int = 0
    level: str = "NONE"
    immutable: bool = False
    tenant: str = ""
    handle: int = 0
    dead: bool = False  # of a generation that is over: nothing but a way to be had


@attrs.define
class Bound:
    tenant: str
    numbers: list[int]
    level: str
    immutable: bool


@attrs.define(kw_only=True)
class Model:
    ways: int
    sets: int
    budget: int
    organisation: str
    replacement: str
    quotas: dict[str, int]  # lines
    seed: int
    where: dict[tuple[int, int], Entry] = attrs.field(factory=dict)
    backing: dict[int, int] = attrs.field(factory=dict)
    bindings: dict[int, Bound] = attrs.field(factory=dict)
    old: list[int] = attrs.field(factory=list)
    events: list[tuple[str, str, int, int, int]] = attrs.field(factory=list)
    order: dict[int, list[int]] = attrs.field(factory=dict)
    trees: dict[int, dict[tuple[int, int], str]] = attrs.field(factory=dict)
    intervals: dict[tuple[int, int], int] = attrs.field(factory=dict)
    issued: int = 0
    emitted: int = 0
    writes: int = 0
    loaded: int = 0
    written: int = 0
    evicted: int = 0
    lost: int = 0
    bypassed: int = 0
    violations: int = 0
    messages: int = 0
    suppressed: int = 0

    # ── looking ─────────────────────────────────────────────

    def home(self, number: int) -> int:
        if self.organisation == MANAGED:
            return (number // self.ways) % self.sets
        return number % self.sets

    def spot(self, number: int) -> tuple[int, int] | None:
        """Find a line, throwing away what a past generation left of it."""
        for place, entry in list(self.where.items()):
            if entry.number == number:
                if not entry.dead:
                    return place
                del self.where[place]
        return None

    def seen(self, number: int) -> int:
        for entry in self.where.values():
            if entry.number == number and entry.valid and not entry.dead:
                return entry.data
        return self.backing.get(number, 0)

    def held(self, tenant: str | None = None, level: str | None = None) -> int:
        return sum(
            entry.level != "NONE"
            and not entry.dead
            and tenant in (None, entry.tenant)
            and level in (None, entry.level)
            for entry in self.where.values()
        )

    def count(self, index: int, level: str) -> int:
        return sum(
            place[0] == index and not entry.dead and entry.level == level
            for place, entry in self.where.items()
        )

    # ── policies ────────────────────────────────────────────

    def note(self, index: int, way: int, *, fresh: bool) -> None:
        order = self.order.setdefault(index, [])
        if way in order:
            order.remove(way)
        order.append(way)
        self.intervals[index, way] = 2 if fresh else 0
        tree, low, high = self.trees.setdefault(index, {}), 0, self.width()
        while high - low > 1:
            middle = (low + high) // 2
            tree[low, high] = "low" if way < middle else "high"
            low, high = (low, middle) if way < middle else (middle, high)

    def width(self) -> int:
        width = 1
        while width < self.ways:
            width = width + width
        return width

    def choose(self, index: int, ways: list[int]) -> int:
        if self.replacement == LRU:
            return next(way for way in self.order[index] if way in ways)
        if self.replacement == RRIP:
            while not any(self.intervals[index, way] == 3 for way in ways):
                for way in ways:
                    self.intervals[index, way] += 1
            return next(way for way in ways if self.intervals[index, way] == 3)
        if self.replacement == RANDOM:
            self.seed = (self.seed ^ (self.seed * 2**13)) % 2**32
            self.seed = self.seed ^ (self.seed // 2**17)
            self.seed = (self.seed ^ (self.seed * 2**5)) % 2**32
            return ways[self.seed % len(ways)]
        low, high = 0, self.width()
        while high - low > 1:
            middle = (low + high) // 2
            halves = {"low": (low, middle), "high": (middle, high)}
            used = self.trees[index].get((low, high), "high")
            wish = "high" if used == "low" else "low"
            if not any(halves[wish][0] <= way < halves[wish][1] for way in ways):
                wish = used
            low, high = halves[wish]
        return low

    # ── ways ────────────────────────────────────────────────

    def clean(self, entry: Entry) -> None:
        if entry.dirty:
            self.backing[entry.number] = entry.data
            entry.dirty = False
            self.written += 1

    def tell(self, kind: str, tenant: str, handle: int, first: int, count: int) -> None:
        self.events.append((kind, tenant, handle, first, count))
        self.emitted += 1

    def way(self, index: int) -> int | None:
        here = {way: e for (i, way), e in self.where.items() if i == index}
        for way in range(self.ways):
            if way not in here:
                return way
        for way in range(self.ways):
            if here[way].dead:
                del self.where[index, way]
                return way
        for level in ("NONE", "SOFT"):
            ways = sorted(way for way, entry in here.items() if entry.level == level)
            if not ways:
                continue
            way = self.choose(index, ways)
            entry = here[way]
            if level == "SOFT":
                self.tell("RESIDENCY_LOSS", entry.tenant, entry.handle, entry.number, 1)
                self.clean(entry)
                self.tell("EVICTED", entry.tenant, entry.handle, entry.number, 1)
                self.lost += 1
            else:
                self.clean(entry)
                self.evicted += 1
            del self.where[index, way]
            return way
        return None

    def load(self, entry: Entry) -> None:
        entry.valid, entry.data = True, self.backing.get(entry.number, 0)
        self.loaded += 1

    # ── commands ────────────────────────────────────────────

    def plan(
        self, numbers: list[int], tenant: str, level: str, place: int | None
    ) -> list[int] | str:
        """Return the set of each line, or the fault."""
        if any(n in bound.numbers for bound in self.bindings.values() for n in numbers):
            return "TARGET_INVALID"
        if place is not None:
            good = (
                place in range(self.sets)
                if self.organisation == MANAGED
                else place == self.home(numbers[0])
            )
            if not good:
                return "TARGET_INVALID"
        if self.held(tenant) + len(numbers) > self.quotas.get(tenant, 0):
            return "QUOTA_EXCEEDED"
        if level == "WIRED" and self.held(level="WIRED") + len(numbers) > self.budget:
            return "NO_SPACE"
        left = {}
        for index in range(self.sets):
            wired, soft = self.count(index, "WIRED"), self.count(index, "SOFT")
            kept = 0 if self.organisation == DIRECT else 1
            left[index] = self.ways - wired - (soft if level == "SOFT" else kept)
        chosen = []
        for number in numbers:
            if self.organisation != MANAGED:
                options = [self.home(number)]
            else:
                options = list(range(self.sets)) if place is None else [place]
            options = [index for index in options if left[index] > 0]
            if not options:
                return "NO_SPACE"
            left[options[0]] -= 1
            chosen.append(options[0])
        return chosen

    def bind(
        self, numbers: list[int], tenant: str, flags: set[str], place: int | None
    ) -> int | str:
        level = "SOFT" if "SOFT_PIN" in flags else "WIRED"
        chosen = self.plan(numbers, tenant, level, place)
        if isinstance(chosen, str):
            return chosen
        self.issued += 1
        bound = Bound(tenant, numbers, level, "IMMUTABLE" in flags)
        self.bindings[self.issued] = bound
        later = []
        for number, index in zip(numbers, chosen, strict=True):
            spot = self.spot(number)
            if spot is not None and spot[0] == index:
                self.pin(self.where[spot], bound)
            else:
                later.append((number, index))
        for number, index in later:
            way = self.way(index)
            assert way is not None
            spot = self.spot(number)
            entry = Entry(number) if spot is None else self.where.pop(spot)
            self.where[index, way] = entry
            self.note(index, way, fresh=True)
            self.pin(entry, bound)
        if "PREFETCH" in flags:
            for number in numbers:
                spot = self.spot(number)
                assert spot is not None
                if not self.where[spot].valid:
                    self.load(self.where[spot])
        return self.issued

    def pin(self, entry: Entry, bound: Bound) -> None:
        entry.level, entry.tenant, entry.handle = bound.level, bound.tenant, self.issued
        entry.immutable = bound.immutable
        if bound.immutable:
            self.clean(entry)

    def release(self, handle: int, mode: str) -> str | None:
        if handle not in self.bindings:
            return "INVALID_HANDLE"
        bound = self.bindings.pop(handle)
        self.old.append(handle)
        for number in bound.numbers:
            for place, entry in list(self.where.items()):
                if entry.number != number or entry.handle != handle:
                    continue
                if mode == "INVALIDATE" or not entry.valid:
                    del self.where[place]
                    continue
                self.clean(entry)
                self.where[place] = Entry(number, valid=True, data=entry.data)
                self.note(*place, fresh=False)
        return None

    def invalidate(self, tenant: str, *, wraps: bool) -> None:
        gone = [handle for handle, bound in self.bindings.items() if bound.tenant == tenant]
        for handle in gone:
            del self.bindings[handle]
        self.old += gone
        for place, entry in list(self.where.items()):
            if entry.level != "NONE" and entry.tenant == tenant:
                entry.dead = True
                if wraps:
                    del self.where[place]
        if wraps:
            self.tell("GENERATION_WRAP", tenant, 0, 0, 0)

    def touch(self, number: int) -> tuple[str, Entry | None]:
        spot = self.spot(number)
        if spot is None:
            index = self.home(number)
            way = self.way(index)
            if way is None:
                self.bypassed += 1
                return "past", None
            spot = (index, way)
            self.where[spot] = Entry(number)
            self.note(*spot, fresh=True)
        else:
            self.note(*spot, fresh=False)
        entry = self.where[spot]
        if entry.valid:
            return "hit", entry
        self.load(entry)
        return "miss", entry

    def read(self, numbers: list[int]) -> tuple[int, int, int]:
        found = [self.touch(number)[0] for number in numbers]
        self.loaded += found.count("past")
        return found.count("hit"), len(found) - found.count("hit"), found.count("past")

    def stopped(self, numbers: list[int]) -> bool:
        struck = [
            (min(bound.numbers), handle)
            for handle, bound in self.bindings.items()
            if bound.immutable and any(number in bound.numbers for number in numbers)
        ]
        if not struck:
            return False
        handle = min(struck)[1]
        tenant = self.bindings[handle].tenant
        self.violations += 1
        self.tell("BINDING_VIOLATION", tenant, handle, numbers[0], len(numbers))
        return True

    def write(self, numbers: list[int]) -> tuple[int, int, int] | str:
        if self.stopped(numbers):
            return "BINDING_VIOLATION"
        self.writes += 1
        found = []
        for number in numbers:
            how, entry = self.touch(number)
            found.append(how)
            if entry is None:
                self.backing[number] = self.writes
                self.written += 1
            else:
                entry.data, entry.dirty = self.writes, True
        return found.count("hit"), len(found) - found.count("hit"), found.count("past")

    def probe(self, numbers: list[int], kind: str) -> str | None:
        if kind == "WRITE" and self.stopped(numbers):
            return "BINDING_VIOLATION"
        self.writes += kind == "WRITE"
        for number in numbers:
            spot = self.spot(number)
            if spot is not None and self.where[spot].valid:
                entry = self.where[spot]
                if entry.immutable:
                    self.suppressed += 1
                else:
                    self.messages += 1
                    self.clean(entry)
                    if kind == "WRITE" and entry.level == "NONE":
                        del self.where[spot]
                    elif kind == "WRITE":
                        entry.valid = False
            if kind == "WRITE":
                self.backing[number] = self.writes
        return None
