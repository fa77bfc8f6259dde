"""Field types into JSON Schemas of their values in the JSON form."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from mirc.grammar.json_values import SIZE_PATTERN, TIME_PATTERN
from mirc.ir import clauses as c
from mirc.ir import forms as f
from mirc.ir import types as t
from mirc.ir.enums import TierKind
from mirc.ir.fields import FIELDS
from mirc.ir.names import KEYWORDS, NAME_PATTERN

Schema = dict[str, Any]

# Patterns as ECMA 262 has them: no anchors but ^ and $, no flags.
SHARED: dict[str, Schema] = {
    "size": {
        "type": "string",
        "pattern": f"^{SIZE_PATTERN}$",
        "description": "an amount of memory with its unit, as in 128MiB",
    },
    "time": {
        "type": "string",
        "pattern": f"^{TIME_PATTERN}$",
        "description": "a time with its unit, as in 12us",
    },
    "name": {
        "type": "string",
        "pattern": f"^(?!(?:{'|'.join(KEYWORDS)})$){NAME_PATTERN}$",
        "description": "a bare dotted word",
    },
    "text": {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string"}},
        "additionalProperties": False,
        "description": "a text that looks like a name, a size or a time",
    },
    "reference": {
        "description": "a name, or a text that is no quantity",
        "anyOf": [
            {"type": "string", "not": {"pattern": f"^(?:{SIZE_PATTERN}|{TIME_PATTERN})$"}},
            {"$ref": "#/$defs/text"},
        ],
    },
}
_RECURSIVE = "schedule_item"


def type_schema(kind: t.Type) -> Schema:
    """Return the schema of a field type's values."""
    return _MAKERS[type(kind)](kind)  # type: ignore[no-any-return]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _range(kind: t.Int | t.Float) -> Schema:
    most = {} if kind.most is None else {"maximum": kind.most}
    return {"minimum": kind.least, **most}


def _word(kind: t.Word) -> Schema:
    words = _ref(f"word.{kind.enum.__name__}")
    return {"anyOf": [words, _wrapped(words)]} if kind.quoted else words


def enum_schemas() -> dict[str, Schema]:
    """Return the schema of each enum that a field may hold, by the name it is referred to by."""
    found: dict[str, Schema] = {}
    for spec in FIELDS:
        for enum in _enums(spec.type):
            found[f"word.{enum.__name__}"] = {"enum": [member.value for member in enum]}
    return found


def _enums(kind: t.Type) -> Iterator[type[StrEnum]]:
    match kind:
        case t.Word():
            yield kind.enum
        case f.Mapped():
            yield from _enums(kind.inner)
        case t.ListOf():
            yield from _enums(kind.item)
        case f.OneOf():
            for option in kind.options:
                yield from _enums(option)
        case f.Form():
            for param in kind.params:
                yield from _enums(param)


def _wrapped(text: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["text"],
        "properties": {"text": text},
        "additionalProperties": False,
    }


def _list(kind: t.ListOf) -> Schema:
    least = {"minItems": kind.least} if kind.least else {}
    unique = {"uniqueItems": True} if kind.unique else {}
    return {"type": "array", "items": type_schema(kind.item), **least, **unique}


def _call(word: str, arguments: Schema) -> Schema:
    return {
        "type": "object",
        "required": [word],
        "properties": {word: {"type": "array", **arguments}},
        "additionalProperties": False,
    }


def _arguments(params: list[Schema], least: int, rest: Schema | None = None) -> Schema:
    first = {"prefixItems": params} if params else {}
    if rest is None:
        return {**first, "items": False, "minItems": least}
    return {**first, "items": rest, "minItems": least}


def _form(kind: f.Form) -> Schema:
    params = [type_schema(param) for param in kind.params]
    rest = None if kind.rest is None else type_schema(kind.rest)
    return _call(str(kind.word), _arguments(params, len(params) - kind.optional, rest))


def _one_of(kind: f.OneOf) -> Schema:
    return {"anyOf": [type_schema(option) for option in kind.options]}


def _tier_span(_: c.TierSpan) -> Schema:
    steps = _arguments([_ref("reference"), _ref("reference")], 2)
    return {"anyOf": [_ref("word.TierKind"), *(_call(tier, steps) for tier in TierKind)]}


def _protection(_: c.Protection) -> Schema:
    tests = []
    for test in c.Predicate:
        counted = f"WHILE_{test}_1" in c.Protection().words
        tests.append(f"WHILE_{test}_[0-9]{{1,9}}" if counted else f"WHILE_{test}")
    return _applied(f"^(?:{'|'.join(tests)}|UNTIL_[A-Z][A-Z0-9_]*)$")


def _applied(pattern: str) -> Schema:
    """Return the schema of a word, or of a call of such a word on names."""
    names = {"type": "array", "items": _ref("reference")}
    call = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "patternProperties": {pattern: names},
        "additionalProperties": False,
    }
    return {"anyOf": [{"type": "string", "pattern": pattern}, call]}


def _event(_: c.Event) -> Schema:
    return _applied(str(SHARED["name"]["pattern"]))


def schedule_item() -> Schema:
    """Return the schema that a schedule's items and their bodies share."""
    item = _ref(_RECURSIVE)
    count = {"type": "integer", "minimum": 1}
    either = {"anyOf": [count, item]}
    counted = {"contains": {"type": "integer"}, "maxContains": 1}
    return {
        "description": c.ScheduleItem().describe().replace("`", ""),
        "anyOf": [
            _ref("reference"),
            _call("REPEAT", {**_arguments([either], 2, either), **counted}),
            _call("LOOP", _arguments([item], 1, item)),
            _call("EVERY", {**_arguments([either, either], 2), **counted}),
        ],
    }


def _token_range(kind: c.TokenRange) -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    priority: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
    terms = [priority, type_schema(t.Micros())] if kind.terms else []
    return _call("RANGE", _arguments([count, count, *terms], 2))


_MAKERS: dict[type[t.Type], Any] = {
    t.Int: lambda kind: {"type": "integer", **_range(kind)},
    t.Float: lambda kind: {"type": "number", **_range(kind)},
    t.Bool: lambda _: {"type": "boolean"},
    t.Str: lambda _: _ref("reference"),
    t.Bytes: lambda _: {"anyOf": [{"type": "integer", "minimum": 0}, _ref("size")]},
    t.Micros: lambda _: {"anyOf": [{"type": "number", "minimum": 0}, _ref("time")]},
    t.Interval: lambda _: _ref("time"),
    t.Word: _word,
    t.Ref: lambda _: _ref("reference"),
    t.ListOf: _list,
    f.Form: _form,
    f.Bare: lambda kind: {"const": kind.word},
    f.OneOf: _one_of,
    f.Mapped: lambda kind: type_schema(kind.inner),
    c.TierSpan: _tier_span,
    c.Protection: _protection,
    c.Event: _event,
    c.ScheduleItem: lambda _: _ref(_RECURSIVE),
    c.TokenRange: _token_range,
}
