"""What a trace is written in, and the requests that any of the formats gives."""

import gzip
import json
import struct
from pathlib import Path

import pytest

from mirc.diagnostics import CouldNotRun
from mirc.traces.arrivals import arrivals
from mirc.traces.detect import TraceFormat, detect

MOONCAKE = {"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [4]}
EVENT = {"type": "BlockStored", "block_hashes": [1], "parent_block_hash": None, "block_size": 16}
TEXTS = {
    TraceFormat.MOONCAKE: json.dumps(MOONCAKE).encode(),
    TraceFormat.AZURE: b"TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00,700,3\n",
    TraceFormat.VLLM_EVENTS: json.dumps({"ts": 1, "events": [EVENT]}).encode(),
    TraceFormat.ORACLE_GENERAL: struct.pack("<IQIq", 1, 7, 4096, -1),
    TraceFormat.CSV: b"1,7,4096\n2,8,4096\n",
}


def test_content_decides_what_a_trace_is(tmp_path: Path) -> None:
    for form, text in TEXTS.items():
        path = tmp_path / "trace"
        path.write_bytes(text)
        assert detect(str(path)) is form
        if form is not TraceFormat.ORACLE_GENERAL:
            path.write_bytes(gzip.compress(text))
            assert detect(str(path)) is form


def test_an_event_in_arrays_and_an_overlong_first_line_are_known(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(json.dumps([1.0, [["BlockStored", list(range(100_000)), None, [], 16]]]))
    assert detect(str(path)) is TraceFormat.VLLM_EVENTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        (b"hello", "is no trace"),
        (b'{"routed_experts": []}', "is JSON, and no trace of requests"),
        (bytes(25), "25 bytes are not whole records of 24"),
        (gzip.compress(bytes(24), mtime=0), "is gzipped and no text"),
        (gzip.compress(b"1,2,3\n" * 99, mtime=0)[:-12], "cannot be unpacked"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "trace"
    path.write_bytes(text)
    with pytest.raises(CouldNotRun, match=said):
        detect(str(path))


def test_requests_come_with_how_long_blocks_are_and_what_is_not_known(tmp_path: Path) -> None:
    found = {}
    for form, text in TEXTS.items():
        path = tmp_path / form
        path.write_bytes(text)
        if form.of_requests:
            found[form] = arrivals(str(path))
            assert found[form].format is form
        else:
            with pytest.raises(CouldNotRun, match="holds accesses"):
                arrivals(str(path))
    assert [each.block_tokens for each in found.values()] == [512, 512, 16]
    assert [len(each.requests[0].blocks) for each in found.values()] == [1, 2, 1]
    assert [len(each.notes) for each in found.values()] == [0, 1, 1]


def test_how_blocks_are_cut_is_said_by_whoever_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(TEXTS[TraceFormat.AZURE])
    assert len(arrivals(str(path), block_tokens=100).requests[0].blocks) == 7
    path.write_bytes(TEXTS[TraceFormat.VLLM_EVENTS])
    with pytest.raises(CouldNotRun, match="hold 16 tokens, and not 512"):
        arrivals(str(path), block_tokens=512)
    with pytest.raises(CouldNotRun, match="does not begin with the columns"):
        arrivals(str(path), form=TraceFormat.AZURE)


def test_a_missing_trace_is_one_sentence() -> None:
    with pytest.raises(CouldNotRun, match="cannot read the trace"):
        detect("no/such/file")
