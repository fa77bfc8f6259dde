"""How soon an object is used again, by the plan: what is wanted next, and the worth of keeping."""

from typing import Any

from mirc.controller.messages import Seen, Wish
from mirc.kernels.world import (
    ABSENT,
    AT,
    CLOCK_PS,
    CURSOR,
    HELD,
    HOME,
    NEVER,
    NONE,
    PERIOD_PS,
    PHASE,
    STATE,
    USES,
    World,
)


def wanted(w: World, seen: Seen) -> Any:
    """Return the wish for the nearest planned use that is not near."""
    o = next_missing(w)
    if o == NONE:
        return Wish(NONE, NEVER)
    return Wish(o, due_of(w, w.run[CURSOR]) - seen.clock_ps)


def next_missing(w: World) -> Any:
    """Return the object of the nearest planned use that is not near, or NONE: O(1), amortised."""
    phase = w.run[PHASE]
    uses = w.phase[USES, phase]
    end = w.run[AT] + uses
    use = max(w.run[CURSOR], w.run[AT])
    found = NONE
    while use < end and found == NONE:
        o = w.order[phase, use % uses]
        if w.obj[STATE, o] == ABSENT and w.obj[HOME, o] != NONE and w.obj[HELD, o] == 0:
            found = o
        else:
            use += 1
    w.run[CURSOR] = use
    return found


def due_of(w: World, use: int) -> Any:
    """Return the planned time of a use, counted over all laps of the phase.

    The order is cyclic: a phase is taken to run again until another is entered.
    """
    phase = w.run[PHASE]
    uses = w.phase[USES, phase]
    return (use // uses) * w.phase[PERIOD_PS, phase] + w.due[phase, use % uses]


def next_use(w: World, o: int) -> Any:
    """Return the number of an object's next use in the order, NEVER without one: O(1)."""
    phase = w.run[PHASE]
    uses = w.phase[USES, phase]
    soonest = NEVER
    for which in range(2):
        place = w.place[phase, which, o]
        if place != NONE:
            use = w.run[AT] - w.run[AT] % uses + place
            if use < w.run[AT]:
                use += uses
            if use < soonest:  # noqa: PLR1730 - min() of int64 is slow uncompiled
                soonest = use
    return soonest


def distance_ps(w: World, o: int) -> Any:
    """Return the planned time until an object's next use, NEVER if the plan names none: O(1)."""
    use = next_use(w, o)
    if use == NEVER:
        return NEVER
    return due_of(w, use) - w.run[CLOCK_PS]
