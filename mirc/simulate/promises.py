"""Soft pins and dwell timers of a file into a stage that holds each as a soft claim of its own."""

from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np

from mirc.claims import Block, Cause, Event, Kind, Ledger, Pool, Terms, dwell
from mirc.controller.descriptors import GUARDED
from mirc.controller.signals import sort_again
from mirc.controller.stage import Happening
from mirc.diagnostics.words import counted
from mirc.ir.enums import PinLevel
from mirc.kernels import world as k
from mirc.kernels.world import World
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.model import Flags, Ints
from mirc.simulate.workload import Scenario

PIN, DWELL = "soft pin", "dwell"
BEGINS, LOST, ENDS = "begins", "lost", "ends"
_TOLD = {Kind.ACCEPTED: BEGINS, Kind.LOST: LOST, Kind.EXPIRED: ENDS, Kind.RELEASED: ENDS}
_ANY_ROOM = Pool(capacity=1 << 62)  # a soft claim keeps none
_HOLDER = "file"


@attrs.frozen(kw_only=True, eq=False)
class Promised:
    """What a file promises softly of ``n`` objects in ``p`` phases, over ``S`` steps.

    The clock counts runs of the ``iterated`` phase: ``clock`` are those begun up to each step.
    """

    names: Sequence[str]
    size_bytes: Ints  # [n]
    pinned: Flags  # [p, n]
    dwells: Ints  # [p, n], in runs of the iterated phase
    phase: Ints  # [S]
    clock: Ints  # [S]
    inside: Flags  # [S], whether the step is of the iterated phase
    iterated: str


