"""Snapshots of CUDA's memory: plain data is read, and no pickle is let do anything."""

import io
import os
import pickle
from typing import Any

import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.observe import snapshot
from mirc.observe.compare import Compared, against
from mirc.observe.sources import parts_in

MIR = """mir 1.0
object a { class = WEIGHT_TILE size_bytes = 1024 }
object b { class = WEIGHT_TILE size_bytes = 1000 }
object c { class = WEIGHT_TILE size_bytes = 4096 }
template kv { class = KV_BLOCK size_bytes = 1024 }
phase decode { step s { reads = [a, b, c] } }
"""


def compared(data: bytes) -> Compared:
    module = load(Source("toy.mir", MIR))
    (log,) = against(module, parts_in(io.BytesIO(data), "dump", module), "dump").logs
    return log


def block(size: int, state: str = "active_allocated") -> dict[str, Any]:
    return {"size": size, "requested_size": size, "state": state, "address": 1 << 40}


def event(action: str, size: int, time: int) -> dict[str, Any]:
    return {"action": action, "addr": 1 << 40, "size": size, "stream": 0, "time_us": time}


SNAPSHOT = {
    "segments": [{"device": 0, "blocks": [block(1024), block(2048), block(512, "inactive")]}],
    # 2048 is taken during the history, 8192 taken and given back; 1024 was there before
    "device_traces": [
        [],
        [
            event("segment_alloc", 1 << 21, 4),
            event("alloc", 8192, 5),
            event("free_requested", 8192, 6),
            event("free_completed", 8192, 7),
            event("alloc", 2048, 9),
        ],
    ],
}


# Older protocols have no mark of their own at the begin; PyTorch never wrote them.
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_blocks_stand_beside_the_objects_of_their_size(protocol: int) -> None:
    log = compared(pickle.dumps(SNAPSHOT, protocol))
    assert log.memory is not None
    # 1024 + 8192 at once. a and b (1000, rounded to 512) want a block of 1024: there is one.
    assert (log.memory.peak_bytes, log.memory.declared, log.memory.found) == (9216, 3, 1)
    assert log.memory.found_bytes == 1024
    assert log.runs == ()
    assert log.mismatch is None


class _Command:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/mirc-was-here",)


class _Thing:
    pass


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(_Command()), r"a pickle that does more than hold data \(STACK_GLOBAL\)"),
        (pickle.dumps({"segments": [_Thing()]}, 2), "does more than hold data"),
        (pickle.dumps(SNAPSHOT)[:-9], "`dump` is a broken pickle"),
        (b"\x80\x04" + b"(" * 50, "`dump` is a broken pickle"),
        (pickle.dumps([1]), "is no snapshot of CUDA's memory"),
        (pickle.dumps({"segments": [5]}), "a segment without its blocks"),
        (pickle.dumps({"segments": [{"blocks": [block(-1)]}]}), "a block without a whole size"),
        (
            pickle.dumps({"segments": [], "device_traces": [[event("alloc", 1 << 80, 1)]]}),
            "an event without whole `size` and `time_us`",
        ),
        (pickle.dumps({"segments": [], "device_traces": [[3]]}), "no list of events"),
        (pickle.dumps({"segments": [], "device_traces": 3}), "no list of events"),
        (pickle.dumps({"segments": [{"blocks": [3]}]}), "a block that is no dictionary"),
    ],
)
def test_what_is_no_snapshot_is_refused_and_never_run(data: bytes, message: str) -> None:
    with pytest.raises(CouldNotRun, match=message):
        compared(data)
    assert not os.path.exists("/tmp/mirc-was-here")  # noqa: PTH110, S108 - the trap's own path


def test_a_word_that_is_none_is_passed_over() -> None:
    odd = [{"action": [], "size": 1, "time_us": 1}, event("alloc", 512, 2)]
    blocks = [{**block(1024), "state": {}}]
    log = compared(pickle.dumps({"segments": [{"blocks": blocks}], "device_traces": [odd]}))
    assert log.memory is not None
    assert log.memory.peak_bytes == 512


def test_an_index_for_which_room_would_be_made_is_refused() -> None:
    """Nine bytes that would let the unpickler take 64 GiB for a table of what it remembers."""
    with pytest.raises(CouldNotRun, match=r"does more than hold data \(LONG_BINPUT\)"):
        compared(b"\x80\x04Nr\xff\xff\xff\xff.")


def test_a_snapshot_that_takes_much_more_memory_than_its_bytes_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"\x80\x04](" + b"}" * 5000 + b"e."
    with pytest.raises(CouldNotRun, match="is no snapshot"):
        compared(data)
    monkeypatch.setattr(snapshot, "_MOST_HELD", 1 << 20)
    with pytest.raises(CouldNotRun, match="takes more than 0 GiB to read"):
        compared(data)


def test_blocks_that_are_written_once_and_meant_a_thousand_times_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segment = {"blocks": [block(512)] * 50}
    many = {"segments": [segment] * 50, "device_traces": []}
    assert compared(pickle.dumps(many)).memory is not None
    monkeypatch.setattr(snapshot, "_MOST_EVENTS", 2000)
    with pytest.raises(CouldNotRun, match="more than 2_000 blocks or events"):
        compared(pickle.dumps(many))
    history = {"segments": [], "device_traces": [[event("alloc", 512, 1)] * 2001]}
    with pytest.raises(CouldNotRun, match="more than 2_000 blocks or events"):
        compared(pickle.dumps(history))
