"""Accesses into hits, transfers and waits: the whole loop, O(1) an access where rules are."""

from typing import Any

from mirc.kernels.replacement.rule import missed, touched
from mirc.kernels.replacement.state import CAPACITY, NEXT_USE, TIME
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

SPARE_JOBS = 64  # what one access may ask for at most stays free


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


def _await(t: Tiers, slot: int) -> None:
    while t.many[DONE, slot] == NEVER:
        step(t)


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
    source = nearest(t, x)
    t.few[HITS, source] += 1
    missed(rules[0], x)
    if still_leaving(t, x):
        t.run[RETAKEN] += 1
        if settle_in(t, rules, x):
            t.obj[x, IN] = t.run[NOW]
        served(t, slot, t.run[NOW])
        return
    if source < len(rules):
        touched(rules[source], x)
    job = send(t, x, source, DEMAND)
    wait_for(t, slot, job)
    go(t, job)
    if not settle_in(t, rules, x):
        _disown(t, x)


def _fetch_ahead(t: Tiers, rules: Any, x: int) -> None:
    """Ask for an object that is not near, behind all that is asked for by now."""
    if t.obj[x, STATE] & 1 == 1 or t.sizes[BYTES, t.obj[x, KIND]] > rules[0].now[CAPACITY]:
        return
    source = nearest(t, x)
    t.run[PREFETCHED] += 1
    if still_leaving(t, x):
        t.run[RETAKEN] += 1
        if settle_in(t, rules, x):
            t.obj[x, IN] = t.run[NOW]
            t.obj[x, STATE] |= AHEAD
        return
    if source < len(rules):
        touched(rules[source], x)
    go(t, send(t, x, source, PREFETCH))
    if settle_in(t, rules, x):
        t.obj[x, STATE] |= AHEAD
    else:
        _disown(t, x)


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
