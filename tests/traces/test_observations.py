"""The file of an observation: what is written is read, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces.observations import (
    LONGEST_LINE,
    ObservationHeader,
    Part,
    Row,
    dump,
    stream,
)

HEADER = ObservationHeader(source="execution", machine="cpu", policy="pytorch", uses=True)
NUMBERS = st.integers(0, (1 << 63) - 1)
ROWS = st.one_of(
    st.tuples(st.just("phase"), st.text()),
    st.tuples(st.just("object"), st.text(), st.none() | NUMBERS),
    st.tuples(st.just("step"), NUMBERS, NUMBERS, NUMBERS | st.text()),
    st.tuples(st.sampled_from(["read", "write", "create", "retire"]), NUMBERS, NUMBERS),
    st.tuples(st.just("wait"), NUMBERS, NUMBERS, NUMBERS),
    st.tuples(st.just("end"), NUMBERS),
    st.tuples(st.sampled_from(["alloc", "free"]), NUMBERS, NUMBERS),
)


@given(st.lists(ROWS, min_size=1), st.lists(ROWS, min_size=1))
def test_what_is_written_is_read_back(first: list[Row], second: list[Row]) -> None:
    parts: list[Part] = [HEADER, *first, HEADER, *second]
    assert [part for _, part in stream(dump(parts), "obs")] == parts


LINES = list(dump([HEADER, ("phase", "decode"), ("step", 5, 0, 0)]))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "`obs` ends before its observation does"),
        (LINES[:-1], "`obs` ends before its observation does"),
        ([*LINES[:2], LINES[-1]], "line 3 of `obs` ends another count of rows"),
        (LINES[1:], "line 1 of `obs` does not open a `mirc-observation`"),
        (["[" * 100_000], "line 1 of `obs` is not JSON"),
        (["x" * (LONGEST_LINE + 1)], "line 1 of `obs` is too long"),
        ([LINES[0].replace(":1,", ":2,")], "is of another version than 1"),
        ([LINES[0].replace("true", "1")], "lacks a part of the header"),
        ([LINES[0], '["read",0]\n'], "line 2 of `obs` is no row of an observation"),
        ([LINES[0], '["read",0,true]\n'], "line 2 of `obs` is no row of an observation"),
        ([LINES[0], '["sing",0,0]\n'], "line 2 of `obs` is no row of an observation"),
        ([LINES[0], "[]\n"], "line 2 of `obs` is no row of an observation"),
        ([LINES[0], '["read",-1,0]\n'], "has a number that is negative or too large"),
        ([LINES[0], f'["read",{1 << 63},0]\n'], "has a number that is negative or too large"),
    ],
)
def test_what_is_no_observation_is_refused_with_its_line(lines: list[Any], message: str) -> None:
    with pytest.raises(CouldNotRun, match=message):
        list(stream(lines, "obs"))
