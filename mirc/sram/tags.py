"""Line numbers into hits, victims and bound lines: the tag array."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from mirc.ir.enums import PinLevel
from mirc.kernels.build import compiled
from mirc.kernels.lines import play as runs
from mirc.kernels.lines import state as rows
from mirc.kernels.lines.array import drop, kept, lies, stale
from mirc.machine import Organisation, Replacement
from mirc.sram.geometry import Geometry
from mirc.sram.ledger import Binding, Ledger
from mirc.sram.replacement import RULES, Policy, Random, Xorshift
from mirc.sram.words import NO_BINDING, Counters, EventKind, Handle, Range

PYTHON_LINES = 100_000
"""Lines that are played in plain Python before the rest is worth machine code."""

PYTHON, COMPILED = "python", "compiled"

_NOWHERE = -1
_PINS = {PinLevel.NONE: rows.OPEN, PinLevel.SOFT: rows.SOFT, PinLevel.WIRED: rows.WIRED}
_LEVELS = {pin: level for level, pin in _PINS.items()}
_NUMBERS = {
    Replacement.LRU: rows.LRU,
    Replacement.TREE_PLRU: rows.TREE_PLRU,
    Replacement.RRIP: rows.RRIP,
    Replacement.RANDOM: rows.RANDOM,
}


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


_EMPTY = Line(_NOWHERE)  # what a way that holds nothing is shown as


@attrs.frozen
class _Set:
    ways: list[Line]
    policy: Policy


@attrs.frozen(kw_only=True)
class Run:
    """One thing done to consecutive lines: an operation of ``mirc.kernels.lines.play``.

    ``tenant`` is whom an access is counted for, or who binds; 0 is nobody, others count from 1.
    """

    does: int
    lines: range
    tenant: int = 0
    write: int = 0
    binding: Binding | None = None

    def row(self) -> tuple[int, ...]:
        """Return it as columns."""
        bound = self.binding
        named = (0, 0, 0)
        if bound is not None:
            named = (bound.handle.number, _PINS[bound.level], int(bound.immutable))
        return (self.does, self.lines.start, len(self.lines), self.tenant, self.write, *named)


class TagArray:
    """All sets, and what lies behind them off chip.

    A bound line whose generation is over is empty: it neither hits, nor counts, nor is written
    back. It is found out where it is met, so that ending a generation visits no line.

    What is done to lines is done by ``mirc.kernels.lines``: in Python as it stands until
    ``PYTHON_LINES`` were played, then in machine code, with the same outcome. ``path`` forces one.
    """

    def __init__(
        self, geometry: Geometry, ledger: Ledger, seed: int, path: str | None = None
    ) -> None:
        """Begin with an empty array."""
        self.geometry, self.ledger, self.seed = geometry, ledger, seed
        self.violations = 0
        self._tenants = ("", *ledger.registers)
        self._column = {tenant: column for column, tenant in enumerate(ledger.registers, 1)}
        self._lines = rows.sparse_lines(
            _NUMBERS[geometry.replacement],
            geometry.ways,
            geometry.sets,
            Xorshift(seed).state,
            ledger.tenants,
        )
        striped = geometry.organisation is Organisation.SOFTWARE_MANAGED
        self._lines.now[rows.STRIPED] = int(striped)
        self._path, self._played, self._wrote = path, 0, False
        self._loop: Callable[..., Any] = runs.play

    # ── what is where ───────────────────────────────────────

    @property
    def counters(self) -> Counters:
        """What was counted so far, as it stands."""
        now = self._lines.now
        return Counters(
            loaded_lines=int(now[rows.LOADED]),
            written_lines=int(now[rows.WRITTEN]),
            evicted_lines=int(now[rows.EVICTED]),
            lost_lines=int(now[rows.LOST]),
            bypassed_lines=int(now[rows.PASSED]),
            violations=self.violations,
            coherence_messages=int(now[rows.MESSAGES]),
            suppressed_messages=int(now[rows.SUPPRESSED]),
        )

    def contents(self, number: int) -> int:
        """Return the data that a read of the line would see."""
        slot = lies(self._lines, number)
        if slot < 0 or stale(self._lines, slot) or not self._lines.line[rows.VALID, slot]:
            return int(kept(self._lines, number))
        return int(self._lines.line[rows.DATA, slot])

    def lines(self) -> Iterator[tuple[int, int, Line]]:
        """Yield the set, the way and a copy of every line, sets and ways ascending."""
        for slot in self._held():
            if not stale(self._lines, slot):
                index, way = divmod(slot, self.geometry.ways)
                yield index, way, self._line(slot)

    def room(self, index: int, level: PinLevel) -> int:
        """Return how many more lines of a set may be bound so.

        Wired ones leave the open ways of the geometry, and displace soft ones; soft ones displace
        no bound line.
        """
        ways = self.geometry.ways
        line = self._lines.line
        held = range(index * ways, (index + 1) * ways)
        if not self._lines.sets[rows.BOUND, index]:
            held = range(0)
        pins = [int(line[rows.PIN, slot]) for slot in held if not stale(self._lines, slot)]
        left = ways - pins.count(rows.WIRED)
        if level is PinLevel.SOFT:
            return left - pins.count(rows.SOFT)
        return left - self.geometry.open_ways

    # ── what is done to lines ───────────────────────────────

    def play(self, what: Sequence[Run], places: Iterable[int] = ()) -> list[tuple[int, int]]:
        """Play runs one after another; return, for nobody and each tenant, hits and lines past.

        ``places`` has the set that each line of a BIND is to be in, which has room for it. What
        is there already stays as it is, and is bound first; of the others, what is cached in
        another set moves, and what is not on chip gets a way that is reserved and not valid.
        """
        written = sum(len(r.lines) for r in what if r.does in (runs.WRITE, runs.OVERWRITE))
        self._played += sum(len(run.lines) for run in what)
        self._wrote |= written > 0
        if self._loop is runs.play and self._worth_compiling():
            self._lines = rows.dense_lines(self._lines)
            self._loop = compiled(runs.play, self._lines)
        tenants = range(len(self._tenants))
        if self._loop is runs.play:
            table = {(r, c): v for r, run in enumerate(what) for c, v in enumerate(run.row())}
            tally: Any = defaultdict(int)
            self._loop(self._lines, table, len(what), list(places), tally)
        else:
            self._make_room(what, written)
            whole = np.array([run.row() for run in what], dtype=np.int64)
            tally = np.zeros((runs.COUNTED, len(tenants)), dtype=np.int64)
            where = np.fromiter(places, dtype=np.int64)
            self._loop(self._lines, whole, len(what), where, tally)
        self._tell()
        return [(int(tally[runs.HITS, t]), int(tally[runs.PASSED_BY, t])) for t in tenants]

    def bind(self, binding: Binding, places: Iterable[int], *, prefetch: bool) -> None:
        """Bind the lines of a binding, and load those that are not valid with ``prefetch``."""
        tenant = self._column[binding.tenant]
        what = [Run(does=runs.BIND, lines=binding.lines, tenant=tenant, binding=binding)]
        if prefetch:
            what.append(Run(does=runs.PREFETCH, lines=binding.lines, binding=binding))
        self.play(what, places)

    def of_binding(self, does: int, binding: Binding) -> int:
        """Do something to the lines of a binding that it did not lose; TALLY returns how many."""
        ((held, _), *_) = self.play([Run(does=does, lines=binding.lines, binding=binding)])
        return held

    def sweep(self, tenant: str) -> None:
        """Empty every line that a tenant bound, in whatever generation. O(lines)."""
        whose = self._column[tenant]
        for slot in self._held():
            if self._lines.line[rows.TENANT, slot] == whose:
                drop(self._lines, slot)

    # ── how ─────────────────────────────────────────────────

    def _worth_compiling(self) -> bool:
        return self._path == COMPILED or (self._path is None and self._played > PYTHON_LINES)

    def _make_room(self, what: Sequence[Run], written: int) -> None:
        """Let every line that is dirty or written be kept, and every soft one be lost."""
        soft = int(self._lines.tenant[rows.SOFT_LINES].sum())
        soft += sum(len(r.lines) for r in what if r.does == runs.BIND)
        dirty = self.geometry.sets * self.geometry.ways if self._wrote else 0
        self._lines = rows.roomy(self._lines, dirty + written, soft)

    def _tell(self) -> None:
        """Emit what there is to say of soft lines that gave way: before and after each loss."""
        now, lost = self._lines.now, self._lines.lost
        size = self.geometry.line_bytes
        for at in range(int(now[rows.LOSSES])):
            handle = Handle(int(lost[rows.LOST_HANDLE, at]))
            tenant = self._tenants[int(lost[rows.LOST_TENANT, at])]
            binding = self.ledger.bindings[handle]
            ahead = int(lost[rows.LOST_LINE, at]) - binding.lines.start
            place = Range(binding.target.memory, binding.target.address + ahead * size, size)
            self.ledger.emit(EventKind.RESIDENCY_LOSS, tenant, handle, place)
            self.ledger.emit(EventKind.EVICTED, tenant, handle, place)
        now[rows.LOSSES] = 0

    def _held(self) -> list[int]:
        """Return the ways that hold something, ascending."""
        line: Any = self._lines.line
        if isinstance(line, Mapping):
            return sorted(slot for (row, slot), held in line.items() if row == rows.HOLDS and held)
        found: list[int] = np.flatnonzero(line[rows.HOLDS]).tolist()
        return found

    def _line(self, slot: int) -> Line:
        cell = [int(self._lines.line[row, slot]) for row in range(rows.LINE_ROWS)]
        if not cell[rows.HOLDS]:
            return _EMPTY
        return Line(
            number=cell[rows.HOLDS] - 1,
            valid=bool(cell[rows.VALID]),
            dirty=bool(cell[rows.DIRTY]),
            data=cell[rows.DATA],
            pin=_LEVELS[cell[rows.PIN]],
            immutable=bool(cell[rows.IMMUTABLE]),
            tenant=self._tenants[cell[rows.TENANT]],
            generation=cell[rows.GENERATION],
            handle=Handle(cell[rows.HANDLE]),
        )

    # ── all of it, as text ──────────────────────────────────

    def __repr__(self) -> str:
        """Say all state: what two arrays differ in shows here, and how it is stored does not."""
        said = {
            "geometry": self.geometry,
            "ledger": self.ledger,
            "seed": self.seed,
            "counters": self.counters,
            "_sets": self._all_sets(),
            "_places": self._all_places(),
            "_backing": self._backing(),
        }
        return f"TagArray({', '.join(f'{name}={value!r}' for name, value in said.items())})"

    def _all_sets(self) -> dict[int, _Set]:
        """Return the sets that were asked for a way, in that order."""
        ways, each = self.geometry.ways, self._lines.sets
        if isinstance(each, Mapping):
            met = {s: when for (row, s), when in each.items() if row == rows.MEETING and when}
        else:
            met = {
                s: int(each[rows.MEETING, s]) for s in np.flatnonzero(each[rows.MEETING]).tolist()
            }
        return {
            s: _Set([self._line(s * ways + way) for way in range(ways)], self._policy(s))
            for s in sorted(met, key=met.__getitem__)
        }

    def _policy(self, index: int) -> Policy:
        if self.geometry.replacement is Replacement.RANDOM:
            return Random(Xorshift(int(self._lines.now[rows.STATE])))
        return RULES[self.geometry.replacement](self.geometry.ways, self._lines, index)

    def _all_places(self) -> dict[int, tuple[int, int]]:
        """Return set and way by number, in the order in which lines were put there."""
        line = self._lines.line
        held = sorted(self._held(), key=lambda slot: int(line[rows.PLACE, slot]))
        return {int(line[rows.HOLDS, at]) - 1: divmod(at, self.geometry.ways) for at in held}

    def _backing(self) -> dict[int, int]:
        """Return the data off chip by number, in the order in which it was first written."""
        table = self._lines.kept
        kept_rows = range(int(self._lines.now[rows.KEPT]))
        return {int(table[rows.KEY, k]): int(table[rows.KEPT_DATA, k]) for k in kept_rows}
