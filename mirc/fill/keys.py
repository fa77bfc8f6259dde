"""A key into the pass that establishes it, and into whether a pass may fill it at all."""

from collections.abc import Collection

from mirc.ir import FIELD_BY_KEY, Block, Field, Name, Object, Template, Where
from mirc.ir.enums import ObjectClass

UNKNOWABLE = frozenset(
    {
        "class",
        "size_bytes",
        "dtype",
        "instance",
        "block_tokens",
        "producer",
        "model",
        "model_digest",
        "precision_ladder",
        "precision_floor",
        "sensitivity",
        "reads",
        "writes",
        "flops",
        "transient_bytes",
        "traffic_bytes",
        "layout",
        "scope",
    }
)
"""What the steps of a file do not tell: element types, shapes, amounts, who wrote it."""

PROMISED = frozenset(
    {
        "mutability",
        "immutable",
        "sharing_scope",
        "anti_evict_rule",
        "pin_level",
        "pin_range",
        "persistence_scope",
        "retire",
    }
)
"""What its author alone can promise: who writes, who shares, what is held and until when."""

OF_PLANS = frozenset({"spill_policy", "deadline_class"})
"""Promises that a plan which is new may make for its machine: elsewhere one stands, by the class.

A phase that lowers it, or an object that may suddenly be dropped, breaks who relied on it.
"""

_PASS_OF = {
    "kind": "phase-annotator",
    "batch": "phase-annotator",
    "tokens": "phase-annotator",
    "context": "phase-annotator",
    "schedule": "phase-annotator",
    "created": "liveness",
    "earliest_use": "liveness",
    "latest_use": "liveness",
    "reuse": "reuse",
    "reuse_window": "reuse",
    "work": "reuse",
    "period_us": "reuse",
    "route_probability": "expert-routing",
    "recompute_class": "recompute-classifier",
    "recompute_flops": "recompute-classifier",
    "recompute_cost_us": "recompute-classifier",
    "residency": "tier-liveness",
    "first_use_us": "tier-liveness",
    "last_use_us": "tier-liveness",
    "prefetch_horizon_us": "tier-liveness",
    "backing": "tier-liveness",
    "members": "coalition",
}
OTHERWISE = "annotate"
"""The pass that establishes every other key."""

MACHINE_KEYS = frozenset({"backing", "recompute_class", "recompute_cost_us"})
"""What a plan may say of its machine beside what the intent says of any."""


def pass_of(key: str) -> str:
    """Return the name of the pass whose finding a field of this key is."""
    return _PASS_OF.get(key, OTHERWISE)


def fills(key: str, passes: Collection[str], *, in_new_plan: bool = False) -> bool:
    """Say whether a field may be filled when these passes are asked for (none: all of them)."""
    if key in UNKNOWABLE or key in PROMISED or (key in OF_PLANS and not in_new_plan):
        return False
    return not passes or pass_of(key) in passes


_IMPOSSIBLE = ("recompute_class", Name("IMPOSSIBLE"))
_DROPPED = ("spill_policy", Name("DROP_RECOMPUTE"))

_NO_EVIDENCE = {"kind": Name("FORWARD")}
"""What a phase is taken for when nothing in it says what it is."""


def says_something(field: Field, block: Block, klass: ObjectClass | None) -> bool:
    """Say whether a field may stand in a declaration and is more than what holds without it."""
    if _NO_EVIDENCE.get(field.key) == field.value or _contradicts(field, block):
        return False
    if field.key == "recompute_class" and block.value("recompute_flops") is not None:
        return False  # who counted the FLOPs left the class's own judgement as it is
    spec = FIELD_BY_KEY[field.key]
    where = Where.TEMPLATE if isinstance(block, Template) else Where.OBJECT
    if isinstance(block, Object | Template):
        if where not in spec.where or (spec.classes and klass not in spec.classes):
            return False
        return field.confidence is not None or field.value != spec.default_for(klass)
    return field.confidence is not None or field.value != spec.default


def _contradicts(field: Field, block: Block) -> bool:
    """Say whether a block drops what cannot be made again once the field stands in it."""
    said = (field.key, field.value)
    return any(
        said == one and block.value(other[0]) == other[1]
        for one, other in ((_IMPOSSIBLE, _DROPPED), (_DROPPED, _IMPOSSIBLE))
    )


def class_in(block: Block) -> ObjectClass | None:
    """Return the class that a declaration gives itself."""
    written = block.value("class")
    return ObjectClass(written.text) if isinstance(written, Name) else None
