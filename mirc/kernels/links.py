"""Queued transfers into the times at which they begin, pause and land.

Each server (a link, or the links of one root) has a ring of waiting transfers per class and serves
the most urgent first, in order of arrival. A transfer is cut at the end of a chunk for a more
urgent one and goes on later. A route of several links is stored and forwarded: the next hop begins
when the whole object has landed, and until it has left again it occupies the memory between.
"""

from typing import Any

from mirc.kernels.counts import DEFERRED, DEFERRED_PS
from mirc.kernels.events import (
    DAMAGED,
    FAIL,
    LAND,
    NEEDED,
    PLANNED,
    PRESSURE,
    START,
    record,
)
from mirc.kernels.lists import append, first, prepend, remove
from mirc.kernels.residency import arrive, give_up
from mirc.kernels.routes import chunk_end
from mirc.kernels.world import (
    ACTIVE,
    BACKLOG,
    BEGUN,
    BROKEN,
    CAPACITY,
    CLASS,
    CUT,
    DEMAND,
    DOOMED,
    END_PS,
    FAILS,
    FAULT,
    FAULT_OBJECT,
    FLYING,
    HOP,
    INWARD,
    LATENCY_PS,
    LEDGER_BUSY,
    LEFT_PS,
    LEG,
    NEVER,
    NONE,
    NOW,
    ON_LINK,
    ORIGIN,
    OUTSTANDING,
    PATH,
    PREFETCH,
    QUEUE_NEXT,
    READY_PS,
    RESUMES_PS,
    SERVED,
    SERVER,
    SIZE,
    SOURCE,
    START_PS,
    TARGET,
    TRIED,
    UNPACK_PS,
    USED,
    WAITING,
    WAY,
    WRITEBACK,
    World,
    take,
)

MOST_RETRIES = 3  # of one hop; then a prefetch is given up, and a demand ends the run by name


def queue_of(w: World, server: int, priority: int) -> Any:
    """Return the head of a server's ring of one class."""
    return w.obj.shape[1] + 3 * server + priority


def flight_of(w: World, link: int) -> Any:
    """Return the head of the list of what has left a link and not landed."""
    return w.obj.shape[1] + 3 * w.srv.shape[1] + link


def hop_link(w: World, o: int) -> Any:
    """Return the link of the hop that a transfer waits for or is on."""
    return w.route[w.obj[WAY, o], w.obj[PATH, o], 1 + w.obj[HOP, o]]


def on_last_hop(w: World, o: int) -> Any:
    """Tell whether no link follows the present one."""
    return w.obj[HOP, o] + 1 == w.route[w.obj[WAY, o], w.obj[PATH, o], 0]


def enqueue(w: World, o: int) -> None:
    """Let a transfer wait for its hop, behind those of its class."""
    link = hop_link(w, o)
    w.obj[LEG, o] = WAITING
    w.obj[LEFT_PS, o] = w.service[link, o]
    _line_up(w, o, w.link[SERVER, link])


def hurry(w: World, o: int) -> None:
    """Give a transfer under way the class of a demand."""
    if w.obj[LEG, o] != WAITING:
        w.obj[CLASS, o] = DEMAND
        return
    _step_out(w, o)
    w.obj[CLASS, o] = DEMAND
    _line_up(w, o, w.link[SERVER, hop_link(w, o)])


def hurry_writebacks(w: World) -> None:
    """Give all waiting write-backs the class of a demand: a step needs their room."""
    for server in range(w.srv.shape[1]):
        head = queue_of(w, server, WRITEBACK)
        o = first(w.lists, QUEUE_NEXT, head)
        while o != head:
            hurry(w, o)
            o = first(w.lists, QUEUE_NEXT, head)


def withdraw_transfer(w: World, o: int) -> None:
    """Forget a transfer that waits and has used no link."""
    _step_out(w, o)
    _count_out(w, o)
    w.obj[CLASS, o] = NONE


