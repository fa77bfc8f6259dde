"""What crosses one operation, kept, spilled or remade: least cost and choice, by minimum cuts."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import attrs

from mirc.bounds.remat import Problem

LARGEST = 1 << 30
"""All finite capacities together; scipy's flows are 32 bits wide and wrap silently."""
CHEAPEST = 1e-12
"""The lowest price of a byte that is tried, as a share of the highest."""
HALVINGS = 30
INFINITE = float("inf")


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


class Network:
    """What may cross one operation, as a flow network whose capacities follow the price of room.

    Its arcs are the same at every price, so they are laid out once. ``spill`` and ``recompute`` say
    which means there are. Cost: O(operations + reads) arcs.
    """

    def __init__(self, problem: Problem, boundary: int, *, spill: bool, recompute: bool) -> None:
        self._problem = problem
        self._boundary = boundary
        self._spill = spill
        ops = problem.ops
        makers = problem.makers
        before = [value for op in ops[:boundary] for value in op.writes]
        # node i + 2 is "operation i runs again", then one node a value
        self._node = {value: 2 + boundary + place for place, value in enumerate(before)}
        wanted = {v for op in ops[boundary:] for v in op.reads if makers[v] < boundary}
        wanted |= {value for value in problem.kept if makers[value] < boundary}
        arcs: dict[tuple[int, int], float] = {}
        for value in sorted(wanted):
            arcs[0, self._node[value]] = INFINITE
        for place, op in enumerate(ops[:boundary]):
            arcs[2 + place, 1] = op.cost if recompute and op.repeatable else INFINITE
            for value in op.reads:
                arcs[2 + place, self._node[value]] = INFINITE
        self._wanted = bool(wanted)
        self._fixed = tuple(arcs.values())
        self._ends = (*arcs, *((self._node[value], 2 + makers[value]) for value in before))
        self._sizes = [_size(problem, value) for value in before]
        self._trips = [_transfers(problem, value) if spill else INFINITE for value in before]

    def at(self, byte_price: float) -> Crossing:
        """Return the choice of least cost where a byte of room at the boundary costs this much.

        A value that is wanted is cut off from its maker for its room or its transfers, whichever
        is less, or its maker runs again for its cost and wants its operands: a minimum cut, hence
        exact up to the rounding of capacities (downward, so that ``least_cost`` holds). Source: the
        rounds of Jain et al., Checkmate, are not needed where only one moment is short of room: the
        matrix is totally unimodular (project selection; Picard, Management Science 22, 1976).
        Cost: one maximum flow.
        """
        # Above what everything costs a price says no more, and would cost the others precision.
        dear = self._problem.base_cost
        leaving = [
            min(byte_price * size, dear, trip)
            for size, trip in zip(self._sizes, self._trips, strict=True)
        ]
        flow, reached = self._cut((*self._fixed, *leaving))
        makers = self._problem.makers
        kept = {
            value
            for value, node in self._node.items()
            if node in reached and 2 + makers[value] not in reached
        }
        spilled = frozenset(
            value
            for value in kept
            if self._spill
            and _transfers(self._problem, value) < byte_price * _size(self._problem, value)
        )
        saved = frozenset(kept) - spilled
        return Crossing(
            saved=saved,
            spilled=spilled,
            remade=frozenset(place for place in range(self._boundary) if 2 + place in reached),
            saved_bytes=sum(_size(self._problem, value) for value in saved),
            least_cost=flow,
        )

    def _cut(self, prices: Sequence[float]) -> tuple[float, frozenset[int]]:
        """Return a minimum cut's value (rounded down) and the nodes on the source's side."""
        # Imported here: scipy takes 0.3 s to start and most commands never cut.
        import numpy as np  # noqa: PLC0415
        from scipy.sparse import csr_array  # noqa: PLC0415
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow  # noqa: PLC0415

        price = np.array(prices)
        finite = price < INFINITE
        total = float(price[finite].sum())
        if total <= 0 or not self._wanted:
            return 0.0, frozenset({0})
        scale = LARGEST / total
        capacity = np.where(finite, np.where(finite, price, 0.0) * scale, LARGEST + 1)
        ends = np.array(self._ends, dtype=np.int32)
        nodes = 2 + self._boundary + len(self._node)
        shape = (nodes, nodes)
        matrix = csr_array((capacity.astype(np.int32), (ends[:, 0], ends[:, 1])), shape=shape)
        result = maximum_flow(matrix, 0, 1)
        residual: csr_array[Any, tuple[int, int]] = csr_array(matrix - result.flow)
        residual.eliminate_zeros()  # what is left is never below 0
        reached = breadth_first_order(residual, 0, return_predecessors=False)
        return int(result.flow_value) / scale, frozenset(reached.tolist())


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
        return INFINITE
    network = Network(problem, boundary, spill=spill, recompute=recompute)
    best = 0.0
    high = dearest(problem)
    low = CHEAPEST * high
    for _ in range(HALVINGS):
        price = sqrt(low * high)
        found = network.at(price)
        best = max(best, found.least_cost - price * room)
        if found.saved_bytes > room:
            low = price
        else:
            high = price
    return best


def dearest(problem: Problem) -> float:
    """Return a price of a byte at which whatever can leave does."""
    cost = problem.base_cost + max(
        (v.out_cost + v.in_cost for v in problem.values if v.out_cost < INFINITE), default=0.0
    )
    return cost / min((v.size_bytes for v in problem.values if v.size_bytes), default=1)


def _size(problem: Problem, value: int) -> int:
    return problem.values[value].size_bytes


def _transfers(problem: Problem, value: int) -> float:
    return problem.values[value].out_cost + problem.values[value].in_cost
