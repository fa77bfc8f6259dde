"""A file of any kind that shows a run into the parts of an observation."""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, cast

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.observe import logs, profile, snapshot
from mirc.traces import events, observations
from mirc.traces.observations import Part

MOST_BYTES = 1 << 30
"""Of a profile or snapshot, which are read whole; of what a gzipped file unpacks to."""

_OURS = re.compile(rb'\s*\{\s*"format"\s*:\s*"mirc-')
_PROFILE = re.compile(rb'"(traceEvents|schemaVersion|deviceProperties)"')
_GZIP, _PICKLE = b"\x1f\x8b", b"\x80"
_TABLES = {b"PAR1": "Parquet", b"machine,policy,time_ps,": "CSV"}
"""What `mirc simulate --events` writes for other tools, by how it begins."""
_RECORD = "record one: `mirc simulate --record FILE`, or `mirc observe`"
_LOOK = 1 << 12


def parts_in(
    file: BinaryIO, name: str, module: Module, phase: str | None = None
) -> Iterator[tuple[int, Part]]:
    """Yield the parts of a file, plain or gzipped: its first bytes say what it is.

    An observation or event log is read line by line; a PyTorch profile, whose steps ``phase`` ran
    where it does not name one, and a snapshot of CUDA's memory are read whole. Raises CouldNotRun
    for what is none of them, or larger than ``MOST_BYTES``, and for a ``phase`` of anything else
    than a profile.
    """
    opened = io.BufferedReader(_Lent(file), _LOOK)
    packed = opened.peek(2).startswith(_GZIP)
    if packed:
        opened = io.BufferedReader(_Lent(cast("BinaryIO", gzip.GzipFile(fileobj=opened))), _LOOK)
    try:
        begin = opened.peek(_LOOK)
        if _PROFILE.search(begin) and not _OURS.match(begin) and not begin.startswith(_PICKLE):
            yield from profile.observed(_whole(opened, name), name, module, phase)
        elif phase is not None:
            raise CouldNotRun(f"`--phase` is about profiles, and `{name}` is none", "leave it out")
        elif begin.startswith(_PICKLE):
            yield from snapshot.observed(_whole(opened, name), name)
        elif table := next((_TABLES[mark] for mark in _TABLES if begin.startswith(mark)), None):
            raise CouldNotRun(
                f"`{name}` holds events as {table}, and they are read as JSON lines",
                "record them so: `--events FILE.jsonl`, or `--record FILE`",
            )
        else:
            text = io.TextIOWrapper(opened, encoding="utf-8", newline="\n")
            lines = events.lines_of(text, name)
            yield from parts_of(_bounded(lines, name) if packed else lines, name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CouldNotRun(f"`{name}` is a broken gzip file", "record it again") from error


def parts_of(lines: Iterable[str], name: str) -> Iterator[tuple[int, Part]]:
    """Yield (line, part) of event logs or observations: the first line says which they are.

    Raises CouldNotRun for what is neither, and as ``mirc.traces.events.stream`` or
    ``mirc.traces.observations.stream`` does.
    """
    given = iter(lines)
    first = next(given, None)
    if first is None:
        raise CouldNotRun(f"`{name}` is empty", _RECORD)
    if not first.lstrip().startswith("{"):
        raise CouldNotRun(f"`{name}` is no observation, event log, profile or snapshot", _RECORD)
    whole = chain((first,), given)
    if _format(first) == observations.FORMAT:
        return observations.stream(whole, name)
    return logs.observed(events.stream(whole, name), name)


class _Lent(io.RawIOBase):
    """A file that is read on, and left open for whoever opened it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        found = self._file.read(len(into))
        into[: len(found)] = found
        return len(found)


def _whole(file: BinaryIO, name: str) -> bytes:
    found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise CouldNotRun(f"`{name}` is larger than {MOST_BYTES >> 20} MiB", "record fewer steps")
    return found


def _bounded(lines: Iterable[str], name: str) -> Iterator[str]:
    total = 0
    for line in lines:
        total += len(line)
        if total > MOST_BYTES:
            raise CouldNotRun(f"`{name}` unpacks to more than {MOST_BYTES >> 20} MiB", "unpack it")
        yield line


def _format(line: str) -> object:
    if len(line) > observations.LONGEST_LINE:  # the header of a log names all its objects
        return events.FORMAT
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value.get("format") if isinstance(value, dict) else None
