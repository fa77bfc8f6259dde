"""A link that all transfers share evenly, by virtual time: O(log n) a transfer.

Virtual time is the service that every transfer under way has had: with n of them it runs at 1/n.
A transfer ends when virtual time has grown by what it takes alone, so the order of ends never
changes.
Source: processor sharing, Kleinrock, Queueing Systems II (1976), 4.4; virtual time as in Demers,
Keshav and Shenker, Analysis and simulation of a fair queueing algorithm (SIGCOMM 1989).
"""

from typing import Any

from mirc.kernels.tiers.state import (
    DUE,
    FINE,
    HEAPS,
    NEVER,
    NOW,
    SINCE,
    VIRTUAL,
    WAITING,
    Tiers,
)

_REBASE = 1 << 60


def join(t: Tiers, server: int, job: int, service_ps: int) -> None:
    """Let a job share a server from now on."""
    _catch_up(t, server)
    keys = HEAPS + 2 * server
    jobs = keys + 1
    key = t.few[VIRTUAL, server] + service_ps * FINE
    at = t.few[WAITING, server]
    t.few[WAITING, server] += 1
    while at > 0:
        parent = (at - 1) // 2
        if t.many[keys, parent] <= key:
            break
        t.many[keys, at] = t.many[keys, parent]
        t.many[jobs, at] = t.many[jobs, parent]
        at = parent
    t.many[keys, at] = key
    t.many[jobs, at] = job
    _schedule(t, server)


def leave(t: Tiers, server: int) -> Any:
    """End the job that is due on a server, and return it."""
    keys = HEAPS + 2 * server
    jobs = keys + 1
    done = t.many[jobs, 0]
    t.few[VIRTUAL, server] = t.many[keys, 0]
    t.few[SINCE, server] = t.run[NOW]
    t.few[WAITING, server] -= 1
    count = t.few[WAITING, server]
    key, job = t.many[keys, count], t.many[jobs, count]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and t.many[keys, child + 1] < t.many[keys, child]:
            child += 1
        if t.many[keys, child] >= key:
            break
        t.many[keys, at] = t.many[keys, child]
        t.many[jobs, at] = t.many[jobs, child]
        at = child
    t.many[keys, at] = key
    t.many[jobs, at] = job
    _rebase(t, server)
    _schedule(t, server)
    return done


def _catch_up(t: Tiers, server: int) -> None:
    count = t.few[WAITING, server]
    if count > 0:
        t.few[VIRTUAL, server] += (t.run[NOW] - t.few[SINCE, server]) * FINE // count
    t.few[SINCE, server] = t.run[NOW]


def _schedule(t: Tiers, server: int) -> None:
    count = t.few[WAITING, server]
    if count == 0:
        t.few[DUE, server] = NEVER
        return
    left = max(0, t.many[HEAPS + 2 * server, 0] - t.few[VIRTUAL, server])
    t.few[DUE, server] = t.few[SINCE, server] + (left * count + FINE - 1) // FINE


def _rebase(t: Tiers, server: int) -> None:
    """Count virtual time from 0 again before it leaves 64 bits."""
    if t.few[VIRTUAL, server] < _REBASE:
        return
    for at in range(t.few[WAITING, server]):
        t.many[HEAPS + 2 * server, at] -= t.few[VIRTUAL, server]
    t.few[VIRTUAL, server] = 0
