"""What steps raise and when phases begin into protections that hold, and strengths that change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from mirc.controller.descriptors import HELD_FAST, Ints
from mirc.controller.stage import Happening
from mirc.kernels import world as k
from mirc.kernels.offers import hold_fast, let_loose, rerank
from mirc.kernels.world import NEVER, World

_OF_STATE = ("DIRTY", "REUSED")
"""The predicates that the run may change without an event."""


@attrs.frozen
class Raised:
    """An event that a step's end raises: ``ALLREDUCE_COMPLETE``, or of certain names alone."""

    word: str
    args: tuple[str, ...] = ()

    def meets(self, word: str, args: tuple[str, ...]) -> bool:
        """Tell whether this is what is waited for; without names either means all."""
        return self.word == word and (not self.args or not args or self.args == args)


@attrs.frozen(kw_only=True)
class Guard:
    """While it holds, an object must not leave near memory for those that ``barred`` has a bit of.

    Without such bits it must not leave at all. ``until`` an event of that ``word`` has been raised
    since the last run began that raises it, or while the predicate ``word`` is true: FANOUT_GT and
    FANOUT_GE ``bound``, DIRTY, REUSED.
    """

    object: int
    until: bool
    word: str
    bound: int = 0
    barred: int = 0
    args: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The rule as it is written."""
        if self.until:
            return f"UNTIL_{self.word}"
        return f"WHILE_{self.word}" + (f"_{self.bound}" if "FANOUT" in self.word else "")


@attrs.frozen(kw_only=True, eq=False)
class Course:
    """What the run will tell the stage, each thing when it has come: steps, phases, events.

    ``phase`` is the phase of each step, ``begins`` the steps at which a run of a phase begins,
    ``raises`` what the end of a step raises, ``fanout`` how many sequences share each object in
    each phase: [p, n].
    """

    names: Sequence[str]
    phases: Sequence[str]
    phase: Ints
    begins: frozenset[int]
    raises: Mapping[int, tuple[Raised, ...]]
    fanout: Ints


class SignalStage:
    """Protections by event and predicate, and the overrides of ``on SIGNAL`` while it lasts.

    A signal lasts until another is raised, or a run of the phase that raised it begins again.
    """

    name = "signals"

    def __init__(
        self,
        course: Course,
        guards: Sequence[Sequence[Guard]],
        strengths: Mapping[str, Mapping[int, int]],
    ) -> None:
        """Take the guards of each phase, and of each signal the strengths that it gives objects."""
        self._course, self._guards, self._strengths = course, guards, strengths
        self._happened: set[Raised] = set()
        self._kept: dict[int, Guard] = {}
        self._signal: tuple[str, int] | None = None  # its event, and the phase that raised it
        self._usual: list[tuple[int, int, int]] = []  # phase, object, strength before the signal
        events = {step + 1 for step in course.raises}
        self._moments = np.array(sorted(course.begins | events), dtype=np.int64)
        self._always = any(each.word == "DIRTY" for each in _all(guards))
        self._live = [any(each.word in _OF_STATE for each in some) for some in guards]
        self._found: dict[int, tuple[frozenset[Raised], dict[int, Guard]]] = {}
        self._raisers: dict[int, set[Raised]] = {}
        for step, raised in course.raises.items():
            self._raisers.setdefault(int(course.phase[step]), set()).update(raised)

    def due(self, step: int) -> int:
        """Return the next step at which a run begins or before which something was raised."""
        if self._always:
            return step
        place = int(np.searchsorted(self._moments, step))
        return int(self._moments[place]) if place < len(self._moments) else NEVER

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Note what the last step raised and which run begins; keep and let go accordingly."""
        phase = int(self._course.phase[step])
        for raised in self._course.raises.get(step - 1, ()):
            self._happened.add(raised)
            yield self._row(w, "raised", raised.word)
            if raised.word in self._strengths:
                yield from self._leave(w)
                yield from self._enter(w, raised.word, int(self._course.phase[step - 1]))
        if step in self._course.begins:
            self._happened -= self._raisers.get(phase, set())
            if self._signal is not None and self._signal[1] == phase:
                yield from self._leave(w)
        yield from self._keep(w, phase)

    def _keep(self, w: World, phase: int) -> Iterator[Happening]:
        holding = self._holding(w, phase)
        if holding is self._kept:
            return
        same = {o for o, each in holding.items() if self._alike(each, self._kept.get(o))}
        for o in sorted(self._kept.keys() - same):
            w.obj[k.BARRED, o] = 0
            let_loose(w, o, k.BY_RULE)
            yield self._row(w, "release", self._kept[o].text, o)
        for o in sorted(holding.keys() - same):
            if holding[o].barred:
                w.obj[k.BARRED, o] = holding[o].barred
            else:
                hold_fast(w, o, k.BY_RULE)
            yield self._row(w, "protect", holding[o].text, o)
        self._kept = holding

    def _holding(self, w: World, phase: int) -> dict[int, Guard]:
        """Return the rules of a phase that hold, those of before where only events decide them."""
        happened, found = self._found.get(phase, (None, {}))
        if self._live[phase] or happened != frozenset(self._happened):
            rules = self._guards[phase]
            found = {each.object: each for each in rules if self._holds(w, phase, each)}
            self._found[phase] = frozenset(self._happened), found
        return found

    @staticmethod
    def _alike(one: Guard, other: Guard | None) -> bool:
        """Tell whether two rules protect from the same: one may follow the other in silence."""
        return other is not None and one.barred == other.barred

    def _holds(self, w: World, phase: int, guard: Guard) -> bool:
        o = guard.object
        if guard.until:
            return not any(raised.meets(guard.word, guard.args) for raised in self._happened)
        match guard.word:
            case "FANOUT_GT":
                return int(self._course.fanout[phase, o]) > guard.bound
            case "FANOUT_GE":
                return int(self._course.fanout[phase, o]) >= guard.bound
            case "DIRTY":
                return bool(w.obj[k.DIRTY, o])
            case "REUSED":
                return bool(w.first[phase, o] != k.NONE)
        return False  # SPECULATIVE: steps of a file have no drafts

    def _enter(self, w: World, event: str, phase: int) -> Iterator[Happening]:
        """Let a signal's strengths take the place of all phases'; what holds fast is kept."""
        self._signal = event, phase
        for o, strength in self._strengths[event].items():
            for p in range(w.strength.shape[0]):
                self._usual.append((p, o, int(w.strength[p, o])))
                w.strength[p, o] = strength
            if strength == HELD_FAST:
                hold_fast(w, o, k.BY_SIGNAL)
        sort_again(w)
        yield self._of_signal(w, "begin", event)

    def _leave(self, w: World) -> Iterator[Happening]:
        if self._signal is None:
            return
        event, _ = self._signal
        self._signal = None
        for p, o, strength in reversed(self._usual):
            w.strength[p, o] = strength
        self._usual.clear()
        for o in self._strengths[event]:
            let_loose(w, o, k.BY_SIGNAL)
        sort_again(w)
        yield self._of_signal(w, "end", event)

    def _of_signal(self, w: World, what: str, event: str) -> Happening:
        covers = tuple(self._course.names[o] for o in self._strengths[event])
        return attrs.evolve(self._row(w, what, f"on {event}"), covers=covers)

    def _row(self, w: World, what: str, detail: str, o: int | None = None) -> Happening:
        return Happening(
            time_ps=int(w.run[k.NOW]),
            step=int(w.run[k.STEP]),
            actor=self.name,
            what=what,
            object="" if o is None else self._course.names[o],
            detail=detail,
        )


def sort_again(w: World) -> None:
    """Rank by strength again; what is of one strength keeps its order: O(n log n)."""
    count = w.rank.shape[1]
    for phase in range(w.rank.shape[0]):
        ranked = w.ranked[phase]
        order = ranked[np.argsort(w.strength[phase][ranked], kind="stable")]
        w.ranked[phase] = order
        w.rank[phase, order] = np.arange(count)
    if w.run[k.PHASE] != k.NONE:
        rerank(w)


def _all(guards: Iterable[Iterable[Guard]]) -> Iterator[Guard]:
    for each in guards:
        yield from each
