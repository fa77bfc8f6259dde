"""Event logs of simulated runs into JSON lines, and back."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

import attrs

from mirc.diagnostics import CouldNotRun

FORMAT = "mirc-events"
FORMAT_VERSION = 1
MOST_EVENTS = 50_000_000
LONGEST_LINE = 1 << 27  # a header holds the names of all objects
_LIMIT = 1 << 63  # entries are 64 bits wide

Row = tuple[int, ...]


@attrs.frozen(kw_only=True)
class EventHeader:
    """What the numbers in the rows of one log mean.

    ``columns`` name a row's entries. Entries of ``kind`` and ``reason`` index ``kinds`` and
    ``reasons``, of ``object`` index ``objects`` (in a row about a step: the phase, in ``phases``),
    of ``source`` and ``target`` index ``memories``; -1 is nothing.
    """

    machine: str
    policy: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    reasons: tuple[str, ...]
    memories: tuple[str, ...]
    phases: tuple[str, ...]
    objects: tuple[str, ...]


@attrs.frozen(eq=False)
class EventLog:
    """One run's events, in order."""

    header: EventHeader
    rows: Sequence[Row]


def dump(logs: Iterable[EventLog]) -> Iterator[str]:
    """Yield the lines of a file: for each log its header, then an array of numbers an event."""
    for log in logs:
        yield opening(log.header, len(log.rows))
        yield from lines(log.rows).splitlines(keepends=True)


def opening(header: EventHeader, count: int) -> str:
    """Return the line before the ``count`` events of a log."""
    fields = attrs.asdict(header)
    parts = {"format": FORMAT, "format_version": FORMAT_VERSION, **fields, "events": count}
    return json.dumps(parts, separators=(",", ":")) + "\n"


def lines(rows: Sequence[Row]) -> str:
    """Return the lines of some events."""
    if not rows:
        return ""
    return json.dumps(rows, separators=(",", ":"))[1:-1].replace("],[", "]\n[") + "\n"


def load(lines: Iterable[str], name: str) -> tuple[EventLog, ...]:
    """Read what ``dump`` wrote, all of it at once; raises CouldNotRun as ``stream`` does."""
    logs: list[EventLog] = []
    rows: list[Row] = []
    for part in stream(lines, name):
        if isinstance(part, EventHeader):
            rows = []
            logs.append(EventLog(part, rows))
        else:
            rows.append(part)
    return tuple(logs)


def stream(lines: Iterable[str], name: str) -> Iterator[EventHeader | Row]:
    """Yield each log's header, then its rows, one a line; ``name`` is what messages call the file.

    Raises CouldNotRun, with the line, for what ``dump`` does not write, for a log that ends early
    and for more than ``MOST_EVENTS`` rows.
    """
    header: EventHeader | None = None
    left = total = 0
    for number, line in enumerate(lines, 1):
        if header is None or not left:
            header, left = _header(_value(line, name, number), name, number)
            total += left
            if total > MOST_EVENTS:
                raise CouldNotRun(f"`{name}` holds more than {MOST_EVENTS:_} events", "split it")
            yield header
        else:
            left -= 1
            yield _row(_value(line, name, number), header, name, number)
    if header is None or left:
        raise CouldNotRun(f"`{name}` ends before its events do", "write it again")


def lines_of(file: TextIO, name: str) -> Iterator[str]:
    """Yield a file's lines, of an endless one as much as shows that it is too long.

    Raises CouldNotRun for what is not UTF-8.
    """
    try:
        while line := file.readline(LONGEST_LINE + 1):
            yield line
    except UnicodeDecodeError as error:
        raise CouldNotRun(
            f"`{name}` is not UTF-8 text", "write it with `mirc simulate --events`"
        ) from error


def _value(line: str, name: str, number: int) -> Any:
    if len(line) > LONGEST_LINE:
        raise _wrong(name, number, "is too long")
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong(name, number, "is not JSON") from error


def _header(value: Any, name: str, number: int) -> tuple[EventHeader, int]:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _wrong(name, number, f"does not open a `{FORMAT}` log")
    if value.get("format_version") != FORMAT_VERSION:
        raise _wrong(name, number, f"is of another version than {FORMAT_VERSION}")
    count = value.get("events")
    parts = {field.name: value.get(field.name) for field in attrs.fields(EventHeader)}
    texts: dict[str, Any] = {key: parts.pop(key) for key in ("machine", "policy")}
    if (
        type(count) is not int
        or count < 0
        or not all(isinstance(text, str) for text in texts.values())
        or not all(_is_words(words) for words in parts.values())
    ):
        raise _wrong(name, number, "lacks a part of the header")
    named: dict[str, Any] = {key: tuple(words or ()) for key, words in parts.items()}
    return EventHeader(**texts, **named), count


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _row(value: Any, header: EventHeader, name: str, number: int) -> Row:
    if (
        not isinstance(value, list)
        or len(value) != len(header.columns)
        or any(type(entry) is not int or not -_LIMIT <= entry < _LIMIT for entry in value)
    ):
        raise _wrong(name, number, f"is not a row of {len(header.columns)} whole numbers")
    return tuple(value)


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(
        f"line {number} of `{name}` {what}", "write it with `mirc simulate --events`"
    )
