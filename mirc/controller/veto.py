"""What must not leave near memory, or not be fetched yet: a reason code for each refusal."""

from typing import Any

from mirc.kernels.events import ENOUGH_AHEAD, NEEDED, TOO_EARLY
from mirc.kernels.world import (
    AHEAD_BYTES,
    CAPACITY,
    HIGH,
    HORIZON_PS,
    NEAR,
    PHASE,
    RING_BYTES,
    SIZE,
    STREAM_BYTES,
    USED,
    World,
    free_bytes,
)


def horizon_of(w: World, o: int) -> Any:
    """Return how long before its use an object's prefetch may displace others.

    The plan's horizon, between half of the run's and the whole: a deeper one only takes room, a
    shallower one does not cover the transfers that are queued before it.
    """
    most = w.run[HORIZON_PS]
    planned = w.horizon[w.run[PHASE], o]
    if planned < 0 or planned > most:
        return most
    return max(planned, most // 2)


def has_room(w: World, o: int) -> Any:
    """Tell whether an object fits beside what the run itself makes, at that thing's highest."""
    made = max(w.run[HIGH], w.mem[USED, NEAR] - w.run[STREAM_BYTES])
    spare = w.mem[CAPACITY, NEAR] - made - w.run[STREAM_BYTES]
    return spare >= w.obj[SIZE, o] and free_bytes(w) >= w.obj[SIZE, o]


def too_soon(w: World, o: int, wait_ps: int) -> Any:
    """Return why a prefetch must not make room for itself yet, or NEEDED if it may."""
    if wait_ps > horizon_of(w, o):
        return TOO_EARLY
    if w.run[AHEAD_BYTES] > 0 and w.run[AHEAD_BYTES] + w.obj[SIZE, o] > w.run[RING_BYTES]:
        return ENOUGH_AHEAD
    return NEEDED
