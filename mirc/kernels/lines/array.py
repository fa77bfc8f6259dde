"""One line into its way: looked up, put, bound, cleaned, given up."""

from typing import Any

from mirc.kernels.lines.rules import filled, used, victim
from mirc.kernels.lines.state import (
    DATA,
    DIRTY,
    EVICTED,
    FULL,
    GENERATION,
    HANDLE,
    HOLDS,
    IMMUTABLE,
    KEPT,
    KEPT_DATA,
    KEPT_MASK,
    KEPT_NEXT,
    KEY,
    LINE_MASK,
    LOADED,
    LOSSES,
    LOST,
    LOST_HANDLE,
    LOST_LINE,
    LOST_TENANT,
    MEETING,
    MET,
    NEXT,
    OPEN,
    PASSED,
    PIN,
    PLACE,
    PUT,
    REGISTER,
    SETS,
    SOFT,
    SOFT_LINES,
    STRIPED,
    TENANT,
    VALID,
    WAYS,
    WIRED,
    WIRED_LINES,
    WRITTEN,
    Lines,
)
from mirc.kernels.world import NONE


def home(l: Lines, number: int) -> Any:
    """Return the set that a line goes to if nobody chose another."""
    if l.now[STRIPED]:
        number //= l.now[WAYS]
    return number % l.now[SETS]


def lies(l: Lines, number: int) -> Any:
    """Return where a line lies or is awaited, of whatever generation, or NONE."""
    slot = l.line_head[number & l.now[LINE_MASK]] - 1
    while slot != NONE and l.line[HOLDS, slot] != number + 1:
        slot = l.line[NEXT, slot] - 1
    return slot


def stale(l: Lines, slot: int) -> Any:
    """Tell whether a line is bound in a generation that is over: then its way is empty."""
    if l.line[PIN, slot] == OPEN:
        return False
    return l.tenant[REGISTER, l.line[TENANT, slot]] != l.line[GENERATION, slot]


def found(l: Lines, number: int) -> Any:
    """Return where a line lies or is awaited, or NONE; what a past generation left is dropped."""
    slot = lies(l, number)
    if slot != NONE and stale(l, slot):
        drop(l, slot)
        return NONE
    return slot


def use(l: Lines, number: int) -> Any:
    """Use a line and return where it lies, loading nothing: NONE if its set is wired whole."""
    slot = found(l, number)
    if slot != NONE:
        used(l, slot)
        return slot
    slot = way(l, home(l, number))
    if slot == NONE:
        l.now[PASSED] += 1
    else:
        put(l, number, slot)
    return slot


def way(l: Lines, s: int) -> Any:
    """Return a way of a set for another line: an empty one, a stale one, or a victim's.

    Soft lines are candidates only where there is no other; NONE: every way is wired.
    """
    if l.sets[MEETING, s] == 0:
        l.now[MET] += 1
        l.sets[MEETING, s] = l.now[MET]
    low = s * l.now[WAYS]
    if l.sets[FULL, s] < l.now[WAYS]:
        slot = low
        while l.line[HOLDS, slot] != 0:
            slot += 1
        return slot
    for slot in range(low, low + l.now[WAYS]):
        if stale(l, slot):
            drop(l, slot)
            return slot
    slot = victim(l, s, OPEN)
    if slot != NONE:
        clean(l, slot)
        drop(l, slot)
        l.now[EVICTED] += 1
        return slot
    slot = victim(l, s, SOFT)
    if slot != NONE:
        _lose(l, slot)
    return slot


