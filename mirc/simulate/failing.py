"""What fails, onto the world: links that slow or stop, memories that shrink, what is lost."""

import numpy as np

from mirc.kernels import world as k
from mirc.kernels.links import hop_link, on_last_hop
from mirc.kernels.lists import first, prepend
from mirc.kernels.moves import retire
from mirc.kernels.offers import rerank
from mirc.kernels.world import QUEUE_NEXT, Table, World
from mirc.simulate.model import Ints
from mirc.simulate.victims import make_room


def pace(w: World, link: int, service: Table) -> None:
    """Give a link other times: ``service`` is how long each object then occupies it.

    What is on the link or was cut there goes on at the new pace.
    """
    before = w.service[link].copy()
    w.service[link] = service
    server = int(w.link[k.SERVER, link])
    _pause(w, server, link)
    for priority in range(3):
        head = w.obj.shape[1] + 3 * server + priority
        o = first(w.lists, QUEUE_NEXT, head)
        while o != head:
            if hop_link(w, o) == link:
                left = int(w.obj[k.LEFT_PS, o])
                new = int(service[o])
                if left != before[o]:  # a part has crossed: never taken for a whole one again
                    new = max(0, min(new - 1, left * new // max(1, int(before[o]))))
                w.obj[k.LEFT_PS, o] = new
                w.srv[k.BACKLOG + priority, server] += new - left
            o = w.lists[QUEUE_NEXT, o]


def stop(w: World, link: int, until_ps: int) -> None:
    """Let nothing cross a link until a time; what was crossing waits and goes on then."""
    w.link[k.RESUMES_PS, link] = until_ps
    _pause(w, int(w.link[k.SERVER, link]), link)


def _pause(w: World, server: int, link: int) -> None:
    """Take what crosses a link off it, and put it before all that waits there."""
    o = w.srv[k.ACTIVE, server]
    if o == k.NONE or w.srv[k.ON_LINK, server] != link:
        return
    served = w.run[k.NOW] - w.srv[k.START_PS, server]
    w.ledger[k.LEDGER_BUSY, link] += served
    w.srv[k.ACTIVE, server] = k.NONE
    # At least a picosecond counts as crossed: a whole transfer would be begun, and counted, anew.
    w.obj[k.LEFT_PS, o] = max(0, w.obj[k.LEFT_PS, o] - max(1, served))
    w.obj[k.LEG, o] = k.WAITING
    head = w.obj.shape[1] + 3 * server + w.obj[k.CLASS, o]
    prepend(w.lists, QUEUE_NEXT, head, o)
    w.srv[k.BACKLOG + w.obj[k.CLASS, o], server] += w.obj[k.LEFT_PS, o]


def shrink(w: World, memory: int, usable: int) -> int:
    """Make a memory smaller, as far as what it holds can leave; return what it still has."""
    if memory == k.NEAR and usable < w.mem[k.CAPACITY, memory]:
        make_room(w, k.NONE, int(w.mem[k.CAPACITY, memory]) - usable)
    left = max(usable, int(w.mem[k.USED, memory]))
    staging = int(w.mem[k.CAPACITY, memory] - w.mem[k.HOMES, memory])
    w.mem[k.CAPACITY, memory] = left
    if memory != k.NEAR:
        w.mem[k.HOMES, memory] = max(left - staging, int(w.mem[k.HOME_BYTES, memory]))
    return left


def fill(w: World, memory: int) -> int:
    """Let a memory below take no more backing copies; return the bytes that it holds of them."""
    w.mem[k.HOMES, memory] = w.mem[k.HOME_BYTES, memory]
    return int(w.mem[k.HOME_BYTES, memory])


def end_tenant(w: World, objects: Ints) -> int:
    """End the life of all that a tenant has, near and below; return how many bytes were near.

    What is crossing a link vanishes when it has landed. Steps go on without it.
    """
    near = 0
    for o in objects.tolist():
        if w.obj[k.STATE, o] != k.ABSENT:
            near += int(w.obj[k.SIZE, o])
            if w.obj[k.MADE, o] == 0:
                w.run[k.STREAM_BYTES] -= w.obj[k.SIZE, o]
        w.obj[k.MADE, o] = 1  # nothing of it remains, no master either
        w.obj[k.GONE, o] = 1
        retire(w, o)
    return near


def lie(w: World, objects: Ints) -> int:
    """Let the plan say of each object what holds for another of its size; return how many moved.

    That is a router whose announcements are wrong, its chances and its plan: as much is prefetched,
    only not what comes. Whoever learns finds in ``BEARS`` what it is told from now on.
    """
    said = np.arange(w.obj.shape[1])
    for size in np.unique(w.obj[k.SIZE, objects]):
        alike = objects[w.obj[k.SIZE, objects] == size]
        said[alike] = np.roll(alike, 1)
    meant = np.argsort(said)
    planned = w.order >= 0
    w.order[planned] = said[w.order[planned]]
    for table in (w.first, w.horizon, w.rank, w.chance, w.worth, w.departs):
        table[:] = table[:, meant]
    w.obj[k.BEARS] = w.obj[k.BEARS, meant]
    w.place[:] = w.place[:, :, meant]
    for phase in range(w.rank.shape[0]):
        w.ranked[phase, w.rank[phase]] = np.arange(w.rank.shape[1])
    if w.run[k.PHASE] != k.NONE:
        rerank(w)
    return int((said != np.arange(len(said))).sum())


def damage(w: World, o: int, times: int) -> str:
    """Let the next ``times`` hops of an object arrive damaged; say where it is now."""
    w.obj[k.FAILS, o] += times
    if w.obj[k.CLASS, o] == k.NONE:
        return "not on its way"
    return "on its last hop" if on_last_hop(w, o) else "on its way"
