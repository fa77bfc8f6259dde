"""Doubly linked lists inside an array: a column per member, a column per head, all O(1).

``row`` is the row of successors; the row after it holds the predecessors. An empty list is a head
that points to itself.
"""

from typing import Any

from mirc.kernels.world import Table


def first(lists: Table, row: int, head: int) -> Any:
    """Return the oldest member, or the head if there is none."""
    return lists[row, head]


def last(lists: Table, row: int, head: int) -> Any:
    """Return the newest member, or the head if there is none."""
    return lists[row + 1, head]


def append(lists: Table, row: int, head: int, x: int) -> None:
    """Add ``x``, which is in no list of this family, as the newest."""
    before = lists[row + 1, head]
    lists[row, before] = x
    lists[row + 1, x] = before
    lists[row, x] = head
    lists[row + 1, head] = x


def prepend(lists: Table, row: int, head: int, x: int) -> None:
    """Add ``x``, which is in no list of this family, as the oldest."""
    after = lists[row, head]
    lists[row, head] = x
    lists[row + 1, x] = head
    lists[row, x] = after
    lists[row + 1, after] = x


def remove(lists: Table, row: int, x: int) -> None:
    """Take ``x`` out of the list that it is in."""
    before, after = lists[row + 1, x], lists[row, x]
    lists[row, before] = after
    lists[row + 1, after] = before
    lists[row, x] = x
    lists[row + 1, x] = x
