"""Accesses into hits, under any rule and without a clock."""

from mirc.kernels.replacement.rule import admitted, bypassed, choose, evicted, missed, touched
from mirc.kernels.replacement.state import (
    BELADY,
    BYPASS,
    CAPACITY,
    NEXT,
    NEXT_USE,
    PREV,
    RULE,
    SIZE,
    STAMP,
    VARIANT,
    Replacement,
    full_for,
    here,
)
from mirc.kernels.tuning import hint, soon
from mirc.kernels.world import Table

# Entries of what is counted.
HITS, HIT_SIZE, EVICTED, PASSED_BY = 0, 1, 2, 3
COUNTED = 4

_APART = 16  # accesses: while these are made, memory has answered


def replay(r: Replacement, ids: Table, next_use: Table, counted: Table) -> None:
    """Play accesses of dense ids, and add what came of them to ``counted``.

    ``next_use`` has the position of the next access of each access's id, NEVER without one; only
    an oracle's is read, others' may be empty. What is larger than the cache passes by.
    """
    for k in range(len(ids)):
        x = ids[k]
        _come_near(r, ids, k)
        if r.now[RULE] == BELADY:
            r.cell[NEXT_USE, x] = next_use[k]
        if here(r, x):
            counted[HITS] += 1
            counted[HIT_SIZE] += r.cell[SIZE, x]
            touched(r, x)
        else:
            _fetch(r, x, counted)


def _fetch(r: Replacement, x: int, counted: Table) -> None:
    missed(r, x)
    if r.cell[SIZE, x] > r.now[CAPACITY]:
        counted[PASSED_BY] += 1
        return
    while full_for(r, r.cell[SIZE, x]):
        victim = choose(r)
        if r.now[VARIANT] == BYPASS and bypassed(r, x, victim):
            counted[PASSED_BY] += 1
            return
        counted[EVICTED] += 1
        evicted(r, victim)
    admitted(r, x)


@hint
def _come_near(r: Replacement, ids: Table, k: int) -> None:
    """Fetch what later accesses touch: first what is said of an id, then its neighbours."""
    last = len(ids) - 1
    x = ids[min(k + 2 * _APART, last)]
    soon(r.cell, STAMP, x)
    soon(r.cell, NEXT, x)
    soon(r.cell, PREV, x)
    y = ids[min(k + _APART, last)]
    soon(r.cell, PREV, r.cell[NEXT, y])
    soon(r.cell, NEXT, r.cell[PREV, y])
