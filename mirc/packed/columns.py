"""The field table into the columns of a 32-byte row: where each field lies, and its codes."""

import zlib
from collections.abc import Iterator
from itertools import product
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.ir import FIELD_BY_KEY, FIELDS, Call, Name, Size, TierKind, Value
from mirc.ir.forms import Bare, Form, Mapped, OneOf
from mirc.ir.types import Bool, Int, Type, Word

UNSAID = 0
"""The code of a field that the declaration does not write; all ones say: look beside the row."""

ROW_WORDS = 4
_SLOT_BITS = 3
_SLOT = (1 << _SLOT_BITS) - 1
_TIERS = tuple(TierKind)
_SIZE_BITS = 48
_PLAIN = 2  # forms: a bare number, one with a unit; then the same inside of each of these
_PER = ("PER_TOKEN", "PER_SEQUENCE")


ORDER = {spec.key: index for index, spec in enumerate(FIELDS)}
"""The order of the fields of a declaration: the field table's."""

Codes = NDArray[np.uint64]
Flags = NDArray[np.bool_]


class Column(Protocol):
    """A field's place in a row, and the codes of its values."""

    @property
    def key(self) -> str:
        """The field."""

    @property
    def width(self) -> int:
        """Bits."""

    def encode(self, value: Value) -> int | None:
        """Return the code of a value; None for one that has no code."""

    def decode(self, code: int) -> Value:
        """Return the value of a code that has one."""

    def are_codes(self, codes: Codes) -> Flags:
        """Tell which codes have a value, or say that nothing is said."""


@attrs.frozen
class Words:
    """A field of few values: code 1 is the first of its words, in the order of the field table."""

    key: str
    words: tuple[Value, ...]
    _codes: dict[tuple[type, Value], int] = attrs.field(init=False, repr=False, eq=False)

    @_codes.default
    def _numbered(self) -> dict[tuple[type, Value], int]:
        return {(type(word), word): code for code, word in enumerate(self.words, 1)}

    @property
    def width(self) -> int:
        """Bits for the words, for nothing said, and for what is beside the row."""
        return (len(self.words) + 1).bit_length()

    def encode(self, value: Value) -> int | None:
        """Return the code of a word."""
        return self._codes.get((type(value), value))

    def decode(self, code: int) -> Value:
        """Return the word of a code."""
        return self.words[code - 1]

    def are_codes(self, codes: Codes) -> Flags:
        """Tell which codes are of a word, or of none."""
        right: Flags = codes <= np.uint64(len(self.words))
        return right


@attrs.frozen
class Tiers:
    """An ordered list of tiers: six slots of 3 bits, the first in the lowest bits; 0 ends it."""

    key: str
    width: int = _SLOT_BITS * len(_TIERS)

    def encode(self, value: Value) -> int | None:
        """Return the code of a list of different tiers."""
        if type(value) is not tuple or not 0 < len(value) <= len(_TIERS):
            return None
        code = 0
        for slot, item in enumerate(value):
            if type(item) is not Name or item.text not in TierKind.__members__:
                return None
            code |= (1 + _TIERS.index(TierKind(item.text))) << (_SLOT_BITS * slot)
        return code

    def decode(self, code: int) -> Value:
        """Return the list of a code."""
        slots = (code >> shift & _SLOT for shift in range(0, self.width, _SLOT_BITS))
        return tuple(Name(_TIERS[slot - 1].value) for slot in slots if slot)

    def are_codes(self, codes: Codes) -> Flags:
        """Tell which codes are lists: tiers, and after the last only empty slots."""
        right = np.ones(len(codes), dtype=np.bool_)
        ended = np.zeros(len(codes), dtype=np.bool_)
        for shift in range(0, self.width, _SLOT_BITS):
            slots = codes >> np.uint64(shift) & np.uint64(_SLOT)
            right &= (slots <= len(_TIERS)) & ~(ended & (slots > 0))
            ended |= slots == 0
        return right


