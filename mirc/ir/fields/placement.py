"""Fields that say where an object wants to live and what keeps it there."""

from mirc.ir.clauses import Protection, TierSpan
from mirc.ir.enums import Level, ObjectClass, RuntimeOverride, TierKind
from mirc.ir.fields.spec import DATA, OVERRIDES, PLAN_OVERRIDES, FieldSpec, Strength
from mirc.ir.forms import OneOf
from mirc.ir.types import Bool, Float, ListOf, Micros, Ref, RefKind, Word
from mirc.ir.values import Name

_ANY = DATA | OVERRIDES
_TIERS = ListOf(Word(TierKind, "a tier"), least=1, unique=True)

PLACEMENT = (
    FieldSpec(
        key="preferred_tiers",
        type=_TIERS,
        doc="Where it should live, most wanted first.",
        where=_ANY,
        strength=Strength.HINT,
        default=(Name("HBM"),),
        bits=10,
    ),
    FieldSpec(
        key="fallback_tiers",
        type=_TIERS,
        doc="Where it may go when it cannot stay, least bad first.",
        where=_ANY,
        strength=Strength.HINT,
        default=(Name("DRAM"), Name("CXL"), Name("NVME")),
        bits=7,
    ),
    FieldSpec(
        key="residency",
        type=ListOf(TierSpan(), least=1),
        doc="`TIER(first_step, last_step)`, inclusive, may wrap; a tier alone is always.",
        where=PLAN_OVERRIDES,
        strength=Strength.PRIOR,
        portable=False,
    ),
    FieldSpec(
        key="prefetch_horizon_us",
        type=Micros(),
        doc="How long before its next use its transfer should begin.",
        where=_ANY,
        strength=Strength.PRIOR,
        portable=False,
        bits=12,
    ),
    FieldSpec(
        key="replication_allowed",
        type=Bool(),
        doc="Whether other accelerators may hold copies.",
        where=_ANY,
        strength=Strength.HARD,
        default=False,
        bits=1,
    ),
    FieldSpec(
        key="multicast_eligible",
        type=Bool(),
        doc="Whether one read may be delivered to several accelerators.",
        where=_ANY,
        strength=Strength.HARD,
        default=False,
        bits=1,
    ),
    FieldSpec(
        key="coalition_hints",
        type=ListOf(Ref(RefKind.COALITION), unique=True),
        doc="Coalitions it belongs to: used together, so fetched and placed together.",
        where=_ANY,
        strength=Strength.HINT,
        bits=12,
    ),
    FieldSpec(
        key="anti_evict_rule",
        type=Protection(),
        doc="While it holds, the object does not leave its preferred tiers.",
        where=_ANY,
        strength=Strength.HARD,
        bits=11,
    ),
    FieldSpec(
        key="anti_evict_from",
        type=_TIERS,
        doc="The tiers that `anti_evict_rule` protects, where they are not the preferred ones.",
        where=_ANY,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="route_probability",
        type=OneOf((Word(Level, "a level"), Float(most=1.0))),
        doc="How likely the router is to choose this expert in a step, for any token.",
        where=_ANY,
        classes=frozenset({ObjectClass.EXPERT_WEIGHT}),
        strength=Strength.PRIOR,
        default=Name("MEDIUM"),
        bits=3,
    ),
    FieldSpec(
        key="runtime_override",
        type=Word(RuntimeOverride, "a runtime override"),
        doc="Whether the controller may place it outside its preferred and fallback tiers.",
        where=_ANY,
        strength=Strength.HARD,
        default=Name("LOG"),
    ),
)
