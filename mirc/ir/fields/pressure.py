"""Fields that say what may happen under pressure: spilling, deadlines, retention, pins, replay."""

from mirc.ir.clauses import TokenRange
from mirc.ir.enums import (
    DeadlineClass,
    ObjectClass,
    PinLevel,
    ReplayMode,
    SinkGranularity,
    SpillPolicy,
)
from mirc.ir.fields.spec import DATA, OVERRIDES, FieldSpec, Strength, Where
from mirc.ir.types import Bool, Float, Int, ListOf, Micros, Ref, RefKind, Word
from mirc.ir.values import Name

_ANY = DATA | OVERRIDES
_KV = frozenset({ObjectClass.KV_BLOCK})
_STATE = frozenset({ObjectClass.KV_BLOCK, ObjectClass.RECURRENT_STATE})

PRESSURE = (
    FieldSpec(
        key="spill_policy",
        type=Word(SpillPolicy, "a spill policy"),
        doc="Whether and when it may move to a lower tier to make room.",
        where=_ANY,
        strength=Strength.SOFT,
        default=Name("ALLOW"),
        bits=2,
    ),
    FieldSpec(
        key="deadline_class",
        type=Word(DeadlineClass, "a deadline class"),
        doc="What a late arrival means; HARD needs a step that reads it, or `deadline_us`.",
        where=_ANY,
        strength=Strength.HARD,
        default=Name("SOFT"),
        bits=2,
    ),
    FieldSpec(
        key="deadline_us",
        type=Micros(),
        doc="How long after it is asked for it must be readable.",
        where=_ANY,
        strength=Strength.HARD,
        bits=5,
    ),
    FieldSpec(
        key="retention_priority",
        type=Int(most=100),
        doc="Who goes first among those that may go: the lowest.",
        where=_ANY,
        strength=Strength.HINT,
        default=35,
    ),
    FieldSpec(
        key="retain_us",
        type=Micros(),
        doc="How long it is wanted after its last use; of a claim, how long it lasts.",
        where=_ANY | {Where.CLAIM},
        strength=Strength.HINT,
    ),
    FieldSpec(
        key="pin_level",
        type=Word(PinLevel, "a pin level"),
        doc="Whether it is held where it is: with an event before it is lost, or never lost.",
        where=_ANY,
        strength=Strength.WIRED,
        default=Name("NONE"),
        bits=2,
    ),
    FieldSpec(
        key="pin_range",
        type=TokenRange(),
        doc="Which of its bytes `pin_level` holds: `RANGE(start, end)`, end exclusive; else all.",
        where=_ANY,
        strength=Strength.WIRED,
    ),
    FieldSpec(
        key="immutable",
        type=Bool(),
        doc="Writing it is a violation, and its copies need no coherence.",
        where=_ANY,
        strength=Strength.HARD,
        default=False,
        bits=1,
    ),
    FieldSpec(
        key="claimed_by",
        type=Ref(RefKind.CLAIM),
        doc="The claim that covers it.",
        where=_ANY,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="dwell_steps",
        type=Int(),
        doc="Decode steps for which it stays once promoted; an earlier loss is an event.",
        where=_ANY,
        strength=Strength.SOFT,
        default=0,
    ),
    FieldSpec(
        key="replay",
        type=Word(ReplayMode, "a replay mode"),
        doc="What keeps it undoable while drafts are speculated.",
        where=_ANY,
        classes=_STATE,
        strength=Strength.HARD,
        default=Name("ROLLBACK"),
    ),
    FieldSpec(
        key="sink_tokens",
        type=ListOf(Int(), unique=True),
        doc="Positions that hold much attention, to be promoted before the first decode step.",
        where=_ANY,
        classes=_KV,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="sink_score",
        type=Float(most=1.0),
        doc="Share of the attention mass that its tokens receive.",
        where=_ANY,
        classes=_KV,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="sink_threshold",
        type=Float(),
        doc="Score from which a position counts as a sink.",
        where=_ANY,
        classes=_KV,
        strength=Strength.HINT,
    ),
    FieldSpec(
        key="sink_decay",
        type=Float(most=1.0),
        doc="Weight of the past in a score's moving average.",
        where=_ANY,
        classes=_KV,
        strength=Strength.HINT,
    ),
    FieldSpec(
        key="sink_granularity",
        type=Word(SinkGranularity, "a sink granularity"),
        doc="How much of a sink is promoted together.",
        where=_ANY,
        classes=_KV,
        strength=Strength.HINT,
        default=Name("ALL_LAYERS"),
    ),
)
