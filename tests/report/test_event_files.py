"""Events in each form of file: the same rows, readable again, the same bytes every time."""

import csv
import gzip
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mirc.report.event_files import COLUMNS, event_file
from mirc.simulate.study import header_of
from mirc.traces.events import load
from tests.report.recorded import recorded


def written(name: str) -> bytes:
    file = io.BytesIO()
    with event_file(file, name) as take:
        for outcome, scenario, machine in recorded().runs:
            assert outcome.events is not None
            take(header_of(outcome, scenario.workload, machine), outcome.events)
    return file.getvalue()


def test_json_lines_are_read_back_as_they_were() -> None:
    logs = load(written("log.jsonl").decode().splitlines(), "log.jsonl")
    assert [(log.header.machine, log.header.policy) for log in logs] == [
        (machine.name, outcome.policy) for outcome, _, machine in recorded().runs
    ]
    first = recorded().runs[0][0].events
    assert first is not None
    assert list(logs[0].rows) == first.tolist()


def test_csv_and_parquet_hold_the_same_table(tmp_path: Path) -> None:
    (tmp_path / "log.parquet").write_bytes(written("log.parquet"))
    table = pq.read_table(tmp_path / "log.parquet")
    assert tuple(table.column_names) == COLUMNS
    rows = [
        {key: "" if value is None else str(value) for key, value in row.items()}
        for row in table.to_pylist()
    ]
    assert list(csv.DictReader(io.StringIO(written("log.csv").decode()))) == rows
    assert len(rows) == sum(
        len(out.events) for out, _, _ in recorded().runs if out.events is not None
    )
    landed = [row for row in rows if row["kind"] == "LAND" and row["policy"] == "lru"]
    assert {row["source"] for row in landed} >= {"dram"}
    assert {row["object"] for row in landed} <= {*(f"w{i}" for i in range(6)), "x"}
    assert {row["object"] for row in rows if row["kind"] == "STEP"} == {"decode"}


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.csv.gz"])
def test_a_packed_file_holds_what_the_plain_one_does(name: str) -> None:
    assert gzip.decompress(written(name)) == written(name.removesuffix(".gz"))


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz", "log.csv", "log.parquet"])
def test_equal_events_give_equal_bytes(name: str) -> None:
    assert written(name) == written(name)
