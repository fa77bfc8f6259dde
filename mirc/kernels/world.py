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
KEEP = 18  # never to leave near memory: bits, BY_INTENT and below, of all who say so
LEG = 19  # WAITING, SERVED or FLYING, while CLASS is not NONE
PATH = 20  # row of ``World.route`` that its transfer takes
REMAKE_PS = 21  # computing that makes it again, NEVER where nothing says how long that takes
FORGOTTEN = 22  # 1: dropped, of no copy, to be made again; 2: being made again
UNPACK_PS = 23  # what widening it takes once its bytes have arrived
MATE = 24  # the next member of its coalition, in a ring; itself where it is in none
DEBT = 25  # uses that were predicted and not seen yet: the saturating counter of regret
SENT = 26  # written back, and not read from there since
LEFT_FOR = 27  # the object for whose sake it left, until it is used again, or NONE
LEFT_AT = 28  # step in which that was
USED_AT = 29  # step that used it last, or NONE
FAILS = 30  # of its transfers, how many of the next will arrive damaged
TRIED = 31  # how often the present hop did
GONE = 32  # its tenant has ended: steps no longer use it
TENANT = 33  # whose quota its near copy counts against, or NONE
SPARED_PS = 34  # near-memory time that one use spares because it is held in fewer bytes
BEEN = 35  # near before, in this life
SEEN_FIRST = 36  # position of the step of its first use in this run of the phase, or NONE
SEEN_LAST = 37  # of its last
SEEN_PS = 38  # computing in this run of the phase before its first use
DUE_PS = 39  # planned time of the use that it was prefetched for
MATE_BYTES = 40  # the most of its coalition that is worth fetching together
BARRED = 41  # a bit for each memory into which a rule does not let it leave
MASTER = 42  # bytes of the master beside the narrow copy in its home, 0 where there is none
BEARS = 43  # whose hints it bears: its own, until an announcement says otherwise
OBJECT_ROWS = 44

ABSENT, INCOMING, RESIDENT, LEAVING = 0, 1, 2, 3
DEMAND, PREFETCH, WRITEBACK = 0, 1, 2
INWARD, OUTWARD = 0, 1
WAITING, SERVED, FLYING = 0, 1, 2
BY_INTENT, BY_RULE, BY_SIGNAL, BY_CLAIM = 1, 2, 4, 8

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
BACKLOG = 6  # and two rows more: service that waits here, by class
SERVER_ROWS = 9

# Rows of ``World.link``, one column per directed link.
SERVER = 0
SOURCE = 1
TARGET = 2
LATENCY_PS = 3
RESUMES_PS = 4  # until when it stands still
LINK_ROWS = 5

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
CAUSE = 32  # the object for whose sake the present decision is taken, or NONE
REMADE_AT = 33  # when compute has made again what it was asked for
EXTRA_PS = 34  # converting that the next step waits for
POSITION = 35  # of the step that runs, in its phase
WORKED_PS = 36  # computing in this run of the phase
REVIEWED = 37  # the step that begins a run, before which the last one was reviewed
RELEARNT = 38  # 1: the orders of a phase were corrected since the last run began
GUESS_AT = 39  # rank down to which a lap has looked for what is likely, and unsure
GUESS_LEFT = 40  # bytes of such things that the lap may still bring
RUN_ENTRIES = 41

# Rows of ``World.phase``, one column per phase.
USES = 0  # entries of its order
PERIOD_PS = 1
PHASE_RING = 2  # bytes of the ring through which it streams
PHASE_HORIZON = 3  # how far ahead it may displace others
PHASE_GUESS = 4  # bytes that a lap may bring of what is not sure to be used
PHASE_ROWS = 5

# Rows of ``World.tenant``, one column per tenant with a quota.
LIMIT = 0  # most bytes of near memory that its objects may take
HOLDS = 1  # what they take
PARTING = 2  # of which is being written back
TENANT_ROWS = 3

# Entries of ``World.run[FAULT]``.
FINE, STUCK, LOG_FULL, BROKEN = 0, 1, 2, 3

CERTAIN = 1 << 10  # of ``World.chance``

# Policies.
STATIC, LRU, MRU, LRU_PREFETCH, BELADY, INTENT, REGRET = 0, 1, 2, 3, 4, 5, 6
RULED = 7  # by a rule of mirc.kernels.replacement


class World(NamedTuple):
    """All state of a run; ``n`` objects, ``m`` memories, ``k`` servers, ``l`` links, ``p`` phases.

    ``lists`` has a column per object, then one head per (server, class), one per link for what has
    left it and not landed, and one for age: the victims of recency, oldest first.
    """

    obj: Table  # [OBJECT_ROWS, n]
    mem: Table  # [MEMORY_ROWS, m]
    srv: Table  # [SERVER_ROWS, k]
    link: Table  # [LINK_ROWS, l]
    route: Table  # [2, a m, 1 + hops]: number of hops, then links; a ways for each memory
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
    strength: Table  # [p, n]: how hard it resists leaving
    chance: Table  # [p, n]: of a use in each run of the phase, in 1024ths
    worth: Table  # [p, n]: that chance times what a byte of it takes to come back, at most 16383
    departs: Table  # [p, n]: 1 where the plan lets it leave after a step of the phase
    remake: Table  # [p, n]: computing that makes it again where it may be dropped for it, or NONE
    above: Table  # [p, n + 1]: bytes of the pinnable objects from a rank on
    bits: Table  # which ranks may leave: words of 32, then a word per 32 words, ...
    own: Table  # [t, words]: the same, of what each tenant with a quota has
    tenant: Table  # [TENANT_ROWS, t]
    loose: Table  # which of those leave at once: clean, or of a kind that may be made again
    heap: Table  # [2, c]: next use and object; only an oracle's is not empty
    rule: Table  # what a rule of replacement knows: ``Replacement.now``, ``cell`` and ``real``
    cell: Table
    real: NDArray[np.float64]
    counts: Table  # [COUNTS]: what went wrong how often
    log: Table  # [events, 9]


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
    if w.obj[TENANT, o] != NONE:
        w.tenant[HOLDS, w.obj[TENANT, o]] += w.obj[SIZE, o]
    if w.obj[MADE, o] == 0:
        w.run[STREAM_BYTES] += w.obj[SIZE, o]


def leave_near(w: World, o: int) -> None:
    """Free an object's bytes in near memory."""
    w.mem[USED, NEAR] -= w.obj[SIZE, o]
    if w.obj[TENANT, o] != NONE:
        w.tenant[HOLDS, w.obj[TENANT, o]] -= w.obj[SIZE, o]
    if w.obj[MADE, o] == 0:
        w.run[STREAM_BYTES] -= w.obj[SIZE, o]


def begin_parting(w: World, o: int) -> None:
    """Count an object's near bytes as soon free."""
    w.run[LEAVING_BYTES] += w.obj[SIZE, o]
    if w.obj[TENANT, o] != NONE:
        w.tenant[PARTING, w.obj[TENANT, o]] += w.obj[SIZE, o]


def end_parting(w: World, o: int) -> None:
    """Count them so no longer: they are free, or stay."""
    w.run[LEAVING_BYTES] -= w.obj[SIZE, o]
    if w.obj[TENANT, o] != NONE:
        w.tenant[PARTING, w.obj[TENANT, o]] -= w.obj[SIZE, o]
