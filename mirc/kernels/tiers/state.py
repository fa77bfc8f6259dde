"""The names of every row in the tables of tiers, links and transfers that serve accesses.

An object's row is one piece of memory, so that an access touches little; whatever is few (tiers,
links, transfers under way) has a column each.
"""

from typing import NamedTuple

from mirc.kernels.world import NEVER, NONE, Table

__all__ = ["NEVER", "NONE", "Table"]

# Entries of ``Tiers.obj[x]``.
STATE = 0  # a bit for each tier that has a copy, 0 the nearest; then these:
DIRTY = 1 << 16  # no copy in the farthest tier is as new
AHEAD = 1 << 17  # prefetched, and not used since
KIND = 1  # its size class: column of ``Tiers.kind`` and ``Tiers.service``
IN = 2  # when it can be read from the nearest tier, or ~job while that is open
OUT = 3  # when its last copy downwards has landed, or ~job while that is open
OBJECT_COLUMNS = 4

# Rows of ``Tiers.tier``, one column per tier; the last holds everything from the start.
HITS = 0  # accesses that found the object there, and no nearer
BELOW = 1  # where what leaves goes: the next tier with room for anything and ways there and back
CARRIED = 2  # what waits for room there while others make it
FOR = 3  # the tier in which that makes room
TIER_ROWS = 4

# Rows of ``Tiers.job``, one column per transfer that waits, or is between two links.
OBJECT = 0  # NONE: nobody wants the bytes any more
CLASS = 1  # DEMAND, PREFETCH or WRITEBACK
ORIGIN = 2  # the class that it was issued with
WAY = 3  # row of ``Tiers.way``
HOP = 4
SIZE_CLASS = 5
ARRIVED = 6  # when it came to the hop
LANDS = 7  # when the last byte of the hop lands
WAITERS = 8  # the first access that waits for it, or NONE
JOB_ROWS = 9

DEMAND, PREFETCH, WRITEBACK = 0, 1, 2

# Rows of ``Tiers.ring``: doubly linked lists over jobs, then over these heads: one per (server,
# class), one per link for what is in flight to another link, and one of free jobs.
QUEUE = 0

# Rows of ``Tiers.srv``, one column per server: a link, or the links of one root.
SHARES = 0  # 1: all transfers at once, each at an equal share
FREE_AT = 1  # of one that takes turns: when the service that began last ends
DUE = 2  # when something has to be done there, or NEVER
WAITING = 3  # jobs in its rings; of one that shares, in its heap
ACTIVE = 4  # the job in service that has another hop before it, or NONE
ON_LINK = 5  # of that job
VIRTUAL = 6  # of one that shares: service given to each job so far, in 1/FINE of a picosecond
SINCE = 7  # when that was so
SERVER_ROWS = 8
FINE = 256

# Rows of ``Tiers.link``, one column per directed link.
SERVER = 0
LATENCY_PS = 1
LINK_ROWS = 2

# Rows of ``Tiers.ledger``, one column per link; three rows each, by the class of issue.
BYTES = 0
BEGUN = 3
WAITED_PS = 6  # between arrival at the link and the beginning of service
BUSY_PS = 9
LEDGER_ROWS = 10

# Rows of ``Tiers.wait``, one column per access that may be under way.
DONE = 0  # when it was served, NEVER while that is open
ASKED = 1  # when it was made
NEXT_WAITER = 2  # another access that waits for the same transfer, or NONE
NUMBER = 3  # which access it is, counted from 0
WAIT_ROWS = 4

# Entries of ``Tiers.run``: scalars.
NOW = 0
SOONEST = 1  # when any server or flight is due
TIERS = 2
WINDOW = 3  # accesses under way at most
THINK_PS = 4  # computing between an access and the next
LOOKAHEAD = 5  # accesses that the prefetcher is told in advance
STAGING = 6  # bytes that may wait to leave
AT = 7  # accesses made so far
CURSOR = 8  # accesses that the prefetcher has seen
STAGED = 9  # bytes that wait to leave
STAGED_PEAK = 10
PENDING = 11  # jobs in use
FLYING = 12  # of them between two links
PREFETCHED = 13
ON_TIME = 14
LATE = 15
EARLY = 16  # prefetched, and gone again before their use
RETAKEN = 17  # asked for while their copy still left: no transfer was needed
UNHELD = 18  # fetched, and not kept: larger than the tier, or nothing could leave
DEMAND_PS = 19  # waited for: what the fetch takes over idle links
QUEUE_PS = 20  # what it took longer
LATE_PS = 21  # prefetches that were not there yet
ROOM_PS = 22  # room to leave
WRITES = 23
DROPPED = 24  # copies that left for nothing
ENDED_PS = 25  # when the last access was served
RUN_ENTRIES = 26

READ, WRITE, FETCH_AHEAD = 0, 1, 2  # what an access asks for

# ``Tiers.spread``: waits in buckets, 16 to each doubling.
SUBS = 16
BUCKETS = 1024


class Tiers(NamedTuple):
    """All state; ``n`` objects of ``c`` sizes, ``t`` tiers, ``k`` servers, ``l`` links, ``p`` jobs.

    Times are in picoseconds, sizes in bytes.
    """

    run: Table  # [RUN_ENTRIES]
    obj: Table  # [n, OBJECT_COLUMNS]
    kind: Table  # [c]: bytes
    tier: Table  # [TIER_ROWS, t]
    job: Table  # [JOB_ROWS, p]
    ring: Table  # [2, p + 3 k + l + 1]
    srv: Table  # [SERVER_ROWS, k]
    heap: Table  # [2 k, p]: of a server that shares, virtual end and job, soonest first
    link: Table  # [LINK_ROWS, l]
    way: Table  # [t + t t, 1 + hops]: links from tier a to the nearest; then from a to b
    service: Table  # [l, c]: picoseconds that an object of a size occupies a link
    ledger: Table  # [LEDGER_ROWS, l]
    wait: Table  # [WAIT_ROWS, WINDOW]
    spread: Table  # [BUCKETS]
    waits: Table  # how long each of the first accesses waited
