"""Keys, chunk after chunk, into the position of each one's next access."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

NEVER = -1


def next_accesses(chunks: Iterable[NDArray[np.int64]], objects: int) -> NDArray[np.int64]:
    """Return the position of the next access to each access's key, below ``objects``, or -1.

    Takes 8 bytes an access and as many for each object.
    """
    parts: list[NDArray[np.int64]] = []
    last = np.full(objects, NEVER, dtype=np.int64)  # where each key was accessed last
    begin = 0
    for keys in chunks:
        found = np.full(len(keys), NEVER, dtype=np.int64)
        parts.append(found)
        order = np.argsort(keys, kind="stable")
        same = keys[order[1:]] == keys[order[:-1]]
        found[order[:-1][same]] = begin + order[1:][same]
        opening = np.concatenate(([True], ~same))
        firsts = order[opening]
        before = last[keys[firsts]]
        _fill(parts, before, begin + firsts)
        closing = order[np.concatenate((~same, [True]))]
        last[keys[closing]] = begin + closing
        begin += len(keys)
    return np.concatenate(parts)


def _fill(
    parts: list[NDArray[np.int64]], before: NDArray[np.int64], positions: NDArray[np.int64]
) -> None:
    """Say of the last accesses before this chunk where their keys come next."""
    lengths = np.array([len(part) for part in parts], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    which = np.searchsorted(starts, before, side="right") - 1
    for number, part in enumerate(parts):
        mine = (which == number) & (before != NEVER)
        part[before[mine] - starts[number]] = positions[mine]
