"""What a ledger says into its log of events, each at the time of the ledger's clock."""

from typing import Any, NamedTuple

from mirc.claims.events import Event, Kind
from mirc.claims.terms import Block, Terms


class Why(NamedTuple):
    """A reason, the claims that are in the way, and how much is missing."""

    reason: str = ""
    blockers: tuple[str, ...] = ()
    short: int = 0


GRANTED = Why()


class Journal:
    """The clock and the log of one ledger."""

    def __init__(self) -> None:
        self.now = 0
        self.log: list[Event] = []

    def say(self, kind: Kind, **fields: Any) -> None:
        """Log an event."""
        self.log.append(Event(at=self.now, kind=kind, **fields))

    def say_of(
        self,
        kind: Kind,
        terms: Terms,
        blocks: tuple[Block, ...],
        why: Why = GRANTED,
        **fields: Any,
    ) -> None:
        """Log an event of a claim; its priority is the claim's, if ``fields`` has none."""
        told = {
            "claim": terms.name,
            "holder": terms.holder,
            "guarantee": terms.guarantee,
            "priority": terms.priority,
            "reason": why.reason,
            "blockers": why.blockers,
            "short": why.short,
        }
        self.say(kind, blocks=blocks, **(told | fields))
