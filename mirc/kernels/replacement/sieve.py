"""SIEVE: a hand goes from old to new, spares once what was used, takes what was not.

Source: Zhang, Yang, Yue, Vigfusson and Rashmi, SIEVE is simpler than LRU, NSDI 2024.
"""

from typing import Any

from mirc.kernels.lists import append
from mirc.kernels.replacement.queues import head_of, lift, set_aside
from mirc.kernels.replacement.state import (
    COUNT,
    HAND,
    IN_QUEUE,
    LIES,
    NEXT,
    PINNED,
    PREV,
    STRAYS,
    Replacement,
)
from mirc.kernels.world import NONE


def admitted(r: Replacement, x: int) -> None:
    """Stand as the newest, not used yet."""
    r.cell[COUNT, x] = 0
    append(r.cell, NEXT, head_of(r, 0), x)


def left(r: Replacement, x: int) -> None:
    """Leave the queue; the hand does not stay behind."""
    if r.now[HAND] == x:
        r.now[HAND] = _newer(r, x)
    lift(r, x)


def choose(r: Replacement) -> Any:
    """Move the hand on to what was not used since it passed, or NONE; amortised O(1)."""
    while True:
        if r.now[HAND] == NONE:
            r.now[HAND] = _newer(r, head_of(r, 0))
        x = r.now[HAND]
        if x == NONE:
            return NONE
        if r.cell[PINNED, x] != 0:
            r.now[HAND] = _newer(r, x)
            set_aside(r, x)
        elif r.cell[COUNT, x] == 0:
            return x
        else:
            r.cell[COUNT, x] = 0
            r.now[HAND] = _newer(r, x)


def back(r: Replacement, x: int) -> None:
    """Let what was put aside stand under the hand again: it is looked at next."""
    at = head_of(r, 0) if r.now[HAND] == NONE else r.now[HAND]
    before = r.cell[PREV, at]
    if r.now[HAND] == NONE:  # the hand begins anew, from the oldest
        before, at = at, r.cell[NEXT, at]
    r.cell[NEXT, before] = r.cell[PREV, at] = x
    r.cell[PREV, x], r.cell[NEXT, x] = before, at
    r.now[STRAYS] -= 1
    r.cell[LIES, x] = IN_QUEUE
    r.now[HAND] = x


def _newer(r: Replacement, x: int) -> Any:
    """Return the next newer in the queue, or NONE after the newest."""
    newer = r.cell[NEXT, x]
    return NONE if newer == head_of(r, 0) else newer
