"""Objects, tiers and phases into what a placement costs, and what none can cost less than."""

import time
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False)
class PlacementProblem:
    """``n`` objects that each lie in one of ``k`` tiers in each of ``p`` phases, in order.

    ``size_bytes[n]``, ``room_bytes[k]``. ``access_ps[p, n, k]`` is what an object's uses in a phase
    take from a tier, ``enter_ps[n, k]`` what moving it into a tier between two phases takes; the
    first phase finds everything in place. Some tier must have room for any object.
    """

    size_bytes: Ints
    room_bytes: Ints
    access_ps: Floats
    enter_ps: Floats

    @property
    def objects(self) -> int:
        """``n``."""
        return len(self.size_bytes)

    @property
    def tiers(self) -> int:
        """``k``."""
        return len(self.room_bytes)

    @property
    def phases(self) -> int:
        """``p``."""
        return len(self.access_ps)


@attrs.frozen(kw_only=True)
class Solved:
    """What HiGHS found: the ``objective`` of its best placement and the proven ``bound``."""

    objective: float
    bound: float
    seconds: float


def cost_ps(problem: PlacementProblem, tier: Ints) -> float:
    """Return what the placement ``tier[p, n]`` takes: uses, and moves between phases."""
    every = np.arange(problem.objects)
    total = sum(float(problem.access_ps[p, every, at].sum()) for p, at in enumerate(tier))
    for before, after in pairwise(tier):
        moved = before != after
        total += float(problem.enter_ps[every[moved], after[moved]].sum())
    return total


def filled_bytes(problem: PlacementProblem, tier: Ints) -> Ints:
    """Return the bytes in each tier in each phase, ``[p, k]``."""
    filled = np.zeros((problem.phases, problem.tiers), dtype=np.int64)
    for p, at in enumerate(tier):
        np.add.at(filled[p], at, problem.size_bytes)
    return filled


def cheapest(problem: PlacementProblem, price: Floats) -> tuple[Ints, Floats]:
    """Return each object's best tiers ``[p, n]`` at ``price[p, k]`` a byte, and their cost.

    Rooms are left aside: the prices stand for them. Dynamic programming over the phases, all
    objects at once: O(n p k^2).
    """
    size = problem.size_bytes[:, None]
    shut = np.where(size > problem.room_bytes, np.inf, 0.0)  # too large even by itself
    best = problem.access_ps[0] + price[0] * size + shut
    came: list[Ints] = []
    for p in range(1, problem.phases):
        here = problem.access_ps[p] + price[p] * size + shut
        moved_from = best.argmin(axis=1)
        moving = best.min(axis=1)[:, None] + problem.enter_ps
        stays = best <= moving
        came.append(np.where(stays, np.arange(problem.tiers), moved_from[:, None]))
        best = np.where(stays, best, moving) + here
    tier = np.empty((problem.phases, problem.objects), dtype=np.int64)
    tier[-1] = best.argmin(axis=1)
    every = np.arange(problem.objects)
    for p in range(problem.phases - 2, -1, -1):
        tier[p] = came[p][every, tier[p + 1]]
    return tier, best.min(axis=1)


def relaxed(problem: PlacementProblem) -> Solved:
    """Return the LP relaxation by HiGHS: objects may be divided among tiers."""
    return _solve(problem, integral=False, most_seconds=None)


def optimum(problem: PlacementProblem, most_seconds: float) -> Solved:
    """Return the MILP's best placement within ``most_seconds``, and its proven bound."""
    return _solve(problem, integral=True, most_seconds=most_seconds)


def _solve(problem: PlacementProblem, *, integral: bool, most_seconds: float | None) -> Solved:
    # Imported here: scipy takes 0.3 s to start and most plans are closed forms.
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415
    from scipy.sparse import coo_matrix  # noqa: PLC0415

    begin = time.perf_counter()
    n, k, p = problem.objects, problem.tiers, problem.phases
    held = np.arange(p * n * k).reshape(p, n, k)
    entered = p * n * k + np.arange((p - 1) * n * k).reshape(p - 1, n, k)
    opens = (problem.size_bytes[:, None] <= problem.room_bytes).astype(np.float64)
    unit = float(problem.size_bytes.mean())  # rooms in mean sizes: HiGHS's tolerance is absolute
    rows = np.broadcast_to(np.arange(p)[:, None, None] * k + np.arange(k), held.shape)
    sizes = np.broadcast_to(problem.size_bytes[:, None] / unit, held.shape)
    width = held.size + entered.size
    ones = np.ones(held.size)
    one = coo_matrix((ones, (held.ravel() // k, held.ravel())), shape=(p * n, width))
    room = coo_matrix((sizes.ravel(), (rows.ravel(), held.ravel())), shape=(p * k, width))
    constraints = [
        LinearConstraint(one, 1, 1),
        LinearConstraint(room, ub=np.tile(problem.room_bytes / unit, p)),
    ]
    if p > 1:  # entered >= held now - held before
        row = np.arange(entered.size)
        entries = np.repeat([1.0, -1.0, -1.0], entered.size)
        columns = np.concatenate([held[1:].ravel(), held[:-1].ravel(), entered.ravel()])
        moves = coo_matrix((entries, (np.tile(row, 3), columns)), shape=(entered.size, width))
        moves.data[entered.size : 2 * entered.size] = -1.0
        constraints.append(LinearConstraint(moves, ub=0))
    costs = np.concatenate(
        [problem.access_ps.ravel(), np.broadcast_to(problem.enter_ps, entered.shape).ravel()]
    )
    scale = float(costs.max()) or 1.0
    limit = np.inf if most_seconds is None else most_seconds
    found = milp(
        c=costs / scale,
        constraints=constraints,
        bounds=Bounds(0, np.concatenate([np.tile(opens.ravel(), p), np.ones(entered.size)])),
        integrality=np.concatenate([np.full(held.size, int(integral)), np.zeros(entered.size)]),
        options={"time_limit": limit, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        raise ArithmeticError(f"HiGHS found no placement: {found.message}")
    bound = found.mip_dual_bound if integral else found.fun
    return Solved(
        objective=float(found.fun) * scale,
        bound=float(bound) * scale,
        seconds=time.perf_counter() - begin,
    )
