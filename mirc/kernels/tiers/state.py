"""The names of every row in the tables of tiers, links and transfers that serve accesses.

What is few (tiers, links, servers) shares one table, and so do transfers, rings and accesses under
way: a call costs time for each table that it is handed. An object's row is one piece of memory, so
that an access touches little of it.
"""

from typing import NamedTuple

from mirc.kernels.world import NEVER, NONE, Table

__all__ = ["NEVER", "NONE", "Table"]

# Entries of ``Tiers.obj[x]``.
STATE = 0  # a bit for each tier that has a copy, 0 the nearest; then these:
DIRTY = 1 << 16  # no copy in the farthest tier is as new
AHEAD = 1 << 17  # prefetched, and not used since
KIND = 1  # its size class: column of ``Tiers.sizes``
IN = 2  # when it can be read from the nearest tier, or ~job while that is open
OUT = 3  # when its last copy downwards has landed, or ~job while that is open
OBJECT_COLUMNS = 4

# Rows of ``Tiers.sizes``, one column per size class.
BYTES = 0
SERVICE = 1  # and a row per link: picoseconds that an object of the size occupies it

# Rows of ``Tiers.few``; one column per tier, the last of which holds everything from the start:
HITS = 0  # accesses that found the object there, and no nearer
BELOW = 1  # where what leaves goes: the next tier with a way there, or NONE
CARRIED = 2  # what waits for room there while others make it
FOR = 3  # the tier in which that makes room
# one column per server: a link, or the links of one root;
SHARES = 4  # 1: all transfers at once, each at an equal share
FREE_AT = 5  # when the service that began last ends; of one that shares, since when it is busy
DUE = 6  # when something has to be done there, or NEVER
WAITING = 7  # jobs in its rings; of one that shares, in its heap
ACTIVE = 8  # the job in service that has another hop before it, or NONE
ON_LINK = 9  # of that job
VIRTUAL = 10  # of one that shares: service given to each job so far, in 1/FINE of a picosecond
SINCE = 11  # when that was so
# one column per directed link, three rows where it is by the class of issue;
SERVER = 12
LATENCY_PS = 13
MOVED = 14  # bytes
BEGUN = 17  # transfers
WAITED_PS = 20  # between arrival at the link and the beginning of service
BUSY_PS = 23
# and one row per way: its number of hops, then their links. From tier a to the nearest it is row
# WAYS + a, from a down to b row WAYS + tiers + a * tiers + b.
WAYS = 24
FEW_COLUMNS = 64
FINE = 256

# Rows of ``Tiers.many``; doubly linked lists over jobs, and heads behind them:
QUEUE = 0  # one head per (server, class), one per link for what flies to another, one of free jobs
# one column per job: a transfer that waits, or is between two links;
OBJECT = 2  # NONE: nobody wants the bytes any more
CLASS = 3  # DEMAND, PREFETCH or WRITEBACK
ORIGIN = 4  # the class that it was issued with
WAY = 5
HOP = 6
SIZE_CLASS = 7
ARRIVED = 8  # when it came to the hop
LANDS = 9  # when the last byte of the hop lands, NEVER until service has ended
WAITERS = 10  # the first access that waits for it, or NONE
# one column per access that may be under way;
DONE = 11  # when it was served, NEVER while that is open
ASKED = 12  # when it was made; NEVER: it is none that waits
NEXT_WAITER = 13  # another access that waits for the same transfer, or NONE
# and two rows per server that shares: virtual ends and jobs, soonest first.
HEAPS = 14

DEMAND, PREFETCH, WRITEBACK = 0, 1, 2
JOBS = 4096
MOST_WINDOW = JOBS

# Entries of ``Tiers.run``: scalars.
NOW = 0
SOONEST = 1  # when any server or flight is due
TIERS = 2
SERVERS = 3
LINKS = 4
WINDOW = 5  # accesses under way at most
THINK_PS = 6  # computing between an access and the next
LOOKAHEAD = 7  # accesses that the prefetcher is told in advance
STAGING = 8  # bytes that may wait to leave
AT = 9  # accesses made so far
CURSOR = 10  # accesses that the prefetcher has seen
STAGED = 11  # bytes that wait to leave
STAGED_PEAK = 12
PENDING = 13  # jobs in use
FLYING = 14  # of them between two links
PREFETCHED = 15
ON_TIME = 16
LATE = 17
EARLY = 18  # prefetched, and gone again before their use
RETAKEN = 19  # asked for while their copy still left: no transfer was needed
UNHELD = 20  # fetched, and not kept: larger than the tier, or nothing could leave
DEMAND_PS = 21  # waited for: what the fetch takes over idle links
QUEUE_PS = 22  # what it took longer
LATE_PS = 23  # prefetches that were not there yet
ROOM_PS = 24  # room to leave
WRITES = 25
DROPPED = 26  # copies that left for nothing
ENDED_PS = 27  # when the last access was served
RUN_ENTRIES = 28

READ, WRITE, FETCH_AHEAD = 0, 1, 2  # what an access asks for

# ``Seen.spread``: waits in buckets, 16 to each doubling.
SUBS = 16
BUCKETS = 1024


class Tiers(NamedTuple):
    """All state; ``n`` objects of ``c`` sizes. Times are in picoseconds, sizes in bytes."""

    run: Table  # [RUN_ENTRIES]
    obj: Table  # [n, OBJECT_COLUMNS]
    sizes: Table  # [SERVICE + links, c]
    few: Table  # [WAYS + tiers + tiers tiers, FEW_COLUMNS]
    many: Table  # [HEAPS + 2 servers, JOBS + heads]


class Seen(NamedTuple):
    """What is written down of each access that is over."""

    spread: Table  # [BUCKETS]: how many waited how long
    waits: Table  # how long each of the first of them waited
