from itertools import combinations, product
from math import comb

import pytest

from mirc.graph import Part, Split
from mirc.passes.expert_routing import Routing, chosen_probability
from mirc.passes.pipeline import run
from tests.passes.programs import Builder, routed


@pytest.mark.parametrize(("experts", "top_k", "tokens"), [(4, 1, 3), (4, 2, 2), (5, 3, 2)])
def test_the_closed_form_equals_counting_all_draws(experts: int, top_k: int, tokens: int) -> None:
    draws = list(combinations(range(experts), top_k))
    used = sum(any(0 in draw for draw in each) for each in product(draws, repeat=tokens))
    exact = used / comb(experts, top_k) ** tokens
    assert chosen_probability(experts, top_k, tokens) == pytest.approx(exact)


def test_of_128_experts_choosing_8_about_two_fifths_are_touched_at_batch_8() -> None:
    assert chosen_probability(128, 8, 8) == pytest.approx(0.40, abs=0.005)
    assert chosen_probability(128, 8, 32) == pytest.approx(0.87, abs=0.005)


def test_a_family_s_tokens_are_those_of_the_whole_batch() -> None:
    build = Builder()
    parts = [Part(f"[{i}]", 2) for i in range(8)]
    experts = build.store("e", 16, parts=parts, split=Split.EXPERTS)
    other = build.store("w", 4)
    build.node("moe", [routed(experts, 4, 2), other])
    build.phase("p", batch=3, tokens=2)
    routing = run(build.program(), only=("expert-routing",))[Routing]
    assert routing.probability("p", experts) == pytest.approx(1 - (1 - 2 / 8) ** 6)
    assert routing.routed["p", experts].distinct == pytest.approx(8 * (1 - 0.75**6))
    assert routing.probability("p", other) == 1.0
