"""What comes into a tier into what has to leave it, and where that goes.

Copies below stay when something is fetched: what leaves clean, and lies below, leaves for nothing.
What lies nowhere below goes down one tier, or, if it is newer than what the farthest tier has, is
written back there. Its room is free at once: until its bytes have landed they stand in a staging
buffer, and whoever asks for them meanwhile takes them from there.
"""

from typing import Any

from mirc.kernels.replacement.rule import admitted, choose, evicted, removed
from mirc.kernels.replacement.state import CAPACITY, NEXT, PREV, SIZE, STAMP, full_for
from mirc.kernels.tiers.state import (
    AHEAD,
    BELOW,
    BYTES,
    CARRIED,
    DIRTY,
    DROPPED,
    EARLY,
    FOR,
    IN,
    KIND,
    NONE,
    NOW,
    OBJECT,
    OUT,
    STAGED,
    STAGED_PEAK,
    STATE,
    TIERS,
    UNHELD,
    WRITEBACK,
    Tiers,
)
from mirc.kernels.tiers.wires import go, send
from mirc.kernels.tuning import hint, inlined, soon


@inlined
def nearest(t: Tiers, x: int) -> Any:
    """Return the nearest tier that has a copy."""
    bits = t.obj[x, STATE]
    last = t.run[TIERS] - 1
    for tier in range(last):
        if (bits >> tier) & 1 == 1:
            return tier
    return last


@inlined
def still_leaving(t: Tiers, x: int) -> Any:
    """Tell whether bytes of an object are still in a staging buffer."""
    return t.obj[x, OUT] < 0 or t.obj[x, OUT] > t.run[NOW]


@inlined
def settle_in(t: Tiers, rules: Any, x: int) -> bool:
    """Give an object a place in the nearest tier; False if it gets none."""
    near = rules[0]
    size = t.sizes[BYTES, t.obj[x, KIND]]
    t.obj[x, STATE] |= 1  # so that a copy below that leaves now is no loss
    while full_for(near, size):
        victim = choose(near) if size <= near.now[CAPACITY] else NONE
        if victim == NONE:
            t.run[UNHELD] += 1
            t.obj[x, STATE] &= ~1
            return False
        _come_near(t, rules, victim)
        evicted(near, victim)
        below = _leave(t, 0, victim)
        if below != NONE:
            t.few[FOR, below] = 0
            _settle_below(t, rules, victim, below)
    admitted(near, x)
    return True


@inlined
def _settle_below(t: Tiers, rules: Any, x: int, below: int) -> None:
    """Give what left the nearest tier a place below.

    What leaves for it there goes farther down, and so on: one object a tier waits meanwhile.
    """
    tier = below
    t.few[CARRIED, tier] = x
    while tier > 0:
        rule = rules[tier]
        carried = t.few[CARRIED, tier]
        size = t.sizes[BYTES, t.obj[carried, KIND]]
        deeper = NONE
        while deeper == NONE and full_for(rule, size):
            victim = choose(rule)
            if victim == NONE:
                break
            evicted(rule, victim)
            deeper = _leave(t, tier, victim)
            if deeper != NONE:
                t.few[CARRIED, deeper] = victim
                t.few[FOR, deeper] = tier
        if deeper != NONE:
            tier = deeper
            continue
        if not full_for(rule, size):
            admitted(rule, carried)
            t.obj[carried, STATE] |= 1 << tier
            send_down(t, carried, t.few[FOR, tier], tier)
        tier = t.few[FOR, tier]


def overwrite(t: Tiers, rules: Any, x: int) -> None:
    """Forget the copies below of an object that is written in the nearest tier."""
    bits = t.obj[x, STATE]
    for tier in range(1, t.run[TIERS] - 1):
        if (bits >> tier) & 1 == 1:
            removed(rules[tier], x)
            bits &= ~(1 << tier)
    t.obj[x, STATE] = bits | DIRTY


@inlined
def send_down(t: Tiers, x: int, tier: int, below: int) -> None:
    """Write an object from one tier to another below."""
    tiers = t.run[TIERS]
    go(t, send(t, x, tiers + tier * tiers + below, WRITEBACK))
    t.run[STAGED_PEAK] = max(t.run[STAGED_PEAK], t.run[STAGED])


@inlined
def _leave(t: Tiers, tier: int, x: int) -> Any:
    """Take an object out of a tier; return the tier that it goes down to, or NONE."""
    t.obj[x, STATE] &= ~(1 << tier)
    bits = t.obj[x, STATE]
    last = t.run[TIERS] - 1
    unread = False
    if tier == 0:
        if bits & AHEAD != 0:
            t.run[EARLY] += 1
            t.obj[x, STATE] &= ~AHEAD
        if t.obj[x, IN] < 0:
            t.many[OBJECT, ~t.obj[x, IN]] = NONE  # it goes on for nothing
            t.obj[x, IN] = 0
            unread = True
        elif t.obj[x, IN] > t.run[NOW]:
            unread = True
    copies = bits & ((1 << last) - 1)
    clean = bits & DIRTY == 0
    if copies != 0 or (unread and clean):
        t.run[DROPPED] += 1
        return NONE
    below = t.few[BELOW, tier]
    if below != last:
        return below
    if clean:
        t.run[DROPPED] += 1
        return NONE
    t.obj[x, STATE] &= ~DIRTY
    send_down(t, x, tier, last)
    return NONE


@hint
@inlined
def _come_near(t: Tiers, rules: Any, victim: int) -> None:
    """Fetch what is said of the one that will leave after the next, where a list says who."""
    near = rules[0]
    x = near.cell[NEXT, near.cell[NEXT, victim]]
    soon(near.cell, NEXT, x)
    soon(near.cell, PREV, x)
    soon(near.cell, STAMP, x)
    soon(near.cell, SIZE, x)
    if x < len(t.obj):  # else it is the list's head
        soon(t.obj, x, STATE)
    if len(rules) > 1:
        below = rules[1]
        soon(below.cell, NEXT, x)
        soon(below.cell, PREV, x)
        soon(below.cell, STAMP, x)
        soon(below.cell, SIZE, x)
