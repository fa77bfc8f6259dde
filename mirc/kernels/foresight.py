"""Accesses, part after part, into the position of the next access to each one's object."""

from mirc.kernels.world import NONE, Table


def foresee(found: Table, last: Table, ids: Table, begin: int) -> None:
    """Tell earlier accesses that ``ids``, at positions from ``begin`` on, come next. O(1) each.

    ``found`` has a place for every access of all parts, ``last`` the position at which each id was
    seen last, NONE before it was.
    """
    for k in range(len(ids)):
        before = last[ids[k]]
        if before != NONE:
            found[before] = begin + k
        last[ids[k]] = begin + k
