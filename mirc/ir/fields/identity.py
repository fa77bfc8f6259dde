"""Fields that say what an object is: class, size, type, layout, copies, owner."""

from mirc.ir.clauses import TokenRange
from mirc.ir.enums import (
    AccessMode,
    DType,
    Inclusion,
    InstanceAxis,
    Mutability,
    ObjectClass,
    Processor,
    TierKind,
    WritePolicy,
)
from mirc.ir.fields.spec import DATA, OVERRIDES, FieldSpec, Strength, Where
from mirc.ir.forms import Bare, Form, OneOf, amount, applied
from mirc.ir.types import Bytes, Int, ListOf, Ref, RefKind, Str, Word
from mirc.ir.values import Name

_KV = frozenset({ObjectClass.KV_BLOCK})

IDENTITY = (
    FieldSpec(
        key="class",
        type=Word(ObjectClass, "an object class"),
        doc="What the object is; picks the default of every field that is not written.",
        where=DATA,
        required=DATA,
        bits=4,
    ),
    FieldSpec(
        key="size_bytes",
        type=amount(Bytes()),
        doc="Bytes of one instance; an object without it checks but cannot be simulated.",
        where=DATA,
        bits=24,
    ),
    FieldSpec(
        key="dtype",
        type=Word(DType, "an element type", quoted=True),
        doc="Element type of the stored bytes; of the module, the type it computes in.",
        where=DATA | {Where.MODULE},
    ),
    FieldSpec(
        key="mutability",
        type=Word(Mutability, "a mutability"),
        doc="Who may write the bytes; a read-only copy costs nothing to drop.",
        where=DATA,
        default=Name("MUTABLE"),
    ),
    FieldSpec(
        key="backing",
        type=ListOf(Word(TierKind, "a tier"), least=1, unique=True),
        doc="Tiers that keep a master copy for as long as the object exists.",
        where=DATA | OVERRIDES,
    ),
    FieldSpec(
        key="write_policy",
        type=Word(WritePolicy, "a write policy"),
        doc="When written bytes reach the tier that backs them.",
        where=DATA | OVERRIDES,
        default=Name("WRITE_BACK"),
    ),
    FieldSpec(
        key="inclusion",
        type=Word(Inclusion, "an inclusion"),
        doc="Whether the lower tier keeps its copy while a nearer one exists.",
        where=DATA | OVERRIDES,
        default=Name("INCLUSIVE"),
    ),
    FieldSpec(
        key="layout",
        type=OneOf((Bare("CONTIGUOUS"), Form("PAGED", (Int(least=1), Bytes())))),
        doc="`CONTIGUOUS`, or `PAGED(fragments, bytes)`: in how many pieces of which size it lies.",
        where=DATA | OVERRIDES,
        default=Name("CONTIGUOUS"),
    ),
    FieldSpec(
        key="access",
        type=ListOf(
            OneOf(
                (
                    applied(AccessMode, "an access mode"),
                    Form("NEAR", (Word(Processor, "a processor"),)),
                )
            ),
            least=1,
        ),
        doc="Where the bytes can be consumed, most wanted first.",
        where=DATA | OVERRIDES,
        strength=Strength.HINT,
        default=(Name("STAGE"),),
    ),
    FieldSpec(
        key="instance",
        type=ListOf(Word(InstanceAxis, "an instance axis"), least=1, unique=True),
        doc="What a template is instantiated by as the run goes.",
        where=frozenset({Where.TEMPLATE}),
    ),
    FieldSpec(
        key="block_tokens",
        type=Int(least=1),
        doc="Tokens in one block instance.",
        where=DATA,
        classes=_KV,
    ),
    FieldSpec(
        key="token_range",
        type=TokenRange(),
        doc="The tokens it holds: `RANGE(start, end)`, end exclusive.",
        where=DATA | {Where.CLAIM},
        classes=_KV,
    ),
    FieldSpec(
        key="shard",
        type=OneOf(
            (Bare("REPLICATED"), Form("SPLIT", (Int(), Ref(RefKind.FREE)))),
        ),
        doc="`SPLIT(dimension, axis)` of the module's mesh, or `REPLICATED` over it.",
        where=DATA | OVERRIDES,
        default=Name("REPLICATED"),
    ),
    FieldSpec(
        key="security_domain",
        type=Str("a domain's name"),
        doc="Bytes of different domains are never shared, merged or grouped.",
        where=DATA | {Where.TENANT},
        strength=Strength.SAFETY,
        bits=6,
    ),
    FieldSpec(
        key="tenant_id",
        type=Ref(RefKind.TENANT),
        doc="Whose quota it counts against; no tenant touches another's bytes.",
        where=DATA | {Where.CLAIM},
        strength=Strength.SAFETY,
    ),
)
