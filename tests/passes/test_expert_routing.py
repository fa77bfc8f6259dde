import pytest

from mirc.graph import Part, Split
from mirc.passes.expert_routing import Routing
from mirc.passes.pipeline import run
from tests.passes.programs import Builder, routed


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
