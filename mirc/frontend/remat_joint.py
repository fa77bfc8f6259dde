"""A joint graph of forward and backward, as autograd traced it, into a problem of operations."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import torch
from torch._ops import OpOverload
from torch.fx import Graph, Node

from mirc.bounds.remat import Op, Problem, Value
from mirc.frontend.costs import FlopCounter, tensor_bytes

Price = Callable[[int, int], float]
"""FLOPs and bytes moved into the cost of one operation."""


@attrs.frozen(kw_only=True)
class Joint:
    """The problem and what its positions are: fx nodes by operation, and the boundary operation.

    The boundary is an operation without reads and writes between forward and backward: its room
    is what forward leaves for backward. Where nodes of the graph only view others, there is no
    operation for them: ``values_of`` gives the values behind any node's name.
    """

    problem: Problem
    nodes: tuple[str, ...]
    flops: tuple[int, ...]
    boundary: int
    values_of: Mapping[str, tuple[int, ...]]


def joint_problem(
    graph: Graph, forward_outputs: int, price: Price, copy_cost: float = float("inf")
) -> Joint:
    """Read a joint graph whose first ``forward_outputs`` outputs are forward's, the rest gradients.

    ``copy_cost`` is the price of a byte one way to far memory (infinite: it cannot be spilled).
    Placeholders are no values, a view is its base, and gradients are kept to the end. The budget
    is left at 0.
    """
    reader = _Reader(price)
    results = next(iter(graph.find_nodes(op="output"))).args[0]
    ends = {node for node in results[:forward_outputs] if isinstance(node, Node)}
    asked = _ancestors(ends)
    calls = [node for node in graph.nodes if node.op == "call_function"]
    after = max((at + 1 for at, node in enumerate(calls) if node in asked), default=0)
    for node in calls[:after]:
        reader.add(node)
    boundary = len(reader.ops)
    reader.ops.append(Op(cost=0.0))
    reader.names.append("")
    reader.flops.append(0)
    for node in calls[after:]:
        reader.add(node)
    gradients = (node for node in results[forward_outputs:] if isinstance(node, Node))
    kept = {value for node in gradients for value in reader.values_of.get(node, ())}
    problem = Problem(
        ops=tuple(reader.ops),
        values=tuple(
            Value(size_bytes=size, out_cost=size * copy_cost, in_cost=size * copy_cost)
            for size in reader.sizes
        ),
        budget_bytes=0,
        kept=frozenset(kept),
    )
    return Joint(
        problem=problem,
        nodes=tuple(reader.names),
        flops=tuple(reader.flops),
        boundary=boundary,
        values_of={node.name: values for node, values in reader.values_of.items()},
    )


class _Reader:
    def __init__(self, price: Price) -> None:
        self.price = price
        self.ops: list[Op] = []
        self.names: list[str] = []
        self.flops: list[int] = []
        self.sizes: list[int] = []
        self.values_of: dict[Node, tuple[int, ...]] = {}
        self._counter = FlopCounter()

    def add(self, node: Node) -> None:
        """Add a node: an operation of its own unless it only takes apart or views another."""
        target: Any = node.target
        operands = node.all_input_nodes
        if target.__name__ == "getitem":
            whole = self.values_of.get(operands[0], ())
            place: Any = node.args[1]
            self.values_of[node] = whole[place : place + 1] if len(whole) > 1 else whole
            return
        if _views(target):
            self.values_of[node] = self.values_of.get(operands[0], ()) if operands else ()
            return
        first = len(self.sizes)
        made = [leaf for leaf in _leaves(node.meta.get("val")) if leaf is not None]
        self.sizes += [tensor_bytes(leaf) for leaf in made]
        self.values_of[node] = tuple(range(first, len(self.sizes)))
        moved = sum(
            tensor_bytes(leaf)
            for each in (*operands, node)
            for leaf in _leaves(each.meta.get("val"))
            if leaf is not None
        )
        flops = self._counter.count(node) if isinstance(target, OpOverload) else 0
        reads = {value for each in operands for value in self.values_of.get(each, ())}
        self.ops.append(
            Op(
                cost=self.price(flops, moved),
                reads=tuple(sorted(reads)),
                writes=self.values_of[node],
                repeatable=torch.Tag.nondeterministic_seeded not in getattr(target, "tags", ()),
            )
        )
        self.names.append(node.name)
        self.flops.append(flops)


def _leaves(value: Any) -> Iterator[torch.Tensor | None]:
    """Yield the tensors of a result, None where it has none: the places of ``getitem``."""
    for leaf in value if isinstance(value, (tuple, list)) else (value,):
        yield leaf if isinstance(leaf, torch.Tensor) else None


def _views(target: Any) -> bool:
    schema = getattr(target, "_schema", None)
    return schema is not None and any(each.alias_info for each in schema.returns)


def _ancestors(nodes: set[Node]) -> set[Node]:
    found = set(nodes)
    todo = list(nodes)
    while todo:
        for node in todo.pop().all_input_nodes:
            if node not in found:
                found.add(node)
                todo.append(node)
    return found
