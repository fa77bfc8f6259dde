"""When a granted wish is fetched, and what leaves for it or for a step that cannot wait."""

from typing import Any

from mirc.controller.messages import DISPLACE, FETCH, REST, TURN_DOWN, Order, Verdict
from mirc.controller.paths import forgettable, losing
from mirc.controller.regret import regretted_less
from mirc.controller.score import distance_ps
from mirc.kernels.counts import decided
from mirc.kernels.events import FARTHER, NEEDED, NO_ROOM, PLANNED, QUOTA
from mirc.kernels.lists import first
from mirc.kernels.offers import age_head
from mirc.kernels.quotas import excess
from mirc.kernels.ranks import lowest_from
from mirc.kernels.world import (
    AGE_NEXT,
    DEPTH,
    DIRTY,
    HOME,
    HORIZON_PS,
    INTENT,
    INWARD,
    LRU_PREFETCH,
    MADE,
    NEVER,
    NONE,
    OUTSTANDING,
    PHASE,
    POLICY,
    REGRET,
    SERVER,
    TENANT,
    Table,
    World,
)

MOST_FETCHES = 64  # decided at one moment: more would be queued behind each other anyway
MOST_TRIES = 64  # victims looked at for one prefetch


def arrange(w: World, verdict: Verdict) -> Any:
    """Turn a verdict into an order: nothing, while the link that it would take has enough to do."""
    o = verdict.object
    if o == NONE:
        return Order(REST, NONE, NONE, NEEDED)
    server = w.link[SERVER, w.route[INWARD, w.obj[HOME, o], 1]]
    if w.srv[OUTSTANDING, server] >= w.run[DEPTH]:
        return Order(REST, o, NONE, NEEDED)
    if verdict.why != NEEDED:
        return Order(TURN_DOWN, o, NONE, verdict.why)
    if verdict.fits == 1:
        return Order(FETCH, o, NONE, PLANNED)
    victim = displaced(w, o, verdict.wait_ps)
    if victim == NONE:
        return Order(TURN_DOWN, o, NONE, NO_ROOM if excess(w, o) == 0 else QUOTA)
    return Order(DISPLACE, o, victim, FARTHER)


def displaced(w: World, o: int, wait_ps: int) -> Any:
    """Return what leaves for a prefetch of an object that is used in ``wait_ps``, or NONE.

    Intent takes a clean object that is used later, of the lowest rank; the same prefetcher over LRU
    takes the oldest, whenever that is used; over regret, the least if it is less than the
    newcomer's; a static placement displaces nothing.
    """
    if w.run[POLICY] == LRU_PREFETCH:
        oldest = first(w.lists, AGE_NEXT, age_head(w))
        return NONE if oldest == age_head(w) else oldest
    if w.run[POLICY] == REGRET:
        return regretted_less(w, o)
    if w.run[POLICY] == INTENT:
        later = max(wait_ps, w.run[HORIZON_PS])
        if excess(w, o) > 0:  # only what its tenant has leaves for it
            return farther(w, w.own[w.obj[TENANT, o]], later)
        return farther(w, w.loose, later)
    return NONE


def farther(w: World, bits: Table, wait_ps: int) -> Any:
    """Return the lowest-ranked clean object that is used later than ``wait_ps``, or NONE.

    ``bits`` are the ranks that may leave: all that do, or those of one tenant.

    What the run made is no such object, even where a copy of it lies below: it leaves when a step
    needs the room, not for what may come in a little later instead.
    """
    phase = w.run[PHASE]
    rank = lowest_from(bits, 0)
    found = NONE
    looks = 0
    while rank != NONE and found == NONE and looks < MOST_TRIES:
        looks += 1
        o = w.ranked[phase, rank]
        if w.obj[DIRTY, o] == 0 and w.obj[MADE, o] == 0 and distance_ps(w, o) > wait_ps:
            found = o
        rank = lowest_from(bits, rank + 1)
    decided(w, looks)
    return found


def yielding(w: World, loose: Table, bits: Table) -> Any:
    """Return the victim for a step that cannot wait, or NONE: O(log n).

    ``bits`` are the ranks that may leave, all or those of one tenant, ``loose`` those of them that
    may do so at once. The lowest of these that is clean, or better made again, and not used within
    the horizon; failing that, what loses least among those of the weakest strength that is there,
    first of what is loose, then of the rest; of equal losses what is used last.
    """
    phase = w.run[PHASE]
    rank = lowest_from(loose, 0)
    looks = 0
    while rank != NONE and looks < MOST_TRIES // 2:
        looks += 1
        o = w.ranked[phase, rank]
        if distance_ps(w, o) > w.run[HORIZON_PS] and (w.obj[DIRTY, o] == 0 or forgettable(w, o)):
            decided(w, looks)
            return o
        rank = lowest_from(loose, rank + 1)
    decided(w, looks)
    lowest = lowest_from(bits, 0)
    if lowest == NONE:
        return NONE
    weakest = w.strength[phase, w.ranked[phase, lowest]]
    found = cheapest_to_lose(w, loose, weakest)
    return cheapest_to_lose(w, bits, weakest) if found == NONE else found


def cheapest_to_lose(w: World, bits: Table, strength: int) -> Any:
    """Return what loses least of the lowest ranks of one strength, or NONE."""
    phase = w.run[PHASE]
    rank = lowest_from(bits, 0)
    found = NONE
    least = NEVER
    latest = NONE
    looks = 0
    while rank != NONE and looks < MOST_TRIES // 2:
        looks += 1
        o = w.ranked[phase, rank]
        if w.strength[phase, o] == strength:
            loss, until = losing(w, o), distance_ps(w, o)
            if loss < least or (loss == least and until > latest):
                found, least, latest = o, loss, until
        rank = lowest_from(bits, rank + 1)
    decided(w, looks)
    return found
