"""The keys of a machine file: what each may hold, and what it means."""

from enum import StrEnum

import attrs


class Kind(StrEnum):
    """What a key may hold."""

    TEXT = "text"
    """A string that is not empty."""
    TIER = "tier"
    """SRAM, HBM, PEER, DRAM, CXL or NVME."""
    ORGANISATION = "organisation"
    """set-associative, direct-mapped or software-managed."""
    REPLACEMENT = "replacement"
    """lru, tree-plru, rrip or random."""
    SHARING = "sharing"
    """turns or fair."""
    BYTES = "bytes"
    """A whole number of bytes, 0 or more."""
    COUNT = "count"
    """A whole number, 1 or more."""
    RATE = "rate"
    """A number per second, above 0."""
    TIME = "nanoseconds"
    """A number of nanoseconds, 0 or more."""
    SHARE = "share"
    """A number above 0, at most 1."""
    CURVE = "curve"
    """A list of [fragment bytes, bytes per second]: sizes rising, rates not falling."""
    RATES = "table of rates"
    """A table: dtype to operations per second."""
    SHARES = "table of shares"
    """A table: kind of work to a share."""


@attrs.frozen
class Key:
    """One key of one table (``""`` is the top of the file)."""

    table: str
    name: str
    kind: Kind
    summary: str
    required: bool = True


# The order is that of `mirc machine show --toml` and of docs/machine.md.
KEYS: tuple[Key, ...] = (
    Key("", "name", Kind.TEXT, "how plans and commands call the machine"),
    Key("", "summary", Kind.TEXT, "one line for `mirc machine list`"),
    Key("memory", "name", Kind.TEXT, "unique among the memories"),
    Key("memory", "kind", Kind.TIER, "the tier that it belongs to"),
    Key("memory", "owner", Kind.TEXT, "the chip or host that it is attached to"),
    Key("memory", "capacity_bytes", Kind.COUNT, "the datasheet's capacity"),
    Key(
        "memory",
        "reserve_bytes",
        Kind.BYTES,
        "never planned; 0 if absent",
        required=False,
    ),
    Key("memory", "read_bytes_per_s", Kind.RATE, "what its owner's compute can read"),
    Key("memory", "write_bytes_per_s", Kind.RATE, "what its owner's compute can write"),
    Key("memory", "latency_ns", Kind.TIME, "of one access; 0 if absent", required=False),
    Key("link", "name", Kind.TEXT, "unique among the links"),
    Key("link", "source", Kind.TEXT, "the memory that it reads, by name"),
    Key("link", "target", Kind.TEXT, "the memory that it writes, by name"),
    Key("link", "curve", Kind.CURVE, "rate over fragment size"),
    Key("link", "latency_ns", Kind.TIME, "paid once a transfer; 0 if absent", required=False),
    Key(
        "link",
        "launch_ns",
        Kind.TIME,
        "issuing it, once a transfer; 0 if absent",
        required=False,
    ),
    Key("link", "root", Kind.TEXT, "links that name the same root take turns", required=False),
    Key(
        "link",
        "sharing",
        Kind.SHARING,
        "what transfers at one time do: take turns, or share the rate evenly; turns if absent",
        required=False,
    ),
    Key("compute", "owner", Kind.TEXT, "the chip that computes"),
    Key("compute", "memory", Kind.TEXT, "the near memory: operands must be there to be used"),
    Key("compute", "memory_efficiency", Kind.SHARE, "of the near memory's rate that kernels reach"),
    Key("compute", "peak_flops", Kind.RATES, "dense operations per second, by dtype"),
    Key("compute", "efficiency", Kind.SHARES, "of the peak, for matmul, attention and other"),
    Key("sram", "memory", Kind.TEXT, "the memory that this geometry describes, by name"),
    Key("sram", "line_bytes", Kind.COUNT, "the unit that is bound and evicted"),
    Key("sram", "ways", Kind.COUNT, "lines a set; lines x ways must divide the capacity"),
    Key("sram", "wired_bytes", Kind.BYTES, "how much of it may be bound"),
    Key(
        "sram",
        "organisation",
        Kind.ORGANISATION,
        "where a line may lie; set-associative if absent",
        required=False,
    ),
    Key(
        "sram",
        "replacement",
        Kind.REPLACEMENT,
        "which line of a full set makes room; lru if absent",
        required=False,
    ),
)

# Tables that a file may repeat, and those it may leave out.
REPEATED = ("memory", "link")
OPTIONAL = ("sram",)
TABLES = ("memory", "link", "compute", "sram")


def keys_of(table: str) -> tuple[Key, ...]:
    """Return the keys of one table, in order; ``""`` is the top of the file."""
    return tuple(key for key in KEYS if key.table == table)
