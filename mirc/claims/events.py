"""What became of claims and of the requests beside them: one event each, in the ledger's order."""

from enum import StrEnum

import attrs

from mirc.claims.terms import Block
from mirc.ir.enums import Guarantee


class State(StrEnum):
    """Where a claim stands, from its request to its end."""

    DEFERRED = "DEFERRED"
    """It waits: for room, or for the event on which it binds."""
    REFUSED = "REFUSED"
    """It was not granted."""
    ACCEPTED = "ACCEPTED"
    """It is in force, and not all its blocks are there yet."""
    CLIPPED = "CLIPPED"
    """It is in force for fewer blocks than were asked for."""
    MATERIALIZED = "MATERIALIZED"
    """It is in force, and all its blocks are there."""
    DEMOTED = "DEMOTED"
    """It is in force, and some of its blocks are kept in a lower tier."""
    FAILED = "FAILED"
    """Its blocks could not be made: it ended before they were there."""
    EXPIRED = "EXPIRED"
    """Its time is over, or the event that ends it has come."""
    RELEASED = "RELEASED"
    """Its holder gave it back."""
    LOST = "LOST"
    """It was soft, and its last block was taken, after an event that said so."""


class Kind(StrEnum):
    """What an event says. Those of a claim, those of a block, those of an active request."""

    REQUESTED = "REQUESTED"
    """A claim is asked for."""
    ACCEPTED = "ACCEPTED"
    """It is in force for all its blocks."""
    CLIPPED = "CLIPPED"
    """It is in force for its first blocks only."""
    DEFERRED = "DEFERRED"
    """It waits."""
    REFUSED = "REFUSED"
    """It is not granted, or what was asked about it is not done."""
    DUPLICATE = "DUPLICATE"
    """The same claim stands already."""
    UNSUPPORTED = "UNSUPPORTED"
    """This pool cannot make such a promise."""
    MISSING = "MISSING"
    """There is no such claim."""
    REVISED = "REVISED"
    """A later edition takes the place of the one that stood."""
    MATERIALIZED = "MATERIALIZED"
    """All its blocks are there."""
    FAILED = "FAILED"
    """Its blocks cannot be made: it ends."""
    DEMOTED = "DEMOTED"
    """A block of it is about to go to a lower tier, where it stays its own."""
    LOST = "LOST"
    """A block of it is about to go, and is its own no longer."""
    EXPIRED = "EXPIRED"
    """The time of these blocks is over, or the event that ends the claim has come."""
    RELEASED = "RELEASED"
    """Its holder gives it back."""
    PLACED = "PLACED"
    """A block is there."""
    EVICTED = "EVICTED"
    """A block goes."""
    BYPASSED = "BYPASSED"
    """A block is written and not kept: it displaces nothing."""
    ADMITTED = "ADMITTED"
    """An active request has its room."""
    STALLED = "STALLED"
    """An active request may have its room, and waits until something can be moved."""
    DENIED = "DENIED"
    """An active request is refused, whole, before it takes anything."""


class Answer(StrEnum):
    """What whoever asks about a claim is told; the words of the KV hints of serving engines."""

    ACCEPTED = "ACCEPTED"
    """In force, whole."""
    CLIPPED = "CLIPPED"
    """In force, for its first blocks."""
    DEFERRED = "DEFERRED"
    """Not yet."""
    REFUSED = "REFUSED"
    """No, for the reason that the event gives."""
    APPLIED = "APPLIED"
    """Done: revised, released, failed."""
    DUPLICATE = "DUPLICATE"
    """Nothing to do: it stands already."""
    UNSUPPORTED = "UNSUPPORTED"
    """This pool cannot."""
    MISSING = "MISSING"
    """There is no such claim."""


class Cause(StrEnum):
    """Why, where it is not a matter of room (``admission.Reason`` says that)."""

    OTHER_TIER = "OTHER_TIER"
    """The claim names tiers, and this pool is none of them."""
    NO_CLAIMS = "NO_CLAIMS"
    """This controller makes no promises."""
    OLD_REVISION = "OLD_REVISION"
    """The edition that stands is as late, or later."""
    QUOTA = "QUOTA"
    """Its tenant's hard claims would exceed what the tenant may hold."""
    CONDITION = "CONDITION"
    """The event on which it binds has not come."""
    PATIENCE = "PATIENCE"
    """It waited as long as its holder would."""
    NOT_HOLDER = "NOT_HOLDER"
    """Only its holder may release or revise it."""
    COMPLETE = "COMPLETE"
    """All its blocks are there: it did not fail."""
    LIFE = "LIFE"
    """The life of the block is over: there is nothing left to keep."""
    TIME = "TIME"
    """Its time is over."""
    EVENT = "EVENT"
    """The event that ends it has come."""


@attrs.frozen(kw_only=True)
class Event:
    """One thing that happened; what does not apply is empty.

    ``blocks`` are those it is about, ``blockers`` the claims that stood in the way and ``short``
    how much room was missing, ``for_whom`` the request that needed the room, ``to`` the lower tier
    where the bytes remain.
    """

    at: int
    kind: Kind
    claim: str = ""
    holder: str = ""
    guarantee: Guarantee | None = None
    priority: int | None = None
    blocks: tuple[Block, ...] = ()
    reason: str = ""
    blockers: tuple[str, ...] = ()
    short: int = 0
    for_whom: str = ""
    to: str = ""
