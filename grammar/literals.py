"""Terminals to values and back: one function for each way a value is spelled."""

import math
import re
from functools import lru_cache
from typing import Any

from mirc.ir import units
from mirc.ir.names import is_bare
from mirc.ir.types import Broken
from mirc.ir.values import Call, Name, Size, Text, Time, Value

_ESCAPE = re.compile(r'\\(u[0-9A-Fa-f]{4}|["\\nrt])')
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_MUST_ESCAPE = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]')
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def read_string(literal: str) -> str:
    """Return what a quoted literal spells."""
    if "\\" not in literal:
        return literal[1:-1]
    return _ESCAPE.sub(
        lambda m: _PLAIN[m[1]] if len(m[1]) == 1 else chr(int(m[1][1:], 16)), literal[1:-1]
    )


def print_string(text: str) -> str:
    """Quote a text so that it reads back and stays on its line."""
    return '"' + _MUST_ESCAPE.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", text) + '"'


def _size(text: str) -> Size:
    return Size(units.parse_size(text))


def _time(text: str) -> Time:
    return Time(units.parse_time(text))


_READ: dict[str, Any] = {
    "NAME": Name,
    "INT": units.parse_int,
    "FLOAT": units.parse_float,
    "SIZE": _size,
    "TIME": _time,
    "STRING": lambda text: Text(read_string(text)),
    "TRUE": lambda _: True,
    "FALSE": lambda _: False,
}


def read_number(kind: str, text: str) -> Any:
    """Return the value of a number; ``Broken`` where it has no exact value."""
    try:
        return _READ[kind](text)
    except units.Unreadable as error:
        return Broken(str(error))


@lru_cache(maxsize=1 << 16)
def read_scalar(kind: str, text: str) -> Any:
    """Return the value of a terminal; ``Broken`` where a number has no exact value."""
    return read_number(kind, text)


def read_confidence(kind: str, text: str) -> float:
    """Return a confidence; not a number where it cannot be read, which ``verify`` reports."""
    value = read_number(kind, text)
    return math.nan if isinstance(value, Broken) else float(value)


def print_name(name: str) -> str:
    """Return a declaration's name, quoted where it does not lex bare."""
    return name if is_bare(name) else print_string(name)


def print_value(value: Value) -> str:
    """Return the canonical spelling of a value, on one line."""
    text: str = _PRINT[type(value)](value)
    return text


def _print_call(value: Call) -> str:
    return f"{value.name}({', '.join(map(print_value, value.args))})"


def _print_list(value: tuple[Value, ...]) -> str:
    return f"[{', '.join(map(print_value, value))}]"


_PRINT: dict[type, Any] = {
    Name: lambda v: print_name(v.text),
    Text: lambda v: print_string(v.text),
    int: units.print_int,
    float: units.print_float,
    bool: lambda v: "true" if v else "false",
    Size: lambda v: units.print_size(v.size_bytes),
    Time: lambda v: units.print_time(v.picoseconds),
    Call: _print_call,
    tuple: _print_list,
}
