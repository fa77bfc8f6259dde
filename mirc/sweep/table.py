"""Points and their results into one table: CSV, JSON or Parquet, equal bytes for equal results."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.sweep.points import Point

SCHEMA = "urn:mirc:schema:sweep:1"
FORMAT_VERSION = "1.0"
ASKED = (
    "file",
    "trace",
    "machine",
    "policy",
    "capacity_gb",
    "capacity",
    "hints_wrong",
    "seed",
    "schedule",
    "steps",
    "batch",
    "context",
    "swap_gb",
    "trace_block",
    "at_once",
    "speedup",
    "object_bytes",
)
"""Columns that say what a point was; files by name, without their folder."""
ERROR = "error"
FORMS = (".csv", ".json", ".parquet")


@attrs.frozen(kw_only=True)
class Table:
    """One row a point, in the order of the sweep; a cell of None has no value.

    Columns are what was asked, then every figure that some row has, then ``error``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def table(points: Sequence[Point], results: Mapping[str, Mapping[str, Any]]) -> Table:
    """Lay out the results, by key, of all points; asked columns without any value are left out."""
    figures = dict.fromkeys(
        name for point in points for name in results[point.key].get("figures", {})
    )
    said = [_asked(point) for point in points]
    asked = tuple(name for name in ASKED if any(row[name] is not None for row in said))
    columns = (*asked, *figures, ERROR)

    def row(point: Point, words: Mapping[str, Any]) -> tuple[Any, ...]:
        result = results[point.key]
        found = {**words, **result.get("figures", {}), ERROR: _why(result)}
        return tuple(found.get(name) for name in columns)

    return Table(
        columns=columns,
        rows=tuple(row(point, words) for point, words in zip(points, said, strict=True)),
    )


def form_of(path: str) -> str:
    """Return the form that a path's ending names, CSV for ``-``; raise CouldNotRun for another."""
    form = ".csv" if path == "-" else Path(path).suffix.lower()
    if form not in FORMS:
        raise CouldNotRun(f"`{path}` ends in none of {', '.join(FORMS)}", "name a table so")
    if form == ".parquet":
        _arrow()
    return form


def as_bytes(found: Table, form: str, *, version: str) -> bytes:
    """Return the table in one of ``FORMS``; ``version`` is the tool's."""
    if form == ".parquet":
        return _parquet(found)
    text = _csv(found) if form == ".csv" else _json(found, version)
    return text.encode("utf-8", "surrogateescape")


def _asked(point: Point) -> dict[str, Any]:
    found = attrs.asdict(point)
    return {
        **{name: found[name] for name in ASKED},
        "file": _name(point.file),
        "trace": _name(point.trace),
        "machine": _name(point.machine, ".toml"),
    }


def _name(path: str | None, ending: str = "") -> str | None:
    return None if path is None else Path(path).name.removesuffix(ending)


def _why(result: Mapping[str, Any]) -> str | None:
    return result.get("error") or result.get("fault")


def _csv(found: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows(found.rows)
    return text.getvalue()


def _json(found: Table, version: str) -> str:
    rows = [
        {name: cell for name, cell in zip(found.columns, row, strict=True) if cell is not None}
        for row in found.rows
    ]
    whole = {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "columns": list(found.columns),
        "rows": rows,
    }
    return json.dumps(whole, indent=2) + "\n"


def _parquet(found: Table) -> bytes:
    arrow, parquet = _arrow()
    columns = {name: [row[at] for row in found.rows] for at, name in enumerate(found.columns)}
    buffer = io.BytesIO()
    parquet.write_table(arrow.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - where it is asked for
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise CouldNotRun(
            "a Parquet table needs pyarrow, which is not installed", "pip install 'mirc[report]'"
        ) from error
    return pa, parquet
