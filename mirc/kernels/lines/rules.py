"""The uses of a set's ways into the one that is to be given up, under four rules."""

from typing import Any

from mirc.kernels.lines.state import (
    CLOCK,
    LEAVES,
    LRU,
    PIN,
    RANDOM,
    RRIP,
    RULE,
    STATE,
    TREE_PLRU,
    USED,
    WAYS,
    Lines,
)
from mirc.kernels.world import NONE

DISTANT = 3  # the largest 2-bit re-reference prediction value
_WORD = 0xFFFF_FFFF


def filled(a: Lines, slot: int) -> None:
    """Note that a new line was put into a way; RRIP predicts a long interval, one short of most."""
    if a.now[RULE] == RRIP:
        a.line[USED, slot] = 1
    else:
        used(a, slot)


def used(a: Lines, slot: int) -> None:
    """Note that the line in a way was used."""
    if a.now[RULE] == LRU:
        s = slot // a.now[WAYS]
        a.sets[CLOCK, s] += 1
        a.line[USED, slot] = a.sets[CLOCK, s]
    elif a.now[RULE] == RRIP:
        a.line[USED, slot] = DISTANT
    elif a.now[RULE] == TREE_PLRU:
        _turn(a, slot)


def victim(a: Lines, s: int, pin: int) -> Any:
    """Return which way of a set gives way of those that are pinned so; NONE if none is.

    LRU: the oldest use. RRIP (Jaleel, Theobald, Steely and Emer, ISCA 2010, 3.1, 2 bits, hit
    priority): the first that is distant, all candidates ageing until one is. Tree: see
    ``_pointed``. Random: any, drawn.
    """
    low = s * a.now[WAYS]
    high = low + a.now[WAYS]
    best, count = NONE, 0
    for slot in range(low, high):
        if a.line[PIN, slot] == pin:
            count += 1
            if best == NONE or a.line[USED, slot] < a.line[USED, best]:
                best = slot
    if best == NONE or a.now[RULE] == LRU:
        return best
    if a.now[RULE] == RRIP:
        _age(a, low, high, pin, a.line[USED, best])
        return best
    if a.now[RULE] == RANDOM:
        a.now[STATE] = drawn(a.now[STATE])
        return _nth(a, low, pin, a.now[STATE] % count)
    return _pointed(a, s, pin)


def drawn(state: int) -> Any:
    """Return what follows a state of 32 bits that is not 0.

    Source: Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003, (13, 17, 5).
    """
    state ^= (state << 13) & _WORD
    state ^= state >> 17
    return state ^ ((state << 5) & _WORD)


def _age(a: Lines, low: int, high: int, pin: int, age: int) -> None:
    if age:
        for slot in range(low, high):
            if a.line[PIN, slot] == pin:
                a.line[USED, slot] -= age


def _nth(a: Lines, slot: int, pin: int, n: int) -> Any:
    """Return the ``n``-th of a set's ways, from 0, that are pinned so; there is one."""
    while True:
        if a.line[PIN, slot] == pin:
            if n == 0:
                return slot
            n -= 1
        slot += 1


def _turn(a: Lines, slot: int) -> None:
    """Turn every node on the way's path away from it."""
    s = slot // a.now[WAYS]
    base, node = s * a.now[LEAVES], a.now[LEAVES] + slot - s * a.now[WAYS]
    while node > 1:
        a.node[base + node // 2] = 1 - node % 2
        node //= 2


def _pointed(a: Lines, s: int, pin: int) -> Any:
    """Follow the nodes from the root to a way; where a half has no candidate, take the other.

    Source: Handy, The Cache Memory Book (2nd ed., 1998), 2.2. Ways need not be a power of two.
    """
    base, size = s * a.now[LEAVES], a.now[LEAVES]
    low, node = s * a.now[WAYS], 1
    while size > 1:
        size //= 2
        node = 2 * node + a.node[base + node]
        first = node * size - a.now[LEAVES]
        if not _has(a, low + first, low + min(first + size, a.now[WAYS]), pin):
            node ^= 1
    return low + node - a.now[LEAVES]


def _has(a: Lines, begin: int, end: int, pin: int) -> Any:
    slot = begin
    while slot < end and a.line[PIN, slot] != pin:
        slot += 1
    return slot < end
