"""The queues of a cache: who stands in which, and who was put aside because it may not leave."""

from typing import Any

from mirc.kernels.lists import append, first, last, prepend, remove
from mirc.kernels.replacement.heaps import enheap, unheap
from mirc.kernels.replacement.state import (
    ASIDE,
    HEAP,
    IDS,
    IN_HEAP,
    IN_QUEUE,
    LIES,
    NEXT,
    PINNED,
    QUEUES,
    SIZE,
    STRAYS,
    WEIGHS,
    WHICH,
    Replacement,
)
from mirc.kernels.world import NONE


def head_of(r: Replacement, queue: int) -> Any:
    """Return the column of a queue's head."""
    return r.now[IDS] + queue


def join(r: Replacement, queue: int, x: int) -> None:
    """Let an id that is in no queue stand in one, as its newest; its weight is counted there."""
    append(r.cell, NEXT, head_of(r, queue), x)
    r.cell[WHICH, x] = queue + 1
    r.now[WEIGHS + queue] += r.cell[SIZE, x]


def part(r: Replacement, x: int) -> None:
    """Take an id out of the queue that it joined, wherever it lies."""
    r.now[WEIGHS + r.cell[WHICH, x] - 1] -= r.cell[SIZE, x]
    r.cell[WHICH, x] = 0
    lift(r, x)


def lift(r: Replacement, x: int) -> None:
    """Take an id from where it lies: its queue, the heap or aside."""
    if r.now[STRAYS] > 0 and r.cell[LIES, x] != IN_QUEUE:
        r.now[STRAYS] -= 1
        unheap(r, HEAP, x)
        r.cell[LIES, x] = IN_QUEUE
    else:
        remove(r.cell, NEXT, x)


def set_aside(r: Replacement, x: int) -> None:
    """Take an id that may not leave out of its queue, so that nobody looks at it twice."""
    remove(r.cell, NEXT, x)
    r.cell[LIES, x] = ASIDE
    r.now[STRAYS] += 1


def enter_heap(r: Replacement, x: int) -> None:
    """Put an id that lies nowhere into the heap, or aside if it may not leave."""
    r.now[STRAYS] += 1
    r.cell[LIES, x] = ASIDE
    if r.cell[PINNED, x] == 0:
        heap_up(r, x)


def heap_up(r: Replacement, x: int) -> None:
    """Put an id that lies aside into the heap."""
    r.cell[LIES, x] = IN_HEAP
    enheap(r, HEAP, x)


def return_to(r: Replacement, queue: int, x: int) -> None:
    """Let an id that lies aside stand in a queue again, as its oldest."""
    r.now[STRAYS] -= 1
    r.cell[LIES, x] = IN_QUEUE
    prepend(r.cell, NEXT, head_of(r, queue), x)


def oldest(r: Replacement, queue: int) -> Any:
    """Return the oldest of a queue that may leave, or NONE: amortised O(1).

    Those before it that may not are put aside.
    """
    head = head_of(r, queue)
    x = first(r.cell, NEXT, head)
    while x != head and r.cell[PINNED, x] != 0:
        set_aside(r, x)
        x = first(r.cell, NEXT, head)
    return NONE if x == head else x


def newest(r: Replacement, queue: int) -> Any:
    """Return the newest of a queue that may leave, or NONE; as ``oldest`` does."""
    head = head_of(r, queue)
    x = last(r.cell, NEXT, head)
    while x != head and r.cell[PINNED, x] != 0:
        set_aside(r, x)
        x = last(r.cell, NEXT, head)
    return NONE if x == head else x


def forget(r: Replacement, x: int) -> None:
    """Forget that an id that is not here was."""
    if 0 < r.cell[WHICH, x] <= QUEUES:
        part(r, x)
    r.cell[WHICH, x] = 0