@attrs.frozen
class Amount:
    """Bytes below 2^48 in the low bits; above them how they are counted, and whether a unit was."""

    key: str
    width: int = _SIZE_BITS + 3

    def encode(self, value: Value) -> int | None:
        """Return the code of ``n``, ``PER_TOKEN(n)`` or ``PER_SEQUENCE(n)``."""
        form = 1
        if type(value) is Call:
            if value.name not in _PER or len(value.args) != 1:
                return None
            form, value = 1 + _PLAIN + 2 * _PER.index(value.name), value.args[0]
        if type(value) is Size:
            form, value = form + 1, value.size_bytes
        if type(value) is not int or not 0 <= value < 1 << _SIZE_BITS:
            return None
        return form << _SIZE_BITS | value

    def decode(self, code: int) -> Value:
        """Return the amount of a code."""
        form, plain = code >> _SIZE_BITS, code & (1 << _SIZE_BITS) - 1
        value = plain if form % 2 else Size(plain)
        return value if form <= _PLAIN else Call(_PER[(form - _PLAIN - 1) // 2], (value,))

    def are_codes(self, codes: Codes) -> Flags:
        """Tell which codes have a form that there is."""
        forms = codes >> np.uint64(_SIZE_BITS)
        right: Flags = (codes == 0) | ((forms >= 1) & (forms <= _PLAIN + 2 * len(_PER)))
        return right


@attrs.frozen
class Spot:
    """Where a number lies in a row: ``width`` bits of a 64-bit word from bit ``shift`` on."""

    word: int
    shift: int
    width: int

    @property
    def ones(self) -> int:
        """The largest number that fits."""
        return (1 << self.width) - 1

    def of(self, words: tuple[int, ...]) -> int:
        """Take the number out of a row."""
        return words[self.word] >> self.shift & self.ones

    def put(self, number: int) -> int:
        """Return a number as it stands in its word."""
        return number << self.shift


def words_of(kind: Type) -> Iterator[Value]:
    """Yield the values of a type that can be listed: words, truths, small ranges, forms of them."""
    match kind:
        case Word():
            yield from (Name(str(word)) for word in kind.words)
        case Bool():
            yield from (False, True)
        case Int(most=int(most)):
            yield from range(kind.least, most + 1)
        case Bare():
            yield Name(kind.word)
        case Mapped():
            yield from words_of(kind.inner)
        case OneOf():
            for option in kind.options:
                yield from words_of(option)
        case Form(rest=None, optional=0):
            for args in product(*(tuple(words_of(param)) for param in kind.params)):
                yield Call(kind.word, args)


# What is no field has its own width: which kind of declaration, an index, a count.
WHAT, DOMAIN, TENANT, BESIDE_FIRST, BESIDE_COUNT = "what", "domain", "tenant", "first", "count"
_WIDTHS = {WHAT: 2, DOMAIN: 16, TENANT: 16, BESIDE_FIRST: 32, BESIDE_COUNT: 6}
_LAYOUT = (
    "size_bytes class what dtype immutable",
    "preferred_tiers fallback_tiers backing persistence_scope spill_policy deadline_class",
    (
        "mutability write_policy inclusion recompute_class pin_level replication_allowed "
        "multicast_eligible runtime_override replay sink_granularity precision_floor reuse "
        "reuse_window route_probability sensitivity retire sharing_scope retention_priority count"
    ),
    "domain tenant first",
)
LAYOUT: tuple[tuple[str, ...], ...] = tuple(tuple(word.split()) for word in _LAYOUT)
"""The four 64-bit words of a row, each from its lowest bits up; what is left of a word is zero."""


def _column(key: str) -> Column:
    if key == "size_bytes":
        return Amount(key)
    if key in ("preferred_tiers", "fallback_tiers", "backing"):
        return Tiers(key)
    return Words(key, tuple(words_of(FIELD_BY_KEY[key].type)))


COLUMNS: tuple[Column, ...] = tuple(
    _column(key) for word in LAYOUT for key in word if key not in _WIDTHS
)


def _spots() -> Iterator[tuple[str, Spot]]:
    widths = _WIDTHS | {column.key: column.width for column in COLUMNS}
    for index, keys in enumerate(LAYOUT):
        shift = 0
        for key in keys:
            yield key, Spot(index, shift, widths[key])
            shift += widths[key]


SPOTS: dict[str, Spot] = dict(_spots())
"""Where each column lies."""
COLUMN_BY_KEY: dict[str, tuple[Column, Spot]] = {
    column.key: (column, SPOTS[column.key]) for column in COLUMNS
}
INDEXED: dict[str, Spot] = {"security_domain": SPOTS[DOMAIN], "tenant_id": SPOTS[TENANT]}
"""Fields that are an index, from 1, into the file's list of domains and of tenants."""


def _digest() -> int:
    said = [
        (column.key, [repr(word) for word in getattr(column, "words", ())]) for column in COLUMNS
    ]
    return zlib.crc32(repr((LAYOUT, sorted(_WIDTHS.items()), said)).encode())


DIGEST = _digest()
"""Tells one layout, with its words, from another: a row means something under its own alone."""
