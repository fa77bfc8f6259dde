"""Random training problems: a forward chain or graph of operations, then its backward."""

import random

import attrs

from mirc.bounds.remat import Op, Problem, Value, keep_all, peak_bytes


def training(rng: random.Random, layers: int, *, skips: bool = False) -> Problem:
    """Return a problem whose budget is what keeping everything takes.

    Layer ``i`` of ``layers`` reads the layer before (and with ``skips`` sometimes an earlier one);
    its backward reads the gradient above, what the layer read, and its result.
    """
    ops: list[Op] = []
    values: list[Value] = []
    per_byte = rng.choice((0.02, 0.1, 0.3, 1.0))
    sources: list[list[int]] = []

    def add(cost: float, reads: list[int], size: int) -> int:
        ops.append(Op(cost=cost, reads=tuple(dict.fromkeys(reads)), writes=(len(values),)))
        values.append(Value(size_bytes=size, out_cost=per_byte * size, in_cost=per_byte * size))
        return len(values) - 1

    for layer in range(layers):
        reads = [layer - 1] if layer else []
        if skips and layer >= 2 and rng.random() < 0.4:
            reads.append(rng.randrange(layer - 1))
        sources.append(reads)
        add(rng.choice((1.0, 1.0, 3.0, 10.0)), reads, rng.choice((4, 8, 8, 16, 32)))
    gradient: dict[int, list[int]] = {}
    for layer in reversed(range(layers)):
        above = gradient.get(layer, [])
        reads = [*above, *sources[layer], *([layer] if rng.random() < 0.5 or not above else [])]
        made = add(2 * ops[layer].cost, reads, values[layer].size_bytes)
        for source in sources[layer]:
            gradient.setdefault(source, []).append(made)
    plain = Problem(ops=tuple(ops), values=tuple(values), budget_bytes=0)
    return attrs.evolve(plain, budget_bytes=peak_bytes(plain, keep_all(plain)))


def least_room(problem: Problem) -> int:
    """Return what the operation with the most operands needs: no budget below it can be met."""
    return max(
        sum(problem.values[value].size_bytes for value in {*op.reads, *op.writes})
        for op in problem.ops
    )


def squeezed(problem: Problem, share: float) -> Problem:
    """Return it with a budget that lies ``share`` of the way from the least room to the most."""
    least = least_room(problem)
    return attrs.evolve(problem, budget_bytes=round(least + share * (problem.budget_bytes - least)))
