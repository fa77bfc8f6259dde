"""How soon an object is used again, by the plan: the worth of keeping it."""

from typing import Any

from mirc.kernels.world import AT, CLOCK_PS, NEVER, NONE, PERIOD_PS, PHASE, USES, World


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
