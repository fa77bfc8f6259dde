"""A log of events, and nothing else, into the name of what became of each block and request."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from mirc.claims import Event, Key, Kind
from mirc.ir.enums import Guarantee


class Outcome(StrEnum):
    """What telemetry must keep apart.

    Source: Resident KV Claims, arXiv 2605.24259.
    """

    ORDINARY_EVICTION = "ordinary eviction"
    """A block that nobody had asked to keep went."""
    SOFT_PRIORITY = "soft priority"
    """A block that a priority or a soft claim asked to keep went, for something else."""
    WRITE_NO_ADMIT = "write no-admit"
    """A block was written and not kept."""
    HARD_CLAIM = "accepted hard claim"
    """Blocks are promised: what needs their room is refused."""
    MATERIALIZATION_FAILURE = "materialization failure"
    """The blocks of a claim could not be made."""
    DEMOTION = "demotion"
    """A claimed block went to a lower tier and stayed its claim's own."""
    EXPIRY = "expiry"
    """The time of a claim was over, or the event that ends it came."""
    ACTIVE_REFUSAL = "active refusal"
    """Active work was refused for a claim."""
    BROKEN_PROMISE = "broken promise"
    """A claimed block went without a word, or though its claim was hard."""


class Named(NamedTuple):
    """An outcome, the block, claim or request that it is about, and at which event of the log."""

    outcome: Outcome
    about: str
    place: int


_OF_CLAIMS = {
    Kind.FAILED: Outcome.MATERIALIZATION_FAILURE,
    Kind.EXPIRED: Outcome.EXPIRY,
}
_ENDS = (Kind.LOST, Kind.EXPIRED, Kind.RELEASED, Kind.FAILED)
_TOLD = {Kind.LOST: Outcome.SOFT_PRIORITY, Kind.DEMOTED: Outcome.DEMOTION}


def outcomes(log: Iterable[Event]) -> Iterator[Named]:
    """Name what each event of a log amounts to, as far as it is an outcome."""
    reader = _Reader()
    for place, event in enumerate(log):
        for outcome, about in reader.read(event):
            yield Named(outcome, about, place)


class _Reader:
    """What the events so far have said of each block."""

    def __init__(self) -> None:
        self.over: dict[Key, dict[str, bool]] = {}  # the claims over it, and whether each is hard
        self.told: dict[Key, Outcome] = {}  # what its claims have heard

    def read(self, event: Event) -> Iterator[tuple[Outcome, str]]:
        if event.kind in (Kind.ACCEPTED, Kind.CLIPPED):
            yield from self.granted(event)
        if event.kind in _OF_CLAIMS:
            yield _OF_CLAIMS[event.kind], event.claim
        if event.kind is Kind.DENIED and event.blockers:
            yield Outcome.ACTIVE_REFUSAL, event.for_whom
        for block in event.blocks:
            if event.kind in _ENDS:
                self.over.get(block.key, {}).pop(event.claim, None)
            if event.kind in _TOLD:
                self.told[block.key] = _TOLD[event.kind]
            if event.kind is Kind.BYPASSED:
                yield Outcome.WRITE_NO_ADMIT, str(block.key)
            if event.kind is Kind.EVICTED:
                yield self.gone(block.key, event.priority), str(block.key)

    def granted(self, event: Event) -> Iterator[tuple[Outcome, str]]:
        hard = event.guarantee is Guarantee.HARD
        for claims in self.over.values():
            claims.pop(event.claim, None)  # an earlier edition
        for block in event.blocks:
            self.over.setdefault(block.key, {})[event.claim] = hard
        if hard:
            yield Outcome.HARD_CLAIM, event.claim

    def gone(self, key: Key, priority: int | None) -> Outcome:
        told = self.told.pop(key, None)
        left = self.over.get(key, {}).values()
        if any(left) or (left and told is not Outcome.DEMOTION):
            return Outcome.BROKEN_PROMISE
        usual = Outcome.ORDINARY_EVICTION if priority is None else Outcome.SOFT_PRIORITY
        return told or usual
