"""A sum of amounts that grow differently is never said to be less than it is at more sequences."""

import pytest

from mirc.graph import Graph
from mirc.ir import Call, Value
from mirc.passes.scale import joint_amount

GRAPH = Graph(phase="backward", nodes=(), steps=(), batch=3, tokens=4)


@pytest.mark.parametrize(
    ("size", "scales", "amount"),
    [
        (120, {"PER_TOKEN"}, Call("PER_TOKEN", (10,))),
        (120, {"PER_TOKEN", "PER_SEQUENCE"}, Call("PER_SEQUENCE", (40,))),
        (120, {"PER_TOKEN", ""}, Call("PER_SEQUENCE", (40,))),  # a part of it does not grow
        (100, {"PER_SEQUENCE", ""}, Call("PER_SEQUENCE", (34,))),  # rounded up: 3 x 34 >= 100
        (120, {""}, 120),
        (0, {"PER_TOKEN", ""}, 0),
    ],
)
def test_a_sum_grows_with_its_fastest_part(size: int, scales: set[str], amount: Value) -> None:
    assert joint_amount(size, scales, GRAPH) == amount
