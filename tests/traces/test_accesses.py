"""Traces of accesses: what is read is what was written, and what is wrong is named by its line."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.simulate.accesses.reading import Reading
from mirc.simulate.accesses.reading import read as read_trace
from mirc.traces.accesses import (
    CSV_HEADER,
    READ,
    RECORD,
    WRITE,
    Rows,
    csv_lines,
    oracle_general,
    write_oracle_general,
)
from mirc.traces.cache_csv import cache_csv
from mirc.traces.make.accesses import Stream, loop, scan, zipf
from mirc.traces.make.next_access import next_accesses

KEYS = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.tuples(KEYS, st.integers(0, 2**32 - 1), st.integers(0, 10**6)), min_size=1)


def rows_of(table: list[tuple[int, int, int]], what: int = READ) -> Rows:
    times = np.cumsum([gap for _, _, gap in table]) * 1_000_000
    return Rows(
        keys=np.array([key for key, _, _ in table], dtype=np.uint64).view(np.int64),
        size_bytes=np.array([size for _, size, _ in table], dtype=np.int64),
        what=np.full(len(table), what, dtype=np.int64),
        at_us=times,
    )


@settings(max_examples=25)
@given(table=ROWS, rows=st.integers(1, 5))
def test_both_forms_give_back_what_was_written_in_chunks_of_any_length(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[int, int, int]], rows: int
) -> None:
    table = table[: 2**32 // 10**6]
    folder = tmp_path_factory.mktemp("traces")
    made = rows_of(table)
    binary, text = folder / "a.oracleGeneral", folder / "a.csv"
    with binary.open("wb") as file:
        write_oracle_general(file, made, np.full(len(table), -1, dtype=np.int64))
    text.write_text(CSV_HEADER + "".join(csv_lines(made)), "utf-8")
    for chunks in (oracle_general(str(binary), rows), cache_csv(str(text), rows=rows)):
        parts = list(chunks)
        assert all(len(part.keys) <= rows for part in parts)
        for name in ("keys", "size_bytes", "what", "at_us"):
            read = np.concatenate([getattr(part, name) for part in parts])
            assert read.tolist() == getattr(made, name).tolist()


def test_a_record_has_the_layout_that_libcachesim_reads() -> None:
    assert RECORD.itemsize == 24
    assert RECORD.names == ("time_s", "key", "size_bytes", "next_access")
    assert np.array((1, 2, 3, -1), dtype=RECORD).tobytes() == b"".join(
        value.to_bytes(size, "little", signed=True)
        for value, size in ((1, 4), (2, 8), (3, 4), (-1, 8))
    )


@pytest.mark.parametrize(
    ("text", "columns", "keys"),
    [
        ("1,7,100\n2,8,100\n", None, [7, 8]),
        ("#time,size,object\n1,100,7\n", None, [7]),
        ("op,key\nget,7\n", None, [7]),
        ("x,1,y,100,7\nx,2,y,100,8\n", "time-col=2,obj-id-col=5,obj-size-col=4", [7, 8]),
    ],
)
def test_a_header_or_an_option_says_where_columns_are(
    tmp_path: Path, text: str, columns: str | None, keys: list[int]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, "utf-8")
    (found,) = cache_csv(str(file), columns)
    assert found.keys.tolist() == keys


def test_names_are_keys_too_and_gzip_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(
        gzip.compress(b"time,id,size,op\n0,alpha,1,get\n1,beta,1,set\n2,alpha,1,get\n")
    )
    (found,) = cache_csv(str(file))
    first, second, third = found.keys.tolist()
    assert first == third != second
    assert found.what.tolist() == [READ, WRITE, READ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time,id,size\n1,7,x\n", "line 2 of .* has a size `x` that is no number of bytes"),
        ("time,id,size\n5,7,1\n4,7,1\n", "line 3 of .* comes before the line above it in time"),
        ("time,id,size\n-5,7,1\n", "line 2 of .* has a time `-5` that is no number of seconds"),
        ("time,id,size\nnan,7,1\n", "line 2 of .* has a time `nan`"),
        ("time,id,size\n1,,1\n", "line 2 of .* has no id"),
        ("id\n18446744073709551616\n", "line 2 of .* `18446744073709551616` that is no number"),
        ("id\n7\n-7\n", "line 3 of .* has an id `-7` that is no number of 64 bits"),
        ("time,id,size\n1,7,99999999999999999\n", "has a size `99999999999999999`"),
        ("time,id,op\n1,7,frob\n", "has an operation `frob` that is none"),
        ("time,id,size\n", "holds no access"),
    ],
)
def test_what_is_wrong_in_a_csv_is_named_with_its_line(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(CouldNotRun, match=says):
        list(cache_csv(str(file)))


def test_records_that_are_cut_off_or_go_back_in_time_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.oracleGeneral"
    packed = np.zeros(3, dtype=RECORD)
    packed["time_s"] = [1, 5, 4]
    file.write_bytes(packed.tobytes())
    with pytest.raises(CouldNotRun, match=r"record 3 of .* comes before the one above it"):
        list(oracle_general(str(file), rows=2))
    file.write_bytes(packed.tobytes()[:-1])
    with pytest.raises(CouldNotRun, match="71 bytes, which are not whole records of 24"):
        list(oracle_general(str(file)))


def test_what_a_field_cannot_hold_is_not_written(tmp_path: Path) -> None:
    with (
        (tmp_path / "a").open("wb") as file,
        pytest.raises(CouldNotRun, match="a size in bytes is beyond the 32 bits"),
    ):
        write_oracle_general(file, rows_of([(1, 1 << 32, 0)]), np.zeros(1, dtype=np.int64))


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=8), min_size=1, max_size=5))
def test_the_next_access_is_found_across_chunks(chunks: list[list[int]]) -> None:
    flat = [key for chunk in chunks for key in chunk]
    expected = [
        next((at for at in range(i + 1, len(flat)) if flat[at] == key), -1)
        for i, key in enumerate(flat)
    ]
    found = next_accesses((np.array(chunk, dtype=np.int64) for chunk in chunks), 7)
    assert found.tolist() == expected


def test_a_seed_makes_the_same_trace_and_popularity_follows_zipf() -> None:
    stream = Stream(accesses=50_000, objects=1000, every_us=10, poisson=True, writes=0.25, seed=3)
    (one,), (two,) = zipf(stream, 1.0), zipf(stream, 1.0)
    assert (one.keys == two.keys).all()
    assert (one.at_us == two.at_us).all()
    counts = np.bincount(one.keys, minlength=1000)
    # the first of 1000 has 1 / H(1000) = 13.4 % of the accesses
    assert counts[0] / 50_000 == pytest.approx(0.1336, rel=0.03)
    assert (one.what == WRITE).mean() == pytest.approx(0.25, rel=0.03)
    assert one.at_us[-1] == pytest.approx(500_000, rel=0.02)


def test_a_scan_goes_round_and_a_loop_stays_for_its_rounds() -> None:
    (scanned,) = scan(Stream(accesses=7, objects=3))
    assert scanned.keys.tolist() == [0, 1, 2, 0, 1, 2, 0]
    (looped,) = loop(Stream(accesses=9, objects=100), length=2, rounds=2)
    assert looped.keys.tolist() == [0, 1, 0, 1, 2, 3, 2, 3, 4]


def test_a_trace_is_numbered_sized_and_timed(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,id,size,op\n2,x,10,get\n4,y,20,set\n5,x,99,get\n", "utf-8")
    trace = read_trace(str(file), Reading(speedup=2.0))
    (found,) = trace.parts()
    assert found.ids.tolist() == [0, 1, 0]
    assert found.size_bytes.tolist() == [10, 20]
    assert found.what.tolist() == [READ, WRITE, READ]
    assert found.at_ps.tolist() == [0, 10**12, 15 * 10**11]
    assert read_trace(str(file), Reading(object_bytes=7)).size_bytes.tolist() == [7, 7]
    (found,) = read_trace(str(file), Reading()).parts()
    assert len(found.at_ps) == 0


def test_a_trace_that_spans_too_long_for_picoseconds_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,id\n0,1\n99999999,1\n", "utf-8")
    with pytest.raises(CouldNotRun, match="spans 99_999_999 s, longer than picoseconds"):
        read_trace(str(file), Reading(speedup=1.0))
    assert read_trace(str(file), Reading(speedup=1000.0)).count == 2
