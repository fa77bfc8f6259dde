"""What becomes of an object when its transfer lands, when it is created and when its life ends."""

from mirc.kernels.counts import IDLE_IN_BYTES, IDLE_OUT_BYTES
from mirc.kernels.events import CANCEL, CREATE, DROP, ENDED, NEEDED, RETIRE, WRITE_BACK, record
from mirc.kernels.offers import cleaned, offer, withdraw
from mirc.kernels.ruled import ended
from mirc.kernels.world import (
    ABSENT,
    AHEAD,
    AHEAD_BYTES,
    BEEN,
    CLASS,
    DIRTY,
    DOOMED,
    FORGOTTEN,
    HELD,
    HOME,
    HOME_BYTES,
    INWARD,
    LEAVING,
    MADE,
    MASTER,
    NEAR,
    NONE,
    OFFERED,
    RESIDENT,
    SENT,
    SIZE,
    STATE,
    UNUSED,
    USED,
    WAITERS,
    WAY,
    WRITING,
    World,
    begin_parting,
    end_parting,
    leave_near,
    take_near,
)


def arrive(w: World, o: int) -> None:
    """End a transfer at its destination."""
    w.obj[CLASS, o] = NONE
    if w.obj[WAY, o] == INWARD:
        w.obj[STATE, o] = RESIDENT
        if w.obj[DOOMED, o] == 1:
            vanish(w, o)
        elif w.obj[HELD, o] == 1:
            w.run[WAITERS] -= 1
        else:
            offer(w, o)
        return
    changed = w.obj[WRITING, o] == 2
    w.obj[WRITING, o] = 0
    _unread(w, o)
    w.obj[SENT, o] = 1
    if w.obj[STATE, o] == LEAVING:
        end_parting(w, o)
        w.obj[STATE, o] = ABSENT
        w.obj[DIRTY, o] = 0
        leave_near(w, o)
        if w.obj[DOOMED, o] == 1:
            vanish(w, o)
        return
    if not changed:
        w.obj[DIRTY, o] = 0
        cleaned(w, o)
    if w.obj[HELD, o] == 0 and w.obj[OFFERED, o] == 0:
        offer(w, o)


def create(w: World, o: int) -> None:
    """Bring an absent object into being in near memory, for the step that holds it."""
    w.obj[STATE, o] = RESIDENT
    w.obj[BEEN, o] = 1
    w.obj[DIRTY, o] = 1
    w.obj[FORGOTTEN, o] = 0
    take_near(w, o)
    w.run[WAITERS] -= 1
    record(w, CREATE, o, NONE, NEAR, w.obj[SIZE, o], NEEDED)


def change(w: World, o: int) -> None:
    """Note that a resident object was written: every other copy of it is stale."""
    w.obj[DIRTY, o] = 1
    if w.obj[WRITING, o] == 1:
        w.obj[WRITING, o] = 2


def spend(w: World, o: int) -> None:
    """End the account of a prefetch that was used or lost."""
    if w.obj[AHEAD, o] == 1:
        w.obj[AHEAD, o] = 0
        w.run[AHEAD_BYTES] -= w.obj[SIZE, o]


def give_up(w: World, o: int, why: int) -> None:
    """Let a prefetch that is on no link and in no queue come no more, and free its near room."""
    w.obj[CLASS, o] = NONE
    w.obj[STATE, o] = ABSENT
    leave_near(w, o)
    w.run[UNUSED] += w.obj[AHEAD, o]
    spend(w, o)
    record(w, CANCEL, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], why)


def vanish(w: World, o: int) -> None:
    """Forget every copy of what the run made, and the near copy of what it did not.

    No transfer of it may be under way.
    """
    if w.obj[AHEAD, o] == 1:
        w.run[UNUSED] += 1
        w.counts[IDLE_IN_BYTES] += w.obj[SIZE, o]
    spend(w, o)
    withdraw(w, o)
    ended(w, o)
    near = w.obj[STATE, o] != ABSENT
    if near:
        w.obj[STATE, o] = ABSENT
        leave_near(w, o)
    w.obj[DIRTY, o] = 0
    w.obj[DOOMED, o] = 0
    w.obj[FORGOTTEN, o] = 0
    if w.obj[MADE, o] == 0:
        if near:
            record(w, DROP, o, NEAR, NONE, w.obj[SIZE, o], ENDED)
        return
    record(w, RETIRE, o, NONE, NONE, w.obj[SIZE, o], ENDED)
    _unread(w, o)
    w.obj[SENT, o] = 0
    w.obj[BEEN, o] = 0
    abandon_home(w, o)


def _unread(w: World, o: int) -> None:
    """Count what was written back, of what the run made, and is replaced or ends unread."""
    if w.obj[SENT, o] == 1 and w.obj[MADE, o] == 1:
        w.counts[IDLE_OUT_BYTES] += w.obj[SIZE, o]


def abandon_home(w: World, o: int) -> None:
    """Give up the room of what the run made in the memory that holds its backing copy."""
    home = w.obj[HOME, o]
    if home != NONE:
        stored = w.obj[SIZE, o] + w.obj[MASTER, o]
        w.mem[USED, home] -= stored
        w.mem[HOME_BYTES, home] -= stored
        w.obj[HOME, o] = NONE
        w.obj[MASTER, o] = 0


def doom(w: World, o: int) -> None:
    """Let an object whose bytes are on a link vanish when they have landed."""
    w.obj[DOOMED, o] = 1
    if w.obj[STATE, o] == RESIDENT:
        withdraw(w, o)
        w.obj[STATE, o] = LEAVING
        begin_parting(w, o)
        record(w, WRITE_BACK, o, NEAR, w.obj[HOME, o], w.obj[SIZE, o], ENDED)
