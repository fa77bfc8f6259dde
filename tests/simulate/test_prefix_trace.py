"""A request trace through a cache of prefix blocks: hits that a prompt can use."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.keeping import Hinted, Recency, Trusted
from mirc.simulate.serving.prefix_trace import (
    Asked,
    asked_by,
    half_true,
    hindsight_hits,
    most_hits,
    parents_of,
    placed_hits,
    usable_hits,
)
from mirc.traces.requests import Request


def trace(*chains: list[int]) -> Asked:
    return asked_by(
        [
            Request(at_ms=at, input_tokens=512 * len(chain), output_tokens=1, blocks=tuple(chain))
            for at, chain in enumerate(chains)
        ]
    )


SESSION, OTHER = [1, 2, 3], [1, 7, 8]


def test_blocks_are_numbered_as_they_come_and_know_what_they_stand_on() -> None:
    asked = trace(SESSION, OTHER, SESSION)
    assert asked.chains == [[0, 1, 2], [0, 3, 4], [0, 1, 2]]
    assert asked.parents.tolist() == [-1, 0, 1, 0, 3]
    assert asked.used_again.tolist() == [True, True, True, True, False, False, False, False, False]


def test_the_leaf_that_was_used_longest_ago_leaves() -> None:
    # 4 places: the second request pushes out 3, then 2, in that order, and 1 stays beneath it
    assert usable_hits(trace(SESSION, OTHER, SESSION), 4, Recency()) == 1 + 2
    assert usable_hits(trace(SESSION, OTHER, SESSION), 5, Recency()) == 1 + 3


def test_a_true_bit_keeps_what_comes_again() -> None:
    asked = trace(SESSION, [4, 5], [6, 9], SESSION)
    assert usable_hits(asked, 5, Recency()) == 1
    assert usable_hits(asked, 5, Hinted(), asked.used_again) == 3
    assert most_hits(asked, 5) == 3


def test_a_request_larger_than_the_cache_keeps_its_beginning() -> None:
    asked = trace(list(range(9)), list(range(9)))
    assert usable_hits(asked, 4, Recency()) == 4


def test_a_placement_keeps_the_first_that_are_said_to_come_again() -> None:
    asked = trace(SESSION, OTHER, SESSION)
    # all of the session is said to come again; two places hold 1 and 2
    assert placed_hits(asked, 2, asked.used_again) == 1 + 2
    assert hindsight_hits(asked, 1) == 2


chains = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=60)


def tree(paths: list[list[int]]) -> Asked:
    """Name each block by the path that leads to it."""
    names: dict[tuple[int, ...], int] = {}
    return trace(
        *(
            [names.setdefault(tuple(path[: end + 1]), len(names)) for end in range(len(path))]
            for path in paths
        )
    )


def plain_recency(asked: Asked, capacity: int) -> int:
    """Keep, of all blocks, the most recently used, those nearer to the root first."""
    last: dict[int, tuple[int, int]] = {}
    hits = 0
    for now, chain in enumerate(asked.chains):
        kept = sorted(last, key=lambda block: last[block], reverse=True)[:capacity]
        hits += sum(1 for block in chain if block in kept)
        last = {block: last[block] for block in kept}
        last.update({block: (now, -depth) for depth, block in enumerate(chain)})
    return hits


@settings(max_examples=40, deadline=None)
@given(paths=chains, capacity=st.integers(5, 12))
def test_leaves_first_by_age_is_recency_of_whole_prefixes(
    paths: list[list[int]], capacity: int
) -> None:
    asked = tree(paths)
    assert usable_hits(asked, capacity, Recency()) == plain_recency(asked, capacity)


@settings(max_examples=40, deadline=None)
@given(paths=chains, capacity=st.integers(5, 12), share=st.sampled_from([0.0, 0.4, 1.0]))
def test_no_policy_beats_the_bound(paths: list[list[int]], capacity: int, share: float) -> None:
    asked = tree(paths)
    bits = half_true(asked, share, seed=3)
    most = most_hits(asked, capacity)
    for keeping in (Recency(), Hinted(), Trusted(capacity, parents_of(asked))):
        assert usable_hits(asked, capacity, keeping, bits) <= most
    assert max(placed_hits(asked, capacity, bits), hindsight_hits(asked, capacity)) <= most


@pytest.mark.mechanism("S0-26", "S0-45")
def test_half_true_bits_cost_no_more_than_a_few_hits_of_recency() -> None:
    rng = np.random.default_rng(1)
    paths = [
        [int(session), *(2 + int(draw) % 2 for draw in rng.integers(0, 9, 1 + int(turn) % 5))]
        for session, turn in zip(rng.zipf(1.3, 1_500) % 400, rng.integers(0, 9, 1_500), strict=True)
    ]
    asked = tree(paths)
    recency = usable_hits(asked, 200, Recency())
    keepings = {}
    for share in (0.0, 0.3, 1.0):
        keepings[share] = Trusted(200, parents_of(asked))
        hits = usable_hits(asked, 200, keepings[share], half_true(asked, share, seed=1))
        assert hits >= 0.97 * recency
        if share == 0.0:
            assert hits > recency + 0.5 * (most_hits(asked, 200) - recency)
    assert keepings[0.0].believes
    assert keepings[0.0].switches == 0


def test_redrawn_bits_are_those_of_another_block() -> None:
    asked = trace(*([SESSION] * 5), *([100 + i] for i in range(95)))
    assert (half_true(asked, 0.0, seed=1) == asked.used_again).all()
    told = half_true(asked, 1.0, seed=1)
    # 3 of 98 blocks come again: what most others say is that nothing does
    assert told.sum() < 12
    assert (told == half_true(asked, 1.0, seed=1)).all()
