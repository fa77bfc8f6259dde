"""The victims of the policies that know no intent, and room made by any policy's."""

from typing import Any

from mirc.controller.execute import carry_out
from mirc.controller.messages import DISPLACE, Order
from mirc.controller.observe import lost
from mirc.controller.regret import least_regretted
from mirc.controller.schedule import yielding
from mirc.kernels.events import PRESSURE, QUOTA
from mirc.kernels.heap import pop
from mirc.kernels.links import hurry_writebacks, queue_of
from mirc.kernels.lists import first, last
from mirc.kernels.moves import cancel
from mirc.kernels.offers import age_head, by_rank
from mirc.kernels.quotas import excess
from mirc.kernels.ruled import ruled_out
from mirc.kernels.world import (
    AGE_NEXT,
    BEGUN,
    BELADY,
    CAUSE,
    HEAPED,
    LEAVING_BYTES,
    MRU,
    NEXT_USE,
    NONE,
    OFFERED,
    PARTING,
    POLICY,
    PREFETCH,
    QUEUE_NEXT,
    REGRET,
    RULED,
    TENANT,
    World,
    free_bytes,
)


def victim(w: World) -> Any:
    """Return what the policy evicts next, or NONE: O(1), or O(log n) by rank or next use."""
    if by_rank(w):
        return yielding(w, w.loose, w.bits)
    if w.run[POLICY] == BELADY:
        return farthest(w)
    if w.run[POLICY] == REGRET:
        return least_regretted(w)
    if w.run[POLICY] == RULED:
        return ruled_out(w)
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


def make_room(w: World, o: int, size: int) -> Any:
    """Evict until ``size`` bytes of near memory are free or soon will be; tell if they are free.

    They are for an object, or for the step's own working space: NONE.
    """
    while free_bytes(w) + w.run[LEAVING_BYTES] < size:
        found = victim(w)
        if found != NONE:
            carry_out(w, Order(DISPLACE, o, found, PRESSURE))
        elif not take_back(w, o, NONE):
            break
    if free_bytes(w) >= size:
        return True
    hurry_writebacks(w)
    return False


def own_room(w: World, o: int) -> Any:
    """Let what a tenant has leave until its quota has room for an absent object of it too.

    Tells if it has; what is being written back is free of it later.
    """
    tenant = w.obj[TENANT, o]
    if tenant == NONE:
        return True
    while excess(w, o) > w.tenant[PARTING, tenant]:
        found = yielding(w, w.own[tenant], w.own[tenant])
        if found != NONE:
            carry_out(w, Order(DISPLACE, o, found, QUOTA))
        elif not take_back(w, o, tenant):
            break
    if excess(w, o) == 0:
        return True
    hurry_writebacks(w)
    return False


def take_back(w: World, cause: int, tenant: int) -> bool:
    """Cancel the prefetch that was queued last and has not begun; False if there is none.

    Only a tenant's, if one is given.
    """
    for server in range(w.srv.shape[1]):
        head = queue_of(w, server, PREFETCH)
        o = last(w.lists, QUEUE_NEXT, head)
        while o != head and tenant not in (NONE, w.obj[TENANT, o]):
            o = w.lists[QUEUE_NEXT + 1, o]
        if o != head and w.obj[BEGUN, o] == 0:
            w.run[CAUSE] = cause
            cancel(w, o)
            w.run[CAUSE] = NONE
            lost(w, o)
            return True
    return False
