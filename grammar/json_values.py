"""Values into plain data and back: names and quantities as strings, calls as ``{"WORD": [...]}``.

A string is what the same characters are in .mir: a name, a size or a time where they lex as one,
else a text. A text that looks like one of these is ``{"text": ...}``.
"""

import math
import re
from functools import lru_cache
from typing import Any

import attrs

from mirc.grammar.limits import MAX_DEPTH
from mirc.grammar.literals import read_scalar
from mirc.ir import units
from mirc.ir.names import is_bare
from mirc.ir.types import Broken
from mirc.ir.values import Call, Name, Size, Text, Time, Value

Step = int | str | tuple[str, int]  # an index, a key, or a key's further occurrence
Path = tuple[Step, ...]

SIZE_PATTERN = r"[0-9](?:_?[0-9])*(?:\.[0-9]+)?(?:[KMGT]i?B|B)"
TIME_PATTERN = r"[0-9](?:_?[0-9])*(?:\.[0-9]+)?(?:ps|ns|us|ms|s)"
_size = re.compile(SIZE_PATTERN, re.ASCII).fullmatch
_time = re.compile(TIME_PATTERN, re.ASCII).fullmatch


class NotInForm(Exception):  # noqa: N818 - read as a sentence: raise NotInForm
    """JSON that is not the JSON of anything; ``path`` leads to it."""

    def __init__(self, path: Path, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


class NestsTooDeeply(NotInForm):
    """Lists and calls within each other beyond any meaning."""


@attrs.frozen
class Numeral:
    """What a JSON number's digits or a constant such as NaN stand for, when it is no number."""

    why: str


@lru_cache(maxsize=1 << 16)
def plain_value(text: str) -> Name | Size | Time | Text | Broken:
    """Return what a string is without quotes; ``Broken`` for a quantity that is not exact."""
    if is_bare(text):
        return Name(text)
    if _size(text):
        return read_scalar("SIZE", text)  # type: ignore[no-any-return]
    if _time(text):
        return read_scalar("TIME", text)  # type: ignore[no-any-return]
    return Text(text)


def value_data(value: Value) -> Any:
    """Return a value as plain data."""
    return _DATA[type(value)](value)


def _text_data(value: Text | Name) -> Any:
    plain = plain_value(value.text)
    # A name that does not lex bare becomes a text, as in print.
    return value.text if plain == value or plain == Text(value.text) else {"text": value.text}


_DATA: dict[type, Any] = {
    bool: lambda v: v,
    int: lambda v: v,
    float: lambda v: v,
    Name: _text_data,
    Text: _text_data,
    Size: lambda v: units.print_size(v.size_bytes),
    Time: lambda v: units.print_time(v.picoseconds),
    Call: lambda v: {v.name: [value_data(arg) for arg in v.args]},
    tuple: lambda v: [value_data(item) for item in v],
}


def read_value(data: Any, path: Path, depth: int = 0) -> Any:
    """Return the value of plain data, or ``Broken`` inside it; raise ``NotInForm``."""
    if isinstance(data, str):
        return plain_value(data)
    if isinstance(data, bool | int | float):
        return data
    if isinstance(data, Numeral):
        return Broken(data.why)
    if depth > MAX_DEPTH:
        raise NestsTooDeeply(path, f"lists and calls nest more than {MAX_DEPTH} deep", "flatten it")
    if isinstance(data, list):
        return tuple([read_value(item, (*path, i), depth + 1) for i, item in enumerate(data)])
    if isinstance(data, dict) and len(data) == 1:
        return _read_object(data, path, depth)
    raise NotInForm(
        path,
        f"expected a value, found {said(data)}",
        'write a number, a string, true, false, a list, {"WORD": [...]} or {"text": "..."}',
    )


def _read_object(data: dict[str, Any], path: Path, depth: int) -> Text | Call:
    ((word, inner),) = data.items()
    if isinstance(inner, list) and is_bare(word):
        inside = (*path, word)
        args = [read_value(arg, (*inside, i), depth + 1) for i, arg in enumerate(inner)]
        return Call(word, tuple(args))
    if word == "text" and isinstance(inner, str):
        return Text(inner)
    raise NotInForm(
        path,
        f"`{word}` is not a call: expected a word and a list of arguments",
        'write {"WORD": [...]} or {"text": "..."}',
    )


def read_int(digits: str) -> int | Numeral:
    """Read a JSON integer."""
    try:
        return units.parse_int(digits)
    except units.Unreadable as error:
        return Numeral(str(error))


def read_float(digits: str) -> float | Numeral:
    """Read a JSON number with a fraction or an exponent."""
    try:
        return units.parse_float(digits)
    except units.Unreadable as error:
        return Numeral(str(error))


def read_constant(name: str) -> Numeral:
    """Stand for ``NaN`` and ``Infinity``, which Python's reader accepts and JSON has not."""
    return Numeral(f"`{name}` is not a number of JSON")


def read_confidence(data: Any, path: Path) -> float:
    """Return a confidence; not a number where it cannot be read, which ``verify`` reports."""
    if isinstance(data, Numeral):
        return math.nan
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise NotInForm(path, f"expected a number from 0 to 1, found {said(data)}")
    return float(data)


def said(data: Any) -> str:
    """Say what was found, for a message."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    if data is None:
        return "null"
    return next((noun for kind, noun in names.items() if isinstance(data, kind)), "a number")
