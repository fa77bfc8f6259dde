"""A log and an audit, in the order in which they were written, held against what was promised."""

import re
from collections.abc import Mapping, Sequence

import attrs

from mirc.claims import Terms
from mirc.controller.signals import Guard
from mirc.controller.stage import Happening
from tests.simulate.checker import ENDED, KINDS, Checker, Copy, Event
from tests.simulate.deployment import Deployment

LEAVING = ("drop", "write_back", "forget")
USED = ("issue", "create", "read", "write", "remake")
TOGETHER, QUOTA = 12, 16
HELD_FAST = 6


@attrs.define(kw_only=True)
class Rules:
    """Which protections hold: a model of the rules of each phase, by events and fan-out."""

    guards: Sequence[Sequence[Guard]]
    surge: Mapping[int, int]
    fanout: Sequence[Sequence[int]]
    happened: set[str] = attrs.field(factory=set)
    surging: int | None = None  # the phase that raised it
    raised_by: dict[int, set[str]] = attrs.field(factory=dict)

    def raised(self, word: str, phase: int) -> None:
        """Note an event at the end of a step of a phase."""
        self.happened.add(word)
        if word == "SURGE" and self.surge:
            self.surging = phase

    def begins(self, phase: int, words: set[str]) -> None:
        """Note that a run of a phase begins, which raises ``words``: they are to come again."""
        self.happened -= words
        if self.surging == phase:
            self.surging = None

    def holding(self, phase: int, dirty: set[int]) -> dict[int, int]:
        """Return the objects that rules hold, and the memories that they are barred from."""
        found = {}
        for each in self.guards[phase]:
            sharers = self.fanout[phase][each.object]
            holds = {
                "FANOUT_GT": sharers > each.bound,
                "FANOUT_GE": sharers >= each.bound,
                "DIRTY": each.object in dirty,
            }.get(each.word, each.word not in self.happened)
            if holds:
                found[each.object] = each.barred
        return found

    def surged(self) -> set[int]:
        """Return what the signal holds fast while it lasts."""
        if self.surging is None:
            return set()
        return {o for o, strength in self.surge.items() if strength == HELD_FAST}


@attrs.define(kw_only=True)
class Watch:
    """What must never be seen, and what must be told; it knows the terms and nothing of the code.

    Every promise is read off the terms and the audit, everything that happened off the log.
    """

    drawn: Deployment
    checker: Checker
    memories: Sequence[str]
    rules: Rules
    terms: dict[str, Terms] = attrs.field(factory=dict)  # of each claim, as asked for last
    claimed: dict[str, set[int]] = attrs.field(factory=dict)  # what each claim in force covers
    protected: dict[int, int] = attrs.field(factory=dict)
    surged: set[int] = attrs.field(factory=set)
    gone: set[int] = attrs.field(factory=set)  # of tenants that ended
    there: set[int] = attrs.field(factory=set)  # near, when the claims looked last
    ended: set[int] = attrs.field(factory=set)  # whose lives ended since
    told: set[tuple[str, int]] = attrs.field(factory=set)  # losses, since
    lived: set[str] = attrs.field(factory=set)  # claims some of which ended with its object, since
    looks: int = 0

    @property
    def hard(self) -> set[int]:
        """What hard claims in force cover."""
        held = [o for name, o in self.claimed.items() if self.terms[name].hard]
        return set().union(*held)

    def event(self, event: Event) -> None:
        """Hold one event against all that has been promised."""
        kind = KINDS[event.kind]
        if kind in LEAVING and event.reason != ENDED:
            kept = self.drawn.fast | self.surged | self.hard
            kept |= {o for o, barred in self.protected.items() if not barred}
            assert event.object not in kept, (event, "it is held")
            barred = self.protected.get(event.object, 0)
            assert event.target < 1 or not barred >> event.target & 1, (event, "barred")
        if kind in USED:
            assert event.object not in self.gone, (event, "its tenant has ended")
        if event.reason == QUOTA and kind in LEAVING and event.cause >= 0:
            whose = self.drawn.whose
            assert whose[event.object] == whose[event.cause] >= 0, (event, "of another tenant")
        if kind == "resize":
            assert event.size >= self._floor(event.object), (event, "below its floor")
        if event.reason == ENDED:
            self.ended.add(event.object)
        self.checker.see(event)

    def _floor(self, o: int) -> int:
        units = [each.unit for each in self.drawn.ladders if each.object == o]
        return units[0].rungs[units[0].floor]

    def happening(self, row: Happening) -> None:
        """Note what a stage says that it did."""
        if row.detail.endswith("bytes are usable"):
            assert isinstance(self.checker.limits, list)
            usable = int(row.detail.split(" ")[0])
            self.checker.limits[self.memories.index(row.object)] = usable
        if row.actor == "claims":
            self._claim(row)

    def _claim(self, row: Happening) -> None:
        assert row.what != "broken", row
        name = row.outcome
        match row.what:
            case "accepted":
                self.claimed[name] = {int(block.key) for block in self.terms[name].blocks}
            case "clipped":
                found = re.search(r"(\d+) objects?, [\d_]+ bytes$", row.detail)
                assert found is not None, row
                blocks = self.terms[name].blocks[: int(found[1])]
                self.claimed[name] = {int(block.key) for block in blocks}
            case "lost" | "demoted":
                o = int(row.object[1:])
                assert not self.terms[name].hard, row
                assert o in self.claimed[name], row
                assert self.copy(o).near != "here", row
                self.told.add((name, o))
                if row.what == "lost":
                    self._less(name, {o})
            case "expired" if row.detail.startswith("LIFE"):
                over = {o for o in self.claimed.get(name, ()) if self._over(o)}
                assert over or name in self.lived, row
                self.lived.add(name)
                self._less(name, over)
            case "expired" | "released" | "failed":
                self.claimed.pop(name)

    def _over(self, o: int) -> bool:
        """Tell whether the life of an object that was there is over: no copy of it remains."""
        copy = self.copy(o)
        nowhere = copy.near == "absent" and copy.home is None and not copy.forgotten
        return o in self.gone or (o in self.there and (nowhere or o in self.ended))

    def _less(self, name: str, objects: set[int]) -> None:
        left = self.claimed.get(name, set()) - objects
        self.claimed.pop(name, None)
        if left:
            self.claimed[name] = left

    def copy(self, o: int) -> Copy:
        """Return what the log says of an object."""
        return self.checker.copies.setdefault(o, Copy())

    def acted(self, stage: str, phase: int) -> None:
        """Note that a stage has done all that it was due to do."""
        if stage == "signals":
            dirty = {o for o in range(self.drawn.count) if self.copy(o).dirty}
            self.protected = self.rules.holding(phase, dirty)
            self.surged = self.rules.surged()
        if stage == "claims":
            self._looked()

    def _looked(self) -> None:
        """Check that of all that left since the last look, every holder was told."""
        here = {o for o in range(self.drawn.count) if self.copy(o).near == "here"}
        for name, covered in self.claimed.items():
            silent = {o for o in covered & self.there - here if (name, o) not in self.told}
            assert silent <= self.ended | self.gone, (name, silent, "lost in silence")
        self.there = here
        self.ended, self.told, self.lived = set(), set(), set()
        self.looks += 1
