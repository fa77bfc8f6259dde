"""Fields of coalitions, tenants and claims."""

from mirc.ir.clauses import Event, Protection, TokenRange
from mirc.ir.enums import ClaimLoss, Guarantee, TierKind
from mirc.ir.fields.spec import FieldSpec, Strength, Where
from mirc.ir.forms import OneOf
from mirc.ir.types import Bytes, Int, Interval, ListOf, Ref, RefKind, Str, Word
from mirc.ir.values import Name

_COALITION = frozenset({Where.COALITION})
_TENANT = frozenset({Where.TENANT})
_CLAIM = frozenset({Where.CLAIM})

CONTRACTS = (
    FieldSpec(
        key="members",
        type=ListOf(Ref(RefKind.DATA), least=1, unique=True),
        doc="Objects, templates or families that are used together.",
        where=_COALITION,
        required=_COALITION,
        strength=Strength.HINT,
    ),
    FieldSpec(
        key="cap_bytes",
        type=Bytes(),
        doc="Most bytes of it that are worth fetching together.",
        where=_COALITION,
        strength=Strength.HINT,
    ),
    FieldSpec(
        key="quota_bytes",
        type=Bytes(),
        doc="Most bytes that the tenant may hold in near memory.",
        where=_TENANT,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="wired_quota_bytes",
        type=Bytes(),
        doc="Most bytes of on-chip memory that the tenant may wire.",
        where=_TENANT,
        strength=Strength.HARD,
        default=0,
    ),
    FieldSpec(
        key="holder",
        type=Str("a holder's name"),
        doc="Who holds the claim and may release it.",
        where=_CLAIM,
        required=_CLAIM,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="objects",
        type=ListOf(Ref(RefKind.DATA), least=1, unique=True),
        doc="What the claim covers.",
        where=_CLAIM,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="blocks",
        type=Int(least=1),
        doc="How many instances of its objects the claim covers.",
        where=_CLAIM,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="tiers",
        type=ListOf(Word(TierKind, "a tier"), least=1, unique=True),
        doc="The pools in which the blocks are promised to be.",
        where=_CLAIM,
        strength=Strength.HARD,
        default=(Name("HBM"),),
    ),
    FieldSpec(
        key="guarantee",
        type=Word(Guarantee, "a guarantee"),
        doc="Whether a loss is an event, or impossible.",
        where=_CLAIM,
        strength=Strength.HARD,
        default=Name("SOFT"),
    ),
    FieldSpec(
        key="on_loss",
        type=Word(ClaimLoss, "a claim's loss"),
        doc="What the holder gets when the claim cannot be kept.",
        where=_CLAIM,
        strength=Strength.HARD,
        default=Name("EVENT"),
    ),
    FieldSpec(
        key="until",
        type=OneOf((Interval(), Event())),
        doc="What ends the claim: an event, or a time after it was granted.",
        where=_CLAIM,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="materialized",
        type=Protection(),
        doc="While what it binds: until an event, or while a predicate holds; else always.",
        where=_CLAIM,
        strength=Strength.HARD,
    ),
    FieldSpec(
        key="priority",
        type=Int(most=100),
        doc="Which of several claims or tenants yields first: the lowest.",
        where=_CLAIM | _TENANT,
        strength=Strength.SOFT,
        default=35,
    ),
    FieldSpec(
        key="directives",
        type=ListOf(TokenRange(terms=True)),
        doc="Token ranges with priority and time, priorities falling along the tokens.",
        where=_CLAIM,
        strength=Strength.SOFT,
    ),
    FieldSpec(
        key="revision",
        type=Int(),
        doc="Which edition of the claim this is; a later one replaces it.",
        where=_CLAIM,
        default=0,
    ),
)
