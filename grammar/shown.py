"""Values of fields into the text that people read, quantities in their largest whole unit."""

from mirc.grammar.literals import print_value
from mirc.ir.fields import FieldSpec
from mirc.ir.forms import Form, OneOf
from mirc.ir.types import Bytes, Micros, Type
from mirc.ir.units import PS_PER_US
from mirc.ir.values import Call, Size, Time, Value


def shown(spec: FieldSpec, value: Value) -> str:
    """Return a value of a key in its canonical spelling: ``112MiB`` for ``117_440_512``."""
    return print_value(_united(spec.type, value))


def _united(kind: Type, value: Value) -> Value:
    """Give bare numbers the unit that they are in, where the type says it."""
    if isinstance(kind, OneOf):
        option = next((each for each in kind.options if each.matches(value)), None)
        return value if option is None else _united(option, value)
    if isinstance(kind, Form) and isinstance(value, Call):
        kinds = (*kind.params, *((kind.rest,) * len(value.args) if kind.rest else ()))
        known = zip(kinds, value.args, strict=False)
        return Call(value.name, tuple(_united(inner, arg) for inner, arg in known))
    if isinstance(kind, Bytes) and isinstance(value, int):
        return Size(value)
    if isinstance(kind, Micros) and isinstance(value, int | float):
        return _time(value)
    return value


def _time(microseconds: float) -> Value:
    picoseconds = round(microseconds * PS_PER_US)
    return Time(picoseconds) if picoseconds / PS_PER_US == microseconds else microseconds
