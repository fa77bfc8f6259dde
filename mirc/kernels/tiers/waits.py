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
    ORIGIN,
    PREFETCH,
    QUEUE_PS,
    SERVICE,
    SIZE_CLASS,
    SUBS,
    WAITERS,
    WAY,
    WAYS,
    Seen,
    Tiers,
)
from mirc.kernels.tuning import inlined


@inlined
def wait_for(t: Tiers, slot: int, job: int) -> None:
    """Let an access wait for a job whose landing is not known yet."""
    t.many[DONE, slot] = NEVER
    t.many[NEXT_WAITER, slot] = t.many[WAITERS, job]
    t.many[WAITERS, job] = slot


def served_all(t: Tiers, job: int, lands: int) -> None:
    """End all accesses that wait for a job."""
    slot = t.many[WAITERS, job]
    while slot != NONE:
        waited = served(t, slot, lands)
        if t.many[ORIGIN, job] == PREFETCH:
            t.run[LATE_PS] += waited
        else:
            alone = min(waited, bare_ps(t, t.many[WAY, job], t.many[SIZE_CLASS, job]))
            t.run[DEMAND_PS] += alone
            t.run[QUEUE_PS] += waited - alone
        slot = t.many[NEXT_WAITER, slot]
    t.many[WAITERS, job] = NONE


@inlined
def served(t: Tiers, slot: int, at: int) -> Any:
    """End an access, and return how long it took."""
    t.many[DONE, slot] = at
    return at - t.many[ASKED, slot]


@inlined
def note(t: Tiers, seen: Seen, slot: int, number: int) -> None:
    """Write down how long an access waited that is over; ``number`` counts them from 0."""
    if t.many[ASKED, slot] == NEVER:
        return
    waited = t.many[DONE, slot] - t.many[ASKED, slot]
    seen.spread[_bucket(waited)] += 1
    if number < len(seen.waits):
        seen.waits[number] = waited


def bare_ps(t: Tiers, way: int, kind: int) -> Any:
    """Return what a transfer takes over idle links."""
    spent = 0
    for hop in range(t.few[WAYS + way, 0]):
        link = t.few[WAYS + way, 1 + hop]
        spent += t.sizes[SERVICE + link, kind] + t.few[LATENCY_PS, link]
    return spent


@inlined
def _bucket(waited: int) -> Any:
    """Return the bucket of a wait: 16 to a doubling, so at most 1/16 too wide."""
    if waited < SUBS:
        return waited
    doublings = 0
    halving = 32
    while halving > 0:  # by 32, 16, 8, 4, 2 and 1 doublings, not one after another
        if waited >> halving >= SUBS:
            waited >>= halving
            doublings += halving
        halving >>= 1
    return SUBS * (doublings + 1) + waited - SUBS
