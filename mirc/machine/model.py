"""A machine: memory instances, the links between them, compute and SRAM geometry."""

from enum import StrEnum

import attrs
from attrs import validators as v


class TierKind(StrEnum):
    """Kinds of memory, nearest to compute first."""

    SRAM = "SRAM"
    HBM = "HBM"
    PEER = "PEER"
    DRAM = "DRAM"
    CXL = "CXL"
    NVME = "NVME"


@attrs.frozen(kw_only=True)
class Memory:
    """One memory instance.

    ``capacity_bytes`` is the datasheet's figure; ``reserve_bytes`` of it belong to contexts,
    graphs and workspace and are never planned. ``read_bytes_per_s`` is what its owner's compute
    sees, latency included in ``latency_ns``.
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


@attrs.frozen(kw_only=True)
class Link:
    """A directed path for transfers between two memories (by name).

    ``curve`` gives (fragment size in bytes, bytes per second), ascending; between points the
    time per fragment is interpolated, beyond them the last rate holds. Links that name the same ``root``
    share its bandwidth; ``launch_ns`` is paid once a transfer.
    """

    name: str
    source: str
    target: str
    curve: tuple[tuple[int, float], ...]
    latency_ns: float = attrs.field(default=0.0, validator=v.ge(0))
    launch_ns: float = attrs.field(default=0.0, validator=v.ge(0))
    root: str | None = None

    @property
    def peak_bytes_per_s(self) -> float:
        """The rate of the largest fragments."""
        return self.curve[-1][1]


@attrs.frozen(kw_only=True)
class Compute:
    """What computes, and which memory its operands must be in.

    ``peak_flops`` is per dtype (``bfloat16``); ``efficiency`` the share of it that a kind of
    operation reaches (``matmul``, ``attention``, ``other``); ``memory_efficiency`` the share of the
    memory's read bandwidth that kernels reach.
    """

    owner: str
    memory: str
    peak_flops: dict[str, float]
    efficiency: dict[str, float]
    memory_efficiency: float = attrs.field(default=1.0, validator=[v.gt(0), v.le(1)])


@attrs.frozen(kw_only=True)
class Sram:
    """Geometry of a chip's on-chip memory; ``wired_bytes`` of it may be bound."""

    memory: str
    line_bytes: int = attrs.field(validator=v.gt(0))
    ways: int = attrs.field(validator=v.gt(0))
    wired_bytes: int = attrs.field(validator=v.ge(0))


@attrs.frozen(kw_only=True)
class Machine:
    """All of it; ``compute.memory`` is the near memory, where operands must be to be used."""

    name: str
    summary: str
    memories: tuple[Memory, ...]
    links: tuple[Link, ...]
    compute: Compute
    sram: Sram | None = None
