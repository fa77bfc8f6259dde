"""Declared ladders into a stage that narrows and widens weights while a run goes on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

import attrs
import numpy as np

from mirc.controller.execute import leave
from mirc.controller.observe import survey
from mirc.controller.precision.plan import fit, to_floor
from mirc.controller.precision.states import State
from mirc.controller.precision.units import Form
from mirc.controller.precision.veto import Veto, rule
from mirc.controller.stage import Happening
from mirc.ir.enums import DType, bits_of
from mirc.kernels import world as k
from mirc.kernels.events import PRESSURE
from mirc.kernels.resize import narrow, settled, widen
from mirc.kernels.world import World
from mirc.simulate.ladders import Managed, Physics
from mirc.simulate.model import Ints

GAP = 0.02  # of near memory: thresholds of lowering and raising lie two of these apart
DWELL = 4  # times that room must be found to spare before a unit is widened
INTERVAL = 64  # steps between two looks at the pressure
PAYBACK = 32  # runs of a phase within which a narrow copy must pay for its writing
MOST_CHANGES = 256  # conversions before one step


class Aim(StrEnum):
    """What lowering is for."""

    FIT = "fit"
    """As little as lets weights stay near: none where all fit."""
    SPEED = "speed"
    """Down to the floors: least bytes to hold, to move and to read."""


@attrs.frozen(kw_only=True)
class Precision:
    """What became of the precision of a run's weights; all bytes are those of the end.

    ``units`` are the weights, ``able`` those that may be narrower than they are. ``held`` counts
    units and bytes by the type that they are held in; ``full_bytes`` is what all would take,
    ``copies_bytes`` what narrow copies take below, beside the masters that stay.
    ``lowered_bytes`` of full precision are narrower, by the level of their sensitivity.
    ``converted`` counts conversions to fewer bits and ``converting_ps`` the time that steps waited
    for them, ``widened`` those back. ``refused`` had no room below for a copy, ``unpaid`` are
    used too rarely to pay for one, ``vetoed`` would have crossed a floor. ``short_bytes`` did not
    fit when looked at last, and streamed.
    """

    aim: Aim
    units: int
    able: int
    full_bytes: int
    near_bytes: int
    copies_bytes: int
    held: tuple[tuple[str, int, int], ...]
    lowered_bytes: tuple[tuple[float, int], ...]
    converted: int
    converting_ps: int
    widened: int
    refused: int
    unpaid: int
    vetoed: int
    short_bytes: int


class PrecisionStage:
    """Keeps each weight at the rung that room and floors ask for; one for each run.

    It looks at the pressure every ``interval`` steps and converts what is due as it lies near,
    between two steps, never in flight. Masters stay where they are.
    """

    name = "precision"

    def __init__(
        self, units: Sequence[Managed], physics: Physics, aim: Aim, interval: int = INTERVAL
    ) -> None:
        self.aim = aim
        self._interval = interval
        self._units = tuple(units)
        self._of = np.array([each.object for each in units], dtype=np.int64)
        self._physics = physics
        self._now = np.zeros(len(units), dtype=np.int64)
        self._want = np.zeros(len(units), dtype=np.int64)
        self._planned: int | None = None
        self._planned_for = 0  # units that were alive then
        self._spare = 0
        self._due = 0
        self._pause = 1
        self._look = 0
        self._short = 0
        self._counts: Counter[str] = Counter()
        self._unpaid: set[int] = set()
        self._refused: set[int] = set()
        self._vetoed: set[int] = set()

    @property
    def rungs(self) -> Ints:
        """The rung of each unit now."""
        return self._now.copy()

    def due(self, step: int) -> int:
        """Return the next step before which something may be converted or looked at."""
        return max(step, min(self._due, self._look))

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Look at the pressure if it is time, then convert what lies still."""
        if step >= self._look:
            self._look = step + self._interval
            yield from self._plan(w, step)
        if step < self._due:
            return
        changed = 0
        for index in self._movable(w):
            happening = self._convert(w, step, index)
            changed += happening is not None
            if happening is not None:
                yield happening
        pending = bool((self._want != self._now).any())
        self._pause = 1 if changed else min(2 * self._pause, INTERVAL)
        self._due = step + self._pause if pending else k.NEVER

    def outcome(self) -> Precision:
        """Return what became of the weights, once the run is over."""
        held: dict[str, list[int]] = {}
        lowered: Counter[float] = Counter()
        near = copies = 0
        for each, rung in zip(self._units, self._now.tolist(), strict=True):
            size = each.unit.rungs[rung]
            entry = held.setdefault(each.dtypes[rung], [0, 0])
            entry[0] += 1
            entry[1] += size
            near += size
            if rung:
                copies += size
                lowered[each.unit.sensitivity] += each.unit.size_bytes
        return Precision(
            aim=self.aim,
            units=len(self._units),
            able=sum(each.unit.lowest > 0 for each in self._units),
            full_bytes=sum(each.unit.size_bytes for each in self._units),
            near_bytes=near,
            copies_bytes=copies,
            held=tuple(
                (dtype, held[dtype][0], held[dtype][1]) for dtype in sorted(held, key=_widest_first)
            ),
            lowered_bytes=tuple(sorted(lowered.items())),
            converted=self._counts["narrow"],
            converting_ps=self._counts["converting"],
            widened=self._counts["widen"],
            refused=len(self._refused),
            unpaid=len(self._unpaid),
            vetoed=len(self._vetoed),
            short_bytes=self._short,
        )

    def _plan(self, w: World, step: int) -> Iterator[Happening]:
        """Choose the rungs again where the room has changed by more than the gap.

        Lowered as soon as it is short, and for a gap less than there is; raised when two gaps more
        than that, or the room of units that have ended, have been there for ``DWELL`` looks.
        """
        if self.aim is Aim.SPEED:
            if self._planned is None:
                self._planned = 0
                floors = to_floor([each.unit for each in self._units])
                self._follow(step, floors.rungs)
            return
        living = self._living(w)
        units = [self._units[index].unit for index in living]
        capacity = int(w.mem[k.CAPACITY, k.NEAR])
        room = capacity - int(survey(w).made_bytes)
        gap = int(GAP * capacity)
        wanted = self._want[living].tolist()
        need = sum(unit.rungs[rung] for unit, rung in zip(units, wanted, strict=True))
        self._short = max(0, need - room)
        tight = need > room and (self._planned is None or room - gap < self._planned)
        fewer = len(living) < self._planned_for
        roomy = self._planned is not None and (fewer or room - 2 * gap > self._planned)
        self._spare = self._spare + 1 if roomy else 0
        if tight or self._spare >= DWELL:
            self._planned = room - gap
            self._planned_for = len(living)
            self._spare = 0
            found = fit(units, self._planned)
            self._short = max(0, found.near_bytes - room)
            rungs = self._now.copy()
            rungs[living] = found.rungs
            self._follow(step, rungs.tolist())
            if found.short_bytes:
                yield from self._at_floors(w, step, living)

    def _living(self, w: World) -> list[int]:
        """Return the units whose tenants have not ended, by index; the others need no room."""
        found: list[int] = np.flatnonzero(w.obj[k.GONE, self._of] == 0).tolist()
        return found

    def _follow(self, step: int, rungs: Sequence[int]) -> None:
        self._want = np.array(rungs, dtype=np.int64)
        self._due = step
        self._pause = 1

    def _at_floors(self, w: World, step: int, living: Sequence[int]) -> Iterator[Happening]:
        """Say, once of each unit, that a floor keeps it from being narrower."""
        for index in living:
            each, rung = self._units[index], int(self._want[index])
            if rung + 1 == len(each.unit.rungs) or index in self._vetoed:
                continue
            ruling = rule(each.unit, _near(rung), _near(rung + 1))
            if ruling.veto is Veto.FLOOR:
                self._vetoed.add(index)
                yield self._row(w, step, index, rung + 1, "vetoed", ruling.why)

    def _movable(self, w: World) -> list[int]:
        """Return the units that are due and lie still, by index: O(n) of plain array operations."""
        behind = np.flatnonzero(self._want != self._now)
        objects = self._of[behind]
        narrower = self._want[behind] > self._now[behind]
        state = w.obj[k.STATE, objects]
        there = ~narrower | (state == k.RESIDENT)
        still = (w.obj[k.CLASS, objects] == k.NONE) & (w.obj[k.AHEAD, objects] == 0)
        still &= w.obj[k.GONE, objects] == 0  # with its tenant its master ended, too
        found: list[int] = behind[there & still][:MOST_CHANGES].tolist()
        return found

    def _convert(self, w: World, step: int, index: int) -> Happening | None:
        """Take one unit to its rung, or say why not; None if it must wait."""
        each, rung = self._units[index], int(self._want[index])
        if not settled(w, each.object):
            return None
        if rung <= self._now[index]:
            return self._widened(w, step, index)
        ruling = rule(each.unit, _near(int(self._now[index])), _near(rung))
        if ruling.veto is not None:
            self._want[index] = self._now[index]
            self._vetoed.add(index)
            return self._row(w, step, index, rung, "vetoed", ruling.why)
        if self._short and not self._pays(w, index, rung):
            self._want[index] = self._now[index]
            self._unpaid.add(index)
            why = f"its uses would not pay for a copy within {PAYBACK} runs"
            return self._row(w, step, index, rung, "refused", why)
        return self._narrowed(w, step, index)

    def _pays(self, w: World, index: int, rung: int) -> bool:
        """Tell whether a unit that streams saves more on its way in than its copy takes down.

        One that will stay near is not asked: it makes room.
        """
        each, now = self._units[index], int(self._now[index])
        table = self._physics.service_ps
        saved, spent = (
            sum(
                int(of[w.route[way, w.obj[k.HOME, each.object], 1 + hop], each.object])
                for hop in range(int(w.route[way, w.obj[k.HOME, each.object], 0]))
            )
            for way, of in ((k.INWARD, table[now] - table[rung]), (k.OUTWARD, table[rung]))
        )
        return each.chosen * PAYBACK * saved > spent

    def _narrowed(self, w: World, step: int, index: int) -> Happening | None:
        each, rung, now = self._units[index], int(self._want[index]), int(self._now[index])
        if w.obj[k.DIRTY, each.object] == 1:
            return None  # its last narrow copy is not below yet
        stored = each.unit.rungs[now] if now else 0
        service_ps = self._service_ps(w, each.object, now, rung)
        if not narrow(w, each.object, each.unit.rungs[rung], stored, service_ps):
            self._want[index] = now
            self._refused.add(index)
            return self._row(w, step, index, rung, "refused", "no room below for its copy")
        self._charge(w, each, now, rung)
        self._counts["narrow"] += 1
        return self._settle(w, step, index, rung)

    def _widened(self, w: World, step: int, index: int) -> Happening | None:
        """Drop a narrow unit and its copy; its next fetch brings the master."""
        each = self._units[index]
        o = each.object
        if w.obj[k.STATE, o] == k.RESIDENT:
            if w.obj[k.OFFERED, o] == 0 or w.obj[k.DIRTY, o] == 1:
                return None
            leave(w, o, PRESSURE)
        service_ps = self._service_ps(w, o, int(self._now[index]), 0)
        if not widen(w, o, each.unit.size_bytes, service_ps):
            return None
        self._counts["widen"] += 1
        return self._settle(w, step, index, 0)

    def _settle(self, w: World, step: int, index: int, rung: int) -> Happening:
        """Let what a use reads follow the rung, as bytes held and moved do."""
        row = self._row(w, step, index, rung, "done", "")
        unit, o = self._units[index].unit, self._units[index].object
        self._now[index] = rung
        spared = unit.size_bytes - unit.rungs[rung]
        w.obj[k.SPARED_PS, o] = round(spared * self._physics.near_ps)
        return row

    def _service_ps(self, w: World, o: int, now: int, rung: int) -> Ints:
        """Return what a rung occupies each link for; a link that is slower now stays so."""
        before, after = self._physics.service_ps[now, :, o], self._physics.service_ps[rung, :, o]
        slowed = np.rint(w.service[:, o] * (after / np.maximum(before, 1))).astype(np.int64)
        return np.where(w.service[:, o] == before, after, slowed)

    def _charge(self, w: World, each: Managed, now: int, rung: int) -> None:
        """Let the next step wait for what reading the old form and writing the new one takes."""
        moved = each.unit.rungs[now] + each.unit.rungs[rung]
        spent = round(moved * self._physics.near_ps)
        w.run[k.EXTRA_PS] += spent
        self._counts["converting"] += spent

    def _row(  # noqa: PLR0917
        self, w: World, step: int, index: int, rung: int, outcome: str, why: str
    ) -> Happening:
        each, now = self._units[index], int(self._now[index])
        freed = each.unit.rungs[now] - each.unit.rungs[rung]
        doubt = each.unit.sensitivity * max(0, rung - now)
        spared = round(freed * self._physics.near_ps)
        gain = f"gain {freed} bytes near and {spared} ps a use"
        figures = f"{gain}, cost {doubt:g} of sensitivity times rungs"
        return Happening(
            time_ps=int(w.run[k.NOW]),
            step=step,
            actor=self.name,
            what=f"{each.dtypes[now]} to {each.dtypes[rung]}",
            object=each.unit.name,
            outcome=outcome,
            detail=f"{why}: {figures}" if why else figures,
        )


def _near(rung: int) -> Form:
    return Form(State.S1, rung) if rung else Form(State.S0)


def _widest_first(dtype: str) -> tuple[int, str]:
    return (-bits_of(DType(dtype)) if dtype in set(DType) else 0, dtype)
