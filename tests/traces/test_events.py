import io
import itertools
import json
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces import events
from mirc.traces.events import EventHeader, EventLog, Row, dump, lines_of, load, stream

HEADER = EventHeader(
    machine="toy",
    policy="lru",
    columns=("time_ps", "kind"),
    kinds=("STEP", "LAND"),
    reasons=("NEEDED",),
    memories=("hbm", "dram"),
    phases=("decode",),
    objects=("w0", 'a "quoted" name'),
)


def _lines(*rows: Row) -> list[str]:
    return list(dump([EventLog(HEADER, rows)]))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-1, 1 << 62), st.integers(-1, 20)), max_size=5), min_size=1
    )
)
def test_what_was_written_is_read_back(logs: Sequence[Sequence[Row]]) -> None:
    written = [EventLog(attrs.evolve(HEADER, policy=str(i)), rows) for i, rows in enumerate(logs)]
    found = load(dump(written), "log")
    assert [log.header for log in found] == [log.header for log in written]
    assert [list(log.rows) for log in found] == [list(log.rows) for log in written]


def test_an_event_is_one_short_line() -> None:
    assert _lines((12, 1))[1] == "[12,1]\n"


def _header(**changes: object) -> str:
    return json.dumps(json.loads(_lines()[0]) | changes)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "ends before its events do"),
        (_lines((1, 2), (3, 4))[:-1], "ends before its events do"),
        (["{"], "line 1 of `log` is not JSON"),
        (["[1]"], "line 1 of `log` does not open a `mirc-events` log"),
        ([_header(format_version=2)], "is of another version than 1"),
        ([_header(events=-1)], "lacks a part of the header"),
        ([_header(objects=[1])], "lacks a part of the header"),
        ([_header(policy=None)], "lacks a part of the header"),
        ([_header(events=10**12)], "holds more than 50_000_000 events"),
        ([_header(events=1), "[1]"], "line 2 of `log` is not a row of 2 whole numbers"),
        ([_header(events=1), "[1, 2.5]"], "line 2 of `log` is not a row of 2 whole numbers"),
        ([_header(events=1), f"[{1 << 63}, 2]"], "line 2 of `log` is not a row of 2 whole numbers"),
        ([_header(events=1), "[true, 2]"], "line 2 of `log` is not a row of 2 whole numbers"),
        ([_header(events=1), "[" * 100_000], "line 2 of `log` is not JSON"),
    ],
)
def test_anything_else_is_refused_with_its_line(lines: list[str], message: str) -> None:
    with pytest.raises(CouldNotRun, match=message):
        load(lines, "log")


def test_an_endless_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 10)
    with pytest.raises(CouldNotRun, match="line 1 of `log` is too long"):
        load(["[" + "1," * 10], "log")


def test_a_stream_yields_rows_before_the_log_is_at_its_end() -> None:
    parts = stream(_lines((1, 2), (3, 4))[:-1], "log")
    assert next(parts) == HEADER
    assert next(parts) == (1, 2)
    with pytest.raises(CouldNotRun, match="ends before its events do"):
        next(parts)


def test_lines_are_read_no_further_than_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 10)
    file = io.StringIO("short\n" + "x" * 100)
    assert [len(line) for line in itertools.islice(lines_of(file, "log"), 2)] == [6, 11]


def test_what_is_not_utf_8_is_said_to_be_so() -> None:
    file = io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8")
    with pytest.raises(CouldNotRun, match="`log` is not UTF-8 text"):
        list(lines_of(file, "log"))
