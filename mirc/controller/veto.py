"""What must not leave near memory, or not be fetched yet: a reason code for each refusal."""

from typing import Any

from mirc.controller.messages import Seen, Verdict, Wish
from mirc.kernels.events import ENOUGH_AHEAD, NEEDED, TOO_EARLY
from mirc.kernels.quotas import excess
from mirc.kernels.routes import bare_ps
from mirc.kernels.world import (
    CAPACITY,
    HOME,
    HORIZON_PS,
    INWARD,
    MADE,
    NEAR,
    NONE,
    PHASE,
    RING_BYTES,
    SIZE,
    World,
)


def judge(w: World, seen: Seen, wish: Wish) -> Any:
    """Rule on a wish: what has room is granted, the rest unless it is too soon for it."""
    o = wish.object
    if o == NONE or (excess(w, o) == 0 and has_room(w, seen, o)):
        return Verdict(o, wish.wait_ps, NEEDED, 1)
    if excess(w, o) == 0 and comes_back(w, seen, o, wish.wait_ps):
        return Verdict(o, wish.wait_ps, NEEDED, 1)
    return Verdict(o, wish.wait_ps, too_soon(w, seen, o, wish.wait_ps), 0)


def window_ps(w: World, o: int) -> Any:
    """Return how long before its use an object must be asked for: transfer, widening and margin.

    Over idle links; the margin is a quarter of both.
    """
    return bare_ps(w, o, INWARD, w.obj[HOME, o]) * 5 // 4


def horizon_of(w: World, o: int) -> Any:
    """Return how long before its use an object's prefetch may displace others.

    The plan's horizon, between half of the run's and the whole: a deeper one only takes room, a
    shallower one does not cover the transfers that are queued before it. Never less than its own
    window.
    """
    most = w.run[HORIZON_PS]
    planned = w.horizon[w.run[PHASE], o]
    if planned < 0 or planned > most:
        return max(most, window_ps(w, o))
    return max(planned, most // 2, window_ps(w, o))


def has_room(w: World, seen: Seen, o: int) -> Any:
    """Tell whether an object fits beside what the run itself makes, at that thing's highest."""
    spare = w.mem[CAPACITY, NEAR] - seen.made_bytes - seen.streamed_bytes
    return spare >= w.obj[SIZE, o] and seen.free_bytes >= w.obj[SIZE, o]


def comes_back(w: World, seen: Seen, o: int, wait_ps: int) -> Any:
    """Tell whether something that the run made and lies below has free room to come back to.

    Room kept for what the run makes at its highest is kept for this, too, from the plan's horizon
    on; as much of such things as one of them or the ring may lie ready unused, and one more.
    """
    if w.obj[MADE, o] == 0 or seen.free_bytes < w.obj[SIZE, o]:
        return False
    if seen.ahead_bytes > max(w.obj[SIZE, o], w.run[RING_BYTES]):
        return False
    return wait_ps <= max(horizon_of(w, o), w.horizon[w.run[PHASE], o])


def too_soon(w: World, seen: Seen, o: int, wait_ps: int) -> Any:
    """Return why a prefetch must not make room for itself yet, or NEEDED if it may."""
    if wait_ps > horizon_of(w, o):
        return TOO_EARLY
    if seen.ahead_bytes > 0 and seen.ahead_bytes + w.obj[SIZE, o] > w.run[RING_BYTES]:
        return ENOUGH_AHEAD
    return NEEDED
