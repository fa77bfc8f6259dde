"""Objects, tiers and phases into a tier for each object in each phase."""

import math
import random

import attrs
import numpy as np

from mirc.bounds.placement import Ints, PlacementProblem, cheapest, cost_ps
from mirc.bounds.prices import Priced, priced
from mirc.passes.regroup import Effort, Moved, regroup
from mirc.passes.shelves import Choices, Path, Prices, Shelves

TRIES = 30_000
"""Groups that are placed anew, from each start, unless a caller has less time."""

TRIES_AN_OBJECT = 100
"""The same where objects are few."""

FEW = 64
"""Objects up to which many small groups are searched: with few, what fits is the difficulty."""

EFFORT, EFFORT_FOR_FEW = Effort(together=8, nodes=400), Effort(together=6, nodes=150)

OF_ALL = 5
"""A group is at most one in so many of all objects."""

STARTS, STARTS_OF_FEW = 1, 15
"""Fillings, the best of all tried, that are improved: where objects are few, it matters which."""

HEAT, HEAT_OF_FEW = 0.1, 0.05
"""A worse placement may be taken at first if it loses about this part of the gap to the bound."""

GOOD_ENOUGH = 1.001
"""A placement this close to the bound is not improved further."""

REFRESH = 500
"""Groups after which objects are sorted anew by how far they are from their own best place."""


@attrs.frozen(kw_only=True, eq=False)
class Allotment:
    """``tier[p, n]`` costs ``cost_ps``; nothing costs less than ``bound_ps``."""

    tier: Ints
    cost_ps: float
    bound_ps: float
    bound_seconds: float


def allot(problem: PlacementProblem, *, tries: int = TRIES) -> Allotment:
    """Place every object in every phase so that uses and moves take little time.

    Room is priced (a Lagrangian relaxation). Objects are laid down in several orders, where they
    are cheapest at these prices, at half of them or at none; the best fillings are improved: an
    object gets the place that the relaxation gives it, those in its way find others, by branch and
    bound for a small group or one by one, and what costs more is taken only now and then
    (simulated annealing). Rooms are never exceeded but in the last tier, which must take what fits
    nowhere else. Deterministic. Cost: O(cuts n p k^2 + starts tries p k).
    Source: Fisher, Management Science 27(1), 1981 (prices); Shaw, CP 1998 (large neighbourhoods);
    Kirkpatrick, Gelatt, Vecchi, Science 220, 1983 (annealing).
    """
    found = priced(problem)
    starts = STARTS if problem.objects > FEW else STARTS_OF_FEW
    filled: list[tuple[float, int, Shelves]] = []
    for order in _orders(problem, found):
        for price in (found.price, found.price / 2, np.zeros_like(found.price)):
            shelves = Shelves(problem)
            shelves.fill(order, price.tolist())
            shelves.settle(order)
            filled.append((cost_ps(problem, shelves.tiers()), len(filled), shelves))
    best, best_cost = filled[0][2], math.inf
    for cost, _, shelves in sorted(filled, key=lambda row: row[:2])[:starts]:
        _improve(shelves, problem, found, cost, tries)
        improved = cost_ps(problem, shelves.tiers())
        if improved < best_cost:
            best, best_cost = shelves, improved
        if best_cost <= found.bound_ps * GOOD_ENOUGH:
            break
    return Allotment(
        tier=best.tiers(),
        cost_ps=best_cost,
        bound_ps=found.bound_ps,
        bound_seconds=found.seconds,
    )


def _orders(problem: PlacementProblem, found: Priced) -> list[list[int]]:
    """Order by what the last tier costs more than the best place, in all, for a byte; by size."""
    worst = problem.access_ps[:, :, -1].sum(axis=0)
    stake = worst - cheapest(problem, found.price)[1]
    size = problem.size_bytes
    every = np.arange(problem.objects)
    keys = (-stake, -stake / size, -stake / np.sqrt(size), -worst, -size)
    return [np.lexsort((every, key)).tolist() for key in keys]


