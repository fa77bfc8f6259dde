"""What an object costs on every way back into near memory: by a link, or by computing it again.

All costs are picoseconds that a step would wait. Compute that makes something again is not free for
steps meanwhile, a link is: so arithmetic counts in full, transfers as far as nothing hides them.
"""

from typing import Any, NamedTuple

from mirc.controller.score import distance_ps
from mirc.kernels.counts import decided
from mirc.kernels.routes import bare_ps, landing_ps, quickest, room_below, way_in
from mirc.kernels.world import (
    BARRED,
    CERTAIN,
    CLASS,
    DEMAND,
    DIRTY,
    FORGOTTEN,
    HOME,
    INWARD,
    MADE,
    NEVER,
    NONE,
    NOW,
    OUTWARD,
    PHASE,
    REMADE_AT,
    REMAKE_PS,
    RESIDENT,
    SIZE,
    STATE,
    WRITEBACK,
    WRITING,
    World,
)


def remaking_ps(w: World, o: int) -> Any:
    """Return when compute would have made an object again, from now on: after what it makes now."""
    return max(0, w.run[REMADE_AT] - w.run[NOW]) + w.obj[REMAKE_PS, o]


_MOST_PS = 1 << 50

# What may become of the one true copy of an object; of equal costs the first is chosen.
RETAIN, REPLICATE, RECOMPUTE, SPILL = 0, 1, 2, 3


class Economics(NamedTuple):
    """What each fate of an object's near copy costs, in the order above; NEVER if it cannot be."""

    retain_ps: int
    replicate_ps: int
    recompute_ps: int
    spill_ps: int


def cheapest(costs: Economics) -> Any:
    """Return the fate that costs least."""
    best, least = RETAIN, costs.retain_ps
    if costs.replicate_ps < least:
        best, least = REPLICATE, costs.replicate_ps
    if costs.recompute_ps < least:
        best, least = RECOMPUTE, costs.recompute_ps
    return SPILL if costs.spill_ps < least else best


def when_pressed(w: World, o: int) -> Any:
    """Price a dirty object whose room a step waits for: it cannot stay, nor be copied first.

    The way out, queue included, is waited for: its room is free when it has landed. The way back,
    over an idle link, is hidden by what is left then of the time to the planned use; without one,
    by nothing. Dropping it frees the room at once, and costs the computing (``DROP_RECOMPUTE``).
    """
    memory = _lower(w, o)
    if memory == NONE:
        return Economics(NEVER, NEVER, _recomputing_ps(w, o), NEVER)
    out = landing_ps(w, o, OUTWARD, quickest(w, o, OUTWARD, memory, WRITEBACK), WRITEBACK)
    return Economics(NEVER, NEVER, _recomputing_ps(w, o), out + _return_ps(w, o, memory, out))


def at_leisure(w: World, o: int) -> Any:
    """Price a dirty object that has been used and whose room nobody asks for yet.

    If the plan keeps it, it stays for nothing. If it must leave later, then staying costs what a
    spill does once the room is short; copied down now, beside the computing, it only waits for the
    queue on its way, and may be dropped at once when the room is wanted.
    """
    memory = _lower(w, o)
    if w.departs[w.run[PHASE], o] == 0 or memory == NONE:
        return Economics(0, NEVER, NEVER, NEVER)
    path = quickest(w, o, OUTWARD, memory, WRITEBACK)
    bare = bare_ps(w, o, OUTWARD, path)
    out = landing_ps(w, o, OUTWARD, path, WRITEBACK)
    back = _return_ps(w, o, memory, out)
    return Economics(bare + back, out - bare + back, _recomputing_ps(w, o), out + back)


def _lower(w: World, o: int) -> Any:
    return w.obj[HOME, o] if w.obj[HOME, o] != NONE else room_below(w, o)


def _return_ps(w: World, o: int, memory: int, out: int) -> Any:
    """Return what of the way back is not hidden, for an object that has left after ``out``."""
    until = distance_ps(w, o)
    slack = max(0, until - out) if until < NEVER else 0
    return max(0, bare_ps(w, o, INWARD, memory) - slack)


def _recomputing_ps(w: World, o: int) -> Any:
    cost = w.remake[w.run[PHASE], o]
    return NEVER if cost == NONE or w.obj[MADE, o] == 0 else cost


def losing(w: World, o: int) -> Any:
    """Return what giving up an offered object's room now costs, for each byte of it.

    P(reuse) times the stall (a clean copy's way back, as far as the time to its use does not hide
    it; a dirty one's cheapest fate), in nanoseconds for 2 ** 20 bytes.
    """
    if w.obj[DIRTY, o] == 0 and w.obj[HOME, o] != NONE:
        stall = _return_ps(w, o, w.obj[HOME, o], 0)
    else:
        costs = when_pressed(w, o)
        stall = min(costs.recompute_ps, costs.spill_ps, _MOST_PS)
    return stall // 1000 * w.chance[w.run[PHASE], o] * CERTAIN // max(w.obj[SIZE, o], 1)


def forgettable(w: World, o: int) -> Any:
    """Tell whether a dirty object is better dropped and made again than written back."""
    allowed = w.remake[w.run[PHASE], o] != NONE and w.obj[DIRTY, o] == 1
    if not allowed or w.obj[BARRED, o] != 0 or w.obj[WRITING, o] != 0:
        return False
    decided(w, 2)
    return cheapest(when_pressed(w, o)) == RECOMPUTE


def worth_copying(w: World, o: int) -> Any:
    """Tell whether what a step has changed is best copied down at once, to be dropped later."""
    if w.departs[w.run[PHASE], o] == 0 or w.obj[DIRTY, o] == 0:
        return False
    if w.obj[STATE, o] != RESIDENT or w.obj[CLASS, o] != NONE:
        return False
    decided(w, 4)
    return cheapest(at_leisure(w, o)) == REPLICATE


def made_again(w: World, o: int) -> Any:
    """Tell whether an absent object that a step needs is computed, and not fetched.

    What was dropped has no other way. Of what lies below too, the sooner counts: a queue before the
    links turns the choice where waiting and service together exceed the computing.
    """
    if w.obj[FORGOTTEN, o] == 1:
        return True
    if w.obj[HOME, o] == NONE or w.obj[REMAKE_PS, o] == NEVER:
        return False
    decided(w, 2)
    return remaking_ps(w, o) < way_in(w, o, DEMAND)
