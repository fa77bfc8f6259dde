"""When a transfer lands into how long those that waited for it did."""

from typing import Any

from mirc.kernels.tiers.state import (
    ASKED,
    DEMAND_PS,
    DONE,
    LATE_PS,
    LATENCY_PS,
    NEVER,
    NEXT_WAITER,
    NONE,
    NUMBER,
    ORIGIN,
    PREFETCH,
    QUEUE_PS,
    SIZE_CLASS,
    SUBS,
    WAITERS,
    WAY,
    Tiers,
)


def wait_for(t: Tiers, slot: int, job: int) -> None:
    """Let an access wait for a job whose landing is not known yet."""
    t.wait[DONE, slot] = NEVER
    t.wait[NEXT_WAITER, slot] = t.job[WAITERS, job]
    t.job[WAITERS, job] = slot


def served_all(t: Tiers, job: int, lands: int) -> None:
    """End all accesses that wait for a job."""
    slot = t.job[WAITERS, job]
    while slot != NONE:
        waited = served(t, slot, lands)
        if t.job[ORIGIN, job] == PREFETCH:
            t.run[LATE_PS] += waited
        else:
            alone = min(waited, bare_ps(t, t.job[WAY, job], t.job[SIZE_CLASS, job]))
            t.run[DEMAND_PS] += alone
            t.run[QUEUE_PS] += waited - alone
        slot = t.wait[NEXT_WAITER, slot]
    t.job[WAITERS, job] = NONE


def served(t: Tiers, slot: int, at: int) -> Any:
    """End an access, and return how long it took."""
    t.wait[DONE, slot] = at
    waited = at - t.wait[ASKED, slot]
    t.spread[_bucket(waited)] += 1
    if t.wait[NUMBER, slot] < len(t.waits):
        t.waits[t.wait[NUMBER, slot]] = waited
    return waited


def bare_ps(t: Tiers, way: int, kind: int) -> Any:
    """Return what a transfer takes over idle links."""
    spent = 0
    for hop in range(t.way[way, 0]):
        link = t.way[way, 1 + hop]
        spent += t.service[link, kind] + t.link[LATENCY_PS, link]
    return spent


def _bucket(waited: int) -> Any:
    """Return the bucket of a wait: 16 to a doubling, so at most 1/16 too wide."""
    if waited < SUBS:
        return waited
    doublings = 0
    while waited >= 2 * SUBS:
        waited >>= 1
        doublings += 1
    return SUBS * (doublings + 1) + waited - SUBS
