"""S3-FIFO: three queues, so that what is used once passes through a small one.

Source: Yang, Zhang, Qiu, Yue and Rashmi, FIFO queues are all you need for cache eviction, SOSP
2023. The small queue has a tenth of the capacity, the ghosts nine tenths; two uses in the small
queue lead to the main one, where each of at most three uses spares a round. What the paper leaves
open is how the cache fills the first time: DIRECT sends what comes to the main queue as soon as the
small one has its tenth, SMALL_FIRST lets the small one take everything.
"""

from typing import Any

from mirc.kernels.lists import first
from mirc.kernels.replacement.queues import head_of, join, oldest, part
from mirc.kernels.replacement.state import (
    CAPACITY,
    COUNT,
    DIRECT,
    FILLED,
    NEXT,
    RECALLED,
    SIZE,
    VARIANT,
    WEIGHS,
    WHICH,
    Replacement,
)
from mirc.kernels.world import NONE

SMALL, MAIN, GHOST = 0, 1, 2
PROMOTED = 2  # uses in the small queue that lead to the main one
MOST = 3  # uses that count in the main queue


def _small_share(r: Replacement) -> Any:
    return r.now[CAPACITY] // 10


def missed(r: Replacement, x: int) -> None:
    """Note whether what is asked for left the small queue not long ago."""
    if r.cell[WHICH, x] == GHOST + 1:
        part(r, x)
        r.cell[WHICH, x] = RECALLED


def admitted(r: Replacement, x: int) -> None:
    """Stand in the small queue; in the main one if it is wanted again, or the cache is filling."""
    missed(r, x)  # what is brought in ahead of its use was not asked for
    r.cell[COUNT, x] = 0
    filling = r.now[VARIANT] == DIRECT and r.now[FILLED] == 0
    full = r.now[WEIGHS + SMALL] >= _small_share(r)
    if r.cell[WHICH, x] == RECALLED or (filling and full):
        join(r, MAIN, x)
    else:
        join(r, SMALL, x)


def left_for_room(r: Replacement, x: int) -> None:
    """Leave; what leaves from the small queue is remembered for a while."""
    r.now[FILLED] = 1
    remember = r.cell[WHICH, x] == SMALL + 1
    part(r, x)
    if not remember:
        return
    most = r.now[CAPACITY] * 9 // 10
    while r.now[WEIGHS + GHOST] > 0 and r.now[WEIGHS + GHOST] + r.cell[SIZE, x] > most:
        part(r, first(r.cell, NEXT, head_of(r, GHOST)))
    if r.cell[SIZE, x] <= most:
        join(r, GHOST, x)


def choose(r: Replacement) -> Any:
    """Return who leaves, moving on those who are spared, or NONE: amortised O(1)."""
    main_share = r.now[CAPACITY] - _small_share(r)
    if r.now[WEIGHS + MAIN] <= main_share:
        x = _from_small(r)
        if x != NONE:
            return x
        return _from_main(r)
    x = _from_main(r)
    return x if x != NONE else _from_small(r)


def _from_small(r: Replacement) -> Any:
    x = oldest(r, SMALL)
    while x != NONE and r.cell[COUNT, x] >= PROMOTED:
        part(r, x)
        r.cell[COUNT, x] = 0
        join(r, MAIN, x)
        x = oldest(r, SMALL)
    return x


def _from_main(r: Replacement) -> Any:
    x = oldest(r, MAIN)
    while x != NONE and r.cell[COUNT, x] > 0:
        r.cell[COUNT, x] = min(r.cell[COUNT, x], MOST) - 1
        part(r, x)
        join(r, MAIN, x)
        x = oldest(r, MAIN)
    return x
