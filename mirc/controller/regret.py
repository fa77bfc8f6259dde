"""The victim of least regret; what a lap is planned to use raises it, what is seen lowers it."""

from typing import Any

from mirc.kernels.counts import REGRETTED, decided
from mirc.kernels.heap import pop
from mirc.kernels.regrets import MOST_DEBT, enheap, key_of, regret
from mirc.kernels.world import (
    DEBT,
    HEAPED,
    LEFT_AT,
    LEFT_FOR,
    NONE,
    OFFERED,
    PHASE,
    POLICY,
    REGRET,
    STEP,
    USED_AT,
    USES,
    World,
)


def predict(w: World) -> None:
    """Raise the counter of all that the lap that begins is planned to use: O(1) for each use."""
    if w.run[POLICY] != REGRET:
        return
    phase = w.run[PHASE]
    for use in range(w.phase[USES, phase]):
        o = w.order[phase, use]
        if w.obj[DEBT, o] < MOST_DEBT:
            w.obj[DEBT, o] += 1


def seen(w: World, o: int) -> None:
    """Note that the step that begins uses an object; its counter falls.

    It has come to regret, if it was displaced for another that has not been used since.
    """
    other = w.obj[LEFT_FOR, o]
    if other != NONE and w.obj[USED_AT, other] < w.obj[LEFT_AT, o]:
        w.counts[REGRETTED] += 1
    w.obj[LEFT_FOR, o] = NONE
    w.obj[USED_AT, o] = w.run[STEP]
    if w.obj[DEBT, o] > 0:
        w.obj[DEBT, o] -= 1


def least_regretted(w: World) -> Any:
    """Return the offered object of least regret, or NONE: O(log n), amortised.

    Counters may have risen while an object lay in the heap, and ranks of worth may have changed
    with the phase: it is put back under what it has come to.
    """
    looks = 0
    found = NONE
    while w.run[HEAPED] > 0 and found == NONE:
        looks += 1
        key, o = w.heap[0, 0], w.heap[1, 0]
        pop(w.heap, w.run[HEAPED])
        w.run[HEAPED] -= 1
        if w.obj[OFFERED, o] == 1:
            if key_of(w, o) >= key:
                found = o
            else:
                enheap(w, o)
    decided(w, looks)
    return found


def regretted_less(w: World, o: int) -> Any:
    """Return the object of least regret, if that is less than an absent one's; else NONE."""
    found = least_regretted(w)
    if found != NONE and regret(w, found) >= regret(w, o):
        enheap(w, found)
        return NONE
    return found
