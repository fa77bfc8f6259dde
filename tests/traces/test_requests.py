"""Traces of serving requests, right and wrong: what strangers may send."""

import gzip
import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces import requests
from mirc.traces.requests import Request, load, read

SAMPLE = "samples/traces/mooncake-synthetic.jsonl.gz"


def row(at_ms: int, blocks: list[int], **rest: Any) -> dict[str, Any]:
    tokens = 512 * len(blocks)
    said = {"timestamp": at_ms, "input_length": tokens, "output_length": 7, "hash_ids": blocks}
    return {**said, **rest}


def loaded(*values: Any) -> tuple[Request, ...]:
    text = "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values)
    return load(io.BytesIO(text.encode()), "trace")


def refusal(*values: Any) -> str:
    with pytest.raises(CouldNotRun) as caught:
        loaded(*values)
    return str(caught.value)


def test_a_request_is_read_as_mooncake_writes_it() -> None:
    found = loaded(row(5, [3, 4]), "", row(5, [3, 9], tenant="a", session=17, tool_wait_ms=250))
    assert found == (
        Request(at_ms=5, input_tokens=1024, output_tokens=7, blocks=(3, 4)),
        Request(
            at_ms=5,
            input_tokens=1024,
            output_tokens=7,
            blocks=(3, 9),
            tenant="a",
            session="17",
            tool_wait_ms=250,
        ),
    )


def test_the_sample_holds_what_its_origin_says() -> None:
    found = read(SAMPLE)
    assert len(found) == 3_993
    assert sum(len(request.blocks) for request in found) == 121_877
    assert len({block for request in found for block in request.blocks}) == 43_924


def test_a_gzipped_trace_is_the_same_trace() -> None:
    text = json.dumps(row(0, [1])).encode()
    assert load(io.BytesIO(gzip.compress(text)), "t") == load(io.BytesIO(text), "t")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("9" * 5_000, "is not JSON"),
        ([], "is no JSON object"),
        (row(-1, [2]), "has no whole `timestamp`"),
        (row(1, [2], input_length="9"), "has no whole `input_length`"),
        (row(1, [2], output_length=True), "has no whole `output_length`"),
        (row(1, [2], output_length=1 << 63), "has no whole `output_length`"),
        (row(1, [2], hash_ids=None), "has no list of whole numbers"),
        (row(1, [2], hash_ids=[1.5]), "has no list of whole numbers"),
        (row(1, [2, 2]), "names a block twice"),
        (row(1, [1, 3]), "has block 1 after another block than before"),
        (row(1, [2], tenant="x" * 300), "has a `tenant` that is no short name"),
        (row(1, [2], session=[]), "has a `session` that is no short name"),
        (row(1, [2], tool_wait_ms=-4), "has no whole `tool_wait_ms`"),
    ],
)
def test_what_is_no_request_is_refused_with_its_line(value: Any, said: str) -> None:
    assert f"line 2 of `trace` {said}" in refusal(row(0, [0, 1]), value)


def test_a_fork_of_a_session_that_never_was_is_refused_with_its_line() -> None:
    begun = row(0, [0], session="chat-17", tenant="a")
    assert loaded(begun, row(1, [0, 1], parent="chat-17", tenant="a"))[1].parent == "chat-17"
    with pytest.raises(CouldNotRun) as caught:
        loaded(begun, row(1, [0, 1], session="chat-71", parent="chat-71", tenant="a"))
    assert str(caught.value.message).startswith("line 2 of `trace` is forked from `chat-71`")
    assert caught.value.hint == "did you mean `chat-17`?"
    # Another tenant may have begun from the same conversation: it shares nothing of it.
    assert loaded(begun, row(1, [1], parent="chat-17", tenant="b"))[1].parent == "chat-17"


def test_requests_stand_in_order_of_time() -> None:
    assert "comes before the line above it" in refusal(row(2, [0]), row(1, [1]))


def test_an_empty_trace_is_refused() -> None:
    assert "holds no request" in refusal("")


def test_a_cut_off_archive_is_refused() -> None:
    packed = gzip.compress(json.dumps(row(0, list(range(500)))).encode())
    with pytest.raises(CouldNotRun, match="cut off or damaged"):
        load(io.BytesIO(packed[:-20]), "trace")


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(CouldNotRun, match="cannot read the request trace"):
        read("no/such/file.jsonl")


def test_a_small_file_cannot_unpack_to_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_BYTES", 10_000)
    packed = gzip.compress(b"\n" * 1_000 + b" " * 100_000 + b"\n")
    with pytest.raises(CouldNotRun, match="more than"):
        load(io.BytesIO(packed), "trace")


def test_a_line_without_end_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LONGEST_LINE", 1_000)
    assert "is too long" in refusal(row(0, list(range(1_000))))


def test_a_trace_of_too_many_blocks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_BLOCKS", 3)
    assert "exceeds 3 blocks" in refusal(row(0, [0, 1]), row(0, [2, 3]))


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(CouldNotRun):
        assert load(io.BytesIO(data), "trace")
