from typing import Any

import attrs
import pytest

from mirc.graph import (
    Access,
    Graph,
    Node,
    Part,
    Program,
    Role,
    Split,
    Step,
    Storage,
    Use,
)
from mirc.graph.verify import verify

WEIGHT = Storage(
    index=0,
    name="w",
    role=Role.PARAMETER,
    size_bytes=8,
    dtype="float32",
    shape=(2,),
    split=Split.EXPERTS,
    parts=(Part("[0]", 4), Part("[1]", 4)),
)
MADE = Storage(index=1, name="a", role=Role.ACTIVATION, size_bytes=4, dtype="float32", shape=(1,))
FIRST = Node(
    index=0,
    name="n0",
    op="op",
    module="m",
    reads=(Use(storage=0, size_bytes=4, access=Access.ROUTED, top_k=1),),
    writes=(Use(storage=1, size_bytes=4),),
)
SECOND = Node(index=1, name="n1", op="op", module="m", reads=(Use(storage=1, size_bytes=4),))
STEP = Step(name="m", first=0, last=1)
GRAPH = Graph(phase="forward", nodes=(FIRST, SECOND), steps=(STEP,), outputs=frozenset({1}))


def program(graph: Graph = GRAPH, storages: tuple[Storage, ...] = (WEIGHT, MADE)) -> Program:
    return Program(name="p", digest="sha256:", storages=storages, graphs=(graph,))


def test_a_well_formed_program_has_no_faults() -> None:
    assert verify(program()) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nodes": (SECOND, FIRST)}, "says index 1, stands at 0"),
        ({"nodes": (attrs.evolve(SECOND, index=0), attrs.evolve(FIRST, index=1))}, "before it is"),
        ({"nodes": (attrs.evolve(FIRST, flops=-1), SECOND)}, "negative FLOPs"),
        ({"nodes": (FIRST, attrs.evolve(SECOND, reads=(Use(storage=9, size_bytes=1),)))}, "9 of 2"),
        ({"nodes": (FIRST, attrs.evolve(SECOND, reads=(Use(storage=1, size_bytes=5),)))}, "5 of 4"),
        (
            {
                "nodes": (
                    FIRST,
                    attrs.evolve(SECOND, reads=(Use(storage=1, size_bytes=1, top_k=2),)),
                )
            },
            "top_k 2",
        ),
        (
            {
                "nodes": (
                    FIRST,
                    attrs.evolve(
                        SECOND,
                        reads=(Use(storage=1, size_bytes=1, access=Access.ROUTED, top_k=2),),
                    ),
                )
            },
            "has no experts",
        ),
        ({"steps": (attrs.evolve(STEP, last=0),)}, "the steps end at node 1 of 2"),
        (
            {"steps": (attrs.evolve(STEP, last=0), attrs.evolve(STEP, first=1))},
            "two steps are named",
        ),
        ({"steps": (attrs.evolve(STEP, first=1),)}, "runs from 1 to 1, expected from 0"),
        ({"outputs": frozenset({0})}, "output `w` is never made"),
    ],
)
def test_each_fault_of_a_graph_is_named(changes: dict[str, Any], said: str) -> None:
    faults = verify(program(attrs.evolve(GRAPH, **changes)))
    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        (attrs.evolve(MADE, index=2), "says index 2, stands at 1"),
        (attrs.evolve(MADE, name="w"), "two storages are named `w`"),
        (attrs.evolve(MADE, size_bytes=-4), "negative size"),
        (attrs.evolve(MADE, split=Split.ROWS), "is split rows in 0 parts"),
        (attrs.evolve(MADE, split=Split.ROWS, parts=(Part("[0:1]", 3),)), "hold 3 of 4 bytes"),
    ],
)
def test_each_fault_of_a_storage_is_named(storage: Storage, said: str) -> None:
    faults = verify(program(storages=(WEIGHT, storage)))
    assert any(said in fault for fault in faults), faults
