"""64-bit keys into ids from 0 in the order in which they come, by a table of open addresses."""

from typing import Any, NamedTuple

from mirc.kernels.tuning import hint, soon
from mirc.kernels.world import NONE, Table

LOW = (1 << 31) - 1
_AHEAD = 32  # keys: while these are looked up, memory has answered

# Entries of ``Keys.now``.
COUNT = 0  # ids given
FIRST_FACTOR, SECOND_FACTOR = 1, 2  # odd, below 2^31: which slots a key tries does not show in ids


class Keys(NamedTuple):
    """Keys that were seen; ``slot`` has a power of two of rows and stays at most half full."""

    now: Table  # [3]
    slot: Table  # [2^b, 2]: key and id, NONE where it is free


def densify(keys: Keys, raw: Table, ids: Table, begin: int) -> Any:
    """Write the ids of ``raw[begin:]``; return where it stopped for want of slots: O(1) a key."""
    mask = len(keys.slot) - 1
    most = len(keys.slot) // 2
    for k in range(begin, len(raw)):
        key = raw[k]
        _come_near(keys, raw, k)
        at = _slot(keys, key, mask)
        while keys.slot[at, 1] != NONE and keys.slot[at, 0] != key:
            at = (at + 1) & mask
        if keys.slot[at, 1] == NONE:
            if keys.now[COUNT] == most:
                return k
            keys.slot[at, 0] = key
            keys.slot[at, 1] = keys.now[COUNT]
            keys.now[COUNT] += 1
        ids[k] = keys.slot[at, 1]
    return len(raw)


def rehash(old: Keys, new: Keys) -> None:
    """Carry all keys into an empty table of more slots, under the ids that they have."""
    mask = len(new.slot) - 1
    new.now[COUNT] = old.now[COUNT]
    for row in range(len(old.slot)):
        if old.slot[row, 1] == NONE:
            continue
        at = _slot(new, old.slot[row, 0], mask)
        while new.slot[at, 1] != NONE:
            at = (at + 1) & mask
        new.slot[at, 0] = old.slot[row, 0]
        new.slot[at, 1] = old.slot[row, 1]


def _slot(keys: Keys, key: int, mask: int) -> Any:
    """Return the first slot to try: both halves of a key times a factor each, without overflow."""
    low = (key & LOW) * keys.now[FIRST_FACTOR]
    high = ((key >> 31) & LOW) * keys.now[SECOND_FACTOR]
    mixed = low ^ high ^ (key >> 62)
    return (mixed ^ (mixed >> 29)) & mask


@hint
def _come_near(keys: Keys, raw: Table, k: int) -> None:
    """Fetch the slot that a later key tries first."""
    later = raw[min(k + _AHEAD, len(raw) - 1)]
    soon(keys.slot, _slot(keys, later, len(keys.slot) - 1), 0)
