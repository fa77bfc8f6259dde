"""A field that is wrong into the edits that put it right, where only one thing can be meant."""

import re

from mirc.diagnostics import Edit, Fix, Span
from mirc.ir.fields import FieldSpec
from mirc.ir.module import Block, Field
from mirc.ir.names import is_bare
from mirc.ir.places import NOWHERE, Path, Places
from mirc.ir.suggest import Names
from mirc.ir.types import ListOf, Mismatch, Type
from mirc.ir.units import parse_float, parse_int, parse_size, parse_time
from mirc.ir.values import Call, Name, Size, Text, Time

_NUMBER = re.compile(r"-?[0-9](?:_?[0-9])*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+|[A-Za-z]+)?", re.ASCII)
_AT = " @ "
_LARGEST = 2.0**53  # up to here a float is the whole number that was written


def spelt(span: Span, written: str, meant: str | None) -> Fix | None:
    """Return the fix of a word at the beginning of a span, if it is one slip off what was meant."""
    if meant is None or span == NOWHERE or Names(frozenset((meant,))).closest(written) != meant:
        return None
    quoted = span.end - span.start == len(f'"{written}"')
    end = span.end if quoted else span.start + len(written)
    return Fix(f"write `{meant}`", (Edit(Span(span.start, end), meant),))


def spelt_key(
    places: Places, block: Block, field: Field, meant: str | None, known: FieldSpec | None
) -> Fix | None:
    """Return the fix of a key, if the value fits the one that was meant and it is not there."""
    if meant is None or known is None or block.value(meant) is not None:
        return None
    if not _reads(known.type, field.value):
        return None
    return spelt(places.key(block, field.key), field.key, meant)


def bracketed(places: Places, block: Block, field: Field, kind: Type) -> Fix | None:
    """Return the fix of a value that should stand in a list, alone."""
    span = places.value(block, field.key)
    if span == NOWHERE or not isinstance(kind, ListOf) or not _reads(kind.item, field.value):
        return None
    edits = (Edit(Span(span.start, span.start), "["), Edit(Span(span.end, span.end), "]"))
    return Fix("put it in brackets", edits)


def without_confidence(places: Places, block: Block, key: str) -> Fix | None:
    """Return the fix that takes a confidence away, if nothing stands between it and its value."""
    value, confidence = places.value(block, key), places.confidence(block, key)
    if confidence == NOWHERE or confidence.start - value.end > len(_AT):
        return None
    return Fix("remove the confidence", (Edit(Span(value.end, confidence.end), ""),))


def unquoted(span: Span, kind: Type, value: object, path: Path) -> tuple[str | None, Fix | None]:
    """Return how a word, a size or a number is written that stands in quotes, and the fix."""
    found = _element(value, path)
    bare = _bare(found.text) if isinstance(found, Text) else None
    if bare is None or not isinstance(found, Text):
        return None, None
    try:
        kind.read(_replaced(value, path, bare))
    except Mismatch as mismatch:
        if mismatch.path == path:
            return None, None
    fix = None
    if span.end - span.start == len(found.text) + len('""'):
        fix = Fix("remove the quotes", (Edit(span, found.text),))
    return "remove the quotes", fix


def _bare(text: str) -> object:
    """Return the value that a text spells without its quotes, or None."""
    if text in ("true", "false"):
        return text == "true"
    if is_bare(text):
        return Name(text)
    if not _NUMBER.fullmatch(text):
        return None
    readers = (parse_int, lambda t: Size(parse_size(t)), lambda t: Time(parse_time(t)), parse_float)
    for read in readers:
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _element(value: object, path: Path) -> object:
    for index in path:
        items = value.args if isinstance(value, Call) else value
        value = items[index] if isinstance(items, tuple) and index < len(items) else None
    return value


def _replaced(value: object, path: Path, element: object) -> object:
    if not path:
        return element
    first, rest = path[0], path[1:]
    if isinstance(value, Call):
        return Call(value.name, _replaced(value.args, path, element))  # type: ignore[arg-type]
    assert isinstance(value, tuple)  # noqa: S101 - the path leads through it
    return (*value[:first], _replaced(value[first], rest, element), *value[first + 1 :])


def without_exponent(span: Span, value: object, path: Path) -> tuple[str | None, Fix | None]:
    """Return how a whole number is written that was written as ``1e9``, and the fix."""
    value = _element(value, path)
    if not isinstance(value, float) or not value.is_integer() or abs(value) > _LARGEST:
        return None, None
    written = f"{int(value):_}"
    fix = None if span == NOWHERE else Fix(f"write `{written}`", (Edit(span, written),))
    return f"write `{written}`", fix


def _reads(kind: Type, value: object) -> bool:
    try:
        kind.read(value)
    except Mismatch:
        return False
    return True
