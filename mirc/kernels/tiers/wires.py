"""Transfers asked for into the times at which they begin and land on the links of their way.

A server that takes turns has a clock (``FREE_AT``) and a ring of waiting jobs per class. Nothing
happens there before ``DUE``: a transfer that finds it idle begins at once, and from then on its end
is known, since nothing interrupts it. So most transfers cost no event; those that queue cost one
for each hop. A job ends, and is free for others, when the service of its last hop begins.
"""

from typing import Any

from mirc.kernels.lists import append, first, prepend, remove
from mirc.kernels.tiers.fair import join, leave
from mirc.kernels.tiers.state import (
    ACTIVE,
    ARRIVED,
    BEGUN,
    BUSY_PS,
    BYTES,
    CLASS,
    DEMAND,
    DUE,
    FLYING,
    FREE_AT,
    HOP,
    IN,
    JOBS,
    KIND,
    LANDS,
    LATENCY_PS,
    LINKS,
    MOVED,
    NEVER,
    NONE,
    NOW,
    OBJECT,
    ON_LINK,
    ORIGIN,
    OUT,
    PENDING,
    QUEUE,
    SERVER,
    SERVERS,
    SERVICE,
    SHARES,
    SIZE_CLASS,
    SOONEST,
    STAGED,
    TIERS,
    WAITED_PS,
    WAITERS,
    WAITING,
    WAY,
    WAYS,
    Tiers,
)
from mirc.kernels.tiers.waits import served_all
from mirc.kernels.tuning import inlined


@inlined
def send(t: Tiers, x: int, way: int, priority: int) -> Any:
    """Ask for a transfer of an object, and return its job; there has to be a free one."""
    job = first(t.many, QUEUE, _free(t))
    remove(t.many, QUEUE, job)
    t.run[PENDING] += 1
    t.many[OBJECT, job] = x
    t.many[CLASS, job] = priority
    t.many[ORIGIN, job] = priority
    t.many[WAY, job] = way
    t.many[HOP, job] = 0
    t.many[SIZE_CLASS, job] = t.obj[x, KIND]
    t.many[WAITERS, job] = NONE
    if way < t.run[TIERS]:
        t.obj[x, IN] = ~job
    else:
        t.obj[x, OUT] = ~job
        t.run[STAGED] += t.sizes[BYTES, t.obj[x, KIND]]
    return job


@inlined
def go(t: Tiers, job: int) -> None:
    """Let a job begin its first hop, or wait for it."""
    _arrive(t, job)


def hurry(t: Tiers, job: int) -> None:
    """Give a job under way the class of a demand."""
    if t.many[CLASS, job] == DEMAND:
        return
    server = t.few[SERVER, _link(t, job)]
    waits = t.many[LANDS, job] == NEVER and t.few[ACTIVE, server] != job
    if waits and t.few[SHARES, server] == 0:
        remove(t.many, QUEUE, job)
        append(t.many, QUEUE, _ring(server, DEMAND), job)
    t.many[CLASS, job] = DEMAND


@inlined
def advance(t: Tiers, until: int) -> None:
    """Let the links work until a time, and make it the present."""
    while t.run[SOONEST] <= until:
        step(t)
    t.run[NOW] = max(t.run[NOW], until)


def step(t: Tiers) -> None:
    """Do what is due next, everywhere: O(servers + links)."""
    t.run[NOW] = max(t.run[NOW], t.run[SOONEST])
    for server in range(t.run[SERVERS]):
        if t.few[DUE, server] <= t.run[NOW]:
            if t.few[SHARES, server] == 1:
                _end_share(t, server)
            else:
                _next_turn(t, server)
    if t.run[FLYING] > 0:
        for link in range(t.run[LINKS]):
            head = _flights(t, link)
            job = first(t.many, QUEUE, head)
            while job != head and t.many[LANDS, job] <= t.run[NOW]:
                remove(t.many, QUEUE, job)
                t.run[FLYING] -= 1
                t.many[HOP, job] += 1
                _arrive(t, job)
                job = first(t.many, QUEUE, head)
    _look_ahead(t)


def _look_ahead(t: Tiers) -> None:
    soonest = NEVER
    for server in range(t.run[SERVERS]):
        soonest = min(soonest, t.few[DUE, server])
    if t.run[FLYING] > 0:
        for link in range(t.run[LINKS]):
            head = _flights(t, link)
            job = first(t.many, QUEUE, head)
            if job != head:
                soonest = min(soonest, t.many[LANDS, job])
    t.run[SOONEST] = soonest


