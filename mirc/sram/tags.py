"""Line numbers into hits, victims and bound lines: the tag array."""

from collections.abc import Callable, Iterable, Iterator

import attrs

from mirc.ir.enums import PinLevel
from mirc.sram.geometry import Geometry
from mirc.sram.ledger import Binding, Ledger
from mirc.sram.replacement import Policy, policies
from mirc.sram.words import NO_BINDING, Counters, EventKind, Handle, Range

NO_WAY = -1
"""What stands for a way where there is none: every way of the set is wired."""

_NOWHERE = -1


@attrs.define(eq=False)
class Line:
    """One tag entry, and which write made its bytes (``data``; 0 is what was there at first).

    ``tenant``, ``generation`` and ``handle`` say who bound it, and mean nothing unless it is
    pinned. A bound line that is not ``valid`` is reserved: its first access loads it.
    """

    number: int
    valid: bool = False
    dirty: bool = False
    data: int = 0
    pin: PinLevel = PinLevel.NONE
    immutable: bool = False
    tenant: str = ""
    generation: int = 0
    handle: Handle = NO_BINDING

    @property
    def wired(self) -> bool:
        """The WIRED bit: the line is never a victim."""
        return self.pin is PinLevel.WIRED


_EMPTY = Line(_NOWHERE)  # stands in every way that holds nothing, and is never changed


@attrs.define
class _Set:
    ways: list[Line]
    policy: Policy


