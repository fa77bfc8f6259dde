"""Every rule, by code: what check runs, and what explain, docs, SARIF and editors list."""

from mirc.diagnostics import Rule
from mirc.grammar.json_rules import JSON_RULES
from mirc.grammar.syntax_rules import SYNTAX_RULES
from mirc.ir.rules import IR_RULES
from mirc.lint.bandwidth import DeadlinesBeyondLinks
from mirc.lint.claims import ClaimOfNothing, LossAgainstGuarantee, RisingPriorities
from mirc.lint.conditions import ConditionNeverTrue, EventNeverRaised, NeverRetired
from mirc.lint.copies import (
    ExpiresYetPersistent,
    ImmutableYetMutable,
    PersistentNowhere,
    SharedMutable,
    WriteToReadOnly,
    WrittenNeverSaved,
)
from mirc.lint.feasibility import ProtectedBeyondTier, StepBeyondMemory
from mirc.lint.hygiene import (
    AwkwardName,
    EstimateWithoutConfidence,
    FieldOrder,
    NamesAlike,
    NeedlessQuotes,
)
from mirc.lint.isolation import (
    ClaimAcrossDomains,
    CoalitionAcrossDomains,
    CopiedAcrossDomains,
    DomainOfAnother,
    SharedAcrossDomains,
    TenantWithoutQuota,
    UnknownDomain,
)
from mirc.lint.lifecycles import LifeTooShort, UsedBeyond, UseOrder
from mirc.lint.links import DeadlineBelowTransfer, LatePrefetch
from mirc.lint.phases import DeadOverride, RestatedValue, SteplessPhase, UnscheduledPhase
from mirc.lint.placement import (
    LargerThanTier,
    NoSuchTier,
    ProtectedElsewhere,
    TierOrder,
    TiersOverlap,
)
from mirc.lint.precision import FloorAboveType, LadderBelowFloor, LadderOrder
from mirc.lint.pressure import (
    DeadlineOfNoClass,
    DroppedForGood,
    HardNeverRead,
    HardYetSpillable,
    NeverSpilledNeverHeld,
    RecomputeWithoutCost,
    WiredYetSpillable,
)
from mirc.lint.quantities import (
    EmptyObject,
    OverlappingParts,
    RepeatedUse,
    RoutedBeyondFamily,
    TouchBeyondSize,
)
from mirc.lint.quotas import QuotasBeyondMemory, WiredBeyondBudget, WiredBeyondQuota
from mirc.lint.references import (
    CoalitionOfOne,
    NotAMember,
    UnusedExtern,
    UnusedObject,
    UnusedTenant,
)
from mirc.lint.replay import SideEffectInReplay
from mirc.lint.residency import ResidencyBeyondTier
from mirc.lint.room import ClaimBeyondRoom, TenantBeyondQuota
from mirc.lint.rule import LintRule
from mirc.lint.schedules import EveryNeverComes, NeverReached
from mirc.lint.suppression_rules import SUPPRESSION_RULES
from mirc.lint.values import MachineFact, MixedLevels

RULES: tuple[LintRule, ...] = (
    UseOrder(),
    TiersOverlap(),
    TierOrder(),
    SharedMutable(),
    HardYetSpillable(),
    NeverSpilledNeverHeld(),
    RecomputeWithoutCost(),
    MachineFact(),
    MixedLevels(),
    UsedBeyond(),
    LifeTooShort(),
    NeverRetired(),
    EventNeverRaised(),
    ConditionNeverTrue(),
    WiredYetSpillable(),
    DroppedForGood(),
    WriteToReadOnly(),
    ImmutableYetMutable(),
    ExpiresYetPersistent(),
    PersistentNowhere(),
    WrittenNeverSaved(),
    DeadlineOfNoClass(),
    HardNeverRead(),
    LossAgainstGuarantee(),
    ProtectedElsewhere(),
    LadderOrder(),
    LadderBelowFloor(),
    FloorAboveType(),
    EmptyObject(),
    TouchBeyondSize(),
    RoutedBeyondFamily(),
    OverlappingParts(),
    RisingPriorities(),
    RepeatedUse(),
    SideEffectInReplay(),
    RestatedValue(),
    UnscheduledPhase(),
    DeadOverride(),
    NeverReached(),
    SteplessPhase(),
    EveryNeverComes(),
    LargerThanTier(),
    NoSuchTier(),
    StepBeyondMemory(),
    ProtectedBeyondTier(),
    WiredBeyondQuota(),
    WiredBeyondBudget(),
    QuotasBeyondMemory(),
    ClaimBeyondRoom(),
    ResidencyBeyondTier(),
    LatePrefetch(),
    DeadlineBelowTransfer(),
    DeadlinesBeyondLinks(),
    TenantBeyondQuota(),
    CoalitionAcrossDomains(),
    ClaimAcrossDomains(),
    SharedAcrossDomains(),
    CopiedAcrossDomains(),
    TenantWithoutQuota(),
    DomainOfAnother(),
    UnknownDomain(),
    UnusedObject(),
    UnusedExtern(),
    NotAMember(),
    UnusedTenant(),
    ClaimOfNothing(),
    CoalitionOfOne(),
    NamesAlike(),
    EstimateWithoutConfidence(),
    FieldOrder(),
    NeedlessQuotes(),
    AwkwardName(),
)
"""What check runs on a file that parses."""

ALL_RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *SYNTAX_RULES,
            *JSON_RULES,
            *IR_RULES,
            *(rule.rule for rule in RULES),
            *SUPPRESSION_RULES,
        ),
        key=lambda rule: rule.code,
    )
)
"""What can be said about a file at all."""

RULE_BY_CODE: dict[str, Rule] = {rule.code: rule for rule in ALL_RULES}
RULE_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in ALL_RULES}
