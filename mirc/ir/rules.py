"""The rules of well-formedness: names and references (2xx), keys, types and confidences (3xx)."""

from typing import Any

from mirc.diagnostics import Rule, Severity


def _error(number: int, name: str, **page: Any) -> Rule:
    return Rule(f"MIR{number}", name, Severity.ERROR, **page)


DUPLICATE_NAME = _error(
    201,
    "duplicate-name",
    about="""Two declarations of one kind have one name, so that nobody can say which is meant.

Objects, templates and extern objects share one space of names; so do the steps of one phase. A
file has one `module` block.""",
    message="`{name}` is declared twice",
    hint="remove or rename one",
    bad=(
        """\
object x { class = WEIGHT_TILE }
template x { class = KV_BLOCK }
""",
        """\
phase p {
  step a { flops = 1 }
  step a { flops = 2 }
}
""",
        """\
module first { dtype = "bfloat16" }
module second { dtype = "bfloat16" }
""",
    ),
    good="""\
object x { class = WEIGHT_TILE }
template y { class = KV_BLOCK }
""",
)
DUPLICATE_FIELD = _error(
    202,
    "duplicate-field",
    about="A key stands twice in one block; which of the two holds is not defined.",
    message="`{key}` is written twice here",
    hint="remove one",
    bad=("object x { class = WEIGHT_TILE  size_bytes = 1MiB  size_bytes = 2MiB }\n",),
    good="object x { class = WEIGHT_TILE  size_bytes = 2MiB }\n",
)
DUPLICATE_OVERRIDE = _error(
    203,
    "duplicate-override",
    about="One phase, signal or plan overrides an object twice; the two may disagree.",
    message="`{object}` is overridden twice here",
    hint="merge the two",
    bad=(
        """\
object x { class = KV_BLOCK }
phase p {
  override x { pin_level = SOFT }
  override x { deadline_class = SOFT }
}
""",
    ),
    good="""\
object x { class = KV_BLOCK }
phase p {
  override x { pin_level = SOFT  deadline_class = SOFT }
}
""",
)
BAD_NAME = _error(
    204,
    "bad-name",
    about="A name that is empty, or that no file or terminal could show, names nothing.",
    message="a name cannot be empty",
    hint="write at least one character",
    bad=('tenant "" { quota_bytes = 1GiB }\n', 'tenant "\\ud800" { quota_bytes = 1GiB }\n'),
    good='tenant "größe" { quota_bytes = 1GiB }\n',
)
UNDECLARED_OBJECT = _error(
    210,
    "undeclared-object",
    about="""A name is used as an object's, and nothing in the file declares it.

An object of another file is declared here as `extern object NAME`. Where parts `P[0]`, `P[1]` are
declared, `P` means all of them.""",
    message="object `{name}` is not declared",
    hint="declare it, or write `extern object {name}` if another file does",
    bad=(
        "phase p { step a { reads = [x] } }\n",
        "phase p { override x { pin_level = SOFT } }\n",
    ),
    good="extern object x\nphase p { step a { reads = [x] } }\n",
)
UNDECLARED_STEP = _error(
    211,
    "undeclared-step",
    about="""A name is used as a step's, and no step is called that.

Inside a phase, and inside a plan's part for it, only the phase's own steps count.""",
    message="step `{name}` is not declared",
    hint="use the name of a `step`",
    bad=(
        """\
object x { class = ACTIVATION  latest_use = b }
phase p { step a { reads = [x] } }
""",
        """\
object x { class = ACTIVATION }
phase p {
  step a { reads = [x] }
  override x { latest_use = b }
}
phase q { step b { flops = 1 } }
""",
    ),
    good="""\
object x { class = ACTIVATION  latest_use = a }
phase p { step a { reads = [x] } }
""",
)
UNDECLARED_PHASE = _error(
    212,
    "undeclared-phase",
    about="A schedule, a `follows` or a plan names a phase that the file does not declare.",
    message="phase `{name}` is not declared",
    hint="use the name of a `phase`",
    bad=(
        "module m { schedule = [prefill] }\n",
        'plan h { machine = "h100-sxm"  phase decode { period_us = 12 } }\n',
    ),
    good="module m { schedule = [prefill] }\nphase prefill { kind = PREFILL }\n",
)
UNDECLARED_COALITION = _error(
    213,
    "undeclared-coalition",
    about="An object says that it belongs to a coalition that the file does not declare.",
    message="coalition `{name}` is not declared",
    hint="declare `coalition {name} {{ members = [...] }}`",
    bad=("object x { class = WEIGHT_TILE  coalition_hints = [layer_0] }\n",),
    good="""\
object x { class = WEIGHT_TILE  coalition_hints = [layer_0] }
object y { class = WEIGHT_TILE  coalition_hints = [layer_0] }
coalition layer_0 { members = [x, y] }
""",
)
UNDECLARED_TENANT = _error(
    214,
    "undeclared-tenant",
    about="""An object or a claim counts against a tenant that the file does not declare.

Without the tenant there is neither a quota nor a security domain to hold it to.""",
    message="tenant `{name}` is not declared",
    hint="declare `tenant {name} {{ quota_bytes = ... }}`",
    bad=("object x { class = KV_BLOCK  tenant_id = support }\n",),
    good="""\
tenant support { quota_bytes = 4GiB }
object x { class = KV_BLOCK  tenant_id = support }
""",
)
UNDECLARED_CLAIM = _error(
    215,
    "undeclared-claim",
    about="An object says that a claim covers it, and the file declares no such claim.",
    message="claim `{name}` is not declared",
    hint="declare `claim {name} {{ holder = ... }}`",
    bad=("object x { class = KV_BLOCK  claimed_by = prompt }\n",),
    good="""\
object x { class = KV_BLOCK  claimed_by = prompt }
claim prompt { holder = gateway }
""",
)
UNKNOWN_MACHINE = _error(
    216,
    "unknown-machine",
    about="""A plan was made for a machine that nobody knows.

`mirc machine` lists the presets; the path of a `.toml` file names any other.""",
    message="`{name}` is not a known machine",
    hint='use a preset\'s name, or the path of a file such as `"cards/mine.toml"`',
    bad=('plan h { machine = "h1000-sxm" }\n',),
    good='plan h { machine = "h100-sxm" }\n',
)
UNKNOWN_SIGNAL = _error(
    217,
    "unknown-signal",
    about="""`on` names an event that neither the runtime nor any step raises.

What it overrides would never come into force.""",
    message="`{name}` is not a signal, and no step raises it",
    hint="use a signal of the runtime, or add the event to a step's `raises`",
    bad=(
        """\
object x { class = KV_BLOCK }
on tool_wiat { override x { retain_us = 30s } }
""",
    ),
    good="""\
object x { class = KV_BLOCK }
on tool_wait { override x { retain_us = 30s } }
""",
)
UNKNOWN_KEY = _error(
    301,
    "unknown-key",
    about="The language has no such key. `mirc explain KEY` says what the known ones mean.",
    message="`{key}` is not a key of {place}",
    hint="did you mean `{near}`?",
    bad=(
        "object x { class = WEIGHT_TILE  size_byte = 1MiB }\n",
        "object x { class = WEIGHT_TILE  size = 1MiB }\n",
    ),
    good="object x { class = WEIGHT_TILE  size_bytes = 1MiB }\n",
    fixable=True,
)
MISPLACED_KEY = _error(
    302,
    "misplaced-key",
    about="""A key stands in a block where it means nothing.

What an object is (its class, its size) cannot change from phase to phase; where it lies is decided
in a plan.""",
    message="`{key}` does not belong in {place}",
    hint="write it in {homes}",
    bad=(
        """\
object x { class = WEIGHT_TILE }
phase p { override x { size_bytes = 1MiB } }
""",
        "object x { class = WEIGHT_TILE  residency = [HBM] }\n",
    ),
    good="""\
object x { class = WEIGHT_TILE  size_bytes = 1MiB }
phase p { override x { pin_level = SOFT } }
""",
)
WRONG_CLASS = _error(
    303,
    "wrong-class",
    about="A key belongs to objects of other classes: a weight has no sequences that share it.",
    message="`{key}` belongs to {owners}, but `{object}` is {klass}",
    hint="remove it, or change the class",
    bad=("object x { class = WEIGHT_TILE  block_tokens = 16 }\n",),
    good="object x { class = KV_BLOCK  block_tokens = 16 }\n",
)
MISSING_KEY = _error(
    304,
    "missing-key",
    about="""A declaration lacks a key without which it says nothing.

An object needs its `class`, a coalition its `members`, a claim its `holder`, a plan its `machine`.
An extern object needs none.""",
    message="`{name}` has no `{key}`",
    hint="add `{key} = ...`: {type}",
    bad=("object x { size_bytes = 1MiB }\n", "claim c { blocks = 4 }\n"),
    good="object x { class = WEIGHT_TILE  size_bytes = 1MiB }\n",
)
WRONG_TYPE = _error(
    310,
    "wrong-type",
    about="A value is of another kind than the key holds: a list where a number belongs.",
    message="`{key}`: expected {type}, found {value}",
    hint="put it in brackets, even if it is the only one",
    bad=(
        "object x { class = WEIGHT_TILE  preferred_tiers = HBM }\n",
        'object x { class = WEIGHT_TILE  size_bytes = "large" }\n',
    ),
    good="object x { class = WEIGHT_TILE  preferred_tiers = [HBM] }\n",
    fixable=True,
)
UNKNOWN_WORD = _error(
    311,
    "unknown-word",
    about="""A word is not among those that the key may hold.

Words are spelt exactly so, in capitals (element types in small letters).""",
    message="`{key}`: `{word}` is not {type}",
    hint="did you mean `{near}`?",
    bad=(
        "object x { class = WEIGHT_TILES }\n",
        "object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DISK] }\n",
    ),
    good="object x { class = WEIGHT_TILE }\n",
    fixable=True,
)
WRONG_UNIT = _error(
    312,
    "wrong-unit",
    about="""A time stands where a size belongs, or the reverse.

A bare number is in bytes in a `_bytes` field, and in microseconds in a `_us` field.""",
    message="`{key}`: expected a size such as `128MiB`, found a time",
    hint=None,
    bad=(
        "object x { class = WEIGHT_TILE  size_bytes = 12us }\n",
        "object x { class = KV_BLOCK  retain_us = 12MiB }\n",
    ),
    good="object x { class = WEIGHT_TILE  size_bytes = 12MiB }\n",
)
OUT_OF_RANGE = _error(
    313,
    "out-of-range",
    about="A number lies outside its limits, a list is too short or holds an element twice.",
    message="`{key}`: `{value}` is not {type}",
    hint=None,
    bad=(
        "object x { class = KV_BLOCK  retention_priority = 101 }\n",
        "object x { class = WEIGHT_TILE  preferred_tiers = [] }\n",
        "object x { class = WEIGHT_TILE  preferred_tiers = [HBM, HBM] }\n",
    ),
    good="object x { class = KV_BLOCK  retention_priority = 100 }\n",
)
INEXACT_NUMBER = _error(
    314,
    "inexact-number",
    about="""A quantity has no exact value in whole bytes or whole picoseconds, or is too long.

Half a byte is a slip of the unit more often than an intention.""",
    message="`{key}`: `{value}` is not a whole number of {unit}",
    hint=None,
    bad=("object x { class = WEIGHT_TILE  size_bytes = 1.3B }\n",),
    good="object x { class = WEIGHT_TILE  size_bytes = 1.5KiB }\n",
)
CONFIDENCE_ON_CONTRACT = _error(
    320,
    "confidence-on-contract",
    about="""A fact or a promise carries a confidence.

Only estimates have one: they may turn out wrong, and are scored by it. A promise is kept or broken,
a fact is so.""",
    message="`{key}` is {kind} ({strength}) and carries no confidence",
    hint="remove the confidence: only estimates have one",
    bad=(
        "object x { class = WEIGHT_TILE  deadline_class = HARD @ 0.9 }\n",
        "object x { class = WEIGHT_TILE  size_bytes = 1MiB @ 0.9 }\n",
    ),
    good="object x { class = WEIGHT_TILE  reuse = HIGH @ 0.9 }\n",
    fixable=True,
)
CONFIDENCE_RANGE = _error(
    321,
    "confidence-range",
    about="A confidence is a probability.",
    message="a confidence is a number from 0 to 1",
    hint=None,
    bad=("object x { class = WEIGHT_TILE  reuse = HIGH @ 90 }\n",),
    good="object x { class = WEIGHT_TILE  reuse = HIGH @ 0.9 }\n",
)

IR_RULES = tuple(value for value in dict(globals()).values() if isinstance(value, Rule))
