"""The tables of a stranger's file into certainty that every number in them is in its bounds."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mirc.ir import FIELD_BY_KEY, is_bare
from mirc.packed.columns import (
    BESIDE_COUNT,
    BESIDE_FIRST,
    COLUMN_BY_KEY,
    COLUMNS,
    INDEXED,
    ORDER,
    SPOTS,
    WHAT,
    Codes,
    Flags,
    Spot,
)
from mirc.packed.errors import DamageError
from mirc.packed.tables import (
    NESTED,
    NOTHING,
    STRINGS,
    WHAT_TEMPLATE,
    Kind,
    Rows,
    Tables,
    Tag,
)

MAX_DEPTH = 32
"""Values within values."""
MAX_SAID = 1 << 25
"""Nodes of all declarations together, counted as often as they are said."""

_DIGITS = re.compile(r"-?[0-9]{1,64}", re.ASCII)
_BIG = (Tag.BIG_INT, Tag.BIG_SIZE, Tag.BIG_TIME)
_Ints = NDArray[np.int64]
_INSIDE: dict[Kind, tuple[Kind, ...]] = {
    Kind.OVERRIDE: (Kind.PHASE, Kind.SIGNAL, Kind.PLAN, Kind.PLAN_PHASE),
    Kind.PLAN_PHASE: (Kind.PLAN,),
    Kind.STEP: (Kind.PHASE,),
}


def require_sound(tables: Tables) -> None:
    """Raise DamageError unless every index leads somewhere, and no value is deep or endless.

    What a value means is for ``verify`` to say. O(tables), plus O(longest value) per level.
    """
    _strings(tables)
    _nodes(tables)
    weights = _weights(tables)
    for section, first, count in _ranges(tables):
        beyond = first + count > len(tables.fields)
        _require(section, ~beyond, "its fields lie behind the last")
    _blocks(tables)
    _rows(tables)
    _bodies(tables)
    _said(tables, weights)


def _require(section: str, right: Flags, reason: str) -> None:
    if not right.all():
        raise DamageError(section, int(np.argmin(right)), reason)


def _strings(tables: Tables) -> None:
    count = len(tables.strings)
    for section in ("domains", "keys"):
        _require(section, getattr(tables, section) < count, "there is no such string")
    for index, number in enumerate(tables.keys.tolist()):
        if tables.strings[number] not in FIELD_BY_KEY:
            raise DamageError("keys", index, f"`{tables.strings[number]:.40}` is not a key")
    if len(tables.rows) > count:
        raise DamageError("rows", count, "the row has no name")
    right = (tables.confidences >= 0) & (tables.confidences <= 1)
    _require("confidences", right, "a confidence is a number from 0 to 1")


def _nodes(tables: Tables) -> None:
    fields, cells = tables.fields, tables.cells
    keyed = (fields["key"] >= 1) & (fields["key"] <= len(tables.keys))
    _require("fields", keyed, "there is no such key")
    sure = fields["confidence"] <= len(tables.confidences)
    _require("fields", sure, "there is no such confidence")
    bare = (cells["key"] == 0) & (cells["confidence"] == 0)
    _require("cells", bare, "an element has neither key nor confidence")
    for section, nodes in (("fields", fields), ("cells", cells)):
        tag, payload = nodes["tag"], nodes["payload"]
        _require(section, tag <= max(Tag), "there is no such kind of value")
        text = np.isin(tag, tuple(STRINGS))
        _require(section, ~text | (payload < len(tables.strings)), "there is no such string")
        _require(section, (tag != Tag.BOOL) | (payload <= 1), "a truth is 0 or 1")
        # NaN and the infinities have all eleven bits of the exponent set.
        finite = (payload >> np.uint64(52)) & np.uint64(0x7FF) != np.uint64(0x7FF)
        _require(section, (tag != Tag.FLOAT) | finite, "the number is not finite")
        _texts(tables, section, tag, payload)


def _texts(tables: Tables, section: str, tag: NDArray[np.uint16], payload: Codes) -> None:
    """Refuse digits that are no number, and bare words that would not be read as one."""
    for index in np.flatnonzero(np.isin(tag, _BIG)).tolist():
        if _DIGITS.fullmatch(tables.strings[int(payload[index])]) is None:
            raise DamageError(section, index, "the string is not a number")
    named = np.flatnonzero(tag == Tag.NAME)
    numbers, firsts = np.unique(payload[named], return_index=True)
    for number, first in zip(numbers.tolist(), firsts.tolist(), strict=True):
        if not is_bare(tables.strings[number]):
            raise DamageError(section, int(named[first]), "the string is no bare word")


def _weights(tables: Tables) -> _Ints:
    """Return how many nodes each field is, with all inside it; every cell is inside one."""
    tags = np.concatenate([tables.fields["tag"], tables.cells["tag"]])
    payloads = np.concatenate([tables.fields["payload"], tables.cells["payload"]])
    own = len(tables.fields)
    nested = np.isin(tags, tuple(NESTED))
    first = np.where(nested, payloads & np.uint64(0xFFFF_FFFF), 0).astype(np.int64)
    counts = np.where(nested, payloads >> np.uint64(32), 0).astype(np.int64)
    ends = np.cumsum(counts)
    right = ~nested | (first == ends - counts)
    _require_node(own, right, "its elements do not follow those before")
    if (int(ends[-1]) if len(ends) else 0) != len(tables.cells):
        raise DamageError("cells", len(tables.cells), "there are other elements than values hold")
    words = np.zeros(len(tags), dtype=np.bool_)
    called = tags == Tag.CALL
    _require_node(own, ~called | (counts > 0), "a call has no word")
    words[called] = tables.cells["tag"][first[called]] == Tag.NAME
    _require_node(own, ~called | words, "a call has no word")
    weights = np.ones(len(tags), dtype=np.int64)
    for start, stop in reversed(tuple(_levels(ends, own, len(tags)))):
        inside = np.concatenate([[0], np.cumsum(weights[own:])])
        weights[start:stop] += inside[ends[start:stop]] - inside[(ends - counts)[start:stop]]
    return weights[:own]


def _require_node(own: int, right: Flags, reason: str) -> None:
    _require("fields", right[:own], reason)
    _require("cells", right[own:], reason)


def _levels(ends: _Ints, own: int, total: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of nodes at each depth: elements follow what holds them, level by level."""
    start, stop = 0, own
    for _ in range(MAX_DEPTH + 1):
        yield start, stop
        if stop == total:
            return
        start, stop = stop, own + (int(ends[stop - 1]) if stop else 0)
    raise DamageError("cells", start - own, "a value is endless, or nests too deeply")