def put(l: Lines, number: int, slot: int) -> None:
    """Put a line that is not in the array into an empty way, not valid and not bound."""
    at = number & l.now[LINE_MASK]
    l.line[NEXT, slot] = l.line_head[at]
    l.line_head[at] = slot + 1
    l.line[HOLDS, slot] = number + 1
    l.line[VALID, slot] = l.line[DIRTY, slot] = l.line[DATA, slot] = 0
    l.now[PUT] += 1
    l.line[PLACE, slot] = l.now[PUT]
    l.sets[FULL, slot // l.now[WAYS]] += 1
    filled(l, slot)


def drop(l: Lines, slot: int) -> None:
    """Empty a way that holds something; what is dirty is lost."""
    at = (l.line[HOLDS, slot] - 1) & l.now[LINE_MASK]
    if l.line_head[at] == slot + 1:
        l.line_head[at] = l.line[NEXT, slot]
    else:
        before = l.line_head[at] - 1
        while l.line[NEXT, before] != slot + 1:
            before = l.line[NEXT, before] - 1
        l.line[NEXT, before] = l.line[NEXT, slot]
    l.line[HOLDS, slot] = 0
    l.sets[FULL, slot // l.now[WAYS]] -= 1
    if l.line[PIN, slot] != OPEN:
        loosen(l, slot)


def hold(l: Lines, slot: int, pin: int, immutable: int, tenant: int, handle: int) -> None:
    """Bind a line for a tenant, in its present generation."""
    l.line[PIN, slot] = pin
    l.line[IMMUTABLE, slot] = immutable
    l.line[TENANT, slot] = tenant
    l.line[GENERATION, slot] = l.tenant[REGISTER, tenant]
    l.line[HANDLE, slot] = handle
    count(l, slot, 1)
    if immutable:
        clean(l, slot)  # from now on its backing is written by nobody


def loosen(l: Lines, slot: int) -> None:
    """Let a line be nobody's; its tenant's register stays."""
    l.line[PIN, slot] = OPEN
    l.line[IMMUTABLE, slot] = l.line[TENANT, slot] = 0
    l.line[GENERATION, slot] = l.line[HANDLE, slot] = 0


def count(l: Lines, slot: int, lines: int) -> None:
    """Count a bound line for its tenant, or no longer."""
    row = WIRED_LINES if l.line[PIN, slot] == WIRED else SOFT_LINES
    l.tenant[row, l.line[TENANT, slot]] += lines


def load(l: Lines, slot: int) -> None:
    """Read a line from off chip."""
    l.line[DATA, slot] = kept(l, l.line[HOLDS, slot] - 1)
    l.line[VALID, slot] = 1
    l.now[LOADED] += 1


def clean(l: Lines, slot: int) -> None:
    """Write a line back if it is dirty."""
    if l.line[DIRTY, slot]:
        keep(l, l.line[HOLDS, slot] - 1, l.line[DATA, slot])
        l.line[DIRTY, slot] = 0
        l.now[WRITTEN] += 1


def kept(l: Lines, number: int) -> Any:
    """Return which write made a line's bytes off chip, 0 if none did."""
    if l.now[KEPT] == 0:
        return 0
    row = _row(l, number)
    return 0 if row == NONE else l.kept[KEPT_DATA, row]


def keep(l: Lines, number: int, data: int) -> None:
    """Let a line's bytes off chip be those of a write; there is room for one more."""
    row = _row(l, number)
    if row == NONE:
        row, at = l.now[KEPT], number & l.now[KEPT_MASK]
        l.now[KEPT] += 1
        l.kept[KEY, row] = number
        l.kept[KEPT_NEXT, row] = l.kept_head[at]
        l.kept_head[at] = row + 1
    l.kept[KEPT_DATA, row] = data


def _row(l: Lines, number: int) -> Any:
    row = l.kept_head[number & l.now[KEPT_MASK]] - 1
    while row != NONE and l.kept[KEY, row] != number:
        row = l.kept[KEPT_NEXT, row] - 1
    return row


def _lose(l: Lines, slot: int) -> None:
    """Evict a soft line and note whose it was."""
    at = l.now[LOSSES]
    l.now[LOSSES] += 1
    l.lost[LOST_LINE, at] = l.line[HOLDS, slot] - 1
    l.lost[LOST_TENANT, at] = l.line[TENANT, slot]
    l.lost[LOST_HANDLE, at] = l.line[HANDLE, slot]
    clean(l, slot)
    count(l, slot, -1)
    drop(l, slot)
    l.now[LOST] += 1
