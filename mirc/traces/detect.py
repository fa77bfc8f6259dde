"""A trace file into the format that it is in: its content decides, never its name."""

import json
import struct
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from mirc.diagnostics import CouldNotRun
from mirc.traces import azure, vllm_events
from mirc.traces.lines import GZIP, read_up_to, unpacked

_OPENING = 1 << 16  # bytes that are looked at
_RECORD = 24  # bytes of oracleGeneral


class TraceFormat(StrEnum):
    """What a trace is written in; of each a value is the name that options take."""

    MOONCAKE = "mooncake"
    """Requests, a JSON object a line, with the prefix blocks of each prompt."""
    AZURE = "azure"
    """Requests, a CSV of arrivals and lengths; nobody shares a block."""
    VLLM_EVENTS = "vllm-events"
    """Cache events of a serving engine, a batch a line, from which requests are read."""
    ORACLE_GENERAL = "oracle-general"
    """Accesses, libCacheSim's records of 24 bytes."""
    CSV = "csv"
    """Accesses, a line each, as libCacheSim reads them."""

    @property
    def of_requests(self) -> bool:
        """Whether it holds requests, which are served; else accesses, which are replayed."""
        return self in {TraceFormat.MOONCAKE, TraceFormat.AZURE, TraceFormat.VLLM_EVENTS}


def detect(path: str) -> TraceFormat:
    """Return the format of a trace, plain or gzipped; raises CouldNotRun for what is none."""
    try:
        with Path(path).open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            opening = _opening(file, path)
            size = file.seek(0, 2)
    except OSError as error:
        reason = error.strerror or "it is no file that can be read again from its beginning"
        raise CouldNotRun(f"cannot read the trace `{path}`: {reason}") from error
    if packed and b"\0" in opening:
        raise CouldNotRun(f"`{path}` is gzipped and no text", "unpack it: it is read in place")
    return _format(opening, size, path)


def _format(opening: bytes, size: int, name: str) -> TraceFormat:
    if not opening:
        raise CouldNotRun(f"`{name}` is empty", _known())
    if b"\0" in opening:
        if size % _RECORD and not _of_records(opening):
            raise CouldNotRun(
                f"`{name}` is no text, and its {size:_} bytes are not whole records of {_RECORD}",
                "it may be cut off: fetch it again, or say what it is with `--trace-format`",
            )
        return TraceFormat.ORACLE_GENERAL
    line = _first_line(opening)
    if line[:1] in {b"{", b"["}:
        return _of_json(line, name)
    if azure.is_header(line):
        return TraceFormat.AZURE
    if b"," in line:
        return TraceFormat.CSV
    raise CouldNotRun(f"`{name}` is no trace", _known())


def _of_records(opening: bytes) -> bool:
    """Tell whether it begins as records do, whatever becomes of the last one."""
    whole = opening[: len(opening) // _RECORD * _RECORD]
    records = [(each[0], each[3]) for each in struct.iter_unpack("<IQIq", whole)]
    forward = all(before[0] <= after[0] for before, after in pairwise(records))
    return bool(records) and forward and all(-1 <= n != at for at, (_, n) in enumerate(records))


def _of_json(line: bytes, name: str) -> TraceFormat:
    value = _value(line)
    if vllm_events.is_batch(value) or (value is None and line[:1] == b"["):
        return TraceFormat.VLLM_EVENTS
    if isinstance(value, dict) and not {"timestamp", "hash_ids"} & set(value):
        raise CouldNotRun(f"`{name}` is JSON, and no trace of requests", _known())
    return TraceFormat.MOONCAKE  # its reader says, with the line, what is wrong with it


def _value(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None  # longer than what is looked at, or wrong


def _first_line(opening: bytes) -> bytes:
    lines = (line.strip() for line in opening.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    return next((line for line in lines if line), b"")


def _opening(file: BinaryIO, name: str) -> bytes:
    opening, damage = read_up_to(unpacked(file), _OPENING)
    if damage is not None and not opening:
        raise CouldNotRun(
            f"`{name}` cannot be unpacked: it is cut off or damaged", "fetch it again"
        ) from damage
    return opening


def _known() -> str:
    return f"give one of {', '.join(TraceFormat)}, or force one with `--trace-format`"
