"""What past intervals taught into when an id will be used next: the rule that only observes.

The next use is predicted as the last one plus the mean interval that was seen between a use and the
next, of ids with as many uses; the mean moves with every interval seen. What is used latest by that
prediction leaves first.
"""

from typing import Any

from mirc.kernels.replacement.state import CLOCK, COUNT, LEARNT, SPARE, STAMP, Replacement

KINDS = 16  # counts told apart: 1 to 15, and more
USED_AT = SPARE  # row of the clock of the last use
RATE = 0.01  # how far one interval moves the mean


def admitted(r: Replacement, x: int) -> None:
    """Begin to count."""
    r.cell[COUNT, x] = 1
    r.cell[USED_AT, x] = r.now[CLOCK]


def touched(r: Replacement, x: int) -> None:
    """Learn from the interval since the last use; called once the stamp is the new one."""
    kind = LEARNT + min(r.cell[COUNT, x], KINDS) - 1
    interval = r.now[CLOCK] - r.cell[USED_AT, x]
    r.real[kind] += (interval - r.real[kind]) * RATE
    r.cell[COUNT, x] += 1
    r.cell[USED_AT, x] = r.now[CLOCK]


def left(r: Replacement, x: int) -> None:
    """Learn nothing from what left."""


def key(r: Replacement, x: int) -> Any:
    """Return what it is kept by: the negative of when it is used next."""
    kind = LEARNT + min(r.cell[COUNT, x], KINDS) - 1
    return -(r.cell[STAMP, x] + int(r.real[kind]))
