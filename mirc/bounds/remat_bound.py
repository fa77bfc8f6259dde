"""What crosses one operation, kept, spilled or remade: least cost and choice, by minimum cuts."""

from math import sqrt
from typing import Any

import attrs

from mirc.bounds.remat import Problem

LARGEST = 1 << 30
"""All finite capacities together; scipy's flows are 32 bits wide and wrap silently."""
CHEAPEST = 1e-12
"""The lowest price of a byte that is tried, as a share of the highest."""
HALVINGS = 30


@attrs.frozen(kw_only=True)
class Crossing:
    """The values made before an operation and read from it on, as one price of room has them.

    ``remade`` are operations that run again, ``saved_bytes`` what stays; ``least_cost`` is a lower
    bound on the cost of remaking and spilling plus the price of the room, over all choices.
    """

    saved: frozenset[int]
    spilled: frozenset[int]
    remade: frozenset[int]
    saved_bytes: int
    least_cost: float


def crossing(
    problem: Problem, boundary: int, byte_price: float, *, spill: bool, recompute: bool
) -> Crossing:
    """Return the choice of least cost where a byte of room at ``boundary`` costs ``byte_price``.

    A value that is wanted is cut off from its maker for its room or its transfers, whichever is
    less, or its maker runs again for its cost and wants its operands: a minimum cut, hence exact up
    to the rounding of capacities (downward, so that ``least_cost`` holds). Source: the rounds of
    Jain et al., Checkmate, are not needed where only one moment is short of room: the matrix is
    totally unimodular (project selection; Picard, Management Science 22, 1976). Cost: one maximum
    flow of O(operations + reads) arcs.
    """
    ops = problem.ops
    makers = problem.makers
    arcs: dict[tuple[int, int], float] = {}
    count = boundary  # node i + 2 is "operation i runs again", then one node a value
    value_node = {
        value: 2 + count + place
        for place, value in enumerate(v for op in ops[:boundary] for v in op.writes)
    }
    infinite = float("inf")
    dear = problem.base_cost
    for place, op in enumerate(ops[:boundary]):
        again = recompute and op.repeatable
        arcs[2 + place, 1] = op.cost if again else infinite
        for value in op.reads:
            arcs[2 + place, value_node[value]] = infinite
        for value in op.writes:
            known = problem.values[value]
            # Above what everything costs a price says no more, and would cost the others precision.
            leave = min(byte_price * known.size_bytes, dear)
            if spill:
                leave = min(leave, known.out_cost + known.in_cost)
            arcs[value_node[value], 2 + place] = leave
    wanted = {v for op in ops[boundary:] for v in op.reads if makers[v] < boundary}
    wanted |= {value for value in problem.kept if makers[value] < boundary}
    for value in sorted(wanted):
        arcs[0, value_node[value]] = infinite
    flow, reached = _cut(2 + count + len(value_node), arcs)
    kept = {
        value
        for value, node in value_node.items()
        if node in reached and 2 + makers[value] not in reached
    }
    spilled = frozenset(
        value
        for value in kept
        if spill and _transfers(problem, value) < byte_price * _size(problem, value)
    )
    saved = frozenset(kept) - spilled
    return Crossing(
        saved=saved,
        spilled=spilled,
        remade=frozenset(place for place in range(boundary) if 2 + place in reached),
        saved_bytes=sum(_size(problem, value) for value in saved),
        least_cost=flow,
    )


def crossing_bound(
    problem: Problem, boundary: int, *, spill: bool = True, recompute: bool = True
) -> float:
    """Return what no schedule within the budget can add less than to running each op once.

    While operation ``boundary`` runs, what stays has to fit beside its workspace and results; what
    does not stay and is wanted later is fetched or remade. The Lagrangian dual of that one row of
    room, over a range of prices: all other moments are ignored, so it is weak where they bind.
    """
    op = problem.ops[boundary]
    room = problem.budget_bytes - op.workspace_bytes
    room -= sum(_size(problem, value) for value in op.writes)
    if room < 0:
        return float("inf")
    best = 0.0
    high = dearest(problem)
    low = CHEAPEST * high
    for _ in range(HALVINGS):
        price = sqrt(low * high)
        found = crossing(problem, boundary, price, spill=spill, recompute=recompute)
        best = max(best, found.least_cost - price * room)
        if found.saved_bytes > room:
            low = price
        else:
            high = price
    return best


def dearest(problem: Problem) -> float:
    """Return a price of a byte at which whatever can leave does."""
    cost = problem.base_cost + max(
        (v.out_cost + v.in_cost for v in problem.values if v.out_cost < float("inf")), default=0.0
    )
    return cost / min((v.size_bytes for v in problem.values if v.size_bytes), default=1)


def _size(problem: Problem, value: int) -> int:
    return problem.values[value].size_bytes


def _transfers(problem: Problem, value: int) -> float:
    return problem.values[value].out_cost + problem.values[value].in_cost


def _cut(nodes: int, arcs: dict[tuple[int, int], float]) -> tuple[float, frozenset[int]]:
    """Return a minimum cut's value (rounded down) and the nodes on the source's side."""
    # Imported here: scipy takes 0.3 s to start and most commands never cut.
    import numpy as np  # noqa: PLC0415
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow  # noqa: PLC0415

    total = sum(price for price in arcs.values() if price < float("inf"))
    if total <= 0 or not any(tail == 0 for tail, _ in arcs):
        return 0.0, frozenset({0})
    scale = LARGEST / total
    ends = np.array(list(arcs), dtype=np.int32)
    capacity = np.array([_whole(price, scale) for price in arcs.values()], dtype=np.int32)
    matrix = csr_array((capacity, (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
    result = maximum_flow(matrix, 0, 1)
    residual: csr_array[Any, tuple[int, int]] = csr_array(matrix - result.flow)
    residual.eliminate_zeros()  # what is left is never below 0
    reached = breadth_first_order(residual, 0, return_predecessors=False)
    return result.flow_value / scale, frozenset(map(int, reached))


def _whole(price: float, scale: float) -> int:
    return int(price * scale) if price < float("inf") else LARGEST + 1