def next_event(w: World) -> Any:
    """Return the time at which a link next becomes free or something lands: O(links)."""
    soonest = NEVER
    for server in range(w.srv.shape[1]):
        if w.srv[ACTIVE, server] != NONE and w.srv[END_PS, server] < soonest:
            soonest = w.srv[END_PS, server]
    for link in range(w.link.shape[1]):
        head = flight_of(w, link)
        o = first(w.lists, QUEUE_NEXT, head)
        if o != head and w.obj[READY_PS, o] < soonest:
            soonest = w.obj[READY_PS, o]
        if w.run[NOW] < w.link[RESUMES_PS, link] < soonest:
            soonest = w.link[RESUMES_PS, link]
    return soonest


def settle(w: World) -> None:
    """Do all that links do at the present time."""
    for server in range(w.srv.shape[1]):
        if w.srv[ACTIVE, server] != NONE and w.srv[END_PS, server] <= w.run[NOW]:
            _end_service(w, server)
    for link in range(w.link.shape[1]):
        head = flight_of(w, link)
        o = first(w.lists, QUEUE_NEXT, head)
        while o != head and w.obj[READY_PS, o] <= w.run[NOW]:
            _land(w, link, o)
            o = first(w.lists, QUEUE_NEXT, head)
    dispatch(w)


def dispatch(w: World) -> None:
    """Let every idle server begin its most urgent transfer that has a place to go to."""
    for server in range(w.srv.shape[1]):
        if w.srv[ACTIVE, server] == NONE:
            for priority in range(3):
                head = queue_of(w, server, priority)
                o = _first_to_run(w, head)
                if o != head and _begin(w, server, o):
                    _defer(w, server, o)
                    break


def _first_to_run(w: World, head: int) -> Any:
    """Return the oldest of a ring whose link does not stand still, or the head."""
    o = first(w.lists, QUEUE_NEXT, head)
    while o != head and w.link[RESUMES_PS, hop_link(w, o)] > w.run[NOW]:
        o = w.lists[QUEUE_NEXT, o]
    return o


def _line_up(w: World, o: int, server: int) -> None:
    priority = w.obj[CLASS, o]
    append(w.lists, QUEUE_NEXT, queue_of(w, server, priority), o)
    w.srv[BACKLOG + priority, server] += w.obj[LEFT_PS, o]
    active = w.srv[ACTIVE, server]
    if active != NONE and w.srv[CUT, server] == 0 and w.obj[CLASS, active] > priority:
        _cut(w, server)


def _step_out(w: World, o: int) -> None:
    """Take a waiting transfer out of its ring."""
    remove(w.lists, QUEUE_NEXT, o)
    w.srv[BACKLOG + w.obj[CLASS, o], w.link[SERVER, hop_link(w, o)]] -= w.obj[LEFT_PS, o]


def _defer(w: World, server: int, o: int) -> None:
    """Count a write-back that waits on while something more urgent begins."""
    if w.obj[CLASS, o] < WRITEBACK and w.srv[BACKLOG + WRITEBACK, server] > 0:
        w.counts[DEFERRED] += 1
        w.counts[DEFERRED_PS] += w.obj[LEFT_PS, o]


def _cut(w: World, server: int) -> None:
    """Let service end with the chunk that is crossing the link now, if that is not the last."""
    boundary = chunk_end(w, server)
    if boundary < w.srv[END_PS, server]:
        w.srv[END_PS, server] = boundary
        w.srv[CUT, server] = 1


def _begin(w: World, server: int, o: int) -> bool:
    """Start or resume service, unless the memory between has no room for it."""
    link = hop_link(w, o)
    fresh = w.obj[LEFT_PS, o] == w.service[link, o]
    if fresh and not on_last_hop(w, o):
        between = w.link[TARGET, link]
        if w.mem[CAPACITY, between] - w.mem[USED, between] < w.obj[SIZE, o]:
            return False
        take(w, between, w.obj[SIZE, o])
    _step_out(w, o)
    w.srv[ACTIVE, server] = o
    w.srv[ON_LINK, server] = link
    w.srv[START_PS, server] = w.run[NOW]
    w.srv[END_PS, server] = w.run[NOW] + w.obj[LEFT_PS, o]
    w.srv[CUT, server] = 0
    w.obj[LEG, o] = SERVED
    w.obj[BEGUN, o] = 1
    if fresh:
        origin = w.obj[ORIGIN, o]
        w.ledger[origin, link] += w.obj[SIZE, o]
        why = NEEDED if origin == DEMAND else PLANNED if origin == PREFETCH else PRESSURE
        record(w, START, o, w.link[SOURCE, link], w.link[TARGET, link], w.obj[SIZE, o], why)
    return True


