"""What happens to an id into what its rule of replacement makes of it.

A cache calls, in this order: for a use of what is there ``touched``; for a use of what is not
there ``missed``, then ``choose`` and ``evicted`` until there is room, then ``admitted`` (without
``missed`` for what is fetched ahead of its use). ``removed`` is for what ends and is worth
remembering to nobody. ``forbid`` and ``allow`` say what may not leave for the time being; they
may be called for any id, here or not. All are O(1) or O(log n), amortised.
"""

from typing import Any

from mirc.kernels.lists import append, first, remove
from mirc.kernels.replacement.arc import admitted as arc_admitted
from mirc.kernels.replacement.arc import choose as arc_choose
from mirc.kernels.replacement.arc import left_for_room as arc_left_for_room
from mirc.kernels.replacement.arc import missed as arc_missed
from mirc.kernels.replacement.arc import touched as arc_touched
from mirc.kernels.replacement.heaps import enheap, lowest, unheap
from mirc.kernels.replacement.learned import admitted as learned_admitted
from mirc.kernels.replacement.learned import left_for_room as learned_left_for_room
from mirc.kernels.replacement.learned import overdue as learned_overdue
from mirc.kernels.replacement.learned import touched as learned_touched
from mirc.kernels.replacement.lfu import admitted as lfu_admitted
from mirc.kernels.replacement.lfu import coldest as lfu_coldest
from mirc.kernels.replacement.lfu import left as lfu_left
from mirc.kernels.replacement.lfu import touched as lfu_touched
from mirc.kernels.replacement.queues import (
    enter_heap,
    forget,
    head_of,
    heap_up,
    lift,
    newest,
    oldest,
    part,
    return_to,
)
from mirc.kernels.replacement.s3_fifo import admitted as s3_admitted
from mirc.kernels.replacement.s3_fifo import choose as s3_choose
from mirc.kernels.replacement.s3_fifo import left_for_room as s3_left_for_room
from mirc.kernels.replacement.s3_fifo import missed as s3_missed
from mirc.kernels.replacement.sieve import admitted as sieve_admitted
from mirc.kernels.replacement.sieve import back as sieve_back
from mirc.kernels.replacement.sieve import choose as sieve_choose
from mirc.kernels.replacement.sieve import left as sieve_left
from mirc.kernels.replacement.state import (
    ARC,
    ASIDE,
    BELADY,
    CLOCK,
    COUNT,
    DEFAULT_PRIORITY,
    EXPIRES,
    FIFO,
    HEAP,
    HELD,
    IN_HEAP,
    KEY,
    LEARNED,
    LFU,
    LIES,
    MRU,
    NEVER,
    NEXT,
    NEXT_USE,
    PINNED,
    PINS,
    PRIORITY,
    RULE,
    S3_FIFO,
    SIEVE,
    SIZE,
    STAMP,
    STRAYS,
    TIME,
    TIMERS,
    TTL,
    WHICH,
    Replacement,
)
from mirc.kernels.world import NONE

# One queue with nobody aside is the common case of FIFO, LRU and MRU. It is small enough to be
# compiled into the caller; the functions for all the rest are called.


def _plain(r: Replacement) -> Any:
    """Tell whether all that is here stands in one queue, in the order of its age."""
    return r.now[RULE] <= MRU and r.now[STRAYS] == 0


def missed(r: Replacement, x: int) -> None:
    """Note that an id was asked for and is not here; nothing has left for it yet."""
    if r.now[RULE] == ARC:
        arc_missed(r, x)
    elif r.now[RULE] == S3_FIFO:
        s3_missed(r, x)


def admitted(r: Replacement, x: int) -> None:
    """Take in an id that is not here; the caller has made room, or lets the cache overflow."""
    r.now[HELD] += r.cell[SIZE, x]
    r.now[CLOCK] += 1
    r.cell[STAMP, x] = r.now[CLOCK]
    if r.now[RULE] <= MRU:
        append(r.cell, NEXT, head_of(r, 0), x)
    else:
        _admitted(r, x)


