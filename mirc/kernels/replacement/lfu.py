"""Least frequently used, of equals the one used longest ago: O(1) by a queue for each count.

Source: Shah, Mitra and Matani, An O(1) algorithm for implementing the LFU cache eviction scheme,
2010. A bucket is the queue of one count; buckets stand in a chain, lowest count first.
"""

from typing import Any

from mirc.kernels.lists import append, prepend, remove
from mirc.kernels.replacement.queues import lift, oldest
from mirc.kernels.replacement.state import (
    BUCKET,
    COUNT,
    IDS,
    NEXT,
    PREV,
    QUEUES,
    SIZE,
    SPARE,
    SPARED,
    WHICH,
    Replacement,
)
from mirc.kernels.world import NONE

CHAIN = SPARE  # and the row after it: the chain of buckets
MEMBERS = SIZE  # of a bucket: how many are of its count, aside or not


def _chain(r: Replacement) -> Any:
    """Return the column of the head of the chain."""
    return r.now[IDS]


def admitted(r: Replacement, x: int) -> None:
    """Count the first use."""
    r.cell[COUNT, x] = 1
    lowest = r.cell[CHAIN, _chain(r)]
    if lowest == _chain(r) or r.cell[COUNT, lowest] != 1:
        lowest = _bucket(r, 1, _chain(r))
    _join(r, lowest, x)


def touched(r: Replacement, x: int) -> None:
    """Count a use."""
    r.cell[COUNT, x] += 1
    below = r.cell[WHICH, x]
    above = r.cell[CHAIN, below]
    if above == _chain(r) or r.cell[COUNT, above] != r.cell[COUNT, x]:
        above = _bucket(r, r.cell[COUNT, x], below)
    left(r, x)
    _join(r, above, x)


def left(r: Replacement, x: int) -> None:
    """Forget the count."""
    bucket = r.cell[WHICH, x]
    lift(r, x)
    r.cell[WHICH, x] = 0
    r.cell[MEMBERS, bucket] -= 1
    if r.cell[MEMBERS, bucket] == 0:
        remove(r.cell, CHAIN, bucket)
        r.cell[NEXT, bucket] = r.now[SPARED]
        r.now[SPARED] = bucket


def coldest(r: Replacement) -> Any:
    """Return the oldest of the lowest count that may leave and was not put aside, or NONE."""
    bucket = r.cell[CHAIN, _chain(r)]
    while bucket != _chain(r):
        x = oldest(r, bucket - r.now[IDS])
        if x != NONE:
            return x
        bucket = r.cell[CHAIN, bucket]
    return NONE


def _join(r: Replacement, bucket: int, x: int) -> None:
    append(r.cell, NEXT, bucket, x)
    r.cell[WHICH, x] = bucket
    r.cell[MEMBERS, bucket] += 1


def _bucket(r: Replacement, count: int, after: int) -> Any:
    """Return a new empty bucket that stands after another in the chain."""
    bucket = r.now[SPARED]
    if bucket == NONE:
        bucket = r.now[IDS] + QUEUES - 1 + r.now[BUCKET]
        r.now[BUCKET] += 1
    else:
        r.now[SPARED] = r.cell[NEXT, bucket]
    r.cell[NEXT, bucket] = r.cell[PREV, bucket] = bucket
    r.cell[COUNT, bucket] = count
    r.cell[MEMBERS, bucket] = 0
    prepend(r.cell, CHAIN, after, bucket)
    return bucket
