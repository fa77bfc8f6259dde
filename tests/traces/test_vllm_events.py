"""Cache events of a serving engine: what requests are read from them, and what is refused."""

import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces import vllm_events
from mirc.traces.vllm_events import Recording, load

SIZE = 16


def stored(hashes: list[Any], parent: Any = None, **rest: Any) -> dict[str, Any]:
    tokens = list(range(SIZE * len(hashes)))
    said = {"block_hashes": hashes, "parent_block_hash": parent, "token_ids": tokens}
    return {"type": "BlockStored", **said, "block_size": SIZE, "medium": "GPU", **rest}


def loaded(*batches: Any) -> Recording:
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in batches)
    return load(io.BytesIO(text.encode()), "trace")


def refusal(*batches: Any) -> str:
    with pytest.raises(CouldNotRun) as caught:
        loaded(*batches)
    return str(caught.value)


def test_a_prompt_its_chunks_and_what_it_generates_are_one_request() -> None:
    found = loaded(
        {"ts": 10.0, "events": [stored(["a", "b"])]},
        {"ts": 10.2, "events": [stored(["c", "d"], "b")]},  # the next chunk of the prompt
        {"ts": 10.4, "events": [stored(["e"], "d")]},  # a block that was generated
        {"ts": 11.3, "events": [stored(["f"], "e")]},
    )
    (request,) = found.requests
    assert (request.at_ms, request.blocks) == (0, (0, 1, 2, 3))
    assert (request.input_tokens, request.output_tokens) == (4 * SIZE, 2 * SIZE)
    assert (found.block_tokens, found.removed, found.skipped) == (SIZE, 0, 0)


def test_what_is_stored_after_a_pause_or_beside_it_is_another_request() -> None:
    found = loaded(
        [1.0, [["BlockStored", [1, 2], None, [0] * 32, SIZE, None, "GPU"]]],
        [1.5, [["BlockStored", [3], 1, [0] * 16, SIZE, None, "GPU"]]],
        [9.0, [["BlockStored", [4, 5], 2, [0] * 32, SIZE, None, "GPU"]], 0],
    )
    # 1 2 | 1 3 | 1 2 4 5
    assert [each.blocks for each in found.requests] == [(0, 1), (0, 2), (0, 1, 3, 4)]
    assert [each.at_ms for each in found.requests] == [0, 500, 8000]


def test_a_block_that_was_dropped_and_stored_again_was_asked_for_again() -> None:
    found = loaded(
        {"ts": 1, "events": [stored([7, 8])]},
        {"ts": 5, "events": [{"type": "BlockRemoved", "block_hashes": [8, 7]}]},
        {"ts": 6, "events": [{"type": "AllBlocksCleared"}, stored([7, 8])]},
    )
    assert [each.blocks for each in found.requests] == [(0, 1), (0, 1)]
    assert found.removed == 2


def test_other_cache_groups_and_unknown_beginnings_are_counted_and_left_out() -> None:
    found = loaded(
        {"ts": 1, "events": [stored([1]), stored([2], None, group_idx=1)]},
        {"ts": 2, "events": [stored([3], 99), ["BlockRemoved", [2], "GPU", 1]]},
    )
    assert [each.blocks for each in found.requests] == [(0,)]
    assert (found.skipped, found.removed) == (3, 0)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ("{", "is not JSON"),
        ({"ts": 2}, "is no batch of events"),
        ([2.0], "is no batch of events"),
        ({"ts": 0.5, "events": []}, "comes before the line above it in time"),
        ({"ts": -3, "events": []}, "has no time"),
        ('{"ts": NaN, "events": []}', "has no time"),
        ('{"ts": 1e400, "events": []}', "has no time"),
        ({"ts": 2, "events": [7]}, "has an event that is none of"),
        ({"ts": 2, "events": [["BlockStored"]]}, "has an event that is none of"),
        ({"ts": 2, "events": [{"type": "Other"}]}, "has an event that is none of"),
        ({"ts": 2, "events": [stored([1 << 64])]}, "has a hash that is no number of 64 bits"),
        ({"ts": 2, "events": [stored([[]])]}, "has a hash"),
        ({"ts": 2, "events": [stored([5], [])]}, "has a hash"),
        ({"ts": 2, "events": [stored([5], block_size=0)]}, "has no whole `block_size`"),
        ({"ts": 2, "events": [stored([5], block_size=32)]}, "stores blocks of 32 tokens"),
        ({"ts": 2, "events": [stored([1, 0])]}, "stores a block after another block than before"),
    ],
)
def test_what_is_no_batch_is_refused_with_its_line(batch: Any, said: str) -> None:
    assert f"line 2 of `trace` {said}" in refusal({"ts": 1, "events": [stored([0, 1])]}, batch)


def test_a_recording_that_stores_nothing_is_refused() -> None:
    assert "stores no block" in refusal({"ts": 1, "events": []})
    with pytest.raises(CouldNotRun, match="cannot read the request trace"):
        vllm_events.read("no/such/file.jsonl")


def test_a_recording_of_too_many_blocks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_events, "MOST_BLOCKS", 3)
    assert "exceeds 3 blocks" in refusal({"ts": 1, "events": [stored([1, 2, 3, 4])]})
    turns = [{"ts": 9 * at, "events": [stored([at], at - 1 or None)]} for at in range(1, 4)]
    assert "exceeds 3 blocks" in refusal(*turns)  # 1 | 1 2 | 1 2 3


@settings(max_examples=30, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    )
)
def test_any_value_in_a_batch_is_read_or_refused(value: Any) -> None:
    with suppress(CouldNotRun):
        loaded({"ts": 1, "events": [stored([1])]}, {"ts": 2, "events": [value]}, value)
