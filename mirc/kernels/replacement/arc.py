"""ARC: two queues, seen once and seen again, whose shares follow what was let go too soon.

Source: Megiddo and Modha, ARC: a self-tuning, low overhead replacement cache, FAST 2003, figure 4,
with sizes in place of counts. ONCE and AGAIN are its T1 and T2, the ghosts its B1 and B2.
"""

from typing import Any

from mirc.kernels.lists import first
from mirc.kernels.replacement.queues import forget, head_of, join, oldest, part
from mirc.kernels.replacement.state import (
    CAPACITY,
    COMING,
    NEXT,
    QUEUES,
    RECALLED,
    SIZE,
    TARGET,
    WEIGHS,
    WHICH,
    Replacement,
)
from mirc.kernels.world import NONE

ONCE, AGAIN, ONCE_GHOST, AGAIN_GHOST = 0, 1, 2, 3
UNSEEN, ONLY_ONCE = 0, NONE  # of COMING, else a ghost queue counted from 1


def missed(r: Replacement, x: int) -> None:
    """Move the target towards the queue that let this go; forget the oldest ghosts for a new one.

    COMING says until the next miss where it was remembered, or ONLY_ONCE where nothing but the
    first queue fills its share: then its oldest leaves and is not remembered.
    """
    r.now[COMING] = r.cell[WHICH, x] if r.cell[WHICH, x] <= QUEUES else UNSEEN
    if r.now[COMING] == ONCE_GHOST + 1:
        step = max(1.0, r.now[WEIGHS + AGAIN_GHOST] / r.now[WEIGHS + ONCE_GHOST])
        r.real[TARGET] = min(1.0 * r.now[CAPACITY], r.real[TARGET] + step * r.cell[SIZE, x])
        _recall(r, x)
    elif r.now[COMING] == AGAIN_GHOST + 1:
        step = max(1.0, r.now[WEIGHS + ONCE_GHOST] / r.now[WEIGHS + AGAIN_GHOST])
        r.real[TARGET] = max(0.0, r.real[TARGET] - step * r.cell[SIZE, x])
        _recall(r, x)
    else:
        _forget(r, r.cell[SIZE, x])


def admitted(r: Replacement, x: int) -> None:
    """Stand in the first queue, or in the second where it is remembered."""
    queue = ONCE if r.cell[WHICH, x] == 0 else AGAIN
    forget(r, x)
    join(r, queue, x)
    r.now[COMING] = UNSEEN


def touched(r: Replacement, x: int) -> None:
    """Stand as the newest of what was seen again."""
    part(r, x)
    join(r, AGAIN, x)


def left_for_room(r: Replacement, x: int) -> None:
    """Leave, and be remembered beside the queue that it left."""
    queue = r.cell[WHICH, x] - 1
    part(r, x)
    if r.now[COMING] != ONLY_ONCE:
        join(r, queue + 2, x)


def choose(r: Replacement) -> Any:
    """Return the oldest of the queue that has more than its share, or NONE: amortised O(1)."""
    once = r.now[WEIGHS + ONCE]
    tie = r.now[COMING] == AGAIN_GHOST + 1 and once == r.real[TARGET]
    from_once = once > 0 and (tie or once > r.real[TARGET] or r.now[COMING] == ONLY_ONCE)
    queue = ONCE if from_once else AGAIN
    x = oldest(r, queue)
    return x if x != NONE else oldest(r, 1 - queue)


def _recall(r: Replacement, x: int) -> None:
    part(r, x)
    r.cell[WHICH, x] = RECALLED


def _forget(r: Replacement, size: int) -> None:
    """Keep what was seen once within the capacity, and all that is known within twice that."""
    now, capacity = r.now, r.now[CAPACITY]
    while now[WEIGHS + ONCE_GHOST] > 0 and (
        now[WEIGHS + ONCE] + now[WEIGHS + ONCE_GHOST] + size > capacity
    ):
        part(r, first(r.cell, NEXT, head_of(r, ONCE_GHOST)))
    if now[WEIGHS + ONCE] + size > capacity:
        now[COMING] = ONLY_ONCE
        return
    known = now[WEIGHS] + now[WEIGHS + 1] + now[WEIGHS + 2] + now[WEIGHS + 3]
    while now[WEIGHS + AGAIN_GHOST] > 0 and known + size > 2 * capacity:
        x = first(r.cell, NEXT, head_of(r, AGAIN_GHOST))
        known -= r.cell[SIZE, x]
        part(r, x)
