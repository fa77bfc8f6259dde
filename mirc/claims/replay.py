"""A log of events into where every claim stands, without the ledger that wrote it."""

import hashlib
from collections.abc import Iterable, Mapping

import attrs

from mirc.claims.events import Cause, Event, Kind, State
from mirc.claims.terms import Block, Key
from mirc.ir.enums import Guarantee

_STANDS = {
    Kind.ACCEPTED: State.ACCEPTED,
    Kind.CLIPPED: State.CLIPPED,
    Kind.DEFERRED: State.DEFERRED,
    Kind.MATERIALIZED: State.MATERIALIZED,
    Kind.DEMOTED: State.DEMOTED,
}
_TAKES = {
    Kind.LOST: State.LOST,
    Kind.EXPIRED: State.EXPIRED,
    Kind.RELEASED: State.RELEASED,
    Kind.FAILED: State.FAILED,
}
_TURNS_DOWN = (Kind.REFUSED, Kind.UNSUPPORTED)


@attrs.frozen(kw_only=True)
class Books:
    """Where everything stands: each claim, what each in force covers, and what is there.

    ``claimed`` is the size of what hard claims cover, each block once. All in order.
    """

    states: tuple[tuple[str, State], ...]
    covered: tuple[tuple[str, tuple[Block, ...]], ...]
    there: tuple[Block, ...]
    claimed: int

    @property
    def digest(self) -> str:
        """A SHA-256 that equal books share."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


class _Reading:
    """What the events so far have said."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.covered: dict[str, tuple[Block, ...]] = {}
        self.hard: dict[str, bool] = {}
        self.waiting: set[str] = set()
        self.there: dict[Key, Block] = {}

    def claim(self, event: Event) -> None:
        name = event.claim
        if event.kind in (Kind.ACCEPTED, Kind.CLIPPED):
            self.covered[name] = event.blocks
            self.hard[name] = event.guarantee is Guarantee.HARD
        if event.kind in _STANDS:
            self.states[name] = _STANDS[event.kind]
            self.waiting.discard(name)
        if event.kind is Kind.DEFERRED:
            self.waiting.add(name)
        if event.kind is Kind.REVISED or event.reason == Cause.PATIENCE:
            self.waiting.discard(name)
        standing = name in self.covered or name in self.waiting
        if event.kind in _TURNS_DOWN and not standing:
            self.states[name] = State.REFUSED

    def take(self, event: Event) -> None:
        gone = set(event.blocks)
        left = tuple(each for each in self.covered.pop(event.claim, ()) if each not in gone)
        if left:
            self.covered[event.claim] = left
        else:
            self.states[event.claim] = _TAKES[event.kind]
            self.waiting.discard(event.claim)

    def move(self, event: Event) -> None:
        for block in event.blocks:
            if event.kind is Kind.PLACED:
                self.there[block.key] = block
            else:
                del self.there[block.key]


def replay(events: Iterable[Event]) -> Books:
    """Read what stands from a ledger's events alone, from its first on."""
    reading = _Reading()
    for event in events:
        if event.kind in (Kind.PLACED, Kind.EVICTED):
            reading.move(event)
        elif event.kind in _TAKES:
            reading.take(event)
        else:
            reading.claim(event)
    covered = reading.covered
    owed = {block for name in covered if reading.hard[name] for block in covered[name]}
    return books(reading.states, covered, reading.there, sum(block.size for block in owed))


def books(
    states: Mapping[str, State],
    covered: Mapping[str, tuple[Block, ...]],
    there: Mapping[Key, Block],
    claimed: int,
) -> Books:
    """Put what stands in order of names and keys."""
    return Books(
        states=tuple(sorted(states.items())),
        covered=tuple(sorted(covered.items())),
        there=tuple(there[key] for key in sorted(there, key=repr)),
        claimed=claimed,
    )