def _ranges(tables: Tables) -> Iterator[tuple[str, _Ints, _Ints]]:
    """Yield the fields of rows and of blocks: the first, how many."""
    rows = tables.rows
    first, count = (_number(rows, SPOTS[key]) for key in (BESIDE_FIRST, BESIDE_COUNT))
    yield "rows", first.astype(np.int64), count.astype(np.int64)
    blocks = tables.blocks
    yield "blocks", blocks["first"].astype(np.int64), blocks["count"].astype(np.int64)


def _said(tables: Tables, weights: _Ints) -> None:
    """Refuse a small file that says a great deal by saying the same again and again."""
    before = np.concatenate([[0], np.cumsum(weights)])
    said = 0.0
    for section, first, count in _ranges(tables):
        # Floats: sums of strangers' numbers must not wrap.
        sums = np.cumsum((before[first + count] - before[first]).astype(np.float64))
        _require(section, said + sums <= MAX_SAID, f"more is said than {MAX_SAID:_} values")
        said += float(sums[-1]) if len(sums) else 0


def _bodies(tables: Tables) -> None:
    """Refuse a key said twice, and a field that is in its row and beside it, or in neither."""
    keys = [0, *(ORDER[tables.strings[number]] for number in tables.keys.tolist())]
    order = np.array(keys, dtype=np.int64)[tables.fields["key"]]
    falls = np.concatenate([[0, 0], np.cumsum(order[1:] <= order[:-1])])[: len(order) + 1]
    for section, first, count in _ranges(tables):
        inside = np.where(count > 1, falls[first + count] - falls[first + (count > 0)], 0)
        _require(section, inside == 0, "its keys are not in order")
    first, count = next((first, count) for _, first, count in _ranges(tables))
    for key in (*COLUMN_BY_KEY, *INDEXED):
        spot = COLUMN_BY_KEY[key][1] if key in COLUMN_BY_KEY else INDEXED[key]
        held = np.concatenate([[0], np.cumsum(order == ORDER[key])])
        beside = held[first + count] - held[first] == 1
        outside = _number(tables.rows, spot) == np.uint64(spot.ones)
        _require("rows", beside == outside, f"`{key}` is in its row and beside it, or in neither")


def _blocks(tables: Tables) -> None:
    blocks = tables.blocks
    kind, parent = blocks["kind"], blocks["parent"].astype(np.int64)
    _require("blocks", kind <= max(Kind), "there is no such kind of block")
    _require("blocks", blocks["zero"] == 0, "two bytes that mean nothing are not zero")
    _require("blocks", blocks["name"] < len(tables.strings), "there is no such string")
    inner = np.isin(kind, tuple(_INSIDE))
    _require("blocks", inner | (parent == NOTHING), "the block stands inside nothing")
    _require("blocks", ~inner | (parent < np.arange(len(blocks))), "no block before it holds it")
    outer = kind[np.where(inner, parent, 0)] if len(blocks) else kind
    for inside, around in _INSIDE.items():
        right = (kind != inside) | np.isin(outer, around)
        _require("blocks", right, f"the {inside.name.lower()} stands in a block of another kind")


def _rows(tables: Tables) -> None:
    rows = tables.rows
    _require("rows", _number(rows, SPOTS[WHAT]) <= WHAT_TEMPLATE, "it is no kind of declaration")
    for column in COLUMNS:
        spot = SPOTS[column.key]
        code = _number(rows, spot)
        right = (code == np.uint64(spot.ones)) | column.are_codes(code)
        _require("rows", right, f"`{column.key}` has a code that means nothing")
    tenants = int((tables.blocks["kind"] == Kind.TENANT).sum())
    known = {"security_domain": len(tables.domains), "tenant_id": tenants}
    for key, spot in INDEXED.items():
        code = _number(rows, spot)
        right = (code == np.uint64(spot.ones)) | (code <= known[key])
        _require("rows", right, f"`{key}` is one that is not listed")


def _number(rows: Rows, spot: Spot) -> Codes:
    number: Codes = (rows[:, spot.word] >> np.uint64(spot.shift)) & np.uint64(spot.ones)
    return number
