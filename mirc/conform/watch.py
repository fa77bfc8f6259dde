"""Each event, and the blocks that can be seen, into breaches that no case needs to ask for."""

from collections.abc import Collection, Iterable, Iterator

import attrs

from mirc.claims import Event, Key, Kind, Reason
from mirc.ir.enums import Guarantee

Broken = tuple[int, str]  # the clause, and by what
_GRANTS = (Kind.ACCEPTED, Kind.CLIPPED)
_ENDS = (Kind.LOST, Kind.EXPIRED, Kind.RELEASED, Kind.FAILED)
_DENIALS = (Kind.REFUSED, Kind.DENIED, Kind.DEFERRED, Kind.CLIPPED)


@attrs.define(kw_only=True)
class Watch:
    """What a log has promised so far; ``most`` is the room that hard claims may take."""

    most: int = 0
    there: frozenset[Key] = frozenset()
    _over: dict[str, dict[Key, bool]] = attrs.field(factory=dict, init=False)  # heard of demotion
    _hard: dict[str, bool] = attrs.field(factory=dict, init=False)
    _complete: dict[str, bool] = attrs.field(factory=dict, init=False)

    def see(self, now: int, news: Iterable[Event], there: Collection[Key]) -> Iterator[Broken]:
        """Compare what was said since the last look with what is there now."""
        said = set(self.there)
        for event in news:
            yield from self._told(now, event)
            yield from self._moved(event, said)
        yield from self._quiet(said, frozenset(there))
        self.there = frozenset(there)
        yield from self._materialized()
        owed = {key for name, over in self._over.items() if self._hard[name] for key in over}
        if len(owed) > self.most:
            yield 3, f"hard claims cover {len(owed)} blocks of the {self.most} that they may take"

    def _told(self, now: int, event: Event) -> Iterator[Broken]:
        name = event.claim
        if event.at != now:
            yield 1, f"at {now} an event says that it is {event.at}"
        if event.kind in _DENIALS:
            yield from self._reasoned(event)
        if event.kind in (Kind.LOST, Kind.DEMOTED):
            yield from self._yielded(event)
        if event.kind is Kind.MATERIALIZED and self._complete.get(name):
            yield 10, f"`{name}` materializes again, though it never ceased to be"
        if event.kind in _GRANTS:
            self._over[name] = dict.fromkeys((block.key for block in event.blocks), False)
            self._hard[name] = event.guarantee is Guarantee.HARD
        if event.kind in (*_GRANTS, Kind.DEMOTED, Kind.MATERIALIZED):
            self._complete[name] = event.kind is Kind.MATERIALIZED
        self._cover(event)

    def _cover(self, event: Event) -> None:
        over = self._over.get(event.claim, {})
        for block in event.blocks:
            if event.kind in _ENDS:
                over.pop(block.key, None)
            if event.kind is Kind.DEMOTED:
                over[block.key] = True
        if not over:
            self._over.pop(event.claim, None)

    def _yielded(self, event: Event) -> Iterator[Broken]:
        if self._hard.get(event.claim):
            yield 4, f"the hard claim `{event.claim}` is {event.kind}"
        if not event.for_whom:
            yield 7, f"`{event.claim}` is not told for whom it is {event.kind}"

    def _reasoned(self, event: Event) -> Iterator[Broken]:
        whom = event.claim or event.for_whom
        if not event.reason:
            yield 6, f"`{whom}` is told {event.kind} without a reason"
        standing = {name for name in self._over if self._hard[name]}
        if event.reason == Reason.CLAIMED and not event.blockers:
            yield 6, f"`{whom}` is not told which claim is in its way"
        if event.reason == Reason.CLAIMED and not standing.issuperset(event.blockers):
            yield 6, f"`{whom}` is told of claims in its way that do not stand"

    def _moved(self, event: Event, said: set[Key]) -> Iterator[Broken]:
        for block in event.blocks:
            if event.kind is Kind.PLACED:
                said.add(block.key)
            if event.kind is Kind.EVICTED:
                said.discard(block.key)
                yield from self._leaving(block.key)

    def _leaving(self, key: Key) -> Iterator[Broken]:
        for name, over in self._over.items():
            if key in over and self._hard[name]:
                yield 4, f"block `{key}` of the hard claim `{name}` leaves"
            elif key in over and not over[key]:
                yield 7, f"block `{key}` leaves, and `{name}` has not been told"
            else:
                continue
            del over[key]  # said once

    def _quiet(self, said: set[Key], there: frozenset[Key]) -> Iterator[Broken]:
        for key in sorted(said - there, key=str):
            yield 19, f"block `{key}` is gone, and no event says so"
            if key in self.there:
                yield from self._leaving(key)
        for key in sorted(there - said, key=str):
            yield 19, f"block `{key}` is there, and no event says so"

    def _materialized(self) -> Iterator[Broken]:
        for name, over in self._over.items():
            if self._complete[name] and not over.keys() <= self.there:
                yield 10, f"`{name}` has materialized, and not all its blocks are there"
            if not self._complete[name] and over.keys() <= self.there:
                self._complete[name] = True
                yield 10, f"all blocks of `{name}` are there, and it has not materialized"
