"""Orders into moves, and what a static placement lets go after use."""

from mirc.controller.messages import DISPLACE, FETCH, TURN_DOWN, Order
from mirc.controller.observe import lost
from mirc.controller.paths import forgettable, worth_copying
from mirc.controller.score import due_of
from mirc.kernels.events import CHEAPER, REFUSE, STREAMED, record
from mirc.kernels.moves import cancel_for, copy_down, evict, fetch, forget
from mirc.kernels.world import (
    ABSENT,
    CAUSE,
    CURSOR,
    DIRTY,
    DUE_PS,
    HOME,
    LEFT_AT,
    LEFT_FOR,
    MADE,
    NEAR,
    NONE,
    OFFERED,
    PHASE,
    PINNED_FROM,
    POLICY,
    PREFETCH,
    REFUSED,
    REFUSED_WHY,
    SIZE,
    STATE,
    STATIC,
    STEP,
    World,
)


def carry_out(w: World, order: Order) -> bool:
    """Do what was ordered; tell of a fetch whether it was, of a displacement whether room is free.

    The room of a victim that must be written back first is free later.
    """
    if order.act == FETCH:
        fetch(w, order.object, PREFETCH)
        w.obj[DUE_PS, order.object] = due_of(w, w.run[CURSOR])
        w.run[CURSOR] += 1
        return True
    if order.act == TURN_DOWN:
        refuse(w, order.object, order.why)
    if order.act == DISPLACE:
        w.run[CAUSE] = order.object
        gone = leave(w, order.victim, order.why)
        w.run[CAUSE] = NONE
        w.obj[LEFT_FOR, order.victim] = order.object if gone else NONE
        w.obj[LEFT_AT, order.victim] = w.run[STEP]
        return gone and w.obj[STATE, order.victim] == ABSENT
    return False


def leave(w: World, o: int, why: int) -> bool:
    """Evict an object and remember that it is missing; False if it cannot leave.

    Of what may be made again, nothing is written back if that takes longer.
    """
    if forgettable(w, o):
        forget(w, o, CHEAPER)
        return True
    gone = evict(w, o, why)
    if gone:
        lost(w, o)
    return gone


def withdraw_prefetch(w: World, o: int, why: int) -> None:
    """Take back a prefetch that has used no link, and remember that the object is missing."""
    cancel_for(w, o, why)
    lost(w, o)


def refuse(w: World, o: int, why: int) -> None:
    """Log a refusal, once for as long as it stands."""
    if w.run[REFUSED] == o and w.run[REFUSED_WHY] == why:
        return
    w.run[REFUSED] = o
    w.run[REFUSED_WHY] = why
    record(w, REFUSE, o, w.obj[HOME, o], NEAR, w.obj[SIZE, o], why)


def copy_ahead(w: World, o: int) -> None:
    """Copy down what a step has changed and the plan lets leave, if that is its cheapest fate."""
    if worth_copying(w, o):
        copy_down(w, o)


def let_go(w: World, o: int) -> None:
    """Drop an object that a static placement streams, once its step has used it."""
    if (
        w.run[POLICY] == STATIC
        and w.obj[OFFERED, o] == 1
        and w.obj[MADE, o] == 0
        and w.obj[DIRTY, o] == 0
        and w.rank[w.run[PHASE], o] < w.run[PINNED_FROM]
    ):
        leave(w, o, STREAMED)
