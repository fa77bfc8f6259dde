"""One line into its way: looked up, put, bound, cleaned, given up."""

from typing import Any

from mirc.kernels.lines.rules import filled, used, victim
from mirc.kernels.lines.state import (
    BOUND,
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


def home(a: Lines, number: int) -> Any:
    """Return the set that a line goes to if nobody chose another."""
    if a.now[STRIPED]:
        number //= a.now[WAYS]
    return number % a.now[SETS]


def lies(a: Lines, number: int) -> Any:
    """Return where a line lies or is awaited, of whatever generation, or NONE."""
    slot = a.line_head[number & a.now[LINE_MASK]] - 1
    while slot != NONE and a.line[HOLDS, slot] != number + 1:
        slot = a.line[NEXT, slot] - 1
    return slot


def stale(a: Lines, slot: int) -> Any:
    """Tell whether a line is bound in a generation that is over: then its way is empty."""
    if a.line[PIN, slot] == OPEN:
        return False
    return a.tenant[REGISTER, a.line[TENANT, slot]] != a.line[GENERATION, slot]


def found(a: Lines, number: int) -> Any:
    """Return where a line lies or is awaited, or NONE; what a past generation left is dropped."""
    slot = lies(a, number)
    if slot != NONE and stale(a, slot):
        drop(a, slot)
        return NONE
    return slot


def use(a: Lines, number: int) -> Any:
    """Use a line and return where it lies, loading nothing: NONE if its set is wired whole."""
    slot = found(a, number)
    if slot != NONE:
        used(a, slot)
        return slot
    slot = way(a, home(a, number))
    if slot == NONE:
        a.now[PASSED] += 1
    else:
        put(a, number, slot)
    return slot


def way(a: Lines, s: int) -> Any:
    """Return a way of a set for another line: an empty one, a stale one, or a victim's.

    Soft lines are candidates only where there is no other; NONE: every way is wired.
    """
    if a.sets[MEETING, s] == 0:
        a.now[MET] += 1
        a.sets[MEETING, s] = a.now[MET]
    low = s * a.now[WAYS]
    if a.sets[FULL, s] < a.now[WAYS]:
        slot = low
        while a.line[HOLDS, slot] != 0:
            slot += 1
        return slot
    if a.sets[BOUND, s]:
        for slot in range(low, low + a.now[WAYS]):
            if stale(a, slot):
                drop(a, slot)
                return slot
    slot = victim(a, s, OPEN)
    if slot != NONE:
        clean(a, slot)
        drop(a, slot)
        a.now[EVICTED] += 1
        return slot
    slot = victim(a, s, SOFT)
    if slot != NONE:
        _lose(a, slot)
    return slot


def put(a: Lines, number: int, slot: int) -> None:
    """Put a line that is not in the array into an empty way, not valid and not bound."""
    at = number & a.now[LINE_MASK]
    a.line[NEXT, slot] = a.line_head[at]
    a.line_head[at] = slot + 1
    a.line[HOLDS, slot] = number + 1
    a.line[VALID, slot] = a.line[DIRTY, slot] = a.line[DATA, slot] = 0
    a.now[PUT] += 1
    a.line[PLACE, slot] = a.now[PUT]
    a.sets[FULL, slot // a.now[WAYS]] += 1
    filled(a, slot)


def drop(a: Lines, slot: int) -> None:
    """Empty a way that holds something; what is dirty is lost."""
    at = (a.line[HOLDS, slot] - 1) & a.now[LINE_MASK]
    if a.line_head[at] == slot + 1:
        a.line_head[at] = a.line[NEXT, slot]
    else:
        before = a.line_head[at] - 1
        while a.line[NEXT, before] != slot + 1:
            before = a.line[NEXT, before] - 1
        a.line[NEXT, before] = a.line[NEXT, slot]
    a.line[HOLDS, slot] = 0
    a.sets[FULL, slot // a.now[WAYS]] -= 1
    if a.line[PIN, slot] != OPEN:
        loosen(a, slot)


def loosen(a: Lines, slot: int) -> None:
    """Let a bound line be nobody's; its tenant's register stays."""
    a.sets[BOUND, slot // a.now[WAYS]] -= 1
    a.line[PIN, slot] = OPEN
    a.line[IMMUTABLE, slot] = a.line[TENANT, slot] = 0
    a.line[GENERATION, slot] = a.line[HANDLE, slot] = 0


def count(a: Lines, slot: int, lines: int) -> None:
    """Count a bound line for its tenant, or no longer."""
    row = WIRED_LINES if a.line[PIN, slot] == WIRED else SOFT_LINES
    a.tenant[row, a.line[TENANT, slot]] += lines


def load(a: Lines, slot: int) -> None:
    """Read a line from off chip."""
    a.line[DATA, slot] = kept(a, a.line[HOLDS, slot] - 1)
    a.line[VALID, slot] = 1
    a.now[LOADED] += 1


def clean(a: Lines, slot: int) -> None:
    """Write a line back if it is dirty."""
    if a.line[DIRTY, slot]:
        keep(a, a.line[HOLDS, slot] - 1, a.line[DATA, slot])
        a.line[DIRTY, slot] = 0
        a.now[WRITTEN] += 1


def kept(a: Lines, number: int) -> Any:
    """Return which write made a line's bytes off chip, 0 if none did."""
    if a.now[KEPT] == 0:
        return 0
    row = _row(a, number)
    return 0 if row == NONE else a.kept[KEPT_DATA, row]


def keep(a: Lines, number: int, data: int) -> None:
    """Let a line's bytes off chip be those of a write; there is room for one more."""
    row = _row(a, number)
    if row == NONE:
        row, at = a.now[KEPT], number & a.now[KEPT_MASK]
        a.now[KEPT] += 1
        a.kept[KEY, row] = number
        a.kept[KEPT_NEXT, row] = a.kept_head[at]
        a.kept_head[at] = row + 1
    a.kept[KEPT_DATA, row] = data


def _row(a: Lines, number: int) -> Any:
    row = a.kept_head[number & a.now[KEPT_MASK]] - 1
    while row != NONE and a.kept[KEY, row] != number:
        row = a.kept[KEPT_NEXT, row] - 1
    return row


def _lose(a: Lines, slot: int) -> None:
    """Evict a soft line and note whose it was."""
    at = a.now[LOSSES]
    a.now[LOSSES] += 1
    a.lost[LOST_LINE, at] = a.line[HOLDS, slot] - 1
    a.lost[LOST_TENANT, at] = a.line[TENANT, slot]
    a.lost[LOST_HANDLE, at] = a.line[HANDLE, slot]
    clean(a, slot)
    count(a, slot, -1)
    drop(a, slot)
    a.now[LOST] += 1
