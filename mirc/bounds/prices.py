"""A placement problem into prices of room, and with them a proven bound at any size."""

import time

import attrs
import numpy as np

from mirc.bounds.placement import Floats, Ints, PlacementProblem, cheapest, filled_bytes

ROUNDS = 400
"""Cuts at most; with 5 tiers and 3 phases about 200 are taken."""

CLOSE = 1e-5
"""The bound is the LP's to this share of it."""


@attrs.frozen(kw_only=True, eq=False)
class Priced:
    """``bound_ps`` is proven by ``price[p, k]``, picoseconds for a byte in a tier in a phase.

    ``tier[p, n]`` is where most of each object lies in the LP's divided placement, ``share[n]`` how
    much of it: where that is 1, the price leaves nothing to decide. ``columns[c, p, n]`` are all
    placements that some prices tried made best for each object by itself.
    """

    bound_ps: float
    price: Floats
    tier: Ints
    share: Floats
    columns: Ints
    seconds: float = 0.0


def priced(problem: PlacementProblem) -> Priced:
    """Return prices of room whose Lagrangian bound is that of the LP relaxation, nearly.

    Any prices prove one: placing each object by itself at its cheapest, room paid for, less what
    all room is worth, costs no more than any placement. The best prices are found by cutting planes
    in a box that follows the best point; the master problem has ``p k`` columns whatever the number
    of objects, and HiGHS solves it. Cost: O(cuts (n p k^2 + a small LP)).
    Source: Kelley, SIAM Journal 8(4), 1960; Marsten, Hogan, Blankenship, Operations Research 23(3),
    1975 (the box).
    """
    begin = time.perf_counter()
    # Imported here: scipy takes 0.3 s to start and most plans are closed forms.
    from scipy.optimize import linprog  # noqa: PLC0415

    scarce = _scarce(problem)
    prices = _marginal(problem)
    best = _bound(problem, prices)
    unit = np.maximum(prices[scarce], 0.1 * prices.max())
    if not unit.size or not unit.any():
        return Priced(
            bound_ps=best,
            price=prices,
            tier=cheapest(problem, prices)[0],
            share=np.ones(problem.objects),
            columns=cheapest(problem, prices)[0][None],
            seconds=time.perf_counter() - begin,
        )
    scale = abs(best) or 1.0
    here = center = prices[scarce] / unit
    slopes: list[Floats] = []
    heights: list[float] = []
    tiers: list[Ints] = []
    weights: Floats = np.ones(1)
    reach = 1.0
    objective = np.append(np.zeros(len(unit)), -1.0)
    for _ in range(ROUNDS):
        prices = np.zeros_like(prices)
        prices[scarce] = here * unit
        tier, cost = cheapest(problem, prices)
        value = float(cost.sum() - (prices * problem.room_bytes).sum())
        over = filled_bytes(problem, tier) - problem.room_bytes
        tiers.append(tier)
        slope = over[scarce] * unit / scale
        slopes.append(slope)
        heights.append(value / scale - float(slope @ here))
        if value > best:
            best, center, reach = value, here, reach * 1.5
        else:
            reach = max(reach * 0.9, 0.02)
        model = linprog(
            objective,
            A_ub=np.hstack([-np.array(slopes), np.ones((len(slopes), 1))]),
            b_ub=np.array(heights),
            bounds=[(max(0.0, x - reach), x + reach) for x in center] + [(None, None)],
            method="highs-ds",
        )
        if model.x is None:
            break
        weights = -np.asarray(model.ineqlin.marginals)
        reached = -float(model.fun or 0.0) * scale
        if reached <= best + CLOSE * abs(best):
            if float(np.abs(model.x[:-1] - center).max()) < 0.99 * reach:
                break  # no wall of the box holds it back
            reach *= 8.0
        here = model.x[:-1]
    prices = np.zeros_like(prices)
    prices[scarce] = center * unit
    tier, share = _leaning(problem, tiers, weights)
    return Priced(
        bound_ps=best,
        price=prices,
        tier=tier,
        share=share,
        columns=np.array(tiers),
        seconds=time.perf_counter() - begin,
    )


def marginal_bound_ps(problem: PlacementProblem) -> float:
    """Return what no placement costs less than, by prices read off the order of worth.

    Without a solver: that of ``priced`` where one phase fills tiers in one order, else less.
    """
    return _bound(problem, _marginal(problem))


def _leaning(problem: PlacementProblem, tiers: list[Ints], weights: Floats) -> tuple[Ints, Floats]:
    """Return each object's tiers of most weight among the cuts' placements, and that weight.

    The master's duals weigh the placements that made its cuts: their mean is the LP's placement.
    """
    base = problem.tiers ** np.arange(problem.phases)
    used = [
        (weight, base @ tier, tier)
        for weight, tier in zip(weights, tiers, strict=False)
        if weight > 0
    ]
    codes = np.unique(np.concatenate([code for _, code, _ in used]))
    share = np.zeros((problem.objects, len(codes)))
    every = np.arange(problem.objects)
    for weight, code, _ in used:
        share[every, np.searchsorted(codes, code)] += weight
    most = codes[share.argmax(axis=1)]
    return most // base[:, None] % problem.tiers, share.max(axis=1)


def _bound(problem: PlacementProblem, price: Floats) -> float:
    return float(cheapest(problem, price)[1].sum() - (price * problem.room_bytes).sum())


def _scarce(problem: PlacementProblem) -> tuple[Ints, Ints]:
    """Return (phase, tier) of the rooms that cannot take everything."""
    short = np.flatnonzero(problem.room_bytes < problem.size_bytes.sum())
    return np.repeat(np.arange(problem.phases), len(short)), np.tile(short, problem.phases)


def _marginal(problem: PlacementProblem) -> Floats:
    """Return the prices at which each phase by itself fills its tiers, fastest first.

    A byte of a tier is worth what its last object saves there over the next tier, and what that
    tier's byte is worth. With one phase and no latencies these are the LP's own.
    """
    price = np.zeros((problem.phases, problem.tiers))
    for phase, access in enumerate(problem.access_ps / problem.size_bytes[:, None]):
        tiers = np.argsort(access.mean(axis=0), kind="stable")
        dearest = np.argsort(access[:, tiers[0]] - access[:, tiers[-1]], kind="stable")
        filled = np.cumsum(problem.size_bytes[dearest])
        edges = np.cumsum(problem.room_bytes[tiers[:-1]])
        last = np.minimum(np.searchsorted(filled, edges), len(filled) - 1)
        worth = 0.0
        for tier, below, place, edge in reversed(
            list(zip(tiers[:-1], tiers[1:], last, edges, strict=True))
        ):
            if edge < filled[-1]:
                near = dearest[max(0, place - 3) : place + 4]
                worth += max(0.0, float(np.median(access[near, below] - access[near, tier])))
            price[phase, tier] = worth
    return price
