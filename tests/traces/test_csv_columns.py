"""Lines of a CSV that are read all at once give what each gives alone."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces import cache_csv as reader
from mirc.traces.accesses import Rows
from mirc.traces.cache_csv import OPERATIONS, cache_csv
from mirc.traces.csv_columns import columns_of
from mirc.traces.lines import blocks_of
from tests.nightly import by_night

WHERE = {"time": 0, "id": 1, "size": 2, "op": 3}
TIMES = st.one_of(
    st.decimals(0, 10**9, places=6).map(str), st.integers(0, 10**9).map(str), st.just("")
)
KEYS = st.one_of(st.integers(0, 2**64 + 9).map(str), st.sampled_from(["007", "alpha", ""]))
SIZES = st.one_of(st.integers(0, 2**51).map(str), st.sampled_from(["", "x", "0"]))
WORDS = st.sampled_from(["", "get", "SET", "prefetch", "fetch-ahead", "frob", "g", "xget"])
LINES = st.lists(st.tuples(TIMES, KEYS, SIZES, WORDS), min_size=1, max_size=6)


def outcome(path: Path, monkeypatch: pytest.MonkeyPatch, *, alone: bool) -> list[list[int]] | str:
    """Read a file, each line alone if so asked."""
    with monkeypatch.context() as patch:
        if alone:
            patch.setattr(reader, "columns_of", lambda *_: None)
        try:
            parts = list(cache_csv(str(path)))
        except CouldNotRun as error:
            return error.message
    names = ("keys", "size_bytes", "what", "at_us")
    return [np.concatenate([getattr(p, name) for p in parts]).tolist() for name in names]


@settings(max_examples=by_night(120, 5000), deadline=None)
@given(lines=LINES, ends=st.sampled_from(["\n", "\r\n"]))
def test_lines_at_once_say_what_each_says_alone(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, ...]], ends: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = ends.join(["time,id,size,op", *map(",".join, lines), ""])
    path.write_text(text, "utf-8", newline="")
    monkeypatch = pytest.MonkeyPatch()
    together = outcome(path, monkeypatch, alone=False)
    assert together == outcome(path, monkeypatch, alone=True)


def found(text: str) -> Rows | None:
    return columns_of(text.encode(), WHERE, OPERATIONS)


def test_plain_lines_are_read_at_once_without_their_last_end() -> None:
    rows = found("1.5,18446744073709551615,7,SET\n.25,0,,\n2,9,8,get")
    assert rows is not None
    assert rows.keys.view(np.uint64).tolist() == [2**64 - 1, 0, 9]
    assert rows.at_us.tolist() == [1_500_000, 250_000, 2_000_000]
    assert (rows.size_bytes.tolist(), rows.what.tolist()) == ([7, 0, 8], [1, 0, 0])


@pytest.mark.parametrize(
    "line",
    [
        "1,18446744073709551616,1,get",
        "1,alpha,1,get",
        "1,,1,get",
        "1, 2,1,get",
        '1,"2",1,get',
        "1.2.3,2,1,get",
        "1.,2,1,get",
        "-1,2,1,get",
        "1e3,2,1,get",
        "1.0000001,2,1,get",
        "1,2,x,get",
        "1,2,1,frob",
        "1,2,1",
        "",
        "1,2,1,get,more",
    ],
)
def test_what_is_not_plain_is_left_to_who_looks_at_each_line(line: str) -> None:
    assert found(f"0,1,1,get\n{line}\n") is None


@given(
    text=st.lists(st.sampled_from(["", "a", "bcd", "efghij"]), max_size=12).map("\n".join),
    size=st.integers(1, 9),
)
def test_blocks_hold_whole_lines_and_know_their_number(text: str, size: int) -> None:
    blocks = list(
        blocks_of(io.BytesIO(text.encode()), "f", size=size, most=99, longest=99, most_bytes=999)
    )
    assert b"".join(block.text for block in blocks) == text.encode()
    for block in blocks:
        before = text.encode()[: text.encode().index(block.text)] if block.number == 1 else None
        assert before in {None, b""}
        assert block.text.endswith(b"\n") or block is blocks[-1]
    numbers = np.cumsum([1, *(block.text.count(b"\n") for block in blocks)])[:-1]
    assert [block.number for block in blocks] == numbers.tolist()
