"""THE field table: every key of the language once, and ways to look it up."""

import attrs

from mirc.ir.fields.contracts import CONTRACTS
from mirc.ir.fields.defaults import CLASS_DEFAULTS
from mirc.ir.fields.flow import MODULE, PHASE, PLAN, STEP
from mirc.ir.fields.identity import IDENTITY
from mirc.ir.fields.lifecycle import LIFECYCLE
from mirc.ir.fields.placement import PLACEMENT
from mirc.ir.fields.precision import PRECISION
from mirc.ir.fields.pressure import PRESSURE
from mirc.ir.fields.spec import FieldSpec, Where


def _with_defaults(spec: FieldSpec) -> FieldSpec:
    implied = {k: words[spec.key] for k, words in CLASS_DEFAULTS.items() if spec.key in words}
    return attrs.evolve(spec, class_defaults=implied) if implied else spec


SUBJECTS: tuple[tuple[str, tuple[FieldSpec, ...]], ...] = tuple(
    (title, tuple(_with_defaults(spec) for spec in specs))
    for title, specs in (
        ("Identity", IDENTITY),
        ("Lifecycle", LIFECYCLE),
        ("Placement", PLACEMENT),
        ("Pressure", PRESSURE),
        ("Precision", PRECISION),
        ("Coalitions, tenants and claims", CONTRACTS),
        ("Module", MODULE),
        ("Phases and signals", PHASE),
        ("Steps", STEP),
        ("Plans", PLAN),
    )
)
"""The table by subject, in the order of the documentation."""

FIELDS: tuple[FieldSpec, ...] = tuple(spec for _, specs in SUBJECTS for spec in specs)
FIELD_BY_KEY: dict[str, FieldSpec] = {spec.key: spec for spec in FIELDS}
KEYS_WHERE: dict[Where, dict[str, FieldSpec]] = {
    where: {spec.key: spec for spec in FIELDS if where in spec.where} for where in Where
}
"""The keys that each declaration may hold, in table order."""
