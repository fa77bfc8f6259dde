"""The victims of the policies that know no intent, and room made by any policy's."""

from typing import Any

from mirc.controller.execute import yielding
from mirc.controller.observe import leave, lost
from mirc.kernels.events import PRESSURE
from mirc.kernels.heap import pop
from mirc.kernels.links import hurry_writebacks, queue_of
from mirc.kernels.lists import first, last
from mirc.kernels.moves import cancel
from mirc.kernels.offers import age_head, by_rank
from mirc.kernels.world import (
    AGE_NEXT,
    BEGUN,
    BELADY,
    HEAPED,
    LEAVING_BYTES,
    MRU,
    NEXT_USE,
    NONE,
    OFFERED,
    POLICY,
    PREFETCH,
    QUEUE_NEXT,
    World,
    free_bytes,
)


def victim(w: World) -> Any:
    """Return what the policy evicts next, or NONE: O(1), or O(log n) by rank or next use."""
    if by_rank(w):
        return yielding(w)
    if w.run[POLICY] == BELADY:
        return farthest(w)
    head = age_head(w)
    o = last(w.lists, AGE_NEXT, head) if w.run[POLICY] == MRU else first(w.lists, AGE_NEXT, head)
    return NONE if o == head else o


def farthest(w: World) -> Any:
    """Return the object whose true next use is farthest, or NONE: O(log n), amortised.

    Entries of objects that have been used, or have left, since they were made are skipped.
    """
    while w.run[HEAPED] > 0:
        key, o = w.heap[0, 0], w.heap[1, 0]
        pop(w.heap, w.run[HEAPED])
        w.run[HEAPED] -= 1
        if w.obj[OFFERED, o] == 1 and w.obj[NEXT_USE, o] == key:
            return o
    return NONE


def make_room(w: World, size: int) -> Any:
    """Evict until ``size`` bytes of near memory are free or soon will be; tell if they are free."""
    while free_bytes(w) + w.run[LEAVING_BYTES] < size:
        o = victim(w)
        if o != NONE:
            leave(w, o, PRESSURE)
        elif not take_back(w):
            break
    if free_bytes(w) >= size:
        return True
    hurry_writebacks(w)
    return False


def take_back(w: World) -> bool:
    """Cancel the prefetch that was queued last and has not begun; False if there is none."""
    for server in range(w.srv.shape[1]):
        head = queue_of(w, server, PREFETCH)
        o = last(w.lists, QUEUE_NEXT, head)
        if o != head and w.obj[BEGUN, o] == 0:
            cancel(w, o)
            lost(w, o)
            return True
    return False
