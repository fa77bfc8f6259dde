"""A decision into its effect: fetch, hurry, evict, keep, cancel, retire."""

from typing import Any

from mirc.kernels.counts import (
    COPIES,
    FORGOTTEN_BYTES,
    FORGOTTEN_COPIES,
    IDLE_IN_BYTES,
    REFETCH_BYTES,
    REFETCHES,
    REMAKE_BYTES,
    REMAKE_PS_SUM,
    REMAKES,
    REROUTED,
    STEP_SPILLS,
)
from mirc.kernels.events import (
    CHEAPER,
    COPY,
    DROP,
    FORGET,
    IDLE,
    ISSUE,
    KEEP_EVENT,
    NEEDED,
    PLANNED,
    PRESSURE,
    PROMOTE,
    REMAKE,
    WRITE_BACK,
    record,
)
from mirc.kernels.links import enqueue, hop_link, hurry, withdraw_transfer
from mirc.kernels.offers import withdraw
from mirc.kernels.residency import abandon_home, doom, give_up, spend, vanish
from mirc.kernels.routes import barred, quickest, room_below
from mirc.kernels.ruled import displaced
from mirc.kernels.world import (
    ABSENT,
    AHEAD,
    AHEAD_BYTES,
    BEEN,
    BEGUN,
    CLASS,
    DIRTY,
    FORGOTTEN,
    HOME,
    HOME_BYTES,
    HOP,
    INCOMING,
    INWARD,
    ISSUED,
    LEAVING,
    NEAR,
    NONE,
    NOW,
    ORIGIN,
    OUTSTANDING,
    OUTWARD,
    PATH,
    PREFETCH,
    REMADE_AT,
    REMAKE_PS,
    RESIDENT,
    SENT,
    SERVER,
    SIZE,
    STATE,
    UNUSED,
    WAITERS,
    WAY,
    WRITEBACK,
    WRITING,
    World,
    begin_parting,
    end_parting,
    leave_near,
    take,
    take_near,
)


def fetch(w: World, o: int, priority: int) -> None:
    """Take near room for an absent object and queue its transfer; the room must be free."""
    fetch_for(w, o, priority, PLANNED if priority == PREFETCH else NEEDED)


def fetch_for(w: World, o: int, priority: int, why: int) -> None:
    """Fetch an object for a reason of its own."""
    w.obj[STATE, o] = INCOMING
    w.obj[SENT, o] = 0
    if w.obj[BEEN, o] == 1:
        w.counts[REFETCHES] += 1
        w.counts[REFETCH_BYTES] += w.obj[SIZE, o]
    w.obj[BEEN, o] = 1
    take_near(w, o)
    _engage(w, o, INWARD, priority)
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
    """Take back a prefetch that has used no link: a step needs its room."""
    cancel_for(w, o, PRESSURE)


def cancel_for(w: World, o: int, why: int) -> None:
    """Take back a prefetch that has used no link, for a reason of its own."""
    withdraw_transfer(w, o)
    give_up(w, o, why)


def evict(w: World, o: int, why: int) -> bool:
    """Make an offered object leave: a clean copy at once, a dirty one when it is written back.

    False if that cannot be: it was changed while being written, no memory below has room, or a rule
    bars the one that has its copy. It is then no longer offered until a step has used it again.
    """
    withdraw(w, o)
    if w.obj[HOME, o] != NONE and barred(w, o, w.obj[HOME, o]):
        return False
    if w.obj[DIRTY, o] == 1:
        if w.obj[WRITING, o] == 2:
            return False
        if w.obj[WRITING, o] == 0:
            if w.obj[HOME, o] == NONE and not _find_home(w, o):
                return False
            w.obj[WRITING, o] = 1
            _engage(w, o, OUTWARD, WRITEBACK)
            enqueue(w, o)
            w.counts[STEP_SPILLS] += why == PRESSURE
        record(w, WRITE_BACK, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], why)
        w.obj[STATE, o] = LEAVING
        begin_parting(w, o)
    else:
        w.obj[STATE, o] = ABSENT
        leave_near(w, o)
        record(w, DROP, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], why)
    if w.obj[AHEAD, o] == 1:
        w.run[UNUSED] += 1
        w.counts[IDLE_IN_BYTES] += w.obj[SIZE, o]
    spend(w, o)
    displaced(w, o)
    return True


def copy_down(w: World, o: int) -> bool:
    """Begin to copy a resident object to the memory below; False if none there has room.

    It stays, and may be used: once the copy has landed, and if it was not changed since, it can be
    dropped at once.
    """
    if w.obj[HOME, o] == NONE and not _find_home(w, o):
        return False
    w.obj[WRITING, o] = 1
    _engage(w, o, OUTWARD, WRITEBACK)
    record(w, COPY, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], IDLE)
    w.counts[COPIES] += 1
    enqueue(w, o)
    return True


def forget(w: World, o: int, why: int) -> None:
    """Drop the one true copy of an offered object: a step that uses it has it made again."""
    withdraw(w, o)
    record(w, FORGET, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], why)
    w.counts[FORGOTTEN_COPIES] += 1
    w.counts[FORGOTTEN_BYTES] += w.obj[SIZE, o]
    w.obj[STATE, o] = ABSENT
    w.obj[DIRTY, o] = 0
    w.obj[FORGOTTEN, o] = 1
    leave_near(w, o)
    spend(w, o)
    abandon_home(w, o)


def remake(w: World, o: int) -> None:
    """Take near room for an absent object and let compute make it again, for the step that runs.

    Its bytes count as resident, and are not read before compute has got so far. What was dropped is
    the only copy then; beside a copy below it is clean.
    """
    if w.obj[FORGOTTEN, o] == 1:
        w.obj[DIRTY, o] = 1
    w.obj[FORGOTTEN, o] = 2
    w.obj[STATE, o] = RESIDENT
    take_near(w, o)
    w.run[WAITERS] -= 1
    w.run[REMADE_AT] = max(w.run[REMADE_AT], w.run[NOW]) + w.obj[REMAKE_PS, o]
    w.counts[REMAKES] += 1
    w.counts[REMAKE_BYTES] += w.obj[SIZE, o]
    w.counts[REMAKE_PS_SUM] += w.obj[REMAKE_PS, o]
    why = NEEDED if w.obj[HOME, o] == NONE else CHEAPER
    record(w, REMAKE, o, w.obj[HOME, o], NEAR, w.obj[SIZE, o], why)


def keep(w: World, o: int) -> None:
    """Let a step have an object that was leaving; its write-back is taken back or completed."""
    w.obj[STATE, o] = RESIDENT
    end_parting(w, o)
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
            end_parting(w, o)
        withdraw_transfer(w, o)
        w.obj[WRITING, o] = 0
        vanish(w, o)


def _engage(w: World, o: int, way: int, priority: int) -> None:
    w.obj[WAY, o] = way
    w.obj[HOP, o] = 0
    w.obj[CLASS, o] = priority
    w.obj[ORIGIN, o] = priority
    w.obj[BEGUN, o] = 0
    home = w.obj[HOME, o]
    w.obj[PATH, o] = quickest(w, o, way, home, priority)
    if w.obj[PATH, o] != home:
        w.counts[REROUTED] += 1


def _find_home(w: World, o: int) -> Any:
    """Reserve room for a backing copy in the nearest memory that has it and a way there."""
    memory = room_below(w, o)
    if memory == NONE:
        return False
    w.obj[HOME, o] = memory
    w.mem[HOME_BYTES, memory] += w.obj[SIZE, o]
    take(w, memory, w.obj[SIZE, o])
    return True
