"""Runs of lines into what an array found, loaded, wrote back, bound and lost: the whole loop."""

from typing import Any

from mirc.kernels.lines.array import (
    clean,
    count,
    drop,
    found,
    keep,
    load,
    loosen,
    put,
    use,
    way,
)
from mirc.kernels.lines.rules import used
from mirc.kernels.lines.state import (
    BOUND,
    DATA,
    DIRTY,
    GENERATION,
    HANDLE,
    IMMUTABLE,
    LOADED,
    MESSAGES,
    OPEN,
    PIN,
    REGISTER,
    SUPPRESSED,
    TENANT,
    VALID,
    WAYS,
    WRITTEN,
    Lines,
)
from mirc.kernels.world import NONE, Table

# Columns of a run: what is done to ``COUNT`` lines, one after another.
DOES = 0  # one of the operations below
FIRST = 1  # number of the first line
COUNT = 2
WHOSE = 3  # the tenant whom an access is counted for, or who binds; 0: nobody
WRITES = 4  # of WRITE and OVERWRITE: the number of the write
BOUND_BY = 5  # of BIND and what concerns a binding: its handle
HELD_AS = 6  # of BIND: SOFT or WIRED
SEALED = 7  # of BIND: 1 where it is immutable
RUN_COLUMNS = 8

READ, WRITE, BIND, PREFETCH, RELEASE, EMPTY, SNOOP, OVERWRITE, TALLY = range(9)

# Rows of what is counted, one column per tenant; loads and write-backs are in ``Lines.now``.
HITS = 0  # lines that were there; of TALLY, those that a binding holds
PASSED_BY = 1  # lines that went past the array
COUNTED = 2


def play(a: Lines, runs: Table, many: int, places: Table, counted: Table) -> None:
    """Play the first ``many`` runs: ranges of lines, each whole before the next.

    ``places`` has, for each line of a BIND, the set that it is to be in, which has room for it.
    There must be room to keep every line that is dirty or written, and to note every soft one.
    """
    for r in range(many):
        does = runs[r, DOES]
        if does == READ:
            _read(a, runs, r, counted)
        elif does == WRITE:
            _write(a, runs, r, counted)
        elif does == BIND:
            _bind(a, runs, r, places)
        elif does in (SNOOP, OVERWRITE):
            _probe(a, runs, r)
        else:
            _of_binding(a, runs, r, counted)


def _read(a: Lines, runs: Table, r: int, counted: Table) -> None:
    whose = runs[r, WHOSE]
    for number in range(runs[r, FIRST], runs[r, FIRST] + runs[r, COUNT]):
        slot = use(a, number)
        if slot == NONE:
            counted[PASSED_BY, whose] += 1
            a.now[LOADED] += 1
        elif a.line[VALID, slot]:
            counted[HITS, whose] += 1
        else:
            load(a, slot)


def _write(a: Lines, runs: Table, r: int, counted: Table) -> None:
    whose = runs[r, WHOSE]
    for number in range(runs[r, FIRST], runs[r, FIRST] + runs[r, COUNT]):
        slot = use(a, number)
        if slot == NONE:
            counted[PASSED_BY, whose] += 1
            keep(a, number, runs[r, WRITES])
            a.now[WRITTEN] += 1
            continue
        if a.line[VALID, slot]:
            counted[HITS, whose] += 1
        else:
            load(a, slot)
        a.line[DATA, slot] = runs[r, WRITES]
        a.line[DIRTY, slot] = 1


def _bind(a: Lines, runs: Table, r: int, places: Table) -> None:
    """Bind what is there already, first of all; then what moves or gets a way that is reserved."""
    first = runs[r, FIRST]
    for i in range(runs[r, COUNT]):
        slot = found(a, first + i)
        if slot != NONE and slot // a.now[WAYS] == places[i]:
            _hold(a, runs, r, slot)
    for i in range(runs[r, COUNT]):
        slot = found(a, first + i)
        if slot == NONE or a.line[HANDLE, slot] != runs[r, BOUND_BY]:
            _hold(a, runs, r, _moved(a, first + i, places[i]))


def _moved(a: Lines, number: int, s: int) -> Any:
    """Return where a line lies now, from another set or new, not valid."""
    slot = way(a, s)
    before = found(a, number)
    if before == NONE:
        put(a, number, slot)
        return slot
    valid, dirty, data = a.line[VALID, before], a.line[DIRTY, before], a.line[DATA, before]
    drop(a, before)
    put(a, number, slot)
    a.line[VALID, slot] = valid
    a.line[DIRTY, slot] = dirty
    a.line[DATA, slot] = data
    return slot


def _hold(a: Lines, runs: Table, r: int, slot: int) -> None:
    """Bind a line that nobody has for a tenant, in its present generation."""
    a.sets[BOUND, slot // a.now[WAYS]] += 1
    tenant = runs[r, WHOSE]
    a.line[PIN, slot] = runs[r, HELD_AS]
    a.line[IMMUTABLE, slot] = runs[r, SEALED]
    a.line[TENANT, slot] = tenant
    a.line[GENERATION, slot] = a.tenant[REGISTER, tenant]
    a.line[HANDLE, slot] = runs[r, BOUND_BY]
    count(a, slot, 1)
    if runs[r, SEALED]:
        clean(a, slot)  # from now on its backing is written by nobody


def _of_binding(a: Lines, runs: Table, r: int, counted: Table) -> None:
    """Load, release or count the lines of a binding that it did not lose."""
    does = runs[r, DOES]
    for number in range(runs[r, FIRST], runs[r, FIRST] + runs[r, COUNT]):
        slot = found(a, number)
        if slot == NONE or a.line[HANDLE, slot] != runs[r, BOUND_BY]:
            continue
        if does == TALLY:
            counted[HITS, runs[r, WHOSE]] += 1
        elif does != PREFETCH:
            _released(a, slot, does)
        elif a.line[VALID, slot] == 0:
            load(a, slot)


def _released(a: Lines, slot: int, does: int) -> None:
    """End the binding of a line: it stays as a cached one, just used and clean, or is empty."""
    count(a, slot, -1)
    if does == EMPTY or a.line[VALID, slot] == 0:
        drop(a, slot)
        return
    clean(a, slot)
    loosen(a, slot)
    used(a, slot)


def _probe(a: Lines, runs: Table, r: int) -> None:
    """Let another agent touch lines off chip; a copy that it overwrites is no longer valid."""
    overwrites = runs[r, DOES] == OVERWRITE
    for number in range(runs[r, FIRST], runs[r, FIRST] + runs[r, COUNT]):
        slot = _snooped(a, number)
        if overwrites:
            keep(a, number, runs[r, WRITES])
            if slot != NONE and a.line[PIN, slot] == OPEN:
                drop(a, slot)
            elif slot != NONE:
                a.line[VALID, slot] = 0


def _snooped(a: Lines, number: int) -> Any:
    """Return the valid copy that takes part in coherence, cleaned for another agent, or NONE."""
    slot = found(a, number)
    if slot == NONE or a.line[VALID, slot] == 0:
        return NONE
    if a.line[IMMUTABLE, slot]:
        a.now[SUPPRESSED] += 1
        return NONE
    a.now[MESSAGES] += 1
    clean(a, slot)
    return slot
