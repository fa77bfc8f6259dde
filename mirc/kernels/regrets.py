"""Predicted and seen uses into the order in which the least regretted object comes up first.

The published score is R(i) = P(reuse) x StallPenalty(tier distance) x RemainingLifetime, its last
factor a saturating counter of 16 bits. Source: the residency map of essay 000 and its published
controller (MCOS-HFC).
"""

from typing import Any

from mirc.kernels.heap import push
from mirc.kernels.world import DEBT, HEAPED, OFFERED, PHASE, USED_AT, World

MOST_DEBT = (1 << 16) - 1
MOST_WORTH = (1 << 14) - 1  # of ``World.worth``
_STEPS = (1 << 31) - 1


def regret(w: World, o: int) -> Any:
    """Return R(i), of 30 bits: chance and stall of each byte (``World.worth``), uses to come."""
    return w.worth[w.run[PHASE], o] * w.obj[DEBT, o]


def key_of(w: World, o: int) -> Any:
    """Return the key by which a heap yields the least regret first, of equal ones the latest used.

    On a cyclic order, which is what a phase is taken to be, the latest used is needed last.
    """
    return min(w.obj[USED_AT, o], _STEPS) - (regret(w, o) << 31)


def enheap(w: World, o: int) -> None:
    """Put an offered object into the heap: O(log n), and O(n) once in n times, when it is full.

    Entries of what is offered no longer, or under another key, are forgotten then.
    """
    if w.run[HEAPED] == w.heap.shape[1]:
        w.run[HEAPED] = 0
        for other in range(w.obj.shape[1]):
            if w.obj[OFFERED, other] == 1 and other != o:
                push(w.heap, w.run[HEAPED], key_of(w, other), other)
                w.run[HEAPED] += 1
    push(w.heap, w.run[HEAPED], key_of(w, o), o)
    w.run[HEAPED] += 1
