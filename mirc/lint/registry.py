"""Every lint rule, by code: what check runs, and what docs and editors list."""

from mirc.lint.hygiene import UnusedObject
from mirc.lint.lifecycles import (
    HardYetSpillable,
    MachineFact,
    NeverSpilledNeverHeld,
    RecomputeWithoutCost,
    SharedMutable,
    UseOrder,
)
from mirc.lint.phases import RestatedValue, UnscheduledPhase
from mirc.lint.placement import LargerThanTier, NoSuchTier, TierOrder, TiersOverlap
from mirc.lint.rule import LintRule

RULES: tuple[LintRule, ...] = (
    UseOrder(),
    TiersOverlap(),
    TierOrder(),
    SharedMutable(),
    HardYetSpillable(),
    NeverSpilledNeverHeld(),
    RecomputeWithoutCost(),
    MachineFact(),
    RestatedValue(),
    UnscheduledPhase(),
    LargerThanTier(),
    NoSuchTier(),
    UnusedObject(),
)
