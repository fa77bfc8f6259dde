"""The names of every row in the arrays that hold a run's state.

A world is a few int64 tables (rows are quantities, columns are ids), not a tuple of sixty arrays:
compiling a function costs time per argument, and an argument costs time per call.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Table: TypeAlias = NDArray[np.int64]
NONE = -1
NEVER = 1 << 62  # later than anything

# Rows of ``World.obj``, one column per object.
SIZE = 0
STATE = 1  # of its near copy: ABSENT ... LEAVING
DIRTY = 2  # the near copy is newer than any other
HOME = 3  # the memory that holds its master or backing copy, or NONE
MADE = 4  # made by the run; a retirement leaves nothing of it
CLASS = 5  # priority of its transfer: DEMAND, PREFETCH, WRITEBACK, or NONE
ORIGIN = 6  # the class that it was issued with
WAY = 7  # INWARD or OUTWARD
HOP = 8  # index of the hop that it waits for or is on
LEFT_PS = 9  # service that the hop still needs
READY_PS = 10  # when its last byte lands, once it has left the link
BEGUN = 11  # the transfer has used a link: it is not taken back
DOOMED = 12  # retired in flight: vanishes on arrival
HELD = 13  # in use by the step that runs
AHEAD = 14  # prefetched, and not used since
WRITING = 15  # 1: being written back; 2: and changed since
OFFERED = 16  # may be chosen as a victim
NEXT_USE = 17  # step of its next use; filled for oracles alone
KEEP = 18  # vetoes: never to leave near memory
LEG = 19  # WAITING, SERVED or FLYING, while CLASS is not NONE
OBJECT_ROWS = 20

ABSENT, INCOMING, RESIDENT, LEAVING = 0, 1, 2, 3
DEMAND, PREFETCH, WRITEBACK = 0, 1, 2
INWARD, OUTWARD = 0, 1
WAITING, SERVED, FLYING = 0, 1, 2

# Rows of ``World.mem``, one column per memory; column 0 is the near memory.
CAPACITY = 0  # usable: capacity less reserve
HOMES = 1  # of which masters and backing copies may take (the rest stages passing transfers)
USED = 2
PEAK = 3
HOME_BYTES = 4
MEMORY_ROWS = 5
NEAR = 0

# Rows of ``World.srv``: a server is a link, or several that take turns at one root.
ACTIVE = 0  # the object in service, or NONE
ON_LINK = 1
START_PS = 2
END_PS = 3
CUT = 4  # service ends at a chunk's end for something more urgent
OUTSTANDING = 5  # prefetches whose first hop is here and has not ended
SERVER_ROWS = 6

# Rows of ``World.link``, one column per directed link.
SERVER = 0
SOURCE = 1
TARGET = 2
LATENCY_PS = 3
LINK_ROWS = 4

# Rows of ``World.lists``: two families of doubly linked lists over objects and heads.
QUEUE_NEXT, QUEUE_PREV, AGE_NEXT, AGE_PREV = 0, 1, 2, 3

# Rows of ``World.ledger``, one column per link.
LEDGER_BUSY = 3  # rows 0 to 2 are bytes by the class of issue
LEDGER_ROWS = 4

# Entries of ``World.run``: scalars.
NOW = 0
STEP = 1
PHASE = 2
LAP = 3  # runs of this phase in a row
CLOCK_PS = 4  # where the run is in the phase's planned time
AT = 5  # uses of the phase's order that are behind, over all laps
CURSOR = 6  # uses known to be resident or on their way
AHEAD_BYTES = 7  # prefetched or on the way, unused
LEAVING_BYTES = 8  # near bytes that are being written back, soon free
STREAM_BYTES = 9  # near bytes of what is not made by the run
TRANSIENT = 10  # room that the step holds besides objects
HIGH = 11  # most room that made objects and transients took, this lap or the last
HIGH_LAP = 12  # the same, this lap
STEP_HIGH = 13  # most streamed bytes that one step used
PINNED_FROM = 14  # rank from which a static placement pins
ISSUED = 15
ON_TIME = 16
LATE = 17
UNUSED = 18
LOGGED = 19
HEAPED = 20
REFUSED = 21  # the prefetch that was refused last, and why: said once
REFUSED_WHY = 22
POLICY = 23
RING_BYTES = 24
HORIZON_PS = 25
DEPTH = 26
CHUNK_BYTES = 27
RECORDING = 28
FAULT = 29
FAULT_OBJECT = 30
WAITERS = 31  # objects that the step still waits for
RUN_ENTRIES = 32

# Rows of ``World.phase``, one column per phase.
USES = 0  # entries of its order
PERIOD_PS = 1
PHASE_RING = 2  # bytes of the ring through which it streams
PHASE_HORIZON = 3  # how far ahead it may displace others
PHASE_ROWS = 4

# Entries of ``World.run[FAULT]``.
FINE, STUCK, LOG_FULL = 0, 1, 2

# Policies.
STATIC, LRU, MRU, LRU_PREFETCH, BELADY, INTENT = 0, 1, 2, 3, 4, 5


class World(NamedTuple):
    """All state of a run; ``n`` objects, ``m`` memories, ``k`` servers, ``l`` links, ``p`` phases.

    ``lists`` has a column per object, then one head per (server, class), one per link for what has
    left it and not landed, and one for age: the victims of recency, oldest first.
    """

    obj: Table  # [OBJECT_ROWS, n]
    mem: Table  # [MEMORY_ROWS, m]
    srv: Table  # [SERVER_ROWS, k]
    link: Table  # [LINK_ROWS, l]
    route: Table  # [2, m, 1 + hops]: number of hops, then links, to and from near memory
    service: Table  # [l, n]: picoseconds that an object occupies a link
    lists: Table  # [4, n + 3 k + l + 1]
    ledger: Table  # [LEDGER_ROWS, l]
    run: Table  # [RUN_ENTRIES]
    phase: Table  # [PHASE_ROWS, p]
    order: Table  # [p, uses]: objects by planned use
    due: Table  # [p, uses]: planned time of that use
    first: Table  # [p, n]: planned time of first use, NONE without one
    horizon: Table  # [p, n]: how long before its use a fetch should begin, NONE if unsaid
    place: Table  # [p, 2, n]: where in the order its first and last use stand, or NONE
    rank: Table  # [p, n]: lower ranks leave near memory first
    ranked: Table  # [p, n]: object of each rank
    above: Table  # [p, n + 1]: bytes of the pinnable objects from a rank on
    bits: Table  # which ranks may leave: words of 32, then a word per 32 words, ...
    heap: Table  # [2, c]: next use and object; only an oracle's is not empty
    log: Table  # [events, 8]


def free_bytes(w: World) -> Any:
    """Return the unused bytes of near memory."""
    return w.mem[CAPACITY, NEAR] - w.mem[USED, NEAR]


def take(w: World, memory: int, size: int) -> None:
    """Occupy bytes of a memory."""
    w.mem[USED, memory] += size
    if w.mem[USED, memory] > w.mem[PEAK, memory]:  # noqa: PLR1730 - max() of int64 is slow uncompiled
        w.mem[PEAK, memory] = w.mem[USED, memory]


def take_near(w: World, o: int) -> None:
    """Occupy an object's bytes in near memory."""
    take(w, NEAR, w.obj[SIZE, o])
    if w.obj[MADE, o] == 0:
        w.run[STREAM_BYTES] += w.obj[SIZE, o]


def leave_near(w: World, o: int) -> None:
    """Free an object's bytes in near memory."""
    w.mem[USED, NEAR] -= w.obj[SIZE, o]
    if w.obj[MADE, o] == 0:
        w.run[STREAM_BYTES] -= w.obj[SIZE, o]
