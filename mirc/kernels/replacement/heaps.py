"""Binary heaps of ids inside the table, lowest first; each id knows its place: O(log n).

A heap is named by its row, HEAP or TIMERS. The row before it holds the keys, the row after it the
place of each id counted from 1, and its column after the last id how many are in. Of equal keys the
lower stamp comes first.
"""

from typing import Any

from mirc.kernels.replacement.state import IDS, STAMP, Replacement
from mirc.kernels.world import NONE


def lowest(r: Replacement, heap: int) -> Any:
    """Return the first id of a heap, or NONE."""
    return r.cell[heap, 0] if r.cell[heap, r.now[IDS]] > 0 else NONE


def enheap(r: Replacement, heap: int, x: int) -> None:
    """Put in an id that is not in the heap, under its key and stamp."""
    at = r.cell[heap, r.now[IDS]]
    r.cell[heap, r.now[IDS]] = at + 1
    _rise(r, heap, x, at)


def unheap(r: Replacement, heap: int, x: int) -> None:
    """Take an id out of the heap, if it is in; its own key and stamp are not read."""
    at = r.cell[heap + 1, x] - 1
    if at < 0:
        return
    r.cell[heap + 1, x] = 0
    count = r.cell[heap, r.now[IDS]] - 1
    r.cell[heap, r.now[IDS]] = count
    moved = r.cell[heap, count]
    if moved == x:
        return
    if at > 0 and before(r, heap, moved, r.cell[heap, (at - 1) // 2]):
        _rise(r, heap, moved, at)
    else:
        _sink(r, heap, moved, at)


def before(r: Replacement, heap: int, a: int, b: int) -> Any:
    """Tell whether ``a`` comes before ``b``: by key, then by stamp."""
    if r.cell[heap - 1, a] != r.cell[heap - 1, b]:
        return r.cell[heap - 1, a] < r.cell[heap - 1, b]
    return r.cell[STAMP, a] < r.cell[STAMP, b]


def _rise(r: Replacement, heap: int, x: int, at: int) -> None:
    while at > 0:
        parent = r.cell[heap, (at - 1) // 2]
        if not before(r, heap, x, parent):
            break
        _settle(r, heap, parent, at)
        at = (at - 1) // 2
    _settle(r, heap, x, at)


def _sink(r: Replacement, heap: int, x: int, at: int) -> None:
    count = r.cell[heap, r.now[IDS]]
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and before(r, heap, r.cell[heap, child + 1], r.cell[heap, child]):
            child += 1
        if not before(r, heap, r.cell[heap, child], x):
            break
        _settle(r, heap, r.cell[heap, child], at)
        at = child
    _settle(r, heap, x, at)


def _settle(r: Replacement, heap: int, x: int, at: int) -> None:
    r.cell[heap, at] = x
    r.cell[heap + 1, x] = at + 1
