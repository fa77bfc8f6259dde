"""What is fetched next, and what leaves for it: the nearest planned use first."""

from typing import Any

from mirc.controller.observe import leave
from mirc.controller.score import distance_ps, due_of
from mirc.controller.veto import has_room, too_soon
from mirc.kernels.events import FARTHER, NEEDED, NO_ROOM, REFUSE, record
from mirc.kernels.lists import first
from mirc.kernels.moves import fetch
from mirc.kernels.offers import age_head
from mirc.kernels.ranks import lowest_from
from mirc.kernels.world import (
    ABSENT,
    AGE_NEXT,
    AT,
    CLOCK_PS,
    CURSOR,
    DEPTH,
    DIRTY,
    HELD,
    HOME,
    HORIZON_PS,
    INTENT,
    INWARD,
    LRU_PREFETCH,
    NEAR,
    NONE,
    OUTSTANDING,
    PHASE,
    POLICY,
    PREFETCH,
    REFUSED,
    REFUSED_WHY,
    SERVER,
    SIZE,
    STATE,
    USES,
    World,
)

MOST_FETCHES = 64  # decided at one moment: more would be queued behind each other anyway
MOST_TRIES = 64  # victims looked at for one prefetch


def look_ahead(w: World) -> None:
    """Queue the next prefetches, until the links have enough to do or one is refused."""
    for _ in range(MOST_FETCHES):
        o = next_missing(w)
        if o == NONE:
            return
        server = w.link[SERVER, w.route[INWARD, w.obj[HOME, o], 1]]
        if w.srv[OUTSTANDING, server] >= w.run[DEPTH]:
            return
        why = admit(w, o, due_of(w, w.run[CURSOR]) - w.run[CLOCK_PS])
        if why != NEEDED:
            refuse(w, o, why)
            return
        fetch(w, o, PREFETCH)
        w.run[CURSOR] += 1


def next_missing(w: World) -> Any:
    """Return the object of the nearest planned use that is not near, or NONE: O(1), amortised."""
    phase = w.run[PHASE]
    uses = w.phase[USES, phase]
    end = w.run[AT] + uses
    use = max(w.run[CURSOR], w.run[AT])
    found = NONE
    while use < end and found == NONE:
        o = w.order[phase, use % uses]
        if w.obj[STATE, o] == ABSENT and w.obj[HOME, o] != NONE and w.obj[HELD, o] == 0:
            found = o
        else:
            use += 1
    w.run[CURSOR] = use
    return found


def admit(w: World, o: int, wait_ps: int) -> Any:
    """Make room for a prefetch if it may have it: NEEDED, or why not."""
    if has_room(w, o):
        return NEEDED
    why = too_soon(w, o, wait_ps)
    if why != NEEDED:
        return why
    for _ in range(MOST_TRIES):
        victim = displaced(w, wait_ps)
        if victim == NONE or not leave(w, victim, FARTHER):
            return NO_ROOM
        if has_room(w, o):
            return NEEDED
        if w.obj[STATE, victim] != ABSENT:
            return NO_ROOM  # it is being written back first
    return NO_ROOM


def displaced(w: World, wait_ps: int) -> Any:
    """Return a clean object that is used later than ``wait_ps`` from now, or NONE.

    Intent takes the lowest rank; the same prefetcher over LRU takes the oldest, whenever that is
    used; a static placement displaces nothing.
    """
    if w.run[POLICY] == LRU_PREFETCH:
        oldest = first(w.lists, AGE_NEXT, age_head(w))
        return NONE if oldest == age_head(w) else oldest
    if w.run[POLICY] == INTENT:
        return farther(w, max(wait_ps, w.run[HORIZON_PS]))
    return NONE


def farther(w: World, wait_ps: int) -> Any:
    """Return the lowest-ranked clean object that is used later than ``wait_ps``, or NONE."""
    phase = w.run[PHASE]
    rank = lowest_from(w.bits, 0)
    for _ in range(MOST_TRIES):
        if rank == NONE:
            return NONE
        o = w.ranked[phase, rank]
        if w.obj[DIRTY, o] == 0 and distance_ps(w, o) > wait_ps:
            return o
        rank = lowest_from(w.bits, rank + 1)
    return NONE


def refuse(w: World, o: int, why: int) -> None:
    """Log a refusal, once for as long as it stands."""
    if w.run[REFUSED] == o and w.run[REFUSED_WHY] == why:
        return
    w.run[REFUSED] = o
    w.run[REFUSED_WHY] = why
    record(w, REFUSE, o, w.obj[HOME, o], NEAR, w.obj[SIZE, o], why)
