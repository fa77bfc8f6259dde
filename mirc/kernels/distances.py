"""Accesses into stack distances: one pass gives the hits of LRU at every capacity.

An access hits in a cache that evicts the least recently used until what comes in fits exactly if
the sizes of all that was used since its last use, its own included, sum to at most the capacity.
Source: Mattson, Gecsei, Slutz and Traiger, Evaluation techniques for storage hierarchies, IBM
Systems Journal 9(2), 1970; sums by a tree of Fenwick, Software: Practice and Experience 24, 1994.
"""

from typing import NamedTuple

import numpy as np

from mirc.kernels.world import NONE, Table

# What an access is.
COUNTED, UNCOUNTED, REMOVED = 0, 1, 2
# Entries of ``now``.
NEXT, TOTAL = 0, 1
# Rows of what is tallied.
HITS, HIT_BYTES = 0, 1


class Stack(NamedTuple):
    """What is remembered of the order of use; n ids, positions 1 to m count up with each use.

    Positions that are used up are given out anew, so memory grows with ids and not with accesses.
    """

    tree: Table  # [m + 1], sizes by position, as Fenwick sums them
    holder: Table  # [m + 1], the id that was used last at a position, or NONE
    at: Table  # [n], the position of each id's last use, or NONE
    size: Table  # [n]
    now: Table  # NEXT position, TOTAL size of all that has a position


def stack(size: Table) -> Stack:
    """Return the stack before the first access to ids of these sizes."""
    positions = 2 * len(size) + 64
    return Stack(
        tree=np.zeros(positions + 1, dtype=np.int64),
        holder=np.full(positions + 1, NONE, dtype=np.int64),
        at=np.full(len(size), NONE, dtype=np.int64),
        size=size,
        now=np.array([1, 0], dtype=np.int64),
    )


def tally(s: Stack, ids: Table, what: Table, capacities: Table, tallied: Table) -> None:
    """Play accesses, and add each that is COUNTED to the least capacity in which it hits.

    ``what`` says of each access what it is; it may be empty: then all are counted. ``tallied`` has
    one column for each of ``capacities``, in rising order, and one more for what hits in none.
    REMOVED ids are gone from the order, and the room that they leave counts as free. O(log n) an
    access.
    """
    for k in range(len(ids)):
        x = ids[k]
        kind = what[k] if len(what) > 0 else COUNTED
        if kind == REMOVED:
            leave(s, x)
        else:
            distance = use(s, x)
            if kind == COUNTED:
                column = len(capacities) if distance == NONE else least(capacities, distance)
                tallied[HITS, column] += 1
                tallied[HIT_BYTES, column] += s.size[x]


def use(s: Stack, x: int) -> int:
    """Put an id on top; return its distance before, NONE if it had none."""
    distance = NONE
    if s.at[x] != NONE:
        distance = s.now[TOTAL] - below(s, s.at[x] - 1)
        leave(s, x)
    if s.now[NEXT] == len(s.tree):
        renumber(s)
    s.at[x] = s.now[NEXT]
    s.holder[s.at[x]] = x
    add(s, s.at[x], s.size[x])
    s.now[NEXT] += 1
    return distance


def leave(s: Stack, x: int) -> None:
    """Take an id out of the order, if it is in it."""
    if s.at[x] != NONE:
        add(s, s.at[x], -s.size[x])
        s.holder[s.at[x]] = NONE
        s.at[x] = NONE


def below(s: Stack, position: int) -> int:
    """Return the size of all at positions up to this one."""
    found = 0
    while position > 0:
        found += s.tree[position]
        position -= position & -position
    return found


def add(s: Stack, position: int, size: int) -> None:
    """Add a size at a position."""
    s.now[TOTAL] += size
    while position < len(s.tree):
        s.tree[position] += size
        position += position & -position


def renumber(s: Stack) -> None:
    """Give the ids positions from 1 on, in their order, and sum anew. O(m), every n accesses."""
    count = 0
    for position in range(1, len(s.tree)):
        x = s.holder[position]
        s.tree[position] = 0
        s.holder[position] = NONE
        if x != NONE:
            count += 1
            s.holder[count] = x
            s.at[x] = count
    for position in range(1, len(s.tree)):
        if s.holder[position] != NONE:
            s.tree[position] += s.size[s.holder[position]]
        above = position + (position & -position)
        if above < len(s.tree):
            s.tree[above] += s.tree[position]
    s.now[NEXT] = count + 1


def least(capacities: Table, distance: int) -> int:
    """Return the index of the least capacity that is no less than a distance."""
    low, high = 0, len(capacities)
    while low < high:
        middle = (low + high) // 2
        if capacities[middle] < distance:
            low = middle + 1
        else:
            high = middle
    return low
