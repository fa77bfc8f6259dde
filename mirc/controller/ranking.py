"""Descriptors into the two orders of each phase: who is used next, and who leaves first."""

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import (
    DROPPABLE,
    ELSEWHERE,
    HELD_FAST,
    UNSAID,
    Descriptors,
    Ints,
    PhaseRows,
)
from mirc.controller.trust import Floats

SMALLEST_SHARE = 64  # below this part of the largest object a transfer is mostly its launch
SURE = 0.5  # the probability of a use from which prefetching it is worth its bytes
_BUCKETS = 256
_NOTCHES = 16  # of a price: what is nearly equal is equal, and is spread over the phase
_BUSIEST = 4  # the power of a link's share of the load: the larger, the more the busiest decides
_IDLEST = 1 / 16  # no link is taken for idler than this

Flags = NDArray[np.bool_]


@attrs.frozen(kw_only=True, eq=False)
class Orders:
    """One phase's orders over ``n`` objects.

    ``order`` and ``due_ps`` list planned uses by time; ``place[0]`` and ``place[1]`` say where an
    object's first and last use stand in them (-1: nowhere). ``rank`` is a permutation: lower ranks
    leave near memory first; ``ranked`` is its inverse.
    """

    period_ps: int
    order: Ints  # [uses]
    due_ps: Ints  # [uses]
    place: Ints  # [2, n]
    rank: Ints  # [n]
    ranked: Ints  # [n]


def orders(known: Descriptors, rows: PhaseRows | None, sizes: Ints, tolls_ps: Floats) -> Orders:
    """Order the uses of a phase, and rank its objects: O(n log n), once a load.

    ``tolls_ps[l, n]`` is what a byte of each object takes of each link on the way from its master.
    """
    count = len(sizes)
    nothing = np.full(count, UNSAID, dtype=np.int64)
    first = nothing if rows is None else rows.first_ps
    last = nothing if rows is None else rows.last_ps
    strength = known.strength if rows is None else rows.strength
    stays = np.zeros(count, dtype=np.bool_) if rows is None else rows.stays
    probability = known.probability if rows is None else rows.probability
    sure = probability >= SURE
    wanted = np.flatnonzero((first != UNSAID) & sure)
    again = np.flatnonzero((last > first) & (first != UNSAID) & sure)
    objects = np.concatenate((wanted, again))
    due = np.concatenate((first[wanted], last[again]))
    which = np.concatenate((np.zeros(len(wanted)), np.ones(len(again)))).astype(np.int64)
    by_time = np.lexsort((objects, due))
    place = np.full((2, count), UNSAID, dtype=np.int64)
    place[which[by_time], objects[by_time]] = np.arange(len(by_time))
    latest = int(due.max()) + 1 if len(due) else 1
    ranked = _ranked(probability, first, strength, stays=stays, sizes=sizes, tolls_ps=tolls_ps)
    rank = np.empty(count, dtype=np.int64)
    rank[ranked] = np.arange(count)
    return Orders(
        period_ps=max(latest, 0 if rows is None else rows.period_ps),
        order=objects[by_time],
        due_ps=due[by_time],
        place=place,
        rank=rank,
        ranked=ranked,
    )


def _ranked(
    probability: Floats,
    first: Ints,
    strength: Ints,
    *,
    stays: Flags,
    sizes: Ints,
    tolls_ps: Floats,
) -> Ints:
    """Sort objects by what should leave first.

    Weaker before stronger; of what a plan places (weights, and states that live below), what the
    phase does not use nor its plan keep, what costs least to lose, what the plan does not keep and
    what is large come first, and those that remain equal are spread over the phase, so that what
    streams does so evenly whatever the room. What the plan keeps comes after what a loss costs: a
    plan chooses it by these chances and prices or by fewer, and they are corrected, it is not.
    """
    used = first != UNSAID
    placed = (strength == DROPPABLE) | (strength == ELSEWHERE)
    asleep = placed & ~used & ~stays & used.any()
    # Only what the plan names counts here: the ranks must not tell what else a run will hold.
    planned = np.where(placed & used, sizes, 0)
    small = placed & (sizes * SMALLEST_SHARE < planned.max(initial=0))
    price = prices(probability * planned, tolls_ps)
    price[small | ~placed] = price.max(initial=1.0)
    loss = np.floor(probability * _BUCKETS).astype(np.int64) * np.rint(price * _NOTCHES).astype(
        np.int64
    )
    cell = spread(np.where(used, first, 0), planned)
    keys = (cell, small, placed & stays, loss, ~asleep, strength)
    return np.lexsort((np.arange(len(sizes)), *keys))


def prices(expected: Floats, tolls_ps: Floats) -> Floats:
    """Return what fetching a byte of each object costs, in units of the cheapest one's.

    Links work beside each other, so what a phase waits for is the busiest: time of a link counts by
    how busy it is when the ``expected`` bytes of each object [n] cross it once. Source: the
    derivative of a p-norm of the links' loads, a smooth maximum.
    """
    load = (tolls_ps * expected).sum(axis=1)
    busy = np.maximum(load / max(load.max(initial=0.0), 1.0), _IDLEST) ** _BUSIEST
    price: Floats = (tolls_ps * busy[:, None]).sum(axis=0)
    least = price[price > 0].min(initial=np.inf)
    found: Floats = np.maximum(price / least, 1.0)
    return found


def spread(first: Ints, sizes: Ints) -> Ints:
    """Give each object a key such that the lowest keys, however many, lie evenly along the phase.

    The bytes of the phase, in order of use, are cut into cells no larger than the largest object;
    the key is the cell's number with its bits reversed. Source: van der Corput, Verteilungs-
    funktionen, Proc. Akad. Wet. Amsterdam 38 (1935).
    """
    order = np.argsort(first, kind="stable")
    ends = np.cumsum(sizes[order])
    total = int(ends[-1]) if len(ends) else 0
    if total == 0:
        return np.zeros(len(sizes), dtype=np.int64)
    bits = max(1, (-(-total // int(sizes.max())) - 1).bit_length())
    middle = ends - sizes[order] // 2
    # Twice as large numbers would overflow 64 bits only beyond 2 ** 62 bytes.
    cells = np.minimum(
        (middle.astype(np.float64) / total * (1 << bits)).astype(np.int64), (1 << bits) - 1
    )
    keys = np.empty(len(sizes), dtype=np.int64)
    keys[order] = _reversed(cells, bits)
    return keys


def _reversed(values: Ints, bits: int) -> Ints:
    result = np.zeros_like(values)
    for bit in range(bits):
        result |= ((values >> bit) & 1) << (bits - 1 - bit)
    return result


def held_fast(known: Descriptors) -> Flags:
    """Tell which objects intent never lets leave near memory, in any phase."""
    strongest = known.strength.copy()
    for rows in known.phases:
        strongest = np.maximum(strongest, rows.strength)
    found: Flags = strongest == HELD_FAST
    return found
