"""The parts of a machine: memory instances, links, compute and SRAM geometry."""

import math
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise

import attrs
from attrs import validators as v

from mirc.ir.enums import TierKind, WorkKind

__all__ = [
    "WORK_KINDS",
    "Compute",
    "Link",
    "Memory",
    "Organisation",
    "Replacement",
    "Sharing",
    "Sram",
    "TierKind",
    "ascends",
]

# How a machine file spells the kinds of work that steps declare.
WORK_KINDS = tuple(kind.value.lower() for kind in WorkKind)


@attrs.frozen(kw_only=True)
class Memory:
    """One memory instance.

    ``capacity_bytes`` is the datasheet's figure; ``reserve_bytes`` of it belong to contexts,
    graphs and workspace and are never planned. ``read_bytes_per_s`` is what its owner's compute
    sees; ``latency_ns`` is that of one access.
    """

    name: str
    kind: TierKind
    owner: str
    capacity_bytes: int = attrs.field(validator=v.gt(0))
    reserve_bytes: int = attrs.field(default=0, validator=v.ge(0))
    read_bytes_per_s: float = attrs.field(validator=v.gt(0))
    write_bytes_per_s: float = attrs.field(validator=v.gt(0))
    latency_ns: float = attrs.field(default=0.0, validator=v.ge(0))

    @property
    def usable_bytes(self) -> int:
        """Capacity less reserve: all that any plan or policy may fill."""
        return self.capacity_bytes - self.reserve_bytes


class Sharing(StrEnum):
    """How a link divides itself among the transfers that want it at one time."""

    TURNS = "turns"
    """One at a time: the most urgent class first, within a class first come first served."""
    FAIR = "fair"
    """All at once, each at an equal share of the rate: processor sharing."""


@attrs.frozen(kw_only=True)
class Link:
    """A directed path for transfers between two memories (by name).

    ``curve`` gives (fragment size in bytes, bytes per second), sizes and rates ascending; between
    points the time per fragment is interpolated, above the last its rate holds, below the first
    its time holds. Links that name the same ``root`` are one for whoever waits; ``launch_ns`` is
    paid once a transfer, and so is ``latency_ns``.
    """

    name: str
    source: str
    target: str
    curve: tuple[tuple[int, float], ...]
    latency_ns: float = attrs.field(default=0.0, validator=v.ge(0))
    launch_ns: float = attrs.field(default=0.0, validator=v.ge(0))
    root: str | None = None
    sharing: Sharing = Sharing.TURNS

    @property
    def peak_bytes_per_s(self) -> float:
        """The rate of the largest fragments."""
        return self.curve[-1][1]


@attrs.frozen(kw_only=True)
class Compute:
    """What computes, and which memory its operands must be in.

    ``peak_flops`` is per dtype (``bfloat16``), dense; ``efficiency`` the share of it that a kind
    of operation reaches (``matmul``, ``attention``, ``other``); ``memory_efficiency`` the share of
    the memory's read bandwidth that kernels reach.
    """

    owner: str
    memory: str
    peak_flops: Mapping[str, float]
    efficiency: Mapping[str, float]
    memory_efficiency: float = attrs.field(default=1.0, validator=[v.gt(0), v.le(1)])


class Organisation(StrEnum):
    """How an on-chip memory decides where a line may lie."""

    SET_ASSOCIATIVE = "set-associative"
    """In any way of the set that its address names."""
    DIRECT_MAPPED = "direct-mapped"
    """In one place: sets of one way."""
    SOFTWARE_MANAGED = "software-managed"
    """In any region that software chooses for it."""


class Replacement(StrEnum):
    """Which line of a full set makes room for another."""

    LRU = "lru"
    """The least recently used."""
    TREE_PLRU = "tree-plru"
    """The one that a binary tree of recent uses points at: pseudo-LRU."""
    RRIP = "rrip"
    """One whose next use is predicted farthest: static RRIP of 2 bits."""
    RANDOM = "random"
    """Any, by a seeded generator."""


@attrs.frozen(kw_only=True)
class Sram:
    """Geometry of a chip's on-chip memory; ``wired_bytes`` of it may be bound.

    It has sets (regions, if it is software-managed) of ``ways`` lines of ``line_bytes``.
    """

    memory: str
    line_bytes: int = attrs.field(validator=v.gt(0))
    ways: int = attrs.field(validator=v.gt(0))
    wired_bytes: int = attrs.field(validator=v.ge(0))
    organisation: Organisation = Organisation.SET_ASSOCIATIVE
    replacement: Replacement = Replacement.LRU


def ascends(curve: tuple[tuple[int, float], ...]) -> bool:
    """Tell whether sizes rise strictly and rates never fall, all of them positive and finite."""
    positive = bool(curve) and all(size > 0 and 0 < rate < math.inf for size, rate in curve)
    return positive and all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(curve))
