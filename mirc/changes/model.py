"""What a difference between two files consists of: changes, each under a rule, and bytes."""

from collections import Counter
from enum import StrEnum
from functools import cached_property

import attrs

from mirc.ir.enums import TierKind
from mirc.ir.fields import Strength


class Judgement(StrEnum):
    """What a change means to who relied on the old file, worst first."""

    BREAKING = "breaking"
    """What was right is now wrong, or a promise that somebody relied on is gone."""
    RISKY = "risky"
    """What was right stays legal, but may cost more time or room."""
    SAFE = "safe"
    """Nothing that was right becomes wrong or dearer."""


class Direction(StrEnum):
    """Which way a change goes."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    RECAST = "recast"
    """It became something of another kind."""
    REORDERED = "reordered"
    GROWN = "grown"
    SHRUNK = "shrunk"
    STRONGER = "stronger"
    WEAKER = "weaker"
    DECLARED = "declared"
    """Said where nothing was: nobody could rely on it."""
    GRANTED = "granted"
    """Something is allowed that was not."""
    WITHDRAWN = "withdrawn"
    """Something is no longer allowed, or no longer there."""
    FORBIDDEN = "forbidden"
    """Withdrawn, and the controller may not depart from it."""
    NEAR = "near"
    """An estimate that stays within what it claimed: a factor of 2."""
    FAR = "far"
    """An estimate that says something else."""
    CONFIDENCE = "confidence"
    """The same value, believed more or less."""
    OTHER = "other"
    """Different, neither more nor less."""


@attrs.frozen(kw_only=True)
class ChangeRule:
    """A kind of change and its judgement.

    It applies to declarations of ``kinds``, or to fields by ``keys`` or ``strengths``, in the
    ``directions``; an empty tuple excludes nothing.
    """

    code: str
    name: str
    judgement: Judgement
    about: str
    kinds: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    strengths: tuple[Strength, ...] = ()
    directions: tuple[Direction, ...] = ()


@attrs.frozen(kw_only=True)
class Change:
    """One difference. ``old`` and ``new`` are as people write them, None where nothing holds.

    ``kind`` is a declaration's (``object``, ``step``), ``name`` its name (the new one where it was
    renamed); ``where`` the phase, signal or plan around it; ``key`` None for the whole.
    """

    rule: ChangeRule
    kind: str
    name: str
    where: str = ""
    key: str | None = None
    old: str | None = None
    new: str | None = None

    @property
    def subject(self) -> str:
        """What it is about: ``object w in phase decode``."""
        return f"{self.kind} {self.name}" + (f" in {self.where}" if self.where else "")


@attrs.frozen(kw_only=True)
class Demand:
    """The most bytes that a file asks for in one tier, and the phase and step of that moment."""

    tier: TierKind
    size_bytes: int
    phase: str
    step: str


@attrs.frozen(kw_only=True)
class TierChange:
    """What two files ask for in one tier at their busiest steps; None where they ask nothing."""

    tier: TierKind
    old: Demand | None
    new: Demand | None

    @property
    def gained_bytes(self) -> int:
        """Bytes more in the new file; negative where fewer."""
        new = self.new.size_bytes if self.new is not None else 0
        return new - (self.old.size_bytes if self.old is not None else 0)


@attrs.frozen(kw_only=True)
class Diff:
    """All changes, in the order of the files, and the bytes asked for with what was assumed."""

    changes: tuple[Change, ...]
    tiers: tuple[TierChange, ...]
    assumptions: tuple[str, ...]

    @cached_property
    def counts(self) -> Counter[Judgement]:
        """How many changes there are of each judgement."""
        return Counter(change.rule.judgement for change in self.changes)
