"""Values as written into nodes of a packed file, and back."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, Union

from mirc.ir import Call, Name, Size, Text, Time, Value
from mirc.packed.tables import Tag

Flat: TypeAlias = tuple[Tag, Union[int, tuple["Flat", ...]]]  # noqa: UP007 - a forward reference
"""A value with its strings as numbers: no two different values are equal in this form."""
Strings: TypeAlias = Callable[[str], int]
"""Gives a text its number."""

_INT64 = 1 << 63
_UINT64 = 1 << 64


def flat(value: Value, string: Strings) -> Flat:
    """Return a value as numbers."""
    return _FLAT[type(value)](value, string)


def value_of(tag: int, payload: int, strings: Sequence[str], inside: Sequence[Value]) -> Value:
    """Return the value of a sound node; ``inside`` are the values of its elements, if any."""
    return _VALUES[Tag(tag)](payload, strings, inside)


def _int(value: int, string: Strings) -> Flat:
    if -_INT64 <= value < _INT64:
        return Tag.INT, value % _UINT64
    return Tag.BIG_INT, string(str(value))


def _whole(small: Tag, big: Tag, number: int, string: Strings) -> Flat:
    return (small, number) if 0 <= number < _UINT64 else (big, string(str(number)))


def _call(value: Call, string: Strings) -> Flat:
    word: Flat = (Tag.NAME, string(value.name))
    return Tag.CALL, (word, *(flat(item, string) for item in value.args))


_FLAT: dict[type, Callable[[Any, Strings], Flat]] = {
    bool: lambda value, _: (Tag.BOOL, int(value)),
    int: _int,
    float: lambda value, _: (Tag.FLOAT, int.from_bytes(struct.pack("<d", value), "little")),
    Text: lambda value, string: (Tag.TEXT, string(value.text)),
    Name: lambda value, string: (Tag.NAME, string(value.text)),
    Size: lambda value, string: _whole(Tag.SIZE, Tag.BIG_SIZE, value.size_bytes, string),
    Time: lambda value, string: _whole(Tag.TIME, Tag.BIG_TIME, value.picoseconds, string),
    tuple: lambda value, string: (Tag.LIST, tuple(flat(item, string) for item in value)),
    Call: _call,
}


def _called(_: int, __: Sequence[str], inside: Sequence[Value]) -> Call:
    word, *args = inside
    assert isinstance(word, Name)  # noqa: S101 - the bounds of the tables
    return Call(word.text, tuple(args))


_VALUES: dict[Tag, Callable[[int, Sequence[str], Sequence[Value]], Value]] = {
    Tag.BOOL: lambda payload, _, __: payload == 1,
    Tag.INT: lambda payload, _, __: payload - _UINT64 if payload >= _INT64 else payload,
    Tag.FLOAT: lambda payload, _, __: float(struct.unpack("<d", payload.to_bytes(8, "little"))[0]),
    Tag.TEXT: lambda payload, strings, _: Text(strings[payload]),
    Tag.NAME: lambda payload, strings, _: Name(strings[payload]),
    Tag.SIZE: lambda payload, _, __: Size(payload),
    Tag.TIME: lambda payload, _, __: Time(payload),
    Tag.BIG_INT: lambda payload, strings, _: int(strings[payload]),
    Tag.BIG_SIZE: lambda payload, strings, _: Size(int(strings[payload])),
    Tag.BIG_TIME: lambda payload, strings, _: Time(int(strings[payload])),
    Tag.LIST: lambda _, __, inside: tuple(inside),
    Tag.CALL: _called,
}
