"""Fields that say in which precisions an object may be held, and the floor below which never."""

from mirc.ir.enums import DType, Level
from mirc.ir.fields.spec import DATA, OVERRIDES, FieldSpec, Strength
from mirc.ir.forms import OneOf
from mirc.ir.types import Float, ListOf, Micros, Word

_ANY = DATA | OVERRIDES
_DTYPE = Word(DType, "an element type", quoted=True)

PRECISION = (
    FieldSpec(
        key="precision_ladder",
        type=ListOf(_DTYPE, least=1, unique=True),
        doc="Element types it may be held in, widest first; a cold master keeps the first.",
        where=_ANY,
        strength=Strength.HINT,
    ),
    FieldSpec(
        key="precision_floor",
        type=_DTYPE,
        doc="The narrowest element type it may ever be held in.",
        where=DATA,
        strength=Strength.SAFETY,
    ),
    FieldSpec(
        key="sensitivity",
        type=OneOf((Word(Level, "a level"), Float(most=1.0))),
        doc="How much the output suffers from one rung down the ladder.",
        where=_ANY,
        strength=Strength.PRIOR,
    ),
    FieldSpec(
        key="decompress_us",
        type=Micros(),
        doc="Time to widen it again once it has arrived.",
        where=_ANY,
        strength=Strength.PRIOR,
        portable=False,
    ),
)