@inlined
def _arrive(t: Tiers, job: int) -> None:
    """Bring a job to the server of its hop."""
    link = _link(t, job)
    server = t.few[SERVER, link]
    t.many[ARRIVED, job] = t.run[NOW]
    t.many[LANDS, job] = NEVER
    if t.few[SHARES, server] == 1:
        _count(t, job, link)
        if t.few[WAITING, server] == 0:
            t.few[FREE_AT, server] = t.run[NOW]  # of one that shares: since when it is busy
        t.few[ON_LINK, server] = link
        join(t, server, job, t.sizes[SERVICE + link, t.many[SIZE_CLASS, job]])
    elif (
        t.few[WAITING, server] == 0
        and t.few[ACTIVE, server] == NONE
        and t.few[FREE_AT, server] <= t.run[NOW]
    ):
        _begin(t, server, link, job)
    else:
        append(t.many, QUEUE, _ring(server, t.many[CLASS, job]), job)
        t.few[WAITING, server] += 1
        t.few[DUE, server] = t.few[FREE_AT, server]
    t.run[SOONEST] = min(t.run[SOONEST], t.few[DUE, server])


@inlined
def _begin(t: Tiers, server: int, link: int, job: int) -> None:
    """Begin the service of a job on a server that takes turns, now."""
    _count(t, job, link)
    service = t.sizes[SERVICE + link, t.many[SIZE_CLASS, job]]
    ends = t.run[NOW] + service
    t.few[BUSY_PS, link] += service
    t.few[FREE_AT, server] = ends
    t.few[DUE, server] = ends if t.few[WAITING, server] > 0 else NEVER
    if _is_last(t, job):
        _commit(t, job, ends + t.few[LATENCY_PS, link])
    else:
        t.few[ACTIVE, server] = job
        t.few[ON_LINK, server] = link
        t.few[DUE, server] = ends


def _next_turn(t: Tiers, server: int) -> None:
    """End the service on a server, and begin that of the oldest of the most urgent class."""
    job = t.few[ACTIVE, server]
    if job != NONE:
        t.few[ACTIVE, server] = NONE
        _fly(t, job, t.few[ON_LINK, server])
    t.few[DUE, server] = NEVER
    for priority in range(3):
        head = _ring(server, priority)
        job = first(t.many, QUEUE, head)
        if job != head:
            remove(t.many, QUEUE, job)
            t.few[WAITING, server] -= 1
            _begin(t, server, _link(t, job), job)
            return


def _end_share(t: Tiers, server: int) -> None:
    """End the job that is due on a server that all share."""
    job = leave(t, server)
    link = _link(t, job)
    if t.few[WAITING, server] == 0:
        t.few[BUSY_PS, t.few[ON_LINK, server]] += t.run[NOW] - t.few[FREE_AT, server]
    if _is_last(t, job):
        _commit(t, job, t.run[NOW] + t.few[LATENCY_PS, link])
    else:
        _fly(t, job, link)


def _fly(t: Tiers, job: int, link: int) -> None:
    t.many[LANDS, job] = t.run[NOW] + t.few[LATENCY_PS, link]
    append(t.many, QUEUE, _flights(t, link), job)
    t.run[FLYING] += 1


@inlined
def _commit(t: Tiers, job: int, lands: int) -> None:
    """End a job whose landing is known."""
    x = t.many[OBJECT, job]
    inward = t.many[WAY, job] < t.run[TIERS]
    if x != NONE:
        column = IN if inward else OUT
        if t.obj[x, column] == ~job:
            t.obj[x, column] = lands
    if not inward:
        t.run[STAGED] -= t.sizes[BYTES, t.many[SIZE_CLASS, job]]
    served_all(t, job, lands)
    t.run[PENDING] -= 1
    prepend(t.many, QUEUE, _free(t), job)  # the one that was touched last is taken next


@inlined
def _count(t: Tiers, job: int, link: int) -> None:
    origin = t.many[ORIGIN, job]
    t.few[MOVED + origin, link] += t.sizes[BYTES, t.many[SIZE_CLASS, job]]
    t.few[BEGUN + origin, link] += 1
    t.few[WAITED_PS + origin, link] += t.run[NOW] - t.many[ARRIVED, job]


@inlined
def _link(t: Tiers, job: int) -> Any:
    return t.few[WAYS + t.many[WAY, job], 1 + t.many[HOP, job]]


@inlined
def _is_last(t: Tiers, job: int) -> Any:
    return t.many[HOP, job] + 1 == t.few[WAYS + t.many[WAY, job], 0]


@inlined
def _ring(server: int, priority: int) -> Any:
    return JOBS + 3 * server + priority


@inlined
def _flights(t: Tiers, link: int) -> Any:
    return JOBS + 3 * t.run[SERVERS] + link


@inlined
def _free(t: Tiers) -> Any:
    return JOBS + 3 * t.run[SERVERS] + t.run[LINKS]
