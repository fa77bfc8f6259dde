"""The names of every row in the tables that hold an on-chip array of lines."""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from mirc.kernels.world import Table

# Rules of replacement, as ``Lines.now[RULE]``.
LRU, TREE_PLRU, RRIP, RANDOM = range(4)

# Entries of ``Lines.now``: scalars.
RULE = 0
WAYS = 1
SETS = 2
STRIPED = 3  # 1: a line that nobody placed goes to the set of its stripe of WAYS lines
LEAVES = 4  # of a set's tree: the power of two that holds its ways
STATE = 5  # of the generator of random numbers that all sets share
LOADED = 6
WRITTEN = 7
EVICTED = 8
LOST = 9
PASSED = 10  # accesses that went past the array, every way of their set being wired
MESSAGES = 11
SUPPRESSED = 12
PUT = 13  # lines that were put into a way so far
MET = 14  # sets that were asked for a way so far
KEPT = 15  # rows of ``kept`` in use
LOSSES = 16  # columns of ``lost`` in use
LINE_MASK = 17  # of a line's number: the chain of ``line_head`` that it is in
KEPT_MASK = 18  # the same of ``kept_head``
ENTRIES = 19

# Rows of ``Lines.line``, one column per way of each set: set * WAYS + way.
HOLDS = 0  # the line's number plus 1; 0: the way is empty
VALID = 1  # 0 in a line that is bound: its first use loads it
DIRTY = 2
DATA = 3  # which write made its bytes; 0: they are what was there at first
PIN = 4  # OPEN, SOFT, WIRED
IMMUTABLE = 5
TENANT = 6  # who bound it, 0 where nobody did; and three rows more that mean nothing then
GENERATION = 7
HANDLE = 8
USED = 9  # of the way: LRU's stamp; RRIP's intervals that it is nearer than the most distant
NEXT = 10  # the next column of its chain, plus 1
PLACE = 11  # when it was put here, counted in lines
LINE_ROWS = 12

OPEN, SOFT, WIRED = 0, 1, 2

# Rows of ``Lines.sets``, one column per set.
CLOCK = 0  # uses of its ways
FULL = 1  # ways that hold something
MEETING = 2  # when it was first asked for a way, counted in sets from 1; 0: never
BOUND = 3  # ways whose line is bound, in whatever generation
SET_ROWS = 4

# Rows of ``Lines.kept``: lines whose bytes off chip were written, in the order of the first time.
KEY, KEPT_DATA, KEPT_NEXT = 0, 1, 2
KEPT_ROWS = 3

# Rows of ``Lines.tenant``, one column per tenant; the first is nobody's.
REGISTER, WIRED_LINES, SOFT_LINES = 0, 1, 2
TENANT_ROWS = 3

# Rows of ``Lines.lost``, one column per soft line that gave way and was not yet told of.
LOST_LINE, LOST_TENANT, LOST_HANDLE = 0, 1, 2
LOST_ROWS = 3

_NEAREST = (1 << 62) - 1


class Lines(NamedTuple):
    """All state of an array of ``s`` sets, ``w`` ways each, for ``t`` tenants and nobody."""

    now: Table  # [ENTRIES]
    line: Table  # [LINE_ROWS, s w]
    sets: Table  # [SET_ROWS, s]
    node: Table  # [s leaves]: 1 where a node of a set's tree points right; node 1 is its root
    line_head: Table  # [power of two]: the first column of each chain of lines, plus 1
    kept: Table  # [KEPT_ROWS, k]
    kept_head: Table  # [power of two]: the first column of each chain of kept lines, plus 1
    tenant: Table  # [TENANT_ROWS, 1 + t]
    lost: Table  # [LOST_ROWS, n]


def sparse_lines(rule: int, ways: int, sets: int, seed: int, tenant: Table) -> Lines:
    """Return an empty array in dictionaries: for plain Python, which is faster there.

    What was never met takes no memory. ``tenant`` stays the caller's.
    """
    now: Any = [0] * ENTRIES
    now[RULE], now[WAYS], now[SETS], now[STATE] = rule, ways, sets, seed
    now[LEAVES] = 1 << (ways - 1).bit_length()
    now[LINE_MASK] = now[KEPT_MASK] = _NEAREST
    tables: list[Any] = [defaultdict(int) for _ in range(7)]
    line, each, node, line_head, kept, kept_head, lost = tables
    return Lines(now, line, each, node, line_head, kept, kept_head, tenant, lost)


def dense_lines(sparse: Lines) -> Lines:
    """Carry an array over into tables such as a compiled kernel takes, with no room to keep yet."""
    count = sparse.now[SETS] * sparse.now[WAYS]
    heads = 1 << count.bit_length()
    nodes = sparse.now[SETS] * sparse.now[LEAVES] if sparse.now[RULE] == TREE_PLRU else 0
    made = Lines(
        now=np.array(sparse.now, dtype=np.int64),
        line=np.zeros((count, LINE_ROWS), dtype=np.int64).T,  # a line's rows lie side by side
        sets=np.zeros((sparse.now[SETS], SET_ROWS), dtype=np.int64).T,
        node=np.zeros(nodes, dtype=np.int64),
        line_head=np.zeros(heads, dtype=np.int64),
        kept=np.zeros((1, KEPT_ROWS), dtype=np.int64).T,
        kept_head=np.zeros(1, dtype=np.int64),
        tenant=sparse.tenant,
        lost=np.zeros((LOST_ROWS, 1), dtype=np.int64),
    )
    for before, after in ((sparse.line, made.line), (sparse.sets, made.sets)):
        _carry(before, after)
    if nodes:
        _carry(sparse.node, made.node)
    made.now[LINE_MASK] = heads - 1
    _chain(made.line[NEXT], made.line_head, np.flatnonzero(made.line[HOLDS]), made.line[HOLDS] - 1)
    kept = np.zeros((sparse.now[KEPT] + 1, KEPT_ROWS), dtype=np.int64).T
    _carry(sparse.kept, kept)
    return _with_kept(made, kept, kept.shape[1])


def roomy(a: Lines, kept: int, lost: int) -> Lines:
    """Return an array in tables that has room to keep, and to lose, so many lines more."""
    if a.lost.shape[1] < lost:
        a = a._replace(lost=np.zeros((LOST_ROWS, 2 * lost), dtype=np.int64))
    count = int(a.now[KEPT])
    if a.kept.shape[1] >= count + kept:
        return a
    return _with_kept(a, a.kept, 2 * (count + kept))


def _with_kept(a: Lines, old: Table, room: int) -> Lines:
    count, heads = int(a.now[KEPT]), 1 << room.bit_length()
    kept = np.zeros((room, KEPT_ROWS), dtype=np.int64).T
    kept[:, :count] = old[:, :count]
    head = np.zeros(heads, dtype=np.int64)
    a.now[KEPT_MASK] = heads - 1
    _chain(kept[KEPT_NEXT], head, np.arange(count), kept[KEY])
    return a._replace(kept=kept, kept_head=head)


def _carry(before: Any, after: Table) -> None:
    for at, value in before.items():
        if value:
            after[at] = value


def _chain(following: Table, head: Table, columns: Table, keys: Table) -> None:
    """Link columns into the chains of their keys, each as the first of its own."""
    for column in columns.tolist():
        at = int(keys[column]) & (len(head) - 1)
        following[column] = head[at]
        head[at] = column + 1
