"""The tables of a TOML file into a Machine, or into what is wrong with them."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from mirc.machine.keys import OPTIONAL, REPEATED, TABLES, Key, Kind, keys_of
from mirc.machine.model import Machine
from mirc.machine.parts import (
    WORK_KINDS,
    Compute,
    Link,
    Memory,
    Organisation,
    Replacement,
    Sharing,
    Sram,
    TierKind,
    ascends,
)
from mirc.machine.verify import InvalidMachineError, Problem

# Bounds that any real machine is far from; within them no sum of times leaves 64 bits.
LARGEST_BYTES = 1 << 60
LARGEST_RATE = 1e21
LARGEST_NS = 1e12
LONGEST_LIST = 256

_WORDS: Mapping[Kind, tuple[type[StrEnum], str]] = {
    Kind.TIER: (TierKind, "tier"),
    Kind.ORGANISATION: (Organisation, "organisation"),
    Kind.REPLACEMENT: (Replacement, "replacement"),
    Kind.SHARING: (Sharing, "sharing"),
}


def decode(data: Mapping[str, Any]) -> Machine:
    """Build the machine that a parsed TOML file describes; raises ``InvalidMachineError``."""
    known = [key.name for key in keys_of("")] + list(TABLES)
    _refuse_unknown("", data, known)
    top = _table("", "", {name: data[name] for name in data if name not in TABLES})
    tables: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        if name not in data and name in OPTIONAL:
            tables[name] = []
            continue
        tables[name] = _tables(name, data.get(name))
    sram = tables["sram"]
    return Machine(
        **top,
        memories=tuple(Memory(**row) for row in tables["memory"]),
        links=tuple(Link(**row) for row in tables["link"]),
        compute=Compute(**tables["compute"][0]),
        sram=Sram(**sram[0]) if sram else None,
    )


def _tables(name: str, value: object) -> list[dict[str, Any]]:
    if name not in REPEATED:
        if not isinstance(value, dict):
            raise _invalid(name, "is missing" if value is None else "is not a table", f"[{name}]")
        return [_table(name, name, value)]
    if value is None and name == "link":
        # A machine of one memory needs no link.
        return []
    if not isinstance(value, list) or not value:
        problem = "is missing" if value is None else "is not a list of tables"
        raise _invalid(name, problem, f"[[{name}]]")
    if len(value) > LONGEST_LIST:
        raise _wrong(name, f"has {len(value)} entries", f"give at most {LONGEST_LIST}")
    rows = []
    for i, row in enumerate(value):
        if not isinstance(row, dict):
            raise _invalid(f"{name}[{i}]", "is not a table", f"[[{name}]]")
        rows.append(_table(name, f"{name}[{i}]", row))
    return rows


def _table(name: str, place: str, row: Mapping[str, Any]) -> dict[str, Any]:
    keys = keys_of(name)
    _refuse_unknown(place, row, [key.name for key in keys])
    read: dict[str, Any] = {}
    for key in keys:
        path = f"{place}.{key.name}" if place else key.name
        if key.name in row:
            read[key.name] = _value(key, path, row[key.name])
        elif key.required:
            raise _wrong(path, "is missing", f"give it: {key.summary} ({key.kind})")
    return read


def _value(key: Key, path: str, value: object) -> object:  # noqa: PLR0911 - one row per kind
    match key.kind:
        case Kind.TEXT:
            return _text(path, value)
        case Kind.TIER | Kind.ORGANISATION | Kind.REPLACEMENT | Kind.SHARING:
            return _word(path, value, *_WORDS[key.kind])
        case Kind.BYTES | Kind.COUNT:
            return _whole(path, value, least=1 if key.kind is Kind.COUNT else 0)
        case Kind.RATE:
            return _number(path, value, LARGEST_RATE, above_zero=True)
        case Kind.TIME:
            return _number(path, value, LARGEST_NS, above_zero=False)
        case Kind.SHARE:
            return _number(path, value, 1.0, above_zero=True)
        case Kind.CURVE:
            return _curve(path, value)
        case Kind.RATES:
            return _numbers(path, value, LARGEST_RATE)
        case Kind.SHARES:
            shares = _numbers(path, value, 1.0)
            _refuse_unknown(path, shares, list(WORK_KINDS))
            return shares


def _text(path: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _wrong(path, f"is {_shown(value)}", "give a text of one line that is not empty")
    return value


def _word(path: str, value: object, words: type[StrEnum], noun: str) -> StrEnum:
    known = {word.casefold(): word for word in words}
    if isinstance(value, str) and value in known.values():
        return words(value)
    import difflib  # noqa: PLC0415 - start-up: only a wrong name needs it

    near = difflib.get_close_matches(str(value).casefold()[:64], known, n=1)
    advice = f"did you mean `{known[near[0]]}`?" if near else f"choose one of {', '.join(words)}"
    raise _wrong(path, f"is {_shown(value)}, which is no {noun}", advice)


def _whole(path: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(path, f"is {_shown(value)}", "give a whole number, such as 80_000_000_000")
    if not least <= value <= LARGEST_BYTES:
        raise _wrong(path, f"is {_shown(value)}", f"give {least} to {LARGEST_BYTES:_}")
    return value


def _number(path: str, value: object, largest: float, *, above_zero: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(path, f"is {_shown(value)}", "give a number, such as 3.35e12")
    low = "above 0" if above_zero else "0 or more"
    # A NaN fails every comparison, so it lands here too.
    if not (value > 0 if above_zero else value >= 0) or not value <= largest:
        raise _wrong(path, f"is {_shown(value)}", f"give a number {low}, at most {largest:g}")
    return float(value)


def _numbers(path: str, value: object, largest: float) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _invalid(path, "is not a table", f"[{path}]")
    if len(value) > LONGEST_LIST:
        raise _wrong(path, f"has {len(value)} entries", f"give at most {LONGEST_LIST}")
    return {
        name: _number(f"{path}.{_clipped(name)}", number, largest, above_zero=True)
        for name, number in value.items()
    }


def _curve(path: str, value: object) -> tuple[tuple[int, float], ...]:
    example = "give [fragment bytes, bytes per second] pairs: [[4096, 4e9], [65536, 51e9]]"
    if not isinstance(value, list) or not 0 < len(value) <= LONGEST_LIST:
        raise _wrong(path, "is not a list of points", example)
    points = []
    for i, point in enumerate(value):
        if not isinstance(point, list) or len(point) != 2:
            raise _wrong(f"{path}[{i}]", f"is {_shown(point)}", example)
        size = _whole(f"{path}[{i}][0]", point[0], least=1)
        points.append((size, _number(f"{path}[{i}][1]", point[1], LARGEST_RATE, above_zero=True)))
    curve = tuple(points)
    if not ascends(curve):
        raise _wrong(path, "does not ascend", "sort it: sizes rising, rates not falling")
    return curve


def _refuse_unknown(place: str, row: Mapping[str, Any], known: list[str]) -> None:
    for name in row:
        if name in known:
            continue
        import difflib  # noqa: PLC0415 - start-up: only a wrong name needs it

        near = difflib.get_close_matches(name[:64], known, n=1)
        advice = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(known)}"
        path = f"{place}.{_clipped(name)}" if place else _clipped(name)
        raise _wrong(path, "is not a key of a machine", advice)


def _invalid(key: str, message: str, header: str) -> InvalidMachineError:
    return _wrong(key, message, f"write it as {header}")


def _wrong(key: str, message: str, hint: str) -> InvalidMachineError:
    return InvalidMachineError(Problem(key, message, hint))


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) > 1 << 128:
        return "a number of more than 128 bits"
    return _clipped(repr(value))


def _clipped(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