def _improve(
    shelves: Shelves, problem: PlacementProblem, found: Priced, cost: float, tries: int
) -> None:
    """Regroup around objects that are far from their best place; leave the best placement found."""
    wishes = [tuple(path) for path in found.tier.T.tolist()]
    ideal = cheapest(problem, found.price)[1].tolist()
    chance = random.Random(0)  # noqa: S311 - the order of a search, no secret
    choices = Choices(shelves, found)
    free = [[0.0] * problem.tiers for _ in range(problem.phases)]
    total, best, kept = cost, cost, list(shelves.at)
    share = HEAT if problem.objects > FEW else HEAT_OF_FEW
    heat = share * max(0.0, cost - found.bound_ps)
    drawn_among = max(4.0, min(problem.objects / 8, 40.0))
    effort = EFFORT if problem.objects > FEW else EFFORT_FOR_FEW
    most = max(2, problem.objects // OF_ALL)
    effort = attrs.evolve(effort, together=min(effort.together, most))
    uneasy: list[int] = []
    tries = min(tries, TRIES_AN_OBJECT * problem.objects)
    for turn in range(tries):
        if best <= found.bound_ps * GOOD_ENOUGH:
            break
        if turn % REFRESH == 0:
            uneasy = _uneasy(shelves, choices.price, ideal)
        place = min(problem.objects - 1, int(chance.expovariate(1.0) * drawn_among))
        seed = uneasy[place]
        if turn % 2:
            before = regroup(shelves, choices, seed, wishes[seed], effort=effort, chance=chance)
        else:
            price = free if turn % 4 else choices.price
            before = _push(shelves, seed, wishes[seed], price, chance)
        gain = sum(paid - shelves.paid[i] for i, _, paid in before)
        warmth = heat * (1 - turn / tries) ** 2
        if gain < 0 and (warmth <= 0 or chance.random() >= math.exp(gain / warmth)):
            for index, _, _ in before:
                shelves.take(index)
            for index, path, _ in before:
                shelves.put(index, path)
            continue
        total -= gain
        if total < best:
            best, kept = total, list(shelves.at)
    shelves.restore(kept)
    shelves.settle(range(problem.objects))


def _uneasy(shelves: Shelves, price: Prices, ideal: list[float]) -> list[int]:
    """Return all objects, those first whose place, with its room, costs most above their best."""
    off = [
        shelves.charged(i, path, price) - best
        for i, (path, best) in enumerate(zip(shelves.at, ideal, strict=True))
    ]
    return sorted(range(shelves.count), key=lambda i: (-off[i], i))


def _push(shelves: Shelves, seed: int, wish: Path, price: Prices, chance: random.Random) -> Moved:
    """Put ``seed`` where it wishes; what was in its way, and up to two more, find other places."""
    before = [(seed, shelves.at[seed], shelves.paid[seed])]
    shelves.take(seed)
    if wish == shelves.at[seed]:
        wish = shelves.best(seed, price)
    out = {seed}

    def leave(other: int) -> None:
        out.add(other)
        before.append((other, shelves.at[other], shelves.paid[other]))
        shelves.take(other)

    for phase, k in enumerate(wish):
        for _ in range(200):
            if k == shelves.last or shelves.left[phase][k] >= shelves.size[seed]:
                break
            other = chance.randrange(shelves.count)
            if other not in out and shelves.at[other][phase] == k:
                leave(other)
    for _ in range(chance.randint(0, 2)):
        other = chance.randrange(shelves.count)
        if other not in out:
            leave(other)
    shelves.put(seed, wish if shelves.fits(seed, wish) else shelves.best(seed, price))
    rest = [index for index, _, _ in before[1:]]
    rest.sort(key=lambda i: (-shelves.paid[i], i))
    for index in rest:
        shelves.put(index, shelves.best(index, price))
    return before
