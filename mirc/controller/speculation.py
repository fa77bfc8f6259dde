"""Prefetches that no certain use asks for: likely experts, members of a coalition; and their end.

The plan's order holds what is more likely than not to be used. What it leaves out is guessed at,
likeliest first, while a link has nothing else to do and a lap's budget lasts. On hints alone there
is no order: then what one member of a coalition misses brings the others.
"""

from typing import Any

from mirc.controller.execute import leave, withdraw_prefetch
from mirc.controller.observe import survey
from mirc.controller.score import distance_ps
from mirc.controller.veto import has_room
from mirc.kernels.counts import GUESS_BYTES, GUESSES, TOGETHER, WITHDRAWN, decided
from mirc.kernels.events import CHANGED, FARTHER, GUESSED
from mirc.kernels.events import TOGETHER as FOR_A_MATE
from mirc.kernels.links import queue_of
from mirc.kernels.lists import first
from mirc.kernels.moves import fetch_for
from mirc.kernels.quotas import excess
from mirc.kernels.ranks import lowest_from
from mirc.kernels.routes import queue_ps
from mirc.kernels.world import (
    ABSENT,
    AHEAD,
    BEGUN,
    CERTAIN,
    CLOCK_PS,
    DIRTY,
    DUE_PS,
    GUESS_AT,
    GUESS_LEFT,
    HELD,
    HOME,
    INTENT,
    INWARD,
    LAP,
    MADE,
    MATE,
    MATE_BYTES,
    NEVER,
    NONE,
    OUTSTANDING,
    PERIOD_PS,
    PHASE,
    POLICY,
    PREFETCH,
    QUEUE_NEXT,
    SERVER,
    SIZE,
    STATE,
    World,
)

MOST_TRIES = 64  # candidates looked at for one prefetch
MOST_MATES = 64  # fetched for one that was missed
_STEP = CERTAIN // 16  # a newcomer is likelier by this than what leaves for it


def guess(w: World) -> None:
    """Prefetch the likeliest object that no certain use asks for, if a link is idle: O(log n)."""
    if w.run[POLICY] != INTENT or w.run[GUESS_LEFT] <= 0:
        return
    o = likeliest(w)
    if o == NONE or w.obj[SIZE, o] > w.run[GUESS_LEFT]:
        return
    server = w.link[SERVER, w.route[INWARD, w.obj[HOME, o], 1]]
    if w.srv[OUTSTANDING, server] > 0 or queue_ps(w, server, PREFETCH) > 0:
        return
    if not has_room(w, survey(w), o):
        victim = unlikelier(w, o)
        if victim == NONE or not leave(w, victim, FARTHER) or not has_room(w, survey(w), o):
            w.run[GUESS_AT] = NONE  # nothing likelier than what is there remains in this lap
            return
    w.run[GUESS_LEFT] -= w.obj[SIZE, o]
    w.counts[GUESSES] += 1
    w.counts[GUESS_BYTES] += w.obj[SIZE, o]
    bring(w, o, GUESSED)


def likeliest(w: World) -> Any:
    """Return the absent object of the highest rank that is planned, and unsure; or NONE."""
    phase = w.run[PHASE]
    rank = w.run[GUESS_AT]
    found = NONE
    looks = 0
    while rank >= 0 and found == NONE and looks < MOST_TRIES:
        looks += 1
        o = w.ranked[phase, rank]
        if unsure(w, o) and absent(w, o):
            found = o
        else:
            rank -= 1
    w.run[GUESS_AT] = rank
    decided(w, looks)
    return found


def unsure(w: World, o: int) -> Any:
    """Tell whether the phase may use an object, and its order does not count on it."""
    phase = w.run[PHASE]
    return w.first[phase, o] != NONE and w.place[phase, 0, o] == NONE and w.chance[phase, o] > 0


def absent(w: World, o: int) -> Any:
    """Tell whether an object could be fetched, and its tenant may hold it."""
    there = w.obj[STATE, o] != ABSENT or w.obj[HELD, o] == 1
    return not there and w.obj[HOME, o] != NONE and excess(w, o) == 0


