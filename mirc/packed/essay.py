"""A packed file into the 141-bit intent records of a hardware budget, and what they lose of it."""

import math
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import FIELD_BY_KEY, Condition, Level, ObjectClass, SignalKind, TierKind, Time
from mirc.ir.clauses import Predicate
from mirc.ir.enums import DeadlineClass, PersistenceScope, PinLevel, Recompute, SpillPolicy
from mirc.ir.meaning import Applied
from mirc.packed.bits import Layout, from_bytes, size_of, to_bytes, width_of

MAGIC = b"MIRE"
MAX_OBJECTS = 1 << 16
"""Objects that 16-bit ids tell apart."""
_ID, _CONFIDENCE, _VALID = ("id", 16), ("confidence", 3), ("valid", 1)
_HEADER = struct.Struct("<4sIII")
"""Magic, version, records, checksum of the records."""
_PAGE = 4096
_TIERS = tuple(TierKind)
_LEVELS = tuple(Level)
_SHARES = tuple(2.0**-power for power in range(5, -1, -1))
"""Route probabilities that have a code: a 32nd, a 16th, ... one half, one."""


@attrs.frozen
class Part:
    """How one field is said in few bits: ``code`` of any typed value, ``value`` of any code.

    ``None`` is what is not said. What a code cannot say, ``value(code(x)) != x`` shows.
    """

    key: str
    code: Callable[[Any], int]
    value: Callable[[int], Any]
    doc: str

    @property
    def width(self) -> int:
        """Bits: the field table's."""
        bits = FIELD_BY_KEY[self.key].bits
        assert bits is not None  # noqa: S101 - PARTS are the fields that have some
        return bits


def _words(key: str, words: tuple[Any, ...], doc: str) -> Part:
    """Say each word as its place from 1 on; the last one stands for any other."""
    codes = {word: code for code, word in enumerate(words, 1)}
    return Part(
        key,
        lambda value: 0 if value is None else codes.get(value, len(words)),
        lambda code: None if code == 0 else words[code - 1],
        doc,
    )


def _exact(key: str, words: tuple[Any, ...], doc: str) -> Part:
    """Say each word as its place from 0 on, where there is no code left for nothing."""
    codes = {word: code for code, word in enumerate(words)}
    return Part(key, lambda value: codes.get(value, 0), lambda code: words[code], doc)


def _log2(key: str) -> Part:
    """Say microseconds as 1 + the nearest power of two, up to 2^30."""
    return Part(
        key,
        lambda value: 0 if value is None else 1 + min(30, max(0, round(math.log2(max(value, 1))))),
        lambda code: None if code == 0 else float(1 << (code - 1)),
        "0: not said; c: 2^(c-1) microseconds, the nearest",
    )