def _end_service(w: World, server: int) -> None:
    o = w.srv[ACTIVE, server]
    link = w.srv[ON_LINK, server]
    served = w.run[NOW] - w.srv[START_PS, server]
    w.ledger[LEDGER_BUSY, link] += served
    w.srv[ACTIVE, server] = NONE
    if w.srv[CUT, server] == 1:
        w.obj[LEFT_PS, o] -= served
        w.obj[LEG, o] = WAITING
        prepend(w.lists, QUEUE_NEXT, queue_of(w, server, w.obj[CLASS, o]), o)
        w.srv[BACKLOG + w.obj[CLASS, o], server] += w.obj[LEFT_PS, o]
        return
    _count_out(w, o)
    w.obj[LEG, o] = FLYING
    w.obj[READY_PS, o] = w.run[NOW] + w.link[LATENCY_PS, link]
    if w.obj[WAY, o] == INWARD and on_last_hop(w, o):
        w.obj[READY_PS, o] += w.obj[UNPACK_PS, o]
    append(w.lists, QUEUE_NEXT, flight_of(w, link), o)


def _count_out(w: World, o: int) -> None:
    """End a prefetch's claim to its first link's attention."""
    if w.obj[ORIGIN, o] == PREFETCH and w.obj[WAY, o] == INWARD and w.obj[HOP, o] == 0:
        w.srv[OUTSTANDING, w.link[SERVER, hop_link(w, o)]] -= 1


def _land(w: World, link: int, o: int) -> None:
    remove(w.lists, QUEUE_NEXT, o)
    source, target = w.link[SOURCE, link], w.link[TARGET, link]
    if w.obj[FAILS, o] > 0 and w.obj[DOOMED, o] == 0:  # nobody minds what only comes to vanish
        _arrived_damaged(w, o, source, target)
        return
    w.obj[TRIED, o] = 0
    why = NEEDED if w.obj[CLASS, o] == DEMAND else PLANNED
    record(w, LAND, o, source, target, w.obj[SIZE, o], why)
    if w.obj[HOP, o] > 0:
        w.mem[USED, source] -= w.obj[SIZE, o]
    if on_last_hop(w, o):
        arrive(w, o)
        return
    w.obj[HOP, o] += 1
    enqueue(w, o)


def _arrived_damaged(w: World, o: int, source: int, target: int) -> None:
    """Let a hop be made anew: what was sent is still where it was.

    After ``MOST_RETRIES`` a prefetch is given up; a demand, which a step cannot do without, ends
    the run. A write-back goes on being tried as long as no step waits for its room.
    """
    w.obj[FAILS, o] -= 1
    w.obj[TRIED, o] += 1
    record(w, FAIL, o, source, target, w.obj[SIZE, o], DAMAGED)
    if not on_last_hop(w, o):
        w.mem[USED, target] -= w.obj[SIZE, o]
    if w.obj[TRIED, o] > MOST_RETRIES and w.obj[CLASS, o] == PREFETCH:
        w.obj[TRIED, o] = 0
        if w.obj[HOP, o] > 0:
            w.mem[USED, source] -= w.obj[SIZE, o]
        give_up(w, o, DAMAGED)
        return
    if w.obj[TRIED, o] > MOST_RETRIES and w.obj[CLASS, o] == DEMAND:
        w.run[FAULT] = BROKEN
        w.run[FAULT_OBJECT] = o
    if w.obj[ORIGIN, o] == PREFETCH and w.obj[WAY, o] == INWARD and w.obj[HOP, o] == 0:
        w.srv[OUTSTANDING, w.link[SERVER, hop_link(w, o)]] += 1
    enqueue(w, o)
