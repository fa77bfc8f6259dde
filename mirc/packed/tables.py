"""The tables of a packed file: what each record is, in which numbers."""

from enum import IntEnum

import attrs
import numpy as np
from numpy.typing import NDArray

NOTHING = 0xFFFF_FFFF
"""An index of nothing."""

BLOCK = np.dtype(
    [
        ("kind", "u1"),
        ("count", "u1"),  # fields
        ("zero", "<u2"),
        ("name", "<u4"),  # a string
        ("first", "<u4"),  # the first of its fields
        ("parent", "<u4"),  # the block around it, or NOTHING
    ]
)
"""A declaration that is no object, or what stands inside of it: 16 bytes."""
NODE = np.dtype(
    [
        ("key", "<u2"),  # of a field; 0 for what lies inside a value
        ("tag", "<u2"),
        ("confidence", "<u4"),  # 1 + its index; 0 without one
        ("payload", "<u8"),
    ]
)
"""A field and its value, or an element of one: 16 bytes."""

Rows = NDArray[np.uint64]
Records = NDArray[np.void]


class Kind(IntEnum):
    """What a block is."""

    MODULE = 0
    """The module block."""
    TENANT = 1
    """A tenant."""
    COALITION = 2
    """A coalition."""
    CLAIM = 3
    """A claim."""
    PHASE = 4
    """A phase, without its steps."""
    SIGNAL = 5
    """A signal."""
    PLAN = 6
    """A plan."""
    PLAN_PHASE = 7
    """A phase inside the plan before it."""
    OVERRIDE = 8
    """Inside a phase, a signal, a plan or its phase."""
    STEP = 9
    """A step that something names, or that raises an event: its name, and what it raises."""


class Tag(IntEnum):
    """What a node's payload is."""

    BOOL = 0
    """0 or 1."""
    INT = 1
    """A whole number, two's complement."""
    FLOAT = 2
    """The bits of a 64-bit float."""
    TEXT = 3
    """A string, quoted."""
    NAME = 4
    """A string, bare."""
    SIZE = 5
    """Bytes, written with a unit."""
    TIME = 6
    """Picoseconds, written with a unit."""
    BIG_INT = 7
    """A string: the decimal digits of a number beyond 64 bits."""
    BIG_SIZE = 8
    """The same of bytes."""
    BIG_TIME = 9
    """The same of picoseconds."""
    LIST = 10
    """First element in the low, number of elements in the high 32 bits."""
    CALL = 11
    """The same; the first element is the word, the others are its arguments."""


STRINGS = frozenset({Tag.TEXT, Tag.NAME, Tag.BIG_INT, Tag.BIG_SIZE, Tag.BIG_TIME})
NESTED = frozenset({Tag.LIST, Tag.CALL})
WHAT_OBJECT, WHAT_EXTERN, WHAT_TEMPLATE = range(3)


@attrs.frozen(kw_only=True, eq=False)
class Tables:
    """A packed file taken apart.

    ``rows`` are objects and templates in written order, four words each; the first strings are
    their names. ``cells`` are the elements of lists and calls, those of one value side by side, in
    the order of what holds them: of ``fields`` first, then of ``cells`` themselves.
    """

    version: tuple[int, int]
    rows: Rows  # [n, 4]
    blocks: Records  # BLOCK [b], whatever is inside another after it
    fields: Records  # NODE [f]
    cells: Records  # NODE [c]
    confidences: NDArray[np.float64]
    domains: NDArray[np.uint32]  # strings
    keys: NDArray[np.uint32]  # strings, by the ``key`` of a node
    strings: tuple[str, ...]
