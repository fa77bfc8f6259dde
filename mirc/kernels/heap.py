"""A binary heap over two rows, greatest key first; ties go to the lower object: O(log n)."""

from typing import Any

from mirc.kernels.world import Table


def _over(heap: Table, a: int, b: int) -> Any:
    if heap[0, a] != heap[0, b]:
        return heap[0, a] > heap[0, b]
    return heap[1, a] < heap[1, b]


def _swap(heap: Table, a: int, b: int) -> None:
    key, item = heap[0, a], heap[1, a]
    heap[0, a], heap[1, a] = heap[0, b], heap[1, b]
    heap[0, b], heap[1, b] = key, item


def push(heap: Table, count: int, key: int, item: int) -> None:
    """Add an item as the ``count``-th (from 0)."""
    heap[0, count] = key
    heap[1, count] = item
    at = count
    while at > 0:
        parent = (at - 1) // 2
        if not _over(heap, at, parent):
            return
        _swap(heap, at, parent)
        at = parent


def pop(heap: Table, count: int) -> None:
    """Remove the greatest of ``count`` items."""
    count -= 1
    _swap(heap, 0, count)
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            return
        if child + 1 < count and _over(heap, child + 1, child):
            child += 1
        if not _over(heap, child, at):
            return
        _swap(heap, child, at)
        at = child
