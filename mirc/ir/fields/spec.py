"""One row of the field table: all that checker, printer, docs and packing know about a key."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from mirc.ir.enums import ObjectClass
from mirc.ir.types import Type
from mirc.ir.values import Value


class Where(StrEnum):
    """The declarations a field may stand in; the value is how messages name them."""

    MODULE = "the module block"
    OBJECT = "an object"
    TEMPLATE = "a template"
    COALITION = "a coalition"
    TENANT = "a tenant"
    CLAIM = "a claim"
    PHASE = "a phase"
    STEP = "a step"
    SIGNAL = "a signal"
    OVERRIDE = "an override"
    """Inside a phase or a signal."""
    PLAN = "a plan"
    PLAN_OVERRIDE = "a plan's override"
    """For the whole plan."""
    PLAN_PHASE = "a plan's phase"
    PLAN_PHASE_OVERRIDE = "a plan's phase override"


class Strength(StrEnum):
    """How binding a field is, weakest first; safety stands beside the residency axis."""

    FACT = "fact"
    """What is so; nothing is asked."""
    HINT = "hint"
    """May be ignored; a loss is counted."""
    PRIOR = "prior"
    """An estimate with a confidence, that telemetry corrects."""
    SOFT = "soft"
    """A promise whose loss is an event, before it happens."""
    HARD = "hard"
    """A promise that refuses others and is never lost."""
    WIRED = "wired"
    """Never a victim until release."""
    SAFETY = "safety"
    """Never crossed by anything, whatever the pressure."""


DATA = frozenset({Where.OBJECT, Where.TEMPLATE})
OVERRIDES = frozenset({Where.OVERRIDE, Where.PLAN_OVERRIDE, Where.PLAN_PHASE_OVERRIDE})
PLAN_OVERRIDES = frozenset({Where.PLAN_OVERRIDE, Where.PLAN_PHASE_OVERRIDE})
WEAK = frozenset({Strength.HINT, Strength.PRIOR})


@attrs.frozen(kw_only=True)
class FieldSpec:
    """A key and everything that is true of it wherever it stands.

    ``classes`` empty means all classes. ``portable`` fields are intent, true on every machine; the
    others are facts of one machine and belong in a plan. ``bits`` is the width in the packed
    descriptor, None where it is not packed.
    """

    key: str
    type: Type
    doc: str
    where: frozenset[Where]
    classes: frozenset[ObjectClass] = frozenset()
    strength: Strength = Strength.FACT
    portable: bool = True
    required: frozenset[Where] = frozenset()
    bits: int | None = None
    default: Value | None = None
    class_defaults: Mapping[ObjectClass, Value] = attrs.field(factory=dict)

    @property
    def unit(self) -> str | None:
        """``bytes``, ``us`` or None."""
        return self.type.unit

    @property
    def estimate(self) -> bool:
        """Whether it may carry a confidence: hints and priors do, facts and promises never."""
        return self.strength in WEAK

    @property
    def overridable(self) -> bool:
        """Whether a phase, signal or plan may change it."""
        return bool(self.where & OVERRIDES)

    def default_for(self, klass: ObjectClass | None) -> Value | None:
        """Return what holds when nothing is written, as it would be written."""
        if klass is not None and klass in self.class_defaults:
            return self.class_defaults[klass]
        return self.default
