from itertools import combinations, product
from math import comb

import pytest

from mirc.bounds.routing import chosen_probability, distinct_experts


@pytest.mark.parametrize(("experts", "top_k", "tokens"), [(4, 1, 3), (4, 2, 2), (5, 3, 2)])
def test_the_closed_forms_equal_counting_all_draws(experts: int, top_k: int, tokens: int) -> None:
    draws = list(product(combinations(range(experts), top_k), repeat=tokens))
    count = comb(experts, top_k) ** tokens
    used = sum(any(0 in draw for draw in each) for each in draws)
    distinct = sum(len(set().union(*each)) for each in draws)
    assert chosen_probability(experts, top_k, tokens) == pytest.approx(used / count)
    assert distinct_experts(experts, top_k, tokens) == pytest.approx(distinct / count)


@pytest.mark.mechanism("S7-06")
def test_distinct_experts_saturate_as_the_batch_grows() -> None:
    # 128 choose 8: 40 % of them at batch 8, 87 % at 32
    assert distinct_experts(128, 8, 1) == pytest.approx(8)
    assert distinct_experts(128, 8, 8) / 128 == pytest.approx(0.403, abs=1e-3)
    assert distinct_experts(128, 8, 32) == pytest.approx(111.8, abs=0.1)


def test_a_token_cannot_choose_more_experts_than_there_are() -> None:
    assert distinct_experts(4, 8, 3) == 4