def _admitted(r: Replacement, x: int) -> None:
    rule = r.now[RULE]
    if rule == LFU:
        lfu_admitted(r, x)
    elif rule == ARC:
        arc_admitted(r, x)
    elif rule == S3_FIFO:
        s3_admitted(r, x)
    elif rule == SIEVE:
        sieve_admitted(r, x)
    else:
        if rule == LEARNED:
            learned_admitted(r, x)
        _enter(r, x)


def touched(r: Replacement, x: int) -> None:
    """Note a use of an id that is here."""
    r.now[CLOCK] += 1
    if r.now[RULE] in (S3_FIFO, SIEVE):
        r.cell[COUNT, x] += 1
    elif not _plain(r):
        _touched(r, x)
    elif r.now[RULE] != FIFO:
        r.cell[STAMP, x] = r.now[CLOCK]
        remove(r.cell, NEXT, x)
        append(r.cell, NEXT, head_of(r, 0), x)


def _touched(r: Replacement, x: int) -> None:
    rule = r.now[RULE]
    if rule == FIFO:
        return
    if rule == LFU:
        lfu_touched(r, x)
    elif rule == ARC:
        arc_touched(r, x)
    else:
        lift(r, x)
    r.cell[STAMP, x] = r.now[CLOCK]
    if rule <= MRU:
        append(r.cell, NEXT, head_of(r, 0), x)
    elif rule >= BELADY:
        if rule == LEARNED:
            learned_touched(r, x)
        _enter(r, x)


def evicted(r: Replacement, x: int) -> None:
    """Let an id leave to make room: what remembers those who left does."""
    if _plain(r):
        remove(r.cell, NEXT, x)
    else:
        _evicted(r, x)
    _gone(r, x)


def _evicted(r: Replacement, x: int) -> None:
    if r.now[RULE] == ARC:
        arc_left_for_room(r, x)
    elif r.now[RULE] == S3_FIFO:
        s3_left_for_room(r, x)
    else:
        if r.now[RULE] == LEARNED:
            learned_left_for_room(r, x)
        _lift_out(r, x)


def removed(r: Replacement, x: int) -> None:
    """Forget an id that ends, here or remembered."""
    if r.cell[STAMP, x] != 0:
        _lift_out(r, x)
        _gone(r, x)
    elif r.now[RULE] == ARC or r.now[RULE] == S3_FIFO:
        forget(r, x)


def choose(r: Replacement) -> Any:
    """Return the id that leaves next, or NONE if none may; it stays until it is evicted."""
    if _plain(r) and r.now[RULE] != MRU:
        x = first(r.cell, NEXT, head_of(r, 0))
        if r.now[PINS] == 0 and x != head_of(r, 0):
            return x
    return _choose(r)


def _choose(r: Replacement) -> Any:
    rule = r.now[RULE]
    if rule == ARC:
        return arc_choose(r)
    if rule == S3_FIFO:
        return s3_choose(r)
    if rule == SIEVE:
        return sieve_choose(r)
    if rule in (TTL, LEARNED):
        _lapse(r)
    x = lowest(r, HEAP)
    if rule >= BELADY:
        return x
    if rule == LFU:
        y = lfu_coldest(r)
    elif rule == MRU:
        y = newest(r, 0)
    else:
        y = oldest(r, 0)
    return y if x == NONE or (y != NONE and _before(r, y, x)) else x


def forbid(r: Replacement, x: int) -> None:
    """Let an id not leave, from now on and until it is allowed."""
    r.now[PINS] += 1 - r.cell[PINNED, x]
    r.cell[PINNED, x] = 1
    if r.cell[LIES, x] == IN_HEAP:
        unheap(r, HEAP, x)
        r.cell[LIES, x] = ASIDE


