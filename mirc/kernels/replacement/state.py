"""The names of every row in the tables that hold what a rule of replacement knows."""

from collections import defaultdict
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mirc.kernels.world import NONE, Table

Reals: TypeAlias = NDArray[np.float64]

# Rules, as ``Replacement.now[RULE]``.
FIFO, LRU, MRU, LFU, ARC, S3_FIFO, SIEVE, BELADY, LEARNED, TTL = range(10)

# Rows of ``Replacement.cell``, one column per id, then one per head of a queue.
NEXT, PREV = 0, 1  # in its queue, oldest first; see mirc.kernels.lists
STAMP = 2  # clock of what its age is counted from, 0 where it is not here
LIES = 3  # of what is here: IN_QUEUE, ASIDE or IN_HEAP
PINNED = 4  # 1: it may not leave now
SIZE = 5  # in the unit of the capacity
WHICH = 6  # of rules with several queues: which it is in, counted from 1; 0: in none
COUNT = 7  # uses, as the rule counts them
KEY = 8  # of what is in the heap: the lowest leaves first, then the lowest stamp
HEAP = 9  # not a row of ids: the heap itself, see mirc.kernels.replacement.heaps
PLACE = 10  # its position in the heap, counted from 1; 0: it is not there
EXPIRES = 11  # from when its priority is the default, NEVER if it always holds; predicted use
TIMERS = 12  # not a row of ids: the heap of what expires, soonest first
TIMER = 13  # its position there, counted from 1
NEXT_USE = 14  # position of its next use, NEVER without one; filled for oracles alone
PRIORITY = 15  # set by hand, 0 to 100
SPARE = 16  # and seven rows more: what a rule that learns remembers of each id
ROWS = 24

IN_QUEUE, ASIDE, IN_HEAP = 0, 1, 2

# Entries of ``Replacement.now``: scalars.
RULE = 0
IDS = 1  # how many ids there are: the column of the first head
CAPACITY = 2
HELD = 3  # size of what is here
CLOCK = 4  # admissions and uses so far
STRAYS = 5  # ids that are here and in no queue: put aside, or in the heap
HAND = 6  # of SIEVE: the next to be looked at, or NONE
COMING = 7  # of ARC: where what was missed last was remembered, while it is not here
VARIANT = 8  # DIRECT or SMALL_FIRST, of S3-FIFO; ADMIT or BYPASS, of BELADY
FILLED = 9  # of S3-FIFO: 1 once the cache has been full
TIME = 10  # the caller's clock, which EXPIRES is read against
WEIGHS = 11  # and three entries more: size of each queue, of rules with several
BUCKET = 15  # of LFU: the next unused bucket
SPARED = 16  # of LFU: the first bucket that was used and is not, or NONE
PINS = 17  # how many ids may not leave now, here or not
ENTRIES = 24

DIRECT, SMALL_FIRST = 0, 1
ADMIT, BYPASS = 0, 2

# Entries of ``Replacement.real``.
TARGET = 0  # of ARC: size that its first queue aims at
LEARNT = 1  # and what follows: weights of a rule that learns
REALS = 64

NEVER = 1 << 62
DEFAULT_PRIORITY = 35
QUEUES = 4
_BEYOND = 1 << 40
RECALLED = QUEUES + 1  # of WHICH: it was remembered when it was asked for


class Replacement(NamedTuple):
    """All that a rule of replacement knows about ``n`` ids, dense from 0."""

    now: Table  # [ENTRIES]
    cell: Table  # [ROWS, n + heads]
    real: Reals  # [REALS]


def replacement(rule: int, ids: int, capacity: int, variant: int = 0) -> Replacement:
    """Return an empty cache of ``ids`` possible ids of size 1, and of ``capacity`` in all.

    Set ``cell[SIZE]`` for other sizes. Rows that a rule never touches take no memory.
    """
    heads = QUEUES + (ids + 1 if rule == LFU else 0)
    empty = Replacement(
        now=np.zeros(ENTRIES, dtype=np.int64),
        cell=np.zeros((ROWS, ids + heads), dtype=np.int64),
        real=np.zeros(REALS),
    )
    _set_up(empty, rule, ids, capacity, variant)
    empty.cell[SIZE, :ids] = 1
    if rule == BELADY:
        empty.cell[NEXT_USE, :ids] = NEVER
    if rule == TTL:
        empty.cell[PRIORITY, :ids] = DEFAULT_PRIORITY
        empty.cell[EXPIRES, :ids] = NEVER
    return empty


def sparse_replacement(rule: int, capacity: int, variant: int = 0) -> Replacement:
    """Return the same for any ids below 2^40, in dictionaries: for plain Python, and faster there.

    ``meet`` each id before it is used.
    """
    cell: Any = defaultdict(int)
    now: Any = [0] * ENTRIES
    real: Any = [0.0] * REALS
    empty = Replacement(now=now, cell=cell, real=real)
    _set_up(empty, rule, _BEYOND, capacity, variant)
    return empty


def meet(r: Replacement, x: int) -> None:
    """Give a new id what ids have before anything is said of them."""
    r.cell[SIZE, x] = 1
    r.cell[NEXT_USE, x] = r.cell[EXPIRES, x] = NEVER
    r.cell[PRIORITY, x] = DEFAULT_PRIORITY


def _set_up(r: Replacement, rule: int, ids: int, capacity: int, variant: int) -> None:
    r.now[RULE], r.now[IDS], r.now[CAPACITY], r.now[VARIANT] = rule, ids, capacity, variant
    r.now[HAND] = r.now[SPARED] = NONE
    r.now[BUCKET] = 1
    for head in range(ids, ids + QUEUES):
        r.cell[NEXT, head] = r.cell[PREV, head] = head
    r.cell[SPARE, ids] = r.cell[SPARE + 1, ids] = ids


def here(r: Replacement, x: int) -> Any:
    """Tell whether an id is in the cache."""
    return r.cell[STAMP, x] != 0


def full_for(r: Replacement, size: int) -> Any:
    """Tell whether something must leave before ``size`` more comes in."""
    return r.now[HELD] + size > r.now[CAPACITY]
