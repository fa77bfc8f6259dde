"""Accesses into hits, transfers and waits: the whole loop, O(1) an access where rules are."""

from typing import Any

from mirc.kernels.replacement.rule import missed, touched
from mirc.kernels.replacement.state import CAPACITY, NEXT, NEXT_USE, PREV, SIZE, STAMP, TIME
from mirc.kernels.tiers.copies import nearest, overwrite, send_down, settle_in, still_leaving
from mirc.kernels.tiers.state import (
    AHEAD,
    ASKED,
    AT,
    BYTES,
    CURSOR,
    DEMAND,
    DONE,
    ENDED_PS,
    FETCH_AHEAD,
    HITS,
    IN,
    JOBS,
    KIND,
    LATE,
    LATE_PS,
    LOOKAHEAD,
    NEVER,
    NONE,
    NOW,
    OBJECT,
    ON_TIME,
    PENDING,
    PREFETCH,
    PREFETCHED,
    RETAKEN,
    ROOM_PS,
    SOONEST,
    STAGED,
    STAGING,
    STATE,
    THINK_PS,
    TIERS,
    WINDOW,
    WRITE,
    WRITES,
    Seen,
    Table,
    Tiers,
)
from mirc.kernels.tiers.waits import note, served, wait_for
from mirc.kernels.tiers.wires import advance, go, hurry, send, step
from mirc.kernels.tuning import hint, inlined, soon

SPARE_JOBS = 64  # what one access may ask for at most stays free
_APART, _BRIEFLY = 16, 4  # accesses: while these are made, memory has answered


def play(  # noqa: PLR0917 - compiled code takes no keywords
    t: Tiers,
    rules: Any,
    seen: Seen,
    ids: Table,
    what: Table,
    at_ps: Table,
    uses: Table,
    count: int,
) -> None:
    """Make the first ``count`` accesses of a chunk; what follows in ``ids`` may be looked at.

    ``rules`` has the rule of replacement of each tier but the last. ``what``, ``at_ps`` and
    ``uses`` are as long as the chunk or empty: then all are reads, each access follows the one
    before (else it is made when ``at_ps`` says, if it may be by then), and no rule is told the
    position of the next use.
    """
    near = rules[0]
    base = t.run[AT]
    slot = base % t.run[WINDOW]
    for i in range(count):
        x = ids[i]
        _come_near(t, rules, ids, i)
        due = at_ps[i] if len(at_ps) > 0 else 0
        _turn(t, seen, slot, due)
        t.many[ASKED, slot] = due if len(at_ps) > 0 else t.run[NOW]
        if len(uses) > 0:
            near.cell[NEXT_USE, x] = uses[i]
        near.now[TIME] = t.run[NOW]
        if len(what) > 0 and what[i] == FETCH_AHEAD:
            _fetch_ahead(t, rules, x)
            t.many[ASKED, slot], t.many[DONE, slot] = NEVER, t.run[NOW]
        else:
            _access(t, rules, x, slot)
            if len(what) > 0 and what[i] == WRITE:
                t.run[WRITES] += 1
                _write(t, rules, x)
        t.run[AT] += 1
        slot = slot + 1 if slot + 1 < t.run[WINDOW] else 0
        if t.run[LOOKAHEAD] > 0:
            _look_ahead(t, rules, ids, uses, base)


def finish(t: Tiers, seen: Seen) -> None:
    """Wait for all accesses under way, then let the links end what they have begun."""
    for number in range(max(0, t.run[AT] - t.run[WINDOW]), t.run[AT]):
        slot = number % t.run[WINDOW]
        _await(t, slot)
        note(t, seen, slot, number)
        t.run[ENDED_PS] = max(t.run[ENDED_PS], t.many[DONE, slot])
    t.run[ENDED_PS] = max(t.run[ENDED_PS], t.run[NOW])
    while t.run[SOONEST] < NEVER:
        step(t)


@inlined
def _turn(t: Tiers, seen: Seen, slot: int, due: int) -> None:
    """Let time pass until an access may be made."""
    _await(t, slot)
    if t.run[AT] >= t.run[WINDOW]:
        note(t, seen, slot, t.run[AT] - t.run[WINDOW])
    now = max(t.run[NOW], t.many[DONE, slot])
    if t.run[AT] > 0:
        now += t.run[THINK_PS]
    advance(t, max(now, due))
    most = JOBS - SPARE_JOBS
    if t.run[STAGED] > t.run[STAGING] or t.run[PENDING] > most:
        began = t.run[NOW]
        while t.run[STAGED] > t.run[STAGING] or t.run[PENDING] > most:
            step(t)
        t.run[ROOM_PS] += t.run[NOW] - began


@inlined
def _await(t: Tiers, slot: int) -> None:
    while t.many[DONE, slot] == NEVER:
        step(t)


