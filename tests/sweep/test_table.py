"""One row a point, in the order of the sweep, in three forms that hold the same."""

import csv
import io
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pyarrow import parquet

from mirc.diagnostics import CouldNotRun
from mirc.sweep.local import in_turn
from mirc.sweep.points import Point, digest, points
from mirc.sweep.run import sweep
from mirc.sweep.spec import load
from mirc.sweep.store import Store
from mirc.sweep.table import FORMS, Table, as_bytes, form_of, table
from tests.sweep.grids import laid

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "sweep-1.schema.json"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Point, ...], Table]:
    folder = tmp_path_factory.mktemp("sweep")
    digest.cache_clear()
    asked = points(load(str(laid(folder))))
    found = sweep(asked, in_turn, Store(str(folder / "r")))
    assert found.failed == 4
    return asked, table(asked, found.results)


def test_a_row_says_what_was_asked_what_came_of_it_or_why_nothing_did(
    swept: tuple[tuple[Point, ...], Table],
) -> None:
    asked, found = swept
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert [row["policy"] for row in rows] == [point.policy for point in asked]
    assert {row["file"] for row in rows} == {"toy.mir"}  # without its folder
    for row in rows:
        small = row["capacity_gb"] == 0.5
        assert (row["total_ps"] is None) == small
        assert (row["error"] is not None) == small
        if small:
            assert "needs 1_000_000_000 bytes at once" in row["error"]
    assert "trace" not in found.columns  # no row has one


def test_wrong_hints_change_what_believes_them_and_nothing_else(
    swept: tuple[tuple[Point, ...], Table],
) -> None:
    _, found = swept
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    by = {(r["policy"], r["hints_wrong"]): r["total_ps"] for r in rows if r["capacity_gb"] == 3}
    assert by["lru", 0.0] == by["lru", 1.0]
    assert by["intent", 0.0] != by["intent", 1.0]


def test_all_forms_hold_the_same_and_are_the_same_bytes_each_time(
    swept: tuple[tuple[Point, ...], Table],
) -> None:
    _, found = swept
    for form in FORMS:
        assert as_bytes(found, form, version="9") == as_bytes(found, form, version="9")
    read = list(csv.reader(io.StringIO(as_bytes(found, ".csv", version="9").decode())))
    assert tuple(read[0]) == found.columns
    assert read[1:] == [["" if cell is None else str(cell) for cell in row] for row in found.rows]
    plain = json.loads(as_bytes(found, ".json", version="9"))
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(plain)
    assert [tuple(map(row.get, found.columns)) for row in plain["rows"]] == list(found.rows)
    arrow = parquet.read_table(io.BytesIO(as_bytes(found, ".parquet", version="9")))
    assert tuple(arrow.column_names) == found.columns
    assert [tuple(row.values()) for row in arrow.to_pylist()] == list(found.rows)


def test_the_form_is_the_ending_and_another_is_refused_before_anything_runs() -> None:
    assert form_of("-") == form_of("a.CSV") == ".csv"
    with pytest.raises(CouldNotRun, match=r"ends in none of \.csv, \.json, \.parquet"):
        form_of("a.xls")
