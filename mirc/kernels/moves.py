"""A decision into its effect: fetch, hurry, evict, keep, cancel, retire."""

from typing import Any

from mirc.kernels.events import (
    CANCEL,
    DROP,
    ISSUE,
    KEEP_EVENT,
    NEEDED,
    PLANNED,
    PRESSURE,
    PROMOTE,
    WRITE_BACK,
    record,
)
from mirc.kernels.links import enqueue, hop_link, hurry, withdraw_transfer
from mirc.kernels.offers import withdraw
from mirc.kernels.residency import doom, spend, vanish
from mirc.kernels.world import (
    ABSENT,
    AHEAD,
    AHEAD_BYTES,
    BEGUN,
    CAPACITY,
    CLASS,
    DIRTY,
    HOME,
    HOME_BYTES,
    HOMES,
    HOP,
    INCOMING,
    INWARD,
    ISSUED,
    LEAVING,
    LEAVING_BYTES,
    NEAR,
    NONE,
    ORIGIN,
    OUTSTANDING,
    OUTWARD,
    PREFETCH,
    RESIDENT,
    SERVER,
    SIZE,
    STATE,
    UNUSED,
    USED,
    WAY,
    WRITEBACK,
    WRITING,
    World,
    leave_near,
    take,
    take_near,
)


def fetch(w: World, o: int, priority: int) -> None:
    """Take near room for an absent object and queue its transfer; the room must be free."""
    w.obj[STATE, o] = INCOMING
    take_near(w, o)
    _engage(w, o, INWARD, priority)
    why = PLANNED if priority == PREFETCH else NEEDED
    record(w, ISSUE, o, w.obj[HOME, o], NEAR, w.obj[SIZE, o], why)
    if priority == PREFETCH:
        w.obj[AHEAD, o] = 1
        w.run[AHEAD_BYTES] += w.obj[SIZE, o]
        w.run[ISSUED] += 1
        w.srv[OUTSTANDING, w.link[SERVER, hop_link(w, o)]] += 1
    enqueue(w, o)


def promote(w: World, o: int) -> None:
    """Make a prefetch under way urgent: a step waits for it."""
    if w.obj[CLASS, o] == PREFETCH:
        record(w, PROMOTE, o, w.obj[HOME, o], NEAR, w.obj[SIZE, o], NEEDED)
        hurry(w, o)


def cancel(w: World, o: int) -> None:
    """Take back a prefetch that has used no link."""
    withdraw_transfer(w, o)
    w.obj[STATE, o] = ABSENT
    leave_near(w, o)
    w.run[UNUSED] += 1
    spend(w, o)
    record(w, CANCEL, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], PRESSURE)


def evict(w: World, o: int, why: int) -> bool:
    """Make an offered object leave: a clean copy at once, a dirty one when it is written back.

    False if that cannot be: it was changed while being written, or no memory below has room. It is
    then no longer offered until a step has used it again.
    """
    withdraw(w, o)
    if w.obj[DIRTY, o] == 1:
        if w.obj[WRITING, o] == 2:
            return False
        if w.obj[WRITING, o] == 0:
            if w.obj[HOME, o] == NONE and not _find_home(w, o):
                return False
            w.obj[WRITING, o] = 1
            _engage(w, o, OUTWARD, WRITEBACK)
            enqueue(w, o)
        record(w, WRITE_BACK, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], why)
        w.obj[STATE, o] = LEAVING
        w.run[LEAVING_BYTES] += w.obj[SIZE, o]
    else:
        w.obj[STATE, o] = ABSENT
        leave_near(w, o)
        record(w, DROP, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], why)
    if w.obj[AHEAD, o] == 1:
        w.run[UNUSED] += 1
    spend(w, o)
    return True


def keep(w: World, o: int) -> None:
    """Let a step have an object that was leaving; its write-back is taken back or completed."""
    w.obj[STATE, o] = RESIDENT
    w.run[LEAVING_BYTES] -= w.obj[SIZE, o]
    if w.obj[BEGUN, o] == 0:
        withdraw_transfer(w, o)
        w.obj[WRITING, o] = 0
        record(w, KEEP_EVENT, o, NEAR, NEAR, w.obj[SIZE, o], NEEDED)
    else:
        record(w, KEEP_EVENT, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], NEEDED)


def retire(w: World, o: int) -> None:
    """End an object's life, at once or when what is under way has landed."""
    if w.obj[CLASS, o] == NONE:
        vanish(w, o)
    elif w.obj[BEGUN, o] == 1:
        doom(w, o)
    elif w.obj[STATE, o] == INCOMING:
        cancel(w, o)
        vanish(w, o)
    else:
        if w.obj[STATE, o] == LEAVING:
            w.run[LEAVING_BYTES] -= w.obj[SIZE, o]
        withdraw_transfer(w, o)
        w.obj[WRITING, o] = 0
        vanish(w, o)


def _engage(w: World, o: int, way: int, priority: int) -> None:
    w.obj[WAY, o] = way
    w.obj[HOP, o] = 0
    w.obj[CLASS, o] = priority
    w.obj[ORIGIN, o] = priority
    w.obj[BEGUN, o] = 0


def _find_home(w: World, o: int) -> Any:
    """Reserve room for a backing copy in the nearest memory that has it and a way there."""
    size = w.obj[SIZE, o]
    for memory in range(1, w.mem.shape[1]):
        reachable = w.route[OUTWARD, memory, 0] > 0 and w.route[INWARD, memory, 0] > 0
        if (
            reachable
            and w.mem[HOMES, memory] - w.mem[HOME_BYTES, memory] >= size
            and w.mem[CAPACITY, memory] - w.mem[USED, memory] >= size
        ):
            w.obj[HOME, o] = memory
            w.mem[HOME_BYTES, memory] += size
            take(w, memory, size)
            return True
    return False
