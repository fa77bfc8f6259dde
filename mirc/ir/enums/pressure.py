"""Words that say what may happen to data under pressure."""

from enum import StrEnum


class SpillPolicy(StrEnum):
    """What may happen to an object when room must be made, most protected first."""

    NEVER = "NEVER"
    """It is never moved to a lower tier."""
    SEVERE_PRESSURE_ONLY = "SEVERE_PRESSURE_ONLY"
    """Only when nothing that allows spilling is left."""
    ALLOW = "ALLOW"
    """It may be spilled freely."""
    DROP_RECOMPUTE = "DROP_RECOMPUTE"
    """It may be dropped and made again."""


class DeadlineClass(StrEnum):
    """What a late arrival means."""

    HARD = "HARD"
    """A counted violation: the reader must not wait."""
    SOFT = "SOFT"
    """A counted stall."""
    NONE = "NONE"
    """Nothing."""


class PinLevel(StrEnum):
    """How strongly an object is held where it is."""

    NONE = "NONE"
    """Not at all."""
    SOFT = "SOFT"
    """A victim only when nothing else is left, and its loss is an event first."""
    WIRED = "WIRED"
    """Never a victim until it is released."""


class Guarantee(StrEnum):
    """How strong a claim is."""

    SOFT = "SOFT"
    """Its loss is an event, before it happens."""
    HARD = "HARD"
    """Others are refused; it is never lost."""


class ClaimLoss(StrEnum):
    """What a claim's holder gets when the claim cannot be kept."""

    EVENT = "EVENT"
    """An event, before the bytes go."""
    DEMOTE = "DEMOTE"
    """The bytes, in a lower tier."""
    REFUSE_OTHERS = "REFUSE_OTHERS"
    """Nothing is lost: the request that would need the room is refused."""


class ReplayMode(StrEnum):
    """What keeps speculated state undoable."""

    NONE = "NONE"
    """Nothing: it must not be touched while speculating."""
    IMMUTABLE = "IMMUTABLE"
    """It is not written while speculating."""
    ROLLBACK = "ROLLBACK"
    """Writes are logged and undone."""


class SinkGranularity(StrEnum):
    """How much of a sink's keys and values is promoted together."""

    ALL_LAYERS = "ALL_LAYERS"
    """All layers and heads."""
    LAYER = "LAYER"
    """One layer, all heads."""
    HEAD = "HEAD"
    """One head of one layer."""


class RuntimeOverride(StrEnum):
    """Whether the controller may depart from an object's placement fields."""

    FORBID = "FORBID"
    """Never."""
    LOG = "LOG"
    """With a logged reason."""
    ALLOW = "ALLOW"
    """Freely."""
