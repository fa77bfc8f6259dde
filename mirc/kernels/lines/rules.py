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


def filled(l: Lines, slot: int) -> None:
    """Note that a new line was put into a way; RRIP predicts a long interval, one short of most."""
    if l.now[RULE] == RRIP:
        l.line[USED, slot] = 1
    else:
        used(l, slot)


def used(l: Lines, slot: int) -> None:
    """Note that the line in a way was used."""
    if l.now[RULE] == LRU:
        s = slot // l.now[WAYS]
        l.sets[CLOCK, s] += 1
        l.line[USED, slot] = l.sets[CLOCK, s]
    elif l.now[RULE] == RRIP:
        l.line[USED, slot] = DISTANT
    elif l.now[RULE] == TREE_PLRU:
        _turn(l, slot)


def victim(l: Lines, s: int, pin: int) -> Any:
    """Return the way of a set that is to be given up of those that are pinned so, NONE if none is.

    LRU: the oldest use. RRIP (Jaleel, Theobald, Steely and Emer, ISCA 2010, 3.1, hit priority): the
    first that is distant, all candidates ageing until one is. Tree: see ``_pointed``. Random: drawn.
    """
    low = s * l.now[WAYS]
    high = low + l.now[WAYS]
    best, count = NONE, 0
    for slot in range(low, high):
        if l.line[PIN, slot] == pin:
            count += 1
            if best == NONE or l.line[USED, slot] < l.line[USED, best]:
                best = slot
    if best == NONE or l.now[RULE] == LRU:
        return best
    if l.now[RULE] == RRIP:
        _age(l, low, high, pin, l.line[USED, best])
        return best
    if l.now[RULE] == RANDOM:
        l.now[STATE] = drawn(l.now[STATE])
        return _nth(l, low, pin, l.now[STATE] % count)
    return _pointed(l, s, pin)


def drawn(state: int) -> Any:
    """Return what follows a state of 32 bits that is not 0.

    Source: Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003, (13, 17, 5).
    """
    state ^= (state << 13) & _WORD
    state ^= state >> 17
    return state ^ ((state << 5) & _WORD)


def _age(l: Lines, low: int, high: int, pin: int, age: int) -> None:
    if age:
        for slot in range(low, high):
            if l.line[PIN, slot] == pin:
                l.line[USED, slot] -= age


def _nth(l: Lines, slot: int, pin: int, n: int) -> Any:
    """Return the ``n``-th of a set's ways, from 0, that are pinned so; there is one."""
    while True:
        if l.line[PIN, slot] == pin:
            if n == 0:
                return slot
            n -= 1
        slot += 1


def _turn(l: Lines, slot: int) -> None:
    """Turn every node on the way's path away from it."""
    s = slot // l.now[WAYS]
    base, node = s * l.now[LEAVES], l.now[LEAVES] + slot - s * l.now[WAYS]
    while node > 1:
        l.node[base + node // 2] = 1 - node % 2
        node //= 2


def _pointed(l: Lines, s: int, pin: int) -> Any:
    """Follow the nodes from the root to a way; where a half has no candidate, take the other.

    Source: Handy, The Cache Memory Book (2nd ed., 1998), 2.2. Ways need not be a power of two.
    """
    base, size = s * l.now[LEAVES], l.now[LEAVES]
    low, node = s * l.now[WAYS], 1
    while size > 1:
        size //= 2
        node = 2 * node + l.node[base + node]
        first = node * size - l.now[LEAVES]
        if not _any(l, low + first, low + min(first + size, l.now[WAYS]), pin):
            node ^= 1
    return low + node - l.now[LEAVES]


def _any(l: Lines, begin: int, end: int, pin: int) -> Any:
    for slot in range(begin, end):
        if l.line[PIN, slot] == pin:
            return True
    return False
