"""For every clause, a controller that breaks it: the suite finds it, under that clause's number."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest

from mirc.claims import Answer, Block, Event, Key, Kind, Ledger, Terms
from mirc.conform.clauses import CLAUSES
from mirc.conform.protocol import Setting
from mirc.conform.reference import Reference
from mirc.conform.suite import Verdict, conform
from mirc.ir.enums import ClaimLoss

_CLIPPED = Answer.CLIPPED


class AnswersTwoThings(Reference):
    """It says ACCEPTED, and its event says CLIPPED."""

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        answers = super().claim(batch)
        accepted = {name: Answer.ACCEPTED for name, each in answers.items() if each is _CLIPPED}
        return {**answers, **accepted}


class RefusesWhenFull(Reference):
    """It takes a full pool for a reason."""

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        if len(self._used) == self._setting.capacity:
            more = tuple(map(Block, range(self._setting.capacity)))
            batch = [attrs.evolve(each, blocks=(*each.blocks, *more)) for each in batch]
        return super().claim(batch)


class LeavesNothing(Reference):
    """It lets claims take what active work needs."""

    def open(self, setting: Setting) -> None:
        super().open(attrs.evolve(setting, min_active=0))


class EvictsClaimed(Reference):
    """It lets a block of a hard claim go whenever time passes."""

    def advance(self, now: int) -> None:
        super().advance(now)
        for key in [key for key in self._used if self._strength(key) > 100][:1]:
            del self._used[key]


class TakesBeforeItRefuses(Reference):
    """It evicts one block for a request, and then refuses it."""

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        admitted = super().active(name, keys)
        idle = self._idle(keys)
        if not admitted and idle:
            self._evict(name, idle[0])
        return admitted

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        # Something idle stands beside every claim, to be taken.
        if not self._used:
            super().active("idle", ["idle"])
            super().finish("idle")
        return super().claim(batch)


class Silent(Reference):
    """It edits its log."""

    def events(self) -> Sequence[Event]:
        return [told for event in super().events() if (told := self.edited(event)) is not None]

    def edited(self, event: Event) -> Event | None:
        return event


class GivesNoReasons(Silent):
    def edited(self, event: Event) -> Event | None:
        return attrs.evolve(event, reason="", blockers=())


class LosesSilently(Silent):
    def edited(self, event: Event) -> Event | None:
        return None if event.kind is Kind.LOST else event


class YieldsStrongestFirst(Reference):
    def _firmness(self, key: Key) -> tuple[int, int, int]:
        strength, before, used = super()._firmness(key)
        return -strength, before, used


class DropsWhatItShouldDemote(Reference):
    def open(self, setting: Setting) -> None:
        super().open(attrs.evolve(setting, lower=0))


class MaterializesAtOnce(Silent):
    def edited(self, event: Event) -> Event | None:
        return attrs.evolve(event, kind=Kind.MATERIALIZED) if event.kind is Kind.PLACED else event


class KeepsFailedClaims(Reference):
    def fail(self, name: str, why: str) -> Answer:
        del why
        return self._ledger.fail("no such claim", name)


class ForgetsTheTime(Reference):
    def advance(self, now: int) -> None:
        self._ledger._journal.now = now  # noqa: SLF001 - what it breaks is inside


class AnybodyReleases(Reference):
    def release(self, name: str, holder: str) -> Answer:
        del holder
        return super().release(name, "app")


class ProtectsForEver(Reference):
    """It keeps the room of claims that have ended."""

    def open(self, setting: Setting) -> None:
        super().open(setting)
        self._kept: set[Key] = set()

    def _strength(self, key: Key) -> int:
        strength = super()._strength(key)
        if strength > 100:
            self._kept.add(key)
        return 101 if key in self._kept else strength


class FirstComeFirstServed(Reference):
    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        answers: dict[str, Answer] = {}
        for terms in batch:
            answers |= super().claim([terms])
        return answers


class EndsWhatItCannotRevise(Reference):
    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        for terms in batch:
            if terms.revision:
                self._ledger.release(terms.name, terms.holder)
        return super().claim(batch)


class CountsTwice(Ledger):
    """It counts a block once for each claim over it."""

    @property
    def claimed(self) -> int:
        return sum(len(self.blocks(name)) for name in self.states if self.hard(name))

    def hard(self, name: str) -> bool:
        blocks = self.blocks(name)
        return bool(blocks) and self.standing(blocks[0].key).strength > 100


class SharesNothing(Reference):
    def open(self, setting: Setting) -> None:
        super().open(setting)
        self._ledger = CountsTwice(quotas=setting.quotas)


class NeverClips(Reference):
    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        return super().claim([attrs.evolve(terms, least=None) for terms in batch])


class TellsNothing(Silent):
    def edited(self, event: Event) -> Event | None:
        return None if event.kind is Kind.EVICTED else event


class KnowsNoQuota(Reference):
    def open(self, setting: Setting) -> None:
        super().open(attrs.evolve(setting, quotas={}))


class Moody(Reference):
    """It counts how often it was opened, and clips every second claim of the last case."""

    opened = 0

    def open(self, setting: Setting) -> None:
        super().open(setting)
        self.opened += 1

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        if self._setting.lower and self._setting.min_active and self.opened % 2:
            batch = [attrs.evolve(terms, on_loss=ClaimLoss.EVENT) for terms in batch]
        return super().claim(batch)


BREAKERS: tuple[tuple[int, Callable[[], Any]], ...] = (
    (1, AnswersTwoThings),
    (2, RefusesWhenFull),
    (3, LeavesNothing),
    (4, EvictsClaimed),
    (5, TakesBeforeItRefuses),
    (6, GivesNoReasons),
    (7, LosesSilently),
    (8, YieldsStrongestFirst),
    (9, DropsWhatItShouldDemote),
    (10, MaterializesAtOnce),
    (11, KeepsFailedClaims),
    (12, ForgetsTheTime),
    (13, AnybodyReleases),
    (14, ProtectsForEver),
    (15, FirstComeFirstServed),
    (16, EndsWhatItCannotRevise),
    (17, SharesNothing),
    (18, NeverClips),
    (19, TellsNothing),
    (20, KnowsNoQuota),
    (21, Moody),
)


@pytest.mark.mechanism("S4-02", "S4-05", "S4-06")
@pytest.mark.parametrize(("number", "make"), BREAKERS, ids=[f"clause-{n}" for n, _ in BREAKERS])
def test_who_breaks_a_clause_is_told_its_number(number: int, make: Callable[[], Any]) -> None:
    found = conform(make())
    broken = {clause.number for clause in CLAUSES if found.verdict(clause) is Verdict.BROKEN}
    assert number in broken
    # Breaking one promise leads to others, but not to most of them.
    assert len(broken) <= 8


def test_every_clause_has_one_who_breaks_it() -> None:
    assert [number for number, _ in BREAKERS] == [clause.number for clause in CLAUSES]