def unlikelier(w: World, o: int) -> Any:
    """Return the lowest-ranked clean object that is clearly less likely used, or NONE."""
    phase = w.run[PHASE]
    rank = lowest_from(w.bits, 0)
    found = NONE
    looks = 0
    while rank != NONE and found == NONE and looks < MOST_TRIES:
        looks += 1
        other = w.ranked[phase, rank]
        loose = w.obj[DIRTY, other] == 0 and w.obj[MADE, other] == 0
        if loose and w.chance[phase, other] + _STEP <= w.chance[phase, o] and unsure(w, other):
            found = other
        rank = lowest_from(w.bits, rank + 1)
    decided(w, looks)
    return found


def bring(w: World, o: int, why: int) -> None:
    """Queue a prefetch that the plan's order does not hold, and note when it was to be of use."""
    phase = w.run[PHASE]
    fetch_for(w, o, PREFETCH, why)
    due = w.first[phase, o]
    w.obj[DUE_PS, o] = NEVER if due == NONE else w.run[LAP] * w.phase[PERIOD_PS, phase] + due


def together(w: World, o: int) -> None:
    """Queue what belongs to the coalition of an object that a step has missed.

    Only where the phase says of neither when it is used, in ring order, up to the coalition's cap,
    and only what is as likely used as not: a coalition of experts is not fetched for one of them.
    They take free room, and that of clean objects that nobody waits for.
    """
    phase = w.run[PHASE]
    if w.run[POLICY] != INTENT or w.first[phase, o] != NONE:
        return
    left = w.obj[MATE_BYTES, o] - w.obj[SIZE, o]
    mate = w.obj[MATE, o]
    for _ in range(MOST_MATES):
        if mate == o or left < w.obj[SIZE, mate]:
            return
        likely = 2 * w.chance[phase, mate] >= CERTAIN
        if likely and absent(w, mate) and w.first[phase, mate] == NONE:
            if not has_room(w, survey(w), mate):
                victim = unawaited(w)
                if victim == NONE or not leave(w, victim, FARTHER):
                    return
                if not has_room(w, survey(w), mate):
                    return
            w.counts[TOGETHER] += 1
            bring(w, mate, FOR_A_MATE)
            left -= w.obj[SIZE, mate]
        mate = w.obj[MATE, mate]


def unawaited(w: World) -> Any:
    """Return the lowest-ranked clean object that was not prefetched for a use still to come."""
    phase = w.run[PHASE]
    rank = lowest_from(w.bits, 0)
    found = NONE
    looks = 0
    while rank != NONE and found == NONE and looks < MOST_TRIES:
        looks += 1
        o = w.ranked[phase, rank]
        loose = w.obj[DIRTY, o] == 0 and w.obj[MADE, o] == 0 and w.obj[AHEAD, o] == 0
        if loose and distance_ps(w, o) == NEVER:
            found = o
        rank = lowest_from(w.bits, rank + 1)
    decided(w, looks)
    return found


def withdraw_wrong(w: World) -> None:
    """Take back what waits for a link and was to be used by now: O(servers x depth).

    The step that was to use it has begun without it: the router chose another, or the plan erred.
    """
    for server in range(w.srv.shape[1]):
        head = queue_of(w, server, PREFETCH)
        o = first(w.lists, QUEUE_NEXT, head)
        while o != head:
            after = w.lists[QUEUE_NEXT, o]
            passed = w.obj[DUE_PS, o] < w.run[CLOCK_PS]
            if passed and w.obj[HELD, o] == 0 and w.obj[BEGUN, o] == 0:
                withdraw_prefetch(w, o, CHANGED)
                w.counts[WITHDRAWN] += 1
            o = after


def withdraw_foreign(w: World) -> None:
    """Take back what waits for a link and the phase that begins does not plan to use."""
    phase = w.run[PHASE]
    for server in range(w.srv.shape[1]):
        head = queue_of(w, server, PREFETCH)
        o = first(w.lists, QUEUE_NEXT, head)
        while o != head:
            after = w.lists[QUEUE_NEXT, o]
            if w.first[phase, o] == NONE and w.obj[BEGUN, o] == 0:
                withdraw_prefetch(w, o, CHANGED)
                w.counts[WITHDRAWN] += 1
            else:
                w.obj[DUE_PS, o] = w.first[phase, o]
            o = after
