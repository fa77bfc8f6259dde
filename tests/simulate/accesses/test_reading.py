"""A trace that is read again for each run gives what one gives that is kept in memory."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.simulate.accesses import futures, reading, study
from mirc.simulate.accesses.futures import futures_of
from mirc.simulate.accesses.hits import Counting
from mirc.simulate.accesses.model import Accesses, Trace, overlapped, trace_of
from mirc.simulate.accesses.reading import Reading, read, read_so_far
from mirc.simulate.accesses.rig import Settings
from mirc.simulate.accesses.study import Asked, Replayed, replayed
from mirc.simulate.accesses.timed import next_uses
from mirc.traces.accesses import RECORD, oracle_general
from tests.nightly import by_night

HERE = Path(__file__).parent


def records(path: Path, keys: list[int], times: list[int] | None = None) -> str:
    packed = np.zeros(len(keys), dtype=RECORD)
    packed["key"], packed["size_bytes"], packed["next_access"] = keys, 4, -1
    packed["time_s"] = times or [0] * len(keys)
    path.write_bytes(packed.tobytes())
    return str(path)


def in_parts(ids: list[int], length: int, *, writes: bool = False) -> Trace:
    table = np.array(ids, dtype=np.int64)
    sizes = np.ones(max(ids) + 1, dtype=np.int64)

    def parts() -> list[Accesses]:
        cut = [table[begin : begin + length] for begin in range(0, len(ids), length)]
        return [
            Accesses(ids=p, size_bytes=sizes, what=p % 2 if writes and i % 2 else p[:0])
            for i, p in enumerate(cut)
        ]

    return Trace(count=len(ids), size_bytes=sizes, parts=lambda: iter(parts()))


@pytest.mark.parametrize("speedup", [None, 2.0])
def test_records_that_stay_in_their_file_are_the_same_as_kept_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speedup: float | None
) -> None:
    path = records(tmp_path / "a", [7, 9, 7, 2**64 - 1, 9], [1, 1, 2, 5, 6])
    kept = read(path, Reading(speedup=speedup))
    monkeypatch.setattr(reading, "HELD_RECORDS", 2)
    monkeypatch.setattr(reading, "oracle_general", lambda name: oracle_general(name, 2))
    streamed = read(path, Reading(speedup=speedup))
    assert streamed.size_bytes.tolist() == kept.size_bytes.tolist() == [4, 4, 4]
    for _ in range(2):  # it can be played again
        parts = list(streamed.parts())
        assert [part.count for part in parts] == [2, 2, 1]
        (whole,) = kept.parts()
        for name in ("ids", "what", "at_ps"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            assert joined.tolist() == getattr(whole, name).tolist()


def test_a_file_that_grows_between_two_passes_is_played_as_it_was_and_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HELD_RECORDS", 0)
    path = records(tmp_path / "a", [1, 2, 1])
    trace = read(path, Reading())
    records(tmp_path / "a", [1, 2, 1, 2, 2])
    assert [part.ids.tolist() for part in trace.parts()] == [[0, 1, 0]]
    for other in ([1, 2], [1, 2, 3]):
        records(tmp_path / "a", other)
        with pytest.raises(CouldNotRun, match="was changed while it was read"):
            list(trace.parts())


@pytest.mark.parametrize(
    ("keys", "times", "left", "says"),
    [
        ([1, 2, 1], [0, 5, 4], 2, "record 3 of .* comes before the one above it in time"),
        ([1, 2, 1], None, 2, "71 bytes, which are not whole records of 24"),
    ],
)
def test_what_comes_before_a_wrong_record_is_kept(
    tmp_path: Path, keys: list[int], times: list[int] | None, left: int, says: str
) -> None:
    path = records(tmp_path / "a", keys, times)
    if times is None:
        Path(path).write_bytes(Path(path).read_bytes()[:-1])
    found = read_so_far(path, Reading())
    assert found.count == left
    assert found.cut is not None
    with pytest.raises(CouldNotRun, match=says):
        raise found.cut
    with pytest.raises(CouldNotRun, match=says):
        read(path, Reading())


def test_of_a_damaged_archive_whole_lines_are_kept(tmp_path: Path) -> None:
    lines = "".join(f"{n},{n * 7919 % 10007},1,get\n" for n in range(30_000))
    packed = gzip.compress(lines.encode())
    file = tmp_path / "a.csv.gz"
    file.write_bytes(packed[: len(packed) * 3 // 4])
    found = read_so_far(str(file), Reading())
    assert 15_000 < found.count < 30_000
    assert found.cut is not None
    assert f"after line {found.count}" in found.cut.message


def test_more_objects_or_accesses_than_memory_is_meant_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,id\n0,1\n0,2\n0,1\n", "utf-8")
    monkeypatch.setattr(reading, "MOST_HELD", 2)
    with pytest.raises(CouldNotRun, match="more than 2 accesses"):
        read(str(file), Reading())
    monkeypatch.setattr(reading, "MOST_OBJECTS", 1)
    with pytest.raises(CouldNotRun, match="more than 1 objects"):
        read(str(file), Reading())
    monkeypatch.setattr(futures, "MOST_ACCESSES", 2)
    with pytest.raises(CouldNotRun, match="each of 3 accesses has its next"):
        futures_of(in_parts([0, 1, 0], 3))


@settings(max_examples=by_night(30, 2000))
@given(
    ids=st.lists(st.integers(0, 5), min_size=1, max_size=20),
    length=st.integers(1, 7),
    lookahead=st.integers(0, 9),
)
def test_parts_with_what_follows_are_the_trace(ids: list[int], length: int, lookahead: int) -> None:
    trace = in_parts(ids, length, writes=True)
    flat = np.concatenate(
        [p.what if len(p.what) else np.zeros(p.count, np.int64) for p in trace.parts()]
    )
    at = 0
    for part, own in overlapped(trace.parts(), lookahead):
        behind = min(len(ids), at + own + lookahead)
        assert part.ids[: behind - at].tolist() == ids[at:behind]
        assert not len(part.what) or part.what.tolist() == flat[at : at + part.count].tolist()
        at += own
    assert at == len(ids)
    uses = next_uses(np.array(ids, dtype=np.int64))
    assert futures_of(trace).tolist() == uses.tolist()


@settings(max_examples=by_night(20, 500), deadline=None)
@given(ids=st.lists(st.integers(0, 9), min_size=5, max_size=60), length=st.integers(1, 20))
def test_a_trace_in_parts_is_replayed_as_one(ids: list[int], length: int) -> None:
    def figures(trace: Trace, asked: Asked) -> list[object]:
        found = replayed("t", trace, asked)
        curve = found.curve and found.curve.hits
        return [(r.count, r.timed and (r.timed.hits, r.timed.span_ps)) for r in found.rows] + [
            curve
        ]

    whole = trace_of(next(in_parts(ids, len(ids)).parts()))
    policies = ("lru", "sieve", "belady")
    counted = Asked(policies=policies, capacities=(2, 4), curve=True)
    timed = Asked(
        policies=policies,
        capacities=(3,),
        in_bytes=True,
        machine=str(HERE / "two.toml"),
        settings=Settings(lookahead=3, window=2),
    )
    for asked in (counted, timed):
        assert figures(in_parts(ids, length), asked) == figures(whole, asked)


def interrupted_in(monkeypatch: pytest.MonkeyPatch, run: int, error: type[BaseException]) -> None:
    """Let the run with this number be interrupted in its second part."""
    begun: list[Counting] = []
    original = Counting.play

    def play(counting: Counting, *rest: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        if counting not in begun:
            begun.append(counting)
        if len(begun) == run and counting.accesses:
            raise error
        original(counting, *rest)

    monkeypatch.setattr(Counting, "play", play)


@pytest.mark.parametrize(
    ("error", "why"),
    [(KeyboardInterrupt, "interrupted"), (MemoryError, "out of memory")],
)
def test_rows_that_are_done_outlive_an_interruption(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], why: str
) -> None:
    interrupted_in(monkeypatch, 2, error)
    asked = Asked(policies=("lru", "sieve", "fifo"), capacities=(2,), curve=True)
    found: Replayed = replayed("t", in_parts([0, 1, 2, 0, 1, 2], 3), asked)
    assert [row.policy for row in found.rows] == ["lru"]
    assert [(each.policy, each.why) for each in found.missing] == [
        ("sieve", f"{why} after 3 accesses"),
        ("fifo", "it did not begin"),
    ]
    assert isinstance(found.stopped, error)
    assert found.curve is None


def test_what_is_interrupted_before_any_row_is_only_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted_in(monkeypatch, 1, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        replayed("t", in_parts([0, 1, 2, 0], 2), Asked(capacities=(2,)))


def test_a_run_that_cannot_be_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "PYTHON_ACCESSES", 10)
    asked = Asked(
        policies=("lru",),
        capacities=(1, 3),
        in_bytes=True,
        machine=str(HERE / "two.toml"),
    )
    sizes = np.array([2, 2], dtype=np.int64)
    accesses = Accesses(ids=np.array([0, 1, 0], dtype=np.int64), size_bytes=sizes)
    found = replayed("t", trace_of(accesses), asked)
    assert [row.capacity for row in found.rows] == [3]
    (missing,) = found.missing
    assert missing.capacity == 1
    assert "less than the largest object's 2" in missing.why
    assert isinstance(found.stopped, CouldNotRun)
