"""Fields that say how an object lives and dies, and what losing it costs."""

from mirc.ir.enums import (
    Level,
    ObjectClass,
    PersistenceScope,
    Recompute,
    Retirement,
    ReuseUnit,
    SharingScope,
)
from mirc.ir.fields.spec import DATA, OVERRIDES, FieldSpec, Strength, Where
from mirc.ir.forms import Bare, Form, OneOf, amount, applied
from mirc.ir.types import Float, Int, Interval, Micros, Ref, RefKind, Word
from mirc.ir.values import Name

_ANY = DATA | OVERRIDES
_SHARED = frozenset({ObjectClass.KV_BLOCK, ObjectClass.RECURRENT_STATE, ObjectClass.METADATA_PAGE})

LIFECYCLE = (
    FieldSpec(
        key="created",
        type=Ref(RefKind.STEP),
        doc="The step that makes it.",
        where=_ANY,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="earliest_use",
        type=Ref(RefKind.STEP),
        doc="The first step that reads it.",
        where=_ANY,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="latest_use",
        type=Ref(RefKind.STEP),
        doc="The last step that reads it.",
        where=_ANY,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="first_use_us",
        type=Micros(),
        doc="Roofline time of its first use, from the phase's start.",
        where=frozenset({Where.PLAN_PHASE_OVERRIDE}),
        strength=Strength.PRIOR,
        portable=False,
    ),
    FieldSpec(
        key="last_use_us",
        type=Micros(),
        doc="Roofline time of its last use, from the phase's start.",
        where=frozenset({Where.PLAN_PHASE_OVERRIDE}),
        strength=Strength.PRIOR,
        portable=False,
    ),
    FieldSpec(
        key="persistence_scope",
        type=Word(PersistenceScope, "a persistence scope"),
        doc="What ends its life; it is reclaimable exactly then.",
        where=_ANY,
        default=Name("SESSION"),
        bits=3,
    ),
    FieldSpec(
        key="reuse",
        type=OneOf(
            (
                Word(Level, "a level"),
                Bare("ONCE"),
                Form("EVERY", (Word(ReuseUnit, "a unit of reuse"),)),
                Float(),
            )
        ),
        doc="How often it is read: a level, reads per iteration, `ONCE`, or `EVERY(ITERATION)`.",
        where=_ANY,
        strength=Strength.PRIOR,
        default=Name("MEDIUM"),
        bits=3,
    ),
    FieldSpec(
        key="reuse_window",
        type=OneOf((Word(Level, "a level"), Float(), Interval())),
        doc="How soon it is read again: a level, a number of steps, or a time.",
        where=_ANY,
        strength=Strength.PRIOR,
        default=Name("MEDIUM"),
        bits=5,
    ),
    FieldSpec(
        key="retire",
        type=OneOf(
            (
                applied(Retirement, "a retirement"),
                Form("WINDOW", (Int(least=1),)),
                Form("AFTER", (Ref(RefKind.STEP),)),
            )
        ),
        doc="After what it must not be used again; `WINDOW(n)`: n tokens later.",
        where=_ANY,
        default=Name("NEVER"),
    ),
    FieldSpec(
        key="recompute_class",
        type=Word(Recompute, "a recompute class"),
        doc="What making it again costs, beside fetching it.",
        where=_ANY,
        strength=Strength.PRIOR,
        portable=False,
        default=Name("IMPOSSIBLE"),
        bits=2,
    ),
    FieldSpec(
        key="recompute_cost_us",
        type=Micros(),
        doc="Time to make it again.",
        where=_ANY,
        strength=Strength.PRIOR,
        portable=False,
        bits=5,
    ),
    FieldSpec(
        key="recompute_flops",
        type=amount(Int(noun="a number of FLOPs")),
        doc="Arithmetic to make it again; the same on every machine.",
        where=_ANY,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="sharing_scope",
        type=OneOf(
            (
                applied(SharingScope, "a sharing scope"),
                Form("SEQUENCE_GROUP", rest=OneOf((Int(), Ref(RefKind.FREE)))),
            )
        ),
        doc="Who reads the same bytes; the fan-out is the number of live readers.",
        where=_ANY,
        classes=_SHARED,
        default=Name("SEQUENCE"),
    ),
)