@inlined
def _access(t: Tiers, rules: Any, x: int, slot: int) -> None:
    bits = t.obj[x, STATE]
    if bits & 1 == 1:
        t.few[HITS, 0] += 1
        touched(rules[0], x)
        ready = t.obj[x, IN]
        there = 0 <= ready <= t.run[NOW]
        if bits & AHEAD != 0:
            t.obj[x, STATE] = bits & ~AHEAD
            t.run[ON_TIME if there else LATE] += 1
        if there:
            served(t, slot, t.run[NOW])
        elif ready < 0:
            wait_for(t, slot, ~ready)
            hurry(t, ~ready)
        else:
            t.run[LATE_PS] += served(t, slot, ready)
        return
    t.few[HITS, nearest(t, x)] += 1
    missed(rules[0], x)
    _fetch(t, rules, x, DEMAND, slot)


@inlined
def _fetch_ahead(t: Tiers, rules: Any, x: int) -> None:
    """Ask for an object that is not near, behind all that is asked for by now."""
    if t.obj[x, STATE] & 1 == 1 or t.sizes[BYTES, t.obj[x, KIND]] > rules[0].now[CAPACITY]:
        return
    t.run[PREFETCHED] += 1
    if _fetch(t, rules, x, PREFETCH, NONE):
        t.obj[x, STATE] |= AHEAD


def _fetch(t: Tiers, rules: Any, x: int, priority: int, slot: int) -> Any:
    """Bring an object near, for an access or for none; return whether it gets a place there."""
    source = nearest(t, x)
    if still_leaving(t, x):
        t.run[RETAKEN] += 1
        if slot != NONE:
            served(t, slot, t.run[NOW])
        held = settle_in(t, rules, x)
        if held:
            t.obj[x, IN] = t.run[NOW]
        return held
    if source < len(rules):
        touched(rules[source], x)
    job = send(t, x, source, priority)
    if slot != NONE:
        wait_for(t, slot, job)
    go(t, job)
    held = settle_in(t, rules, x)
    if not held:
        _disown(t, x)
    return held


@inlined
def _disown(t: Tiers, x: int) -> None:
    """Keep nothing of an object that is being fetched: who waits for it is served, no more."""
    if t.obj[x, IN] < 0:
        t.many[OBJECT, ~t.obj[x, IN]] = -1
    t.obj[x, IN] = 0


def _write(t: Tiers, rules: Any, x: int) -> None:
    """Let the near copy be the newest; what is not held goes to the farthest tier at once."""
    if t.obj[x, STATE] & 1 == 1:
        overwrite(t, rules, x)
    else:
        send_down(t, x, 0, t.run[TIERS] - 1)


@inlined
def _look_ahead(t: Tiers, rules: Any, ids: Table, uses: Table, base: int) -> None:
    """Fetch what the next accesses will ask for, as far as jobs and staging room go."""
    cursor = max(t.run[CURSOR], t.run[AT])
    end = min(t.run[AT] + t.run[LOOKAHEAD], base + len(ids))
    most = JOBS // 2
    while cursor < end and t.run[PENDING] < most and t.run[STAGED] <= t.run[STAGING]:
        x = ids[cursor - base]
        if len(uses) > 0 and t.obj[x, STATE] & 1 == 0:
            rules[0].cell[NEXT_USE, x] = cursor
        _fetch_ahead(t, rules, x)
        cursor += 1
    t.run[CURSOR] = cursor


@hint
@inlined
def _come_near(t: Tiers, rules: Any, ids: Table, i: int) -> None:
    """Fetch what later accesses touch: what is said of an object, then its neighbours in lists.

    What lies in the tier below is touched only for what is not near: of the others, 0 stands in.
    """
    near = rules[0]
    last = len(ids) - 1
    seen = i + t.run[LOOKAHEAD]
    x = ids[min(seen + 2 * _APART, last)]
    soon(t.obj, x, STATE)
    soon(near.cell, NEXT, x)
    soon(near.cell, PREV, x)
    soon(near.cell, STAMP, x)
    y = ids[min(seen + _APART, last)]
    soon(near.cell, PREV, near.cell[NEXT, y])
    soon(near.cell, NEXT, near.cell[PREV, y])
    y *= 1 - (t.obj[y, STATE] & 1)
    soon(near.cell, SIZE, y)
    if len(rules) > 1:
        below = rules[1]
        soon(below.cell, NEXT, y)
        soon(below.cell, PREV, y)
        soon(below.cell, STAMP, y)
        z = ids[min(seen + _BRIEFLY, last)]
        z *= 1 - (t.obj[z, STATE] & 1)
        soon(below.cell, PREV, below.cell[NEXT, z])
        soon(below.cell, NEXT, below.cell[PREV, z])
