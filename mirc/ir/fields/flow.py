"""Fields of what runs: the module, phases, steps, signals and plans."""

from mirc.ir.clauses import Event, ScheduleItem
from mirc.ir.enums import CollectiveKind, PhaseKind, PhaseScope, WorkKind
from mirc.ir.fields.spec import FieldSpec, Strength, Where
from mirc.ir.forms import Form, OneOf, amount, applied, uses
from mirc.ir.types import Bool, Bytes, Int, ListOf, Micros, Ref, RefKind, Str, Word
from mirc.ir.values import Name

_MODULE = frozenset({Where.MODULE})
_PHASE = frozenset({Where.PHASE})
_STEP = frozenset({Where.STEP})
_SIGNAL = frozenset({Where.SIGNAL})
_PLAN = frozenset({Where.PLAN})

MODULE = (
    FieldSpec(key="producer", type=Str(), doc="What wrote the file.", where=_MODULE),
    FieldSpec(key="model", type=Str(), doc="The model it describes.", where=_MODULE),
    FieldSpec(
        key="model_digest",
        type=Str(),
        doc="A digest of the model's structure, `sha256:...`.",
        where=_MODULE,
    ),
    FieldSpec(
        key="schedule",
        type=ListOf(ScheduleItem()),
        doc="The order of phases: names, `REPEAT(n, ...)`, `LOOP(...)`, `EVERY(n, phase)`, nested.",
        where=_MODULE,
    ),
    FieldSpec(
        key="mesh",
        type=ListOf(Form("AXIS", (Ref(RefKind.FREE), Int(least=1)))),
        doc="The accelerators as axes: `[AXIS(tp, 8), AXIS(pp, 4)]`.",
        where=_MODULE,
    ),
)

PHASE = (
    FieldSpec(
        key="kind",
        type=Word(PhaseKind, "a phase kind"),
        doc="What the phase is in the life of a model.",
        where=_PHASE,
    ),
    FieldSpec(
        key="scope",
        type=Word(PhaseScope, "a phase scope"),
        doc="Who is in it at the same time.",
        where=_PHASE | _SIGNAL,
        default=Name("GLOBAL"),
    ),
    FieldSpec(
        key="batch",
        type=Int(least=1),
        doc="Sequences in the captured batch.",
        where=_PHASE,
        default=1,
    ),
    FieldSpec(
        key="tokens",
        type=Int(least=1),
        doc="New tokens of each sequence in the captured run.",
        where=_PHASE,
        default=1,
    ),
    FieldSpec(
        key="context",
        type=Int(),
        doc="Tokens of each sequence already in the cache in the captured run.",
        where=_PHASE,
        default=0,
    ),
    FieldSpec(
        key="follows",
        type=ListOf(Ref(RefKind.PHASE), unique=True),
        doc="Phases from which it may be entered.",
        where=_PHASE,
    ),
    FieldSpec(
        key="speculative",
        type=Bool(),
        doc="Whether what it makes may be undone by the phase that follows.",
        where=_PHASE,
        default=False,
    ),
    FieldSpec(
        key="expected_us",
        type=Micros(),
        doc="How long the state that the signal begins is expected to last.",
        where=_SIGNAL,
        strength=Strength.PRIOR,
    ),
)

_USES = ListOf(uses(Bytes()))

STEP = (
    FieldSpec(
        key="reads",
        type=_USES,
        doc="What it reads: names, `TOUCH(name, bytes)`, `ROUTED(family, k)` of the experts.",
        where=_STEP,
    ),
    FieldSpec(
        key="writes",
        type=_USES,
        doc="What it writes or makes; a whole write of a new object creates it.",
        where=_STEP,
    ),
    FieldSpec(
        key="flops",
        type=amount(Int(noun="a number of FLOPs")),
        doc="Its arithmetic, a multiply and an add counted as two.",
        where=_STEP,
        default=0,
    ),
    FieldSpec(
        key="work",
        type=Word(WorkKind, "a kind of work"),
        doc="What its arithmetic is; picks the machine's efficiency.",
        where=_STEP,
        default=Name("OTHER"),
    ),
    FieldSpec(
        key="transient_bytes",
        type=amount(Bytes()),
        doc="Peak of what lives only inside it.",
        where=_STEP,
        default=0,
    ),
    FieldSpec(
        key="traffic_bytes",
        type=amount(Bytes()),
        doc="Bytes that its inner temporaries move to and from near memory.",
        where=_STEP,
        default=0,
    ),
    FieldSpec(
        key="raises",
        type=ListOf(Event()),
        doc="Events that its end raises, for `UNTIL_` rules and signals.",
        where=_STEP,
    ),
    FieldSpec(
        key="collective",
        type=OneOf(
            (
                applied(CollectiveKind, "a collective"),
                *(Form(kind, rest=Ref(RefKind.FREE)) for kind in CollectiveKind),
            )
        ),
        doc="The collective it runs, with mesh axis and bucket: `ALL_REDUCE(tp, b)`.",
        where=_STEP,
    ),
    FieldSpec(
        key="critical",
        type=Bool(),
        doc="Whether its reads are on the critical path.",
        where=_STEP,
        default=True,
    ),
    FieldSpec(
        key="promotion_safe",
        type=Bool(),
        doc="Whether transfers may run beside it without slowing it.",
        where=_STEP,
        default=True,
    ),
    FieldSpec(
        key="replay_safe",
        type=Bool(),
        doc="Whether it may run again with the same result.",
        where=_STEP,
        default=True,
    ),
    FieldSpec(
        key="side_effects",
        type=Bool(),
        doc="Whether the world outside sees it.",
        where=_STEP,
        default=False,
    ),
)

PLAN = (
    FieldSpec(
        key="machine",
        type=Ref(RefKind.MACHINE),
        doc="The machine it was made for: a preset's name, or the path of a `.toml` file.",
        where=_PLAN,
        required=_PLAN,
        portable=False,
    ),
    FieldSpec(
        key="period_us",
        type=Micros(),
        doc="Roofline time of one run of the phase.",
        where=frozenset({Where.PLAN_PHASE}),
        strength=Strength.PRIOR,
        portable=False,
    ),
)