@attrs.define
class TagArray:
    """All sets, made when first touched, and what lies behind them off chip.

    A bound line whose generation is over is empty: it neither hits, nor counts, nor is written
    back. It is found out where it is met, so that ending a generation visits no line.
    """

    geometry: Geometry
    ledger: Ledger
    seed: int
    counters: Counters = attrs.field(factory=Counters)
    _sets: dict[int, _Set] = attrs.field(factory=dict)
    _places: dict[int, tuple[int, int]] = attrs.field(factory=dict)  # set and way by number
    _backing: dict[int, int] = attrs.field(factory=dict)  # data by number, 0 if absent
    _policy: Callable[[], Policy] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._policy = policies(self.geometry.replacement, self.geometry.ways, self.seed)

    # ── what is where ───────────────────────────────────────

    def find(self, number: int) -> Line | None:
        """Return the entry that holds or awaits a line."""
        line = self._entry(number)
        if line is not None and self._is_stale(line):
            self._drop(number)
            return None
        return line

    def contents(self, number: int) -> int:
        """Return the data that a read of the line would see."""
        line = self._entry(number)
        if line is None or self._is_stale(line) or not line.valid:
            return self._backing.get(number, 0)
        return line.data

    def lines(self) -> Iterator[tuple[int, int, Line]]:
        """Yield the set, the way and a copy of every line, sets and ways ascending."""
        for index in sorted(self._sets):
            for way, line in enumerate(self._sets[index].ways):
                if line is not _EMPTY and not self._is_stale(line):
                    yield index, way, attrs.evolve(line)

    def room(self, index: int, level: PinLevel) -> int:
        """Return how many more lines of a set may be bound so.

        Wired ones leave the open ways of the geometry, and displace soft ones; soft ones displace
        no bound line.
        """
        found = self._sets.get(index)
        held = [] if found is None else found.ways
        pins = [line.pin for line in held if not self._is_stale(line)]
        ways = self.geometry.ways - pins.count(PinLevel.WIRED)
        if level is PinLevel.SOFT:
            return ways - pins.count(PinLevel.SOFT)
        return ways - self.geometry.open_ways

    # ── bindings ────────────────────────────────────────────

    def bind(self, binding: Binding, places: Iterable[tuple[int, int]]) -> None:
        """Bind lines, each given with the set that it is to be in, which has room for it.

        What is there already stays as it is, and is bound first; of the others, what is cached in
        another set moves, and what is not on chip gets a way that is reserved and not valid.
        """
        absent = []
        for number, index in places:
            line = self.find(number)
            if line is not None and self._places[number][0] == index:
                self._hold(line, binding)
            else:
                absent.append((number, index))
        for number, index in absent:
            way = self._way(index)
            cached = self.find(number)
            if cached is None:
                cached = Line(number)
            else:
                self._drop(number)
            self._put(cached, index, way)
            self._hold(cached, binding)

    def prefetch(self, binding: Binding) -> None:
        """Load those lines of a binding that are not valid."""
        for line in self.held(binding):
            if not line.valid:
                self._load(line)

    def held(self, binding: Binding) -> Iterator[Line]:
        """Yield the lines of a binding that it did not lose."""
        for number in binding.lines:
            line = self.find(number)
            if line is not None and line.handle == binding.handle:
                yield line

    def write_back(self, binding: Binding) -> None:
        """End a binding: its valid lines become cached ones, just used and clean."""
        for line in self.held(binding):
            index, way = self._places[line.number]
            self._count(line, -1)
            if not line.valid:
                self._drop(line.number)
                continue
            self._clean(line)
            found = self._sets[index]
            found.ways[way] = Line(line.number, valid=True, data=line.data)
            found.policy.use(way)

    def empty(self, binding: Binding) -> None:
        """End a binding: its lines are empty, and what is dirty is lost."""
        for line in self.held(binding):
            self._count(line, -1)
            self._drop(line.number)

    def sweep(self, tenant: str) -> None:
        """Empty every line that a tenant bound, in whatever generation. O(lines)."""
        for line in [line for found in self._sets.values() for line in found.ways]:
            if line.pin is not PinLevel.NONE and line.tenant == tenant:
                self._drop(line.number)

    # ── accesses ────────────────────────────────────────────

    def use(self, number: int) -> tuple[Line | None, bool]:
        """Use a line, loading it if it must be; return it and whether it was there.

        The line is None if every way of its set is wired.
        """
        line = self.find(number)
        if line is None:
            index = self.geometry.home(number)
            way = self._way(index)
            if way == NO_WAY:
                self.counters.bypassed_lines += 1
                return None, False
            line = Line(number)
            self._put(line, index, way)
        else:
            index, way = self._places[number]
            self._sets[index].policy.use(way)
        hit = line.valid
        if not hit:
            self._load(line)
        return line, hit

    def read_past(self) -> None:
        """Read a line off chip, past the array."""
        self.counters.loaded_lines += 1

    def write_past(self, number: int, data: int) -> None:
        """Write a line off chip, past the array."""
        self._backing[number] = data
        self.counters.written_lines += 1

    def snoop(self, number: int) -> Line | None:
        """Return the valid copy that takes part in coherence, cleaned for another agent's use."""
        line = self.find(number)
        if line is None or not line.valid:
            return None
        if line.immutable:
            self.counters.suppressed_messages += 1
            return None
        self.counters.coherence_messages += 1
        self._clean(line)
        return line

    def overwrite(self, number: int, data: int) -> None:
        """Let another agent write a line off chip: a copy is dropped, a bound one not valid."""
        line = self.snoop(number)
        self._backing[number] = data
        if line is None:
            return
        if line.pin is PinLevel.NONE:
            self._drop(number)
        else:
            line.valid = False

    # ── one line ────────────────────────────────────────────

    def _entry(self, number: int) -> Line | None:
        place = self._places.get(number)
        return None if place is None else self._sets[place[0]].ways[place[1]]

    def _is_stale(self, line: Line) -> bool:
        return line.pin is not PinLevel.NONE and not self.ledger.is_current(
            line.tenant, line.generation
        )

    def _hold(self, line: Line, binding: Binding) -> None:
        line.pin = binding.level
        line.immutable = binding.immutable
        line.tenant, line.generation = binding.tenant, binding.generation
        line.handle = binding.handle
        self._count(line, +1)
        if binding.immutable:
            self._clean(line)  # from now on its backing is written by nobody

    def _count(self, line: Line, lines: int) -> None:
        register = self.ledger.registers[line.tenant]
        if line.wired:
            register.wired_lines += lines
        else:
            register.soft_lines += lines

    def _load(self, line: Line) -> None:
        line.data = self._backing.get(line.number, 0)
        line.valid = True
        self.counters.loaded_lines += 1

    def _clean(self, line: Line) -> None:
        if line.dirty:
            self._backing[line.number] = line.data
            line.dirty = False
            self.counters.written_lines += 1

    # ── ways ────────────────────────────────────────────────

    def _set(self, index: int) -> _Set:
        found = self._sets.get(index)
        if found is None:
            found = self._sets[index] = _Set([_EMPTY] * self.geometry.ways, self._policy())
        return found

    def _put(self, line: Line, index: int, way: int) -> None:
        found = self._sets[index]
        found.ways[way] = line
        found.policy.fill(way)
        self._places[line.number] = (index, way)

    def _drop(self, number: int) -> None:
        index, way = self._places.pop(number)
        self._sets[index].ways[way] = _EMPTY

    def _way(self, index: int) -> int:
        """Return a way of a set for another line: an empty one, a stale one, or a victim's."""
        found = self._set(index)
        if _EMPTY in found.ways:
            return found.ways.index(_EMPTY)
        for way, line in enumerate(found.ways):
            if self._is_stale(line):
                self._drop(line.number)
                return way
        for level in (PinLevel.NONE, PinLevel.SOFT):  # a wired line is in neither list
            candidates = [way for way, line in enumerate(found.ways) if line.pin is level]
            if candidates:
                way = found.policy.victim(candidates)
                self._evict(found.ways[way])
                return way
        return NO_WAY

    def _evict(self, line: Line) -> None:
        if line.pin is PinLevel.SOFT:
            self._lose(line)
            return
        self._clean(line)
        self._drop(line.number)
        self.counters.evicted_lines += 1

    def _lose(self, line: Line) -> None:
        """Evict a soft line: first its event, then its bytes, then that it is done."""
        binding = self.ledger.bindings[line.handle]
        size = self.geometry.line_bytes
        address = binding.target.address + (line.number - binding.lines.start) * size
        at = Range(binding.target.memory, address, size)
        self.ledger.emit(EventKind.RESIDENCY_LOSS, line.tenant, line.handle, at)
        self._clean(line)
        self._count(line, -1)
        self._drop(line.number)
        self.counters.lost_lines += 1
        self.ledger.emit(EventKind.EVICTED, line.tenant, line.handle, at)
