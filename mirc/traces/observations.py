"""Observations of runs into JSON lines, and back: what was used when, whoever saw it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun

FORMAT = "mirc-observation"
FORMAT_VERSION = 1
MOST_ROWS = 50_000_000
LONGEST_LINE = 1 << 20
_LIMIT = 1 << 63

Row = tuple[Any, ...]
"""A kind, then what the kind says:

``("phase", name)`` and ``("object", name, bytes or None)`` give the next number to a phase, to an
object; ``("step", time, phase, position or name)`` begins a step; ``("read", time, object)``,
``("write", ...)``, ``("create", ...)`` and ``("retire", ...)`` happen to an object in it, and
``("wait", time, object, length)`` says that it waited so long for one; ``("end", time)`` ends the
last run. ``("alloc", time, bytes)`` and ``("free", time, bytes)`` are blocks of memory that nobody
named. Times are picoseconds and never go back.
"""

_SHAPES: dict[str, tuple[tuple[type, ...], ...]] = {
    "phase": ((str,),),
    "object": ((str,), (int, type(None))),
    "step": ((int,), (int,), (int, str)),
    "read": ((int,), (int,)),
    "write": ((int,), (int,)),
    "create": ((int,), (int,)),
    "retire": ((int,), (int,)),
    "wait": ((int,), (int,), (int,)),
    "end": ((int,),),
    "alloc": ((int,), (int,)),
    "free": ((int,), (int,)),
}
_HINT = "write it with `mirc observe` or `mirc simulate --record`"


@attrs.frozen(kw_only=True)
class ObservationHeader:
    """Who saw what: ``source`` is the kind of observer, ``machine`` where it ran, ``policy`` how.

    ``uses`` says whether uses of objects were seen; else only steps and blocks were, and what a
    step used is what the file says of it. ``waits`` says whether waiting would have been seen.
    """

    source: str
    machine: str
    policy: str
    uses: bool
    waits: bool = False


Part = ObservationHeader | Row


def dump(parts: Iterable[Part]) -> Iterator[str]:
    """Yield the lines of a file: for each observation its header, its rows and how many."""
    rows: int | None = None
    for part in parts:
        if isinstance(part, ObservationHeader):
            if rows is not None:
                yield f'["done",{rows}]\n'
            rows = 0
            opening = {"format": FORMAT, "format_version": FORMAT_VERSION, **attrs.asdict(part)}
            yield json.dumps(opening, separators=(",", ":")) + "\n"
        elif rows is not None:
            rows += 1
            yield json.dumps(part, separators=(",", ":")) + "\n"
    if rows is not None:
        yield f'["done",{rows}]\n'


def stream(lines: Iterable[str], name: str) -> Iterator[tuple[int, Part]]:
    """Yield (line, part) for each part of a file; ``name`` is what messages call it.

    Raises CouldNotRun, with the line, for what ``dump`` does not write, for an observation that
    ends early and for more than ``MOST_ROWS`` rows.
    """
    rows: int | None = None
    total = 0
    for number, line in enumerate(lines, 1):
        value = _value(line, name, number)
        if rows is None:
            rows = 0
            yield number, _header(value, name, number)
        elif isinstance(value, list) and value[:1] == ["done"]:
            if value != ["done", rows]:
                raise _wrong(name, number, "ends another count of rows than stand there")
            rows = None
        else:
            rows, total = rows + 1, total + 1
            if total > MOST_ROWS:
                raise CouldNotRun(f"`{name}` holds more than {MOST_ROWS:_} rows", "record fewer")
            yield number, _row(value, name, number)
    if rows is not None or not total:
        raise CouldNotRun(f"`{name}` ends before its observation does", "record it again")


def _value(line: str, name: str, number: int) -> Any:
    if len(line) > LONGEST_LINE:
        raise _wrong(name, number, "is too long")
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, number, "is not JSON") from error


def _header(value: Any, name: str, number: int) -> ObservationHeader:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _wrong(name, number, f"does not open a `{FORMAT}`")
    if value.get("format_version") != FORMAT_VERSION:
        raise _wrong(name, number, f"is of another version than {FORMAT_VERSION}")
    texts: dict[str, Any] = {key: value.get(key) for key in ("source", "machine", "policy")}
    truths: dict[str, Any] = {key: value.get(key) for key in ("uses", "waits")}
    if not (
        all(isinstance(text, str) for text in texts.values())
        and all(isinstance(truth, bool) for truth in truths.values())
    ):
        raise _wrong(name, number, "lacks a part of the header")
    return ObservationHeader(**texts, **truths)


def _row(value: Any, name: str, number: int) -> Row:
    shape = _SHAPES.get(value[0]) if isinstance(value, list) and _is_word(value) else None
    if shape is None or len(value) != len(shape) + 1:
        raise _wrong(name, number, "is no row of an observation")
    for entry, types in zip(value[1:], shape, strict=True):
        if type(entry) not in types:
            raise _wrong(name, number, "is no row of an observation")
        if isinstance(entry, int) and not 0 <= entry < _LIMIT:
            raise _wrong(name, number, "has a number that is negative or too large")
    return tuple(value)


def _is_word(value: list[Any]) -> bool:
    return bool(value) and isinstance(value[0], str)


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(f"line {number} of `{name}` {what}", _HINT)
