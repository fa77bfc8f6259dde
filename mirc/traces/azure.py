"""Azure's traces of LLM inference, a CSV of arrivals and lengths, into requests that share nothing.

A row says when a request came, how long its prompt was and how much was generated, and nothing of
what was in the prompt: every request gets blocks of its own. So these traces show load, never
reuse. Source: Patel et al., Splitwise (ISCA 2024), and Stojkovic et al., DynamoLLM (HPCA 2025).
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mirc.diagnostics import CouldNotRun
from mirc.traces.lines import lines_of, so_far, unpacked
from mirc.traces.requests import MOST_BLOCKS, MOST_BYTES, MOST_REQUESTS, Request

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
LONGEST_LINE = 1 << 12
_LIMIT = 1 << 63
_DIGITS = 20  # of a number that may still fit
_KNOWN = f"give a CSV with the columns {', '.join(COLUMNS)}"


def is_header(line: bytes) -> bool:
    """Say whether a first line names the columns of such a trace."""
    try:
        return set(COLUMNS) <= set(_fields(line))
    except (UnicodeDecodeError, csv.Error):
        return False


def read(path: str, block_tokens: int) -> tuple[Request, ...]:
    """Read a trace, plain or gzipped; prompts are cut into blocks of ``block_tokens``.

    Raises CouldNotRun, with the line, for what is none, for what stands in no order of time, and
    for what is larger than the limits of ``mirc.traces.requests``.
    """
    found, cut = read_so_far(path, block_tokens)
    if cut is not None:
        raise cut
    return found


def read_so_far(path: str, block_tokens: int) -> tuple[tuple[Request, ...], CouldNotRun | None]:
    """Return the requests before what is wrong, and what that is; raises it if there are none."""
    try:
        with Path(path).open("rb") as file:
            return so_far(_requests(file, path, block_tokens))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise CouldNotRun(f"cannot read the request trace `{path}`: {reason}") from error


def load(file: BinaryIO, name: str, block_tokens: int) -> tuple[Request, ...]:
    """Read an open file; ``name`` is what messages call it. Raises CouldNotRun as ``read`` does.

    Times count from the first row's, in whole milliseconds, rounded down.
    """
    return tuple(_requests(file, name, block_tokens))


def _requests(file: BinaryIO, name: str, block_tokens: int) -> Iterator[Request]:
    lines = lines_of(
        unpacked(file), name, most=MOST_REQUESTS, longest=LONGEST_LINE, most_bytes=MOST_BYTES
    )
    opening = next(lines, None)
    if opening is None or not is_header(opening[1]):
        raise CouldNotRun(f"`{name}` does not begin with the columns of such a trace", _KNOWN)
    columns = _fields(opening[1])
    blocks = before_ms = 0
    start: datetime | None = None
    for number, line in lines:
        try:
            row = dict(zip(columns, _fields(line), strict=True))
        except (UnicodeDecodeError, ValueError, csv.Error) as error:
            raise _wrong(name, number, f"has not {len(columns)} fields") from error
        at = _time(row["TIMESTAMP"], number, name)
        start = start or at
        at_ms = _since(start, at, number, name)
        if at_ms < before_ms:
            raise _wrong(name, number, "comes before the line above it in time")
        before_ms = at_ms
        tokens = _whole(row, "ContextTokens", number, name)
        own = -(-tokens // block_tokens)
        if blocks + own > MOST_BLOCKS:
            raise _wrong(name, number, f"is where the trace exceeds {MOST_BLOCKS:_} blocks")
        yield Request(
            at_ms=at_ms,
            input_tokens=tokens,
            output_tokens=_whole(row, "GeneratedTokens", number, name),
            blocks=tuple(range(blocks, blocks + own)),
        )
        blocks += own
    if start is None:
        raise CouldNotRun(f"`{name}` holds no request", _KNOWN)


def _fields(line: bytes) -> list[str]:
    row = next(csv.reader([line.decode("utf-8-sig")], strict=True), [])
    return [field.strip() for field in row]


def _time(text: str, number: int, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise _wrong(name, number, "has no `TIMESTAMP` such as 2023-11-16 18:15:46.68") from error


def _since(start: datetime, at: datetime, number: int, name: str) -> int:
    if (start.tzinfo is None) != (at.tzinfo is None):
        raise _wrong(name, number, "names a time zone as other lines do not, or the reverse")
    if at.tzinfo is not None:
        start, at = start.astimezone(UTC), at.astimezone(UTC)
    passed = at - start
    return (passed.days * 86_400 + passed.seconds) * 1_000 + passed.microseconds // 1_000


def _whole(row: Mapping[str, str], key: str, number: int, name: str) -> int:
    text = row[key]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) < _LIMIT):
        raise _wrong(name, number, f"has no whole `{key}`")
    return int(text)


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(f"line {number} of `{name}` {what}", _KNOWN)
