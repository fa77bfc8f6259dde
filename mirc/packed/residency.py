"""What a controller knows of an object while it runs into 141 bits of a residency map, and back."""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import Any

import attrs
from attrs import validators as v

from mirc.diagnostics import CouldNotRun
from mirc.ir.enums import PinLevel, TierKind
from mirc.packed.bits import Layout, from_bytes, size_of, to_bytes, width_of

LAYOUT: Layout = (
    ("hash", 64),
    ("tier", 4),
    ("hotness", 16),
    ("reuse", 16),
    ("regret", 16),
    ("transfer", 4),
    ("domain", 8),
    # The published fields end here, at 128 bits; the essay counts 141. These 13 are ours.
    ("replicas", 4),
    ("owner", 6),
    ("pin", 2),
    ("dirty", 1),
)
ENTRY_BITS = width_of(LAYOUT)
PUBLISHED_BITS = 128
_MOST = {key: (1 << width) - 1 for key, width in LAYOUT}
_TIERS, _PINS = tuple(TierKind), tuple(PinLevel)


class Transfer(IntEnum):
    """Whether an object is on its way."""

    IDLE = 0
    """No transfer."""
    IN_FLIGHT = 1
    """Bytes move; none of them may be read at the destination."""
    COMPLETING = 2
    """All bytes have arrived; the doorbell has not rung."""
    FAILED = 3
    """Given up; the source is as it was."""


def _within(key: str) -> object:
    return attrs.field(default=0, validator=[v.ge(0), v.le(_MOST[key])])


@attrs.frozen(kw_only=True)
class Entry:
    """One object of a residency map: live state, where a descriptor is intent.

    ``hotness`` counts accesses, ``reuse`` the accesses that are still expected, ``regret`` the
    refetches of what had been evicted: all three stay at 65 535 once there. ``domain``, ``owner``
    are numbers of a security domain and a tenant, 0 for none; ``replicas`` further copies.
    """

    hash: int = attrs.field(validator=[v.ge(0), v.le(_MOST["hash"])])
    tier: TierKind
    hotness: int = _within("hotness")  # type: ignore[assignment]
    reuse: int = _within("reuse")  # type: ignore[assignment]
    regret: int = _within("regret")  # type: ignore[assignment]
    transfer: Transfer = Transfer.IDLE
    domain: int = _within("domain")  # type: ignore[assignment]
    replicas: int = _within("replicas")  # type: ignore[assignment]
    owner: int = _within("owner")  # type: ignore[assignment]
    pin: PinLevel = PinLevel.NONE
    dirty: bool = False


def hash_of(name: str) -> int:
    """Return the 64-bit id of an object's name: BLAKE2b, 8 bytes, little-endian."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def accessed(entry: Entry) -> Entry:
    """Count an access: one more behind, one fewer ahead."""
    hotness = min(entry.hotness + 1, _MOST["hotness"])
    return attrs.evolve(entry, hotness=hotness, reuse=max(entry.reuse - 1, 0))


def regretted(entry: Entry) -> Entry:
    """Count a refetch of what had been evicted."""
    return attrs.evolve(entry, regret=min(entry.regret + 1, _MOST["regret"]))


def dumps(entries: Sequence[Entry]) -> bytes:
    """Return the map: 141 bits an entry, no gaps."""
    return to_bytes(LAYOUT, [_codes(entry) for entry in entries])


def loads(data: bytes, count: int) -> tuple[Entry, ...]:
    """Return the entries of a map.

    Raises CouldNotRun for other bytes than ``count`` entries have, and for what none says: which.
    """
    if len(data) != size_of(LAYOUT, count):
        size = size_of(LAYOUT, count)
        raise CouldNotRun(f"a map of {count:_} entries has {size:_} bytes, not {len(data):_}")
    return tuple(_entries(data, count))


def _entries(data: bytes, count: int) -> Iterator[Entry]:
    for number, codes in enumerate(from_bytes(LAYOUT, data, count)):
        tier, transfer, pin = codes["tier"], codes["transfer"], codes["pin"]
        if tier >= len(_TIERS) or transfer >= len(Transfer) or pin >= len(_PINS):
            raise CouldNotRun(f"entry {number} of the residency map says what no entry says")
        said: dict[str, Any] = {**codes, "transfer": Transfer(transfer)}
        yield Entry(**said | {"tier": _TIERS[tier], "pin": _PINS[pin], "dirty": said["dirty"] == 1})


def _codes(entry: Entry) -> dict[str, int]:
    return {key: getattr(entry, key) for key, _ in LAYOUT} | {
        "tier": _TIERS.index(entry.tier),
        "pin": _PINS.index(entry.pin),
        "dirty": int(entry.dirty),
    }
