"""A new size into an object between two transfers; bytes that are on a link are never resized."""

from mirc.kernels.events import PLANNED, PRESSURE, RESIZE, record
from mirc.kernels.moves import copy_down
from mirc.kernels.world import (
    ABSENT,
    AHEAD,
    CAPACITY,
    CLASS,
    DIRTY,
    HELD,
    HOME,
    HOME_BYTES,
    HOMES,
    MASTER,
    NEAR,
    NONE,
    OUTWARD,
    RESIDENT,
    SIZE,
    STATE,
    USED,
    Table,
    World,
    leave_near,
    take,
    take_near,
)


def settled(w: World, o: int) -> bool:
    """Tell whether an object may be resized: no step holds it, and no link carries it."""
    return bool(w.obj[CLASS, o] == NONE and w.obj[HELD, o] == 0 and w.obj[AHEAD, o] == 0)


def room_beside(w: World, o: int, size: int, stored: int) -> bool:
    """Tell whether the home of a master takes a narrow copy instead of one of ``stored`` bytes."""
    home = w.obj[HOME, o]
    if home == NONE or w.route[OUTWARD, home, 0] == 0:
        return False
    more = size - stored
    below = w.mem[HOMES, home] - w.mem[HOME_BYTES, home]
    return bool(min(below, w.mem[CAPACITY, home] - w.mem[USED, home]) >= more)


def narrow(w: World, o: int, size: int, stored: int, service_ps: Table) -> bool:
    """Hold a settled resident object in fewer bytes; False if its home has no room for a copy.

    ``service_ps`` [l] is what it occupies each link for from now on. The master stays. The narrow
    copy is new, so it is written down beside the master, in place of one of ``stored`` bytes: until
    it has landed there it cannot be dropped.
    """
    if w.obj[STATE, o] != RESIDENT or w.obj[DIRTY, o] == 1 or not room_beside(w, o, size, stored):
        return False
    leave_near(w, o)
    if w.obj[MASTER, o] == 0:
        w.obj[MASTER, o] = w.obj[SIZE, o]
    w.obj[SIZE, o] = size
    take_near(w, o)
    w.service[:, o] = service_ps
    _store(w, o, size - stored)
    w.obj[DIRTY, o] = 1
    record(w, RESIZE, o, NEAR, w.obj[HOME, o], size, PRESSURE)
    copy_down(w, o)
    return True


def widen(w: World, o: int, size: int, service_ps: Table) -> bool:
    """Let the next fetch of a settled absent object bring its master; its narrow copy is given up.

    False if it is not absent.
    """
    if w.obj[STATE, o] != ABSENT:
        return False
    _store(w, o, -w.obj[SIZE, o])
    w.obj[SIZE, o] = size
    w.obj[MASTER, o] = 0
    w.service[:, o] = service_ps
    record(w, RESIZE, o, NONE, w.obj[HOME, o], size, PLANNED)
    return True


def _store(w: World, o: int, more: int) -> None:
    home = w.obj[HOME, o]
    take(w, home, more)
    w.mem[HOME_BYTES, home] += more