def allow(r: Replacement, x: int) -> None:
    """Let an id leave again; it stands where it would stand had it never been forbidden.

    Under ARC, S3-FIFO and SIEVE, what was passed over in the meantime is looked at next.
    """
    r.now[PINS] -= r.cell[PINNED, x]
    r.cell[PINNED, x] = 0
    if r.cell[LIES, x] != ASIDE:
        return
    rule = r.now[RULE]
    if rule == SIEVE:
        sieve_back(r, x)
    elif rule in (ARC, S3_FIFO):
        return_to(r, r.cell[WHICH, x] - 1, x)
    else:
        r.cell[KEY, x] = _key(r, x)
        heap_up(r, x)


def retain(r: Replacement, x: int, priority: int, expires: int) -> None:
    """Set by hand how an id is kept, 0 to 100, and until when; here or not. Only TTL heeds it."""
    if r.now[RULE] != TTL:
        return
    unheap(r, TIMERS, x)
    r.cell[PRIORITY, x] = priority
    r.cell[EXPIRES, x] = expires
    if r.cell[STAMP, x] != 0:
        lift(r, x)
        _enter(r, x)


def bypassed(r: Replacement, x: int, victim: int) -> Any:
    """Tell whether an oracle would rather not take in an id than let its victim leave for it."""
    return r.cell[NEXT_USE, x] >= r.cell[NEXT_USE, victim]


def _enter(r: Replacement, x: int) -> None:
    """Put an id of a rule that goes by keys alone where its key wants it."""
    r.cell[KEY, x] = _key(r, x)
    enter_heap(r, x)
    if r.now[RULE] in (TTL, LEARNED):
        unheap(r, TIMERS, x)
        if _clock(r) < r.cell[EXPIRES, x] < NEVER:
            enheap(r, TIMERS, x)


def _lift_out(r: Replacement, x: int) -> None:
    """Take an id that is here out of wherever it stands."""
    rule = r.now[RULE]
    if rule == LFU:
        lfu_left(r, x)
    elif rule == SIEVE:
        sieve_left(r, x)
    elif rule in (ARC, S3_FIFO):
        part(r, x)
    else:
        lift(r, x)
        if rule in (TTL, LEARNED):
            unheap(r, TIMERS, x)


def _gone(r: Replacement, x: int) -> None:
    r.now[HELD] -= r.cell[SIZE, x]
    r.cell[STAMP, x] = 0


def _key(r: Replacement, x: int) -> Any:
    """Return what an id is kept by; the lowest leaves first, of equals the lowest stamp."""
    rule = r.now[RULE]
    if rule == MRU:
        return -r.cell[STAMP, x]
    if rule == LFU:
        return r.cell[COUNT, x]
    if rule == BELADY:
        return -r.cell[NEXT_USE, x]
    if rule == LEARNED:
        return -r.cell[EXPIRES, x]
    if rule == TTL:
        return r.cell[PRIORITY, x] if r.now[TIME] < r.cell[EXPIRES, x] else DEFAULT_PRIORITY
    return 0


def _before(r: Replacement, a: int, b: int) -> Any:
    """Tell whether ``a``, of a queue, leaves before ``b``, of the heap."""
    key = _key(r, a)
    if key != r.cell[KEY, b]:
        return key < r.cell[KEY, b]
    return r.cell[STAMP, a] < r.cell[STAMP, b]


def _clock(r: Replacement) -> Any:
    """Return the clock that EXPIRES is read against: the caller's, or that of uses."""
    return r.now[CLOCK] if r.now[RULE] == LEARNED else r.now[TIME]


def _lapse(r: Replacement) -> None:
    """Give what has expired the key that it has from now on."""
    x = lowest(r, TIMERS)
    while x != NONE and r.cell[EXPIRES, x] <= _clock(r):
        unheap(r, TIMERS, x)
        aside = r.cell[LIES, x] != IN_HEAP
        unheap(r, HEAP, x)
        if r.now[RULE] == LEARNED:
            learned_overdue(r, x)
            enheap(r, TIMERS, x)
        r.cell[KEY, x] = _key(r, x)
        if not aside:
            heap_up(r, x)
        x = lowest(r, TIMERS)
