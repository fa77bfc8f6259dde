"""Scores of positions equal the sum that defines them, on the attention of a real model."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from transformers import LlamaConfig, LlamaForCausalLM

from mirc.controller.sinks.scores import Floats, Scores, moved, nothing_seen, seen

LAYERS, QUERY_HEADS, KV_HEADS, TOKENS = 2, 4, 2, 12


@pytest.fixture(scope="module")
def attention() -> Floats:
    """The attention of a small Llama (untrained) on 12 tokens: [layers, heads, queries, keys]."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=QUERY_HEADS,
        num_key_value_heads=KV_HEADS,
    )
    model = LlamaForCausalLM(config)
    model.set_attn_implementation("eager")  # the one that returns its probabilities
    model.train(mode=False)
    with torch.no_grad():
        out = model(torch.arange(TOKENS)[None], output_attentions=True)
    return torch.stack(out.attentions)[:, 0].double().numpy()


def whole(attention: Floats) -> Scores:
    return seen(nothing_seen(LAYERS, KV_HEADS, QUERY_HEADS), attention, 0)


@pytest.mark.mechanism("S2-05")
def test_the_score_of_a_position_is_what_later_queries_of_all_layers_and_heads_give_it(
    attention: Floats,
) -> None:
    found = whole(attention)
    for t in range(TOKENS):
        brute = sum(
            attention[layer, head, i, t]
            for layer in range(LAYERS)
            for head in range(QUERY_HEADS)
            for i in range(t + 1, TOKENS)
        )
        assert found.raw[t] == pytest.approx(brute, abs=1e-12)


@pytest.mark.mechanism("S2-05")
def test_query_heads_of_a_group_add_up_in_their_kv_head(attention: Floats) -> None:
    found = whole(attention)
    # 4 query heads share 2 KV heads: heads 2 and 3 belong to the second.
    expected = sum(attention[1, head, i, 0] for head in (2, 3) for i in range(1, TOKENS))
    assert found.by_head[1, 1, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.mechanism("S2-05")
@pytest.mark.parametrize("chunk", [1, 5, 12])
def test_a_prefill_in_chunks_scores_as_a_whole_one(attention: Floats, chunk: int) -> None:
    found = nothing_seen(LAYERS, KV_HEADS, QUERY_HEADS)
    for first in range(0, TOKENS, chunk):
        last = min(first + chunk, TOKENS)
        found = seen(found, attention[:, :, first:last, :last], first)
    np.testing.assert_allclose(found.raw, whole(attention).raw, atol=1e-12)
    np.testing.assert_array_equal(found.queries, whole(attention).queries)


@pytest.mark.mechanism("S2-06")
def test_a_normalised_score_is_free_of_how_many_queries_saw_the_position() -> None:
    # Attention spread evenly over what each query sees would favour early positions in sums:
    # here each query gives position t the same 1/8, whatever t.
    attention = np.full((LAYERS, QUERY_HEADS, 8, 8), 1 / 8)
    found = whole(attention)
    assert found.raw[0] > found.raw[6]
    assert found.normalised[:7] == pytest.approx([1 / 8] * 7)
    assert found.normalised[7] == 0  # nothing came later


@pytest.mark.mechanism("S2-06")
@given(
    drawn=arrays(np.float64, (LAYERS, QUERY_HEADS, 5, 5), elements=st.floats(0, 1)),
)
def test_normalised_scores_lie_between_0_and_1(drawn: Floats) -> None:
    found = whole(drawn).normalised
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.mechanism("S2-06")
def test_the_moving_average_weighs_the_past_by_its_decay() -> None:
    old, new = np.array([1.0, 0.0]), np.array([0.0, 0.5])
    assert moved(old, new, 0.9).tolist() == pytest.approx([0.9, 0.05])
    with pytest.raises(ValueError, match="no share"):
        moved(old, new, 1.1)


def test_attention_of_another_shape_is_refused() -> None:
    empty = nothing_seen(LAYERS, KV_HEADS, QUERY_HEADS)
    with pytest.raises(ValueError, match="shape"):
        seen(empty, np.zeros((LAYERS, KV_HEADS, 3, 3)), 0)
    with pytest.raises(ValueError, match="evenly"):
        nothing_seen(LAYERS, 3, QUERY_HEADS)
