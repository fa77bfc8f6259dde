"""A link that all transfers share evenly, by virtual time: O(log n) a transfer.

Virtual time is the service that every transfer under way has had: with n of them it runs at 1/n.
A transfer ends when virtual time has grown by what it takes alone, so the order of ends never
changes.
Source: processor sharing, Kleinrock, Queueing Systems II (1976), 4.4; virtual time as in Demers,
Keshav and Shenker, Analysis and simulation of a fair queueing algorithm (SIGCOMM 1989).
"""

from typing import Any

from mirc.kernels.tiers.state import DUE, FINE, NEVER, NOW, SINCE, VIRTUAL, WAITING, Tiers

_REBASE = 1 << 60


def join(t: Tiers, server: int, job: int, service_ps: int) -> None:
    """Let a job share a server from now on."""
    _catch_up(t, server)
    keys, jobs = 2 * server, 2 * server + 1
    key = t.srv[VIRTUAL, server] + service_ps * FINE
    at = t.srv[WAITING, server]
    t.srv[WAITING, server] += 1
    while at > 0:
        parent = (at - 1) // 2
        if t.heap[keys, parent] <= key:
            break
        t.heap[keys, at] = t.heap[keys, parent]
        t.heap[jobs, at] = t.heap[jobs, parent]
        at = parent
    t.heap[keys, at] = key
    t.heap[jobs, at] = job
    _schedule(t, server)


def leave(t: Tiers, server: int) -> Any:
    """End the job that is due on a server, and return it."""
    keys, jobs = 2 * server, 2 * server + 1
    done = t.heap[jobs, 0]
    t.srv[VIRTUAL, server] = t.heap[keys, 0]
    t.srv[SINCE, server] = t.run[NOW]
    t.srv[WAITING, server] -= 1
    count = t.srv[WAITING, server]
    key, job = t.heap[keys, count], t.heap[jobs, count]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and t.heap[keys, child + 1] < t.heap[keys, child]:
            child += 1
        if t.heap[keys, child] >= key:
            break
        t.heap[keys, at] = t.heap[keys, child]
        t.heap[jobs, at] = t.heap[jobs, child]
        at = child
    t.heap[keys, at] = key
    t.heap[jobs, at] = job
    _rebase(t, server)
    _schedule(t, server)
    return done


def _catch_up(t: Tiers, server: int) -> None:
    count = t.srv[WAITING, server]
    if count > 0:
        t.srv[VIRTUAL, server] += (t.run[NOW] - t.srv[SINCE, server]) * FINE // count
    t.srv[SINCE, server] = t.run[NOW]


def _schedule(t: Tiers, server: int) -> None:
    count = t.srv[WAITING, server]
    if count == 0:
        t.srv[DUE, server] = NEVER
        return
    left = max(0, t.heap[2 * server, 0] - t.srv[VIRTUAL, server])
    t.srv[DUE, server] = t.srv[SINCE, server] + (left * count + FINE - 1) // FINE


def _rebase(t: Tiers, server: int) -> None:
    """Count virtual time from 0 again before it leaves 64 bits."""
    if t.srv[VIRTUAL, server] < _REBASE:
        return
    for at in range(t.srv[WAITING, server]):
        t.heap[2 * server, at] -= t.srv[VIRTUAL, server]
    t.srv[VIRTUAL, server] = 0