def _pages(value: Any) -> int:
    """Return whole pages; an amount that grows counts as one token or one sequence."""
    if value is None:
        return 0
    plain = value if isinstance(value, int) else value.amount
    return min((1 << 24) - 1, -(-plain // _PAGE))


def _reuse(value: Any) -> int:
    if isinstance(value, Applied):
        return 4 if value.word == "ONCE" else 5
    if isinstance(value, Level):
        return _LEVELS.index(value)
    # Reads in an iteration, as a share: the fractions of the scale of levels.
    return next(code for code, least in enumerate((0.5, 0.1, 1e-300, 0.0)) if value >= least)


def _reused(code: int) -> Any:
    if code < len(_LEVELS):
        return _LEVELS[code]
    return Applied("ONCE") if code == len(_LEVELS) else Applied("EVERY")


_WINDOW_LEVELS = 28  # codes from here on are levels


def _window(value: Any) -> int:
    if isinstance(value, Level):
        return _WINDOW_LEVELS + _LEVELS.index(value)
    if isinstance(value, Time):
        return 1 + min(26, max(0, round(math.log2(max(value.picoseconds, 1) / 1e6))))
    return 0


def _windowed(code: int) -> Any:
    if code >= _WINDOW_LEVELS:
        return _LEVELS[code - _WINDOW_LEVELS]
    return None if code == 0 else Time((1 << (code - 1)) * 1_000_000)


def _mask(tiers: Any) -> int:
    return sum(1 << _TIERS.index(tier) for tier in tiers or ())


def _masked(mask: int) -> tuple[TierKind, ...]:
    return tuple(tier for place, tier in enumerate(_TIERS) if mask >> place & 1)


def _preferred(tiers: Any) -> int:
    return _mask(tiers) | (_TIERS.index(tiers[0]) << 7 if tiers else 0)


def _first(code: int) -> tuple[TierKind, ...]:
    named = _masked(code & 0x7F)
    first = (_TIERS[code >> 7],) if named else ()
    return (*first, *(tier for tier in named if tier not in first))


_CONDITIONS = tuple(Predicate)
_UNTIL = len(_CONDITIONS) + 1
_EVENTS = tuple(kind.name for kind in SignalKind)
_OTHER = 255


def _condition(rule: Condition | None) -> int:
    if rule is None:
        return 0
    if rule.until:
        known = rule.word in _EVENTS
        return _UNTIL | (_EVENTS.index(rule.word) if known else _OTHER) << 3
    return 1 + _CONDITIONS.index(Predicate(rule.word)) | min(rule.bound or 0, _OTHER) << 3


def _conditioned(code: int) -> Condition | None:
    word, argument = code & 7, code >> 3
    if word == 0:
        return None
    if word == _UNTIL:
        event = _EVENTS[argument] if argument < len(_EVENTS) else "ANOTHER_EVENT"
        return Condition(until=True, word=event)
    predicate = _CONDITIONS[word - 1]
    counted = predicate in (Predicate.FANOUT_GT, Predicate.FANOUT_GE)
    return Condition(until=False, word=predicate.value, bound=argument if counted else None)


def _share(value: float | None) -> int:
    if value is None:
        return 0
    if value == 0:
        return 1
    return 2 + min(range(len(_SHARES)), key=lambda place: abs(math.log2(_SHARES[place] / value)))


def _shared(code: int) -> float | None:
    return None if code == 0 else 0.0 if code == 1 else _SHARES[code - 2]


def _flag(key: str) -> Part:
    return Part(key, lambda value: int(bool(value)), lambda code: code == 1, "0 or 1")


def _numbered(key: str, most: int, doc: str) -> Part:
    """Say the place of a name in the file's list, which the caller looks up."""
    return Part(key, lambda place: place if place <= most else 0, lambda code: code, doc)


PARTS: tuple[Part, ...] = (
    _words("class", tuple(ObjectClass), "0: not said; then in the order of the enum"),
    Part("size_bytes", _pages, lambda code: code * _PAGE, "pages of 4 KiB, rounded up"),
    _exact("persistence_scope", tuple(PersistenceScope), "in the order of the enum"),
    Part("reuse", _reuse, _reused, "HIGH, MEDIUM, LOW, NONE, ONCE, EVERY"),
    Part("reuse_window", _window, _windowed, "0: not said; to 27: as times; then levels"),
    Part("preferred_tiers", _preferred, _first, "which tiers (7 bits), and the first of them (3)"),
    Part("fallback_tiers", _mask, _masked, "which tiers"),
    _exact("spill_policy", tuple(SpillPolicy), "in the order of the enum"),
    _exact("recompute_class", tuple(Recompute)[1:], "CHEAP (FREE too) to IMPOSSIBLE"),
    _log2("recompute_cost_us"),
    Part("anti_evict_rule", _condition, _conditioned, "predicate or UNTIL (3), its number (8)"),
    _words("deadline_class", tuple(DeadlineClass), "0: not said; then in the order of the enum"),
    _log2("deadline_us"),
    Part(
        "prefetch_horizon_us",
        lambda value: 0 if value is None else min(4095, max(1, round(value))),
        lambda code: None if code == 0 else float(code),
        "0: not said; whole microseconds to 4095",
    ),
    Part(
        "route_probability",
        _share,
        _shared,
        "0: not said; never, 1/32, 1/16, ... 1/2, 1; a level as its number",
    ),
    _flag("replication_allowed"),
    _flag("multicast_eligible"),
    _numbered("coalition_hints", 4095, "the first coalition's number; 0: none"),
    _numbered("security_domain", 63, "the domain's number; 0: none"),
    _exact("pin_level", tuple(PinLevel), "in the order of the enum"),
    _flag("immutable"),
)
"""The fields of a record, in order; before them ``id``, after ``coalition_hints`` ``confidence``,
``valid`` last. Widths are the field table's ``bits``."""


def _layout() -> Iterator[tuple[str, int]]:
    yield _ID
    for part in PARTS:
        yield part.key, part.width
        if part.key == "coalition_hints":
            yield _CONFIDENCE
    yield _VALID


LAYOUT: Layout = tuple(_layout())
"""Names and widths of a record's fields, the first in the lowest bits."""
RECORD_BITS = width_of(LAYOUT)


def dumps(records: Sequence[Mapping[str, int]]) -> bytes:
    """Return records as bytes: a header, then 141 bits each, no gaps between; low bits first."""
    body = to_bytes(LAYOUT, records)
    return _HEADER.pack(MAGIC, 1, len(records), zlib.crc32(body)) + body


def loads(data: bytes, name: str) -> list[dict[str, int]]:
    """Return the codes of each record of a file, called ``name`` in messages.

    Raises CouldNotRun for bytes that are no such file, or damaged.
    """
    if len(data) < _HEADER.size or data[: len(MAGIC)] != MAGIC:
        raise CouldNotRun(
            f"`{name}` holds no intent records: it does not begin with `{MAGIC.decode()}`",
            "make some of a .mir file with `mirc pack --form essay`",
        )
    _, version, count, checksum = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    right = version == 1 and len(body) == size_of(LAYOUT, count)
    if not right or checksum != zlib.crc32(body):
        raise CouldNotRun(
            f"`{name}` is damaged: {count} records and their checksum do not fit its bytes",
            "make it again with `mirc pack --form essay`",
        )
    return list(from_bytes(LAYOUT, body, count))