class PromiseStage:
    """Says when what is pinned softly, or dwells, is lost, and for whom.

    A soft pin holds from when its object is near, in the phases that pin it; a dwell from when its
    object has come near, for so many runs of the iterated phase, that one included. What dwells
    leaves as late as what is claimed softly, and is as free as ever when it has dwelt. What
    happened within a step is noticed before the next. Source: essay 002, primitive 1 (dwell).
    """

    name = "promises"

    def __init__(self, promised: Promised) -> None:
        """Take the promises; nothing is near yet."""
        self._promised = promised
        wanted = promised.pinned.any(axis=0) | (promised.dwells > 0).any(axis=0)
        self._objects = np.flatnonzero(wanted)
        self._there = np.zeros(len(self._objects), dtype=np.bool_)
        self._known = np.zeros(len(self._objects), dtype=np.bool_)
        self._ledger = Ledger()
        self._asked: dict[str, tuple[str, int]] = {}  # of each claim, its kind and object
        self._standing: set[str] = set()  # those in force
        self._strengths: dict[int, list[int]] = {}  # of what dwells, before it did
        self._ends: dict[str, int] = {}
        self._heard = 0

    def due(self, step: int) -> int:
        """Return each step."""
        return step

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Note what came and left in the last step, then whose time is over and what is pinned."""
        last = max(0, step - 1)
        self._look(w, last)
        yield from self._news(w)
        self._ledger.advance(int(self._promised.clock[step]))
        self._pin(int(self._promised.phase[step]))
        yield from self._news(w)
        self._guard(w)

    def _look(self, w: World, last: int) -> None:
        near = w.obj[k.STATE, self._objects] == k.RESIDENT
        there, self._there = self._there, near
        left_at = w.obj[k.LEFT_AT, self._objects]
        taken = w.obj[k.LEFT_FOR, self._objects] != k.NONE
        displaced = taken & (left_at == last) & ~self._known
        # What a stage displaces before the step that comes is seen now, and not once more after it.
        self._known = taken & (left_at == w.run[k.STEP])
        for place in np.flatnonzero((near != there) | displaced).tolist():
            o = int(self._objects[place])
            if not there[place]:
                self._came(o, last)
            if there[place] or displaced[place]:
                self._left(w, o)
                if near[place]:
                    self._came(o, last)

    def _came(self, o: int, last: int) -> None:
        self._ledger.placed(self._block(o))
        phase = int(self._promised.phase[last])
        if self._promised.pinned[phase, o]:
            self._ask(PIN, o, Terms(name=f"{PIN} {o}", holder=_HOLDER, blocks=(self._block(o),)))
        runs = int(self._promised.dwells[phase, o])
        if runs:
            # What comes before the first run is there for so many whole ones.
            lasts = runs if self._promised.inside[last] else runs + 1
            terms = dwell(f"{DWELL} {o}", _HOLDER, (o,), lasts)
            self._ask(DWELL, o, attrs.evolve(terms, blocks=(self._block(o),)))
            self._ends[terms.name] = self._ledger.now + lasts

    def _left(self, w: World, o: int) -> None:
        nowhere = w.obj[k.HOME, o] == k.NONE and not w.obj[k.FORGOTTEN, o]
        if w.obj[k.GONE, o] or w.obj[k.DOOMED, o] or nowhere:
            self._ledger.retired(o)
            return
        taker = int(w.obj[k.LEFT_FOR, o])
        self._ledger.leave(o, "" if taker == k.NONE else self._promised.names[taker])

    def _pin(self, phase: int) -> None:
        """Promise what is near and pinned in a phase; give back what is pinned no longer."""
        pinned = self._promised.pinned[phase]
        for name in sorted(self._standing):
            what, o = self._asked[name]
            if what == PIN and not pinned[o]:
                self._ledger.release(name, _HOLDER)
        for o in self._objects[self._there & pinned[self._objects]].tolist():
            name = f"{PIN} {o}"
            if name not in self._standing:
                self._ask(PIN, o, Terms(name=name, holder=_HOLDER, blocks=(self._block(o),)))

    def _ask(self, what: str, o: int, terms: Terms) -> None:
        self._ledger.request([terms], _ANY_ROOM)
        self._asked[terms.name] = what, o

    def _guard(self, w: World) -> None:
        """Let what dwells leave last, and what has dwelt as before: O(n log n) if that changes."""
        standing = (self._asked[name] for name in self._standing)
        dwelling = {o for what, o in standing if what == DWELL}
        changed = False
        for o in sorted(dwelling - self._strengths.keys()):
            usual = w.strength[:, o].tolist()
            self._strengths[o] = usual
            w.strength[:, o] = np.maximum(w.strength[:, o], GUARDED)
            changed |= min(usual) < GUARDED
        for o in sorted(self._strengths.keys() - dwelling):
            usual = self._strengths.pop(o)
            raised = np.maximum(usual, GUARDED)
            # Where a signal or a claim has said something else since, that holds.
            w.strength[:, o] = np.where(w.strength[:, o] == raised, usual, w.strength[:, o])
            changed |= min(usual) < GUARDED
        if changed:
            sort_again(w)

    def _block(self, o: int) -> Block:
        return Block(o, int(self._promised.size_bytes[o]))

    def _news(self, w: World) -> Iterator[Happening]:
        for event in self._ledger.log[self._heard :]:
            if event.kind in _TOLD and event.claim:
                yield self._row(w, event)
        self._heard = len(self._ledger.log)

    def _row(self, w: World, event: Event) -> Happening:
        what, o = self._asked[event.claim]
        (self._standing.add if event.kind is Kind.ACCEPTED else self._standing.discard)(event.claim)
        left = self._ends.get(event.claim, 0) - self._ledger.now
        runs = f"{counted(left, 'run')} of `{self._promised.iterated}`" if what == DWELL else ""
        detail = ""
        if event.reason == Cause.LIFE:
            detail = "its life ends"
        elif runs and event.kind is Kind.ACCEPTED:
            detail = f"up to {runs}"
        elif runs and event.kind is Kind.LOST:
            detail = f"up to {runs} early"
        return Happening(
            time_ps=int(w.run[k.NOW]),
            step=int(w.run[k.STEP]),
            actor=self.name,
            what=what,
            object=self._promised.names[o],
            outcome=_TOLD[event.kind],
            for_whom=event.for_whom,
            detail=detail,
        )


def promise_stage(packed: Packed, scenario: Scenario, plan: str | None) -> PromiseStage | None:
    """Return the stage, or None for a file that neither pins softly nor lets anything dwell."""
    workload = scenario.workload
    owners = [name if name in packed.data else name[: name.rindex("(")] for name in workload.names]
    found = np.array(
        [
            tuple(_said(PackedView(packed, phase=phase, plan=plan), owners))
            for phase in packed.phases
        ],
        dtype=np.int64,
    )
    if not found.any():
        return None
    phases = tuple(packed.phases)
    inside = workload.step_phase == phases.index(scenario.iterated)
    return PromiseStage(
        Promised(
            names=workload.names,
            size_bytes=workload.size_bytes,
            pinned=(found[:, :, 0] > 0) & (workload.size_bytes > 0),
            dwells=np.where(workload.size_bytes > 0, found[:, :, 1], 0),
            phase=workload.step_phase.astype(np.int64),
            clock=np.cumsum(inside & (workload.step_position == 0)),
            inside=inside,
            iterated=scenario.iterated,
        )
    )


def _said(view: PackedView, owners: Iterable[str]) -> Iterator[tuple[bool, int]]:
    """Yield whether each is pinned softly, and how long it dwells: once for all alike."""
    known: dict[tuple[int, ...], tuple[bool, int]] = {}
    for owner in owners:
        said = tuple(map(id, view.said(owner)))
        if said not in known:
            soft = view.value(owner, "pin_level") is PinLevel.SOFT
            known[said] = soft, int(view.value(owner, "dwell_steps") or 0)
        yield known[said]
