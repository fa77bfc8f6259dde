"""Attention over parts, merged, equals attention over all keys as torch computes it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.sinks.merge import Array, attend, bypass, dropped_mass, merge

TOLERANCE = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-6}
HEADS, QUERIES, KEYS, DEPTH = 2, 3, 17, 8


def drawn(seed: int, dtype: type, scale: float = 1.0) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    shapes = ((HEADS, QUERIES, DEPTH), (HEADS, KEYS, DEPTH), (HEADS, KEYS, DEPTH))
    parts: list[Array] = [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]
    q, k, v = parts
    return (np.asarray(q * scale, dtype), k, v)


def torch_attention(q: Array, k: Array, v: Array) -> Array:
    a, b, c = [torch.from_numpy(np.ascontiguousarray(x)) for x in (q, k, v)]
    found: Array = torch.nn.functional.scaled_dot_product_attention(a, b, c).numpy()
    return found


@pytest.mark.mechanism("S2-10")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(0, KEYS), max_size=4),
    scale=st.sampled_from([0.1, 1.0, 5.0]),
)
@settings(max_examples=25)
def test_any_cut_of_the_keys_merges_to_full_attention(
    dtype: type, seed: int, cuts: list[int], scale: float
) -> None:
    # A score of 20 is itself known to 1e-6 only in float32, in torch as here: smaller ones there.
    q, k, v = drawn(seed, dtype, scale if dtype is np.float64 else min(scale, 1.0))
    edges = [0, *sorted(cuts), KEYS]  # equal neighbours make empty parts
    parts = [attend(q, k[:, a:b], v[:, a:b]) for a, b in pairwise(edges)]
    tolerance = TOLERANCE[np.dtype(dtype)]
    np.testing.assert_allclose(
        merge(parts).out, torch_attention(q, k, v), rtol=tolerance, atol=tolerance
    )


@pytest.mark.mechanism("S2-10")
def test_merging_is_the_same_in_any_grouping() -> None:
    q, k, v = drawn(3, np.float64)
    a, b, c = (attend(q, k[:, i::3], v[:, i::3]) for i in range(3))
    once, nested = merge([a, b, c]), merge([merge([c, a]), b])
    np.testing.assert_allclose(once.out, nested.out, atol=1e-12)
    np.testing.assert_allclose(once.lse, nested.lse, atol=1e-12)


@pytest.mark.mechanism("S2-10")
def test_an_empty_part_changes_nothing_and_nothing_but_empty_parts_is_zero() -> None:
    q, k, v = drawn(4, np.float64)
    full, empty = attend(q, k, v), attend(q, k[:, :0], v[:, :0])
    assert np.isneginf(empty.lse).all()
    assert (empty.out == 0).all()
    np.testing.assert_array_equal(merge([full, empty]).out, full.out)
    nothing = merge([empty, empty])
    assert np.isneginf(nothing.lse).all()
    assert (nothing.out == 0).all()


@pytest.mark.mechanism("S2-10")
def test_a_query_that_a_mask_blinds_in_one_part_takes_the_other() -> None:
    q, k, v = drawn(5, np.float64)
    blind = np.ones((HEADS, QUERIES, 5), dtype=np.bool_)
    blind[:, 0] = False  # the first query sees none of the first 5 keys
    merged = merge([attend(q, k[:, :5], v[:, :5], blind), attend(q, k[:, 5:], v[:, 5:])])
    np.testing.assert_allclose(merged.out[:, 0], torch_attention(q, k[:, 5:], v[:, 5:])[:, 0])
    np.testing.assert_allclose(merged.out[:, 1:], torch_attention(q, k, v)[:, 1:], atol=1e-12)


@pytest.mark.mechanism("S2-09", "S2-10")
def test_what_the_tags_route_to_the_chip_and_the_rest_merge_to_full_attention() -> None:
    q, k, v = drawn(6, np.float32)
    fast, slow = bypass([9, 0, 1], KEYS)
    assert fast.tolist() == [0, 1, 9]
    assert sorted([*fast.tolist(), *slow.tolist()]) == list(range(KEYS))
    merged = merge([attend(q, k[:, part], v[:, part]) for part in (fast, slow)])
    np.testing.assert_allclose(merged.out, torch_attention(q, k, v), rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match="no position"):
        bypass([KEYS], KEYS)


@pytest.mark.mechanism("S2-22")
def test_an_approximate_mode_is_labelled_with_the_mass_that_it_drops() -> None:
    q, k, v = drawn(7, np.float64)
    whole, kept = attend(q, k, v), attend(q, k[:, :6], v[:, :6])
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(DEPTH)
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(dropped_mass(kept, whole), weights[..., 6:].sum(axis=-1), atol=1e-12)
    np.testing.assert_allclose(dropped_mass(whole, whole), 0, atol=1e-15)
    assert (dropped_mass(attend(q, k[:, :0], v[:, :0]), whole) == 1).all()
