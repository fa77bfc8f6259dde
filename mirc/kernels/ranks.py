"""A set of ranks that answers "which is the lowest from here on": O(log n), words of 32 bits.

Level 0 has a bit per rank, each level above a bit per word below that is not empty; the levels
follow one another in one array, whose first entries are their count and offsets.
"""

from typing import Any

import numpy as np

from mirc.kernels.world import NONE, Table

WORD = 32
MOST_LEVELS = 8
# 2 is a primitive root modulo 37, so the remainder tells the 32 single bits apart.
_BIT_OF_REMAINDER = np.full(37, NONE, dtype=np.int64)
_BIT_OF_REMAINDER[[(1 << bit) % 37 for bit in range(WORD)]] = np.arange(WORD)


def no_ranks(count: int) -> Table:
    """Return a set that may hold the ranks ``0 .. count - 1``."""
    sizes = [max(1, -(-count // WORD))]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // WORD))
    bits = np.zeros(1 + MOST_LEVELS + sum(sizes), dtype=np.int64)
    bits[0] = len(sizes)
    offset = 1 + MOST_LEVELS
    for level, size in enumerate(sizes):
        bits[1 + level] = offset
        offset += size
    return bits


def clear_ranks(bits: Table) -> None:
    """Take all ranks out: O(n)."""
    for word in range(1 + MOST_LEVELS, len(bits)):
        bits[word] = 0


def add_rank(bits: Table, rank: int) -> None:
    """Put a rank in."""
    level = 0
    while level < bits[0]:
        word = bits[1 + level] + rank // WORD
        before = bits[word]
        bits[word] = before | (1 << (rank % WORD))
        if before != 0:
            return
        rank //= WORD
        level += 1


def discard_rank(bits: Table, rank: int) -> None:
    """Take a rank out, if it is in."""
    level = 0
    while level < bits[0]:
        word = bits[1 + level] + rank // WORD
        bits[word] = bits[word] & ~(1 << (rank % WORD))
        if bits[word] != 0:
            return
        rank //= WORD
        level += 1


def lowest_from(bits: Table, rank: int) -> Any:
    """Return the lowest rank that is in and not below ``rank``, or NONE."""
    levels = bits[0]
    level = 0
    while level < levels:
        size = (bits[2 + level] if level + 1 < levels else len(bits)) - bits[1 + level]
        at = rank // WORD
        if at >= size:
            return NONE
        word = bits[bits[1 + level] + at] >> (rank % WORD)
        if word != 0:
            found = rank + _BIT_OF_REMAINDER[(word & -word) % 37]
            while level > 0:
                level -= 1
                below = bits[bits[1 + level] + found]
                found = found * WORD + _BIT_OF_REMAINDER[(below & -below) % 37]
            return found
        rank = at + 1
        level += 1
    return NONE
