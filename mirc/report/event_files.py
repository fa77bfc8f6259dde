"""Events of recorded runs into files: JSON lines, CSV or Parquet, as the file's name ends."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.kernels.events import Kind
from mirc.traces.events import EventHeader, lines, opening

Events: TypeAlias = NDArray[Any]
Take: TypeAlias = Callable[[EventHeader, Events], None]
"""Writes the events of one run behind those of the runs before it."""

COLUMNS = (
    *("machine", "policy", "time_ps", "kind", "object", "source", "target"),
    *("bytes", "step", "reason", "cause"),
)
"""Of the tables: numbers where the log has them, names in place of ids, nothing in place of -1.

``object`` is the phase in a row about a step.
"""

_CHUNK = 1 << 16  # rows that are in memory as Python objects at once


@contextmanager
def event_file(file: BinaryIO, name: str) -> Iterator[Take]:
    """Open a file for events; the end of ``name`` decides how it is written.

    ``.parquet`` and ``.csv`` are tables of ``COLUMNS``, anything else JSON lines that
    ``mirc.traces.events`` reads back; ``.gz`` behind either packs it. Raises CouldNotRun where
    pyarrow is needed and missing, and for ``.parquet.gz``.
    """
    lower = name.lower()
    if lower.endswith(".parquet.gz"):
        raise CouldNotRun("Parquet is packed by itself", "name the file without `.gz`")
    if lower.endswith(".parquet"):
        with _parquet(file) as take:
            yield take
    elif lower.endswith(".gz"):
        # No name and no time in the head of it: equal events give equal bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
            yield _text(packed, table=lower.endswith(".csv.gz"))  # type: ignore[arg-type]
    else:
        yield _text(file, table=lower.endswith(".csv"))


def _text(file: BinaryIO, *, table: bool) -> Take:
    return _csv(file) if table else _json_lines(file)


def _json_lines(file: BinaryIO) -> Take:
    def take(header: EventHeader, events: Events) -> None:
        file.write(opening(header, len(events)).encode())
        file.writelines(lines(part.tolist()).encode() for part in _parts(events))

    return take


def _csv(file: BinaryIO) -> Take:
    file.write((",".join(COLUMNS) + "\n").encode())

    def take(header: EventHeader, events: Events) -> None:
        names = _Names(header)
        for part in _parts(events):
            text = io.StringIO(newline="")
            table = names.columns(part)
            found = [
                [words[number] if number >= 0 else "" for number in ids.tolist()]
                if words
                else ids.tolist()
                for ids, words in table.values()
            ]
            csv.writer(text, lineterminator="\n").writerows(zip(*found, strict=True))
            file.write(text.getvalue().encode("utf-8", "surrogateescape"))

    return take


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Take]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and a quarter of a second
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise CouldNotRun(
            "a Parquet file needs the package pyarrow", "pip install 'mirc[report]'"
        ) from error
    numbers = {"time_ps", "bytes", "step"}
    word = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([(name, pa.int64() if name in numbers else word) for name in COLUMNS])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:

        def take(header: EventHeader, events: Events) -> None:
            table = _Names(header).columns(events)
            arrays = [
                pa.DictionaryArray.from_arrays(
                    pa.array(ids.astype(np.int32), mask=ids < 0), pa.array(words, pa.string())
                )
                if words
                else pa.array(ids)
                for ids, words in table.values()
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

        yield take


class _Names:
    """What the numbers of a log mean."""

    def __init__(self, header: EventHeader) -> None:
        self._header = header
        self._named = (*header.objects, *header.phases)

    def columns(self, events: Events) -> dict[str, tuple[NDArray[Any], tuple[str, ...]]]:
        """Return each column as numbers and, where they are ids, the names that they index."""
        header, count = self._header, len(self._header.objects)
        step = events["kind"] == int(Kind.STEP)
        thing = np.where(step & (events["object"] >= 0), events["object"] + count, events["object"])
        one = np.zeros(len(events), dtype=np.int64)
        return {
            "machine": (one, (header.machine,)),
            "policy": (one, (header.policy,)),
            "time_ps": (events["time_ps"], ()),
            "kind": (events["kind"], header.kinds),
            "object": (thing, self._named or ("",)),
            "source": (events["source"], header.memories),
            "target": (events["target"], header.memories),
            "bytes": (events["bytes"], ()),
            "step": (events["step"], ()),
            "reason": (events["reason"], header.reasons),
            "cause": (events["cause"], header.objects or ("",)),
        }


def rows_of(events: Events) -> Iterator[tuple[int, ...]]:
    """Yield events as tuples of numbers, few of which are in memory at once."""
    for part in _parts(events):
        yield from part.tolist()


def _parts(events: Events) -> Iterator[Events]:
    for begin in range(0, len(events), _CHUNK):
        yield events[begin : begin + _CHUNK]
