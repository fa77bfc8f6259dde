"""What an orchestrator did into rows that say when, to what, for whom and why."""

from enum import StrEnum
from typing import Protocol

import attrs


class What(StrEnum):
    """What happened; the first rows are about sequences, then blocks, then promises."""

    ADMITTED = "ADMITTED"
    """A sequence got its room; ``amount`` is the tokens that it found there."""
    WAITS = "WAITS"
    """A sequence stays in the queue: ``blockers`` are in its way for now."""
    REFUSED = "REFUSED"
    """A sequence, claim or window was turned away; ``blockers`` name who is in its way."""
    PREEMPTED = "PREEMPTED"
    """A running sequence gave its place to an older one and goes back to the queue."""
    SIGNALLED = "SIGNALLED"
    """A signal of the runtime was heard."""
    ENDED = "ENDED"
    """A sequence left; ``amount`` is the tokens that it made."""
    MADE = "MADE"
    """A block came into being, or was made again."""
    EVICTED = "EVICTED"
    """A block that nobody used was dropped; using it again means computing it again."""
    SWAPPED_OUT = "SWAPPED_OUT"
    """A block that nobody used moved to the memory below."""
    SWAPPED_IN = "SWAPPED_IN"
    """A block came back from the memory below."""
    RETIRED = "RETIRED"
    """A block that must not be used again was dropped."""
    CLAIM_ACCEPTED = "CLAIM_ACCEPTED"
    CLAIM_LOST = "CLAIM_LOST"
    """A soft claim is about to lose a block: the row stands before the loss."""
    CLAIM_EXPIRED = "CLAIM_EXPIRED"
    CLAIM_RELEASED = "CLAIM_RELEASED"
    PROMOTED = "PROMOTED"
    """A shared prefix was copied into the fast region, for its first reader."""
    JOINED = "JOINED"
    """A further reader uses what was promoted; nothing is copied."""
    LEFT = "LEFT"
    """A reader of a promoted prefix left; others still read it."""
    FREED = "FREED"
    """The last reader left, and the fast region has its room back."""
    WINDOW_OPENED = "WINDOW_OPENED"
    """A replay window began: what is made in it can be undone."""
    COMMITTED = "COMMITTED"
    """Draft tokens were accepted; ``amount`` of them."""
    ROLLED_BACK = "ROLLED_BACK"
    """Draft tokens were rejected and undone; ``amount`` of them."""


class Why(StrEnum):
    """The reason of a row."""

    ARRIVED = "ARRIVED"
    ROOM = "ROOM"
    """Room was needed, and this was the next to leave."""
    QUOTA = "QUOTA"
    """The tenant's quota was reached: it pays with its own."""
    USED_ALONE = "USED_ALONE"
    """Nothing can use it without a block that has gone."""
    FINISHED = "FINISHED"
    TOOL_WAIT = "TOOL_WAIT"
    RESUME = "RESUME"
    FORK = "FORK"
    COMPACT = "COMPACT"
    SUPERSEDED = "SUPERSEDED"
    SEQUENCE_END = "SEQUENCE_END"
    OLDER_NEEDS_ROOM = "OLDER_NEEDS_ROOM"
    IN_FLIGHT = "IN_FLIGHT"
    """Another sequence is computing a block of its prefix: it is not computed twice."""
    BUSY = "BUSY"
    """Others use the room; they will leave."""
    MUST_HOLD = "MUST_HOLD"
    CLAIMED = "CLAIMED"
    """Hard claims leave too little, for good."""
    ACTIVE_NEEDS = "ACTIVE_NEEDS"
    """A claim would leave active work less than the least that it needs."""
    TOO_LARGE = "TOO_LARGE"
    OVER_QUOTA = "OVER_QUOTA"
    IMMUTABLE = "IMMUTABLE"
    """What others share may not be written in a replay window."""
    ASKED = "ASKED"
    TIME = "TIME"
    SHARED = "SHARED"
    REJECTED = "REJECTED"
    ACCEPTED = "ACCEPTED"


@attrs.frozen(kw_only=True)
class KvEvent:
    """One row.

    ``name`` is the sequence or claim that it is about, ``block`` its key in the prefix tree (-1: no
    block), ``group`` the cache group, ``amount`` tokens or blocks as the kind says. ``for_whom`` is
    whose need caused it, ``blockers`` who is in the way.
    """

    tick: int
    what: What
    why: Why
    name: str = ""
    tenant: str = ""
    block: int = -1
    group: str = ""
    amount: int = 0
    for_whom: str = ""
    blockers: tuple[str, ...] = ()


class Log(Protocol):
    """Whatever takes rows, in order: a list does."""

    def append(self, event: KvEvent, /) -> None:
        """Take one row."""
