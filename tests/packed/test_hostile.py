"""Packed files from strangers: refused with the place, or right; never endless, never a crash."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir import View
from mirc.packed import codec
from mirc.packed.codec import HEADER_BYTES, dumps, loads
from mirc.packed.columns import SPOTS
from mirc.packed.pack import pack
from mirc.packed.tables import Kind, Tables, Tag
from mirc.packed.unpack import read, unpack
from tests.nightly import by_night

EXAMPLES = by_night(150, 20_000)

TEXT = """mir 1.0
object w { class = WEIGHT_TILE  size_bytes = 3MiB  coalition_hints = [c]  reuse = 0.1 @ 0.3 }
object v { class = WEIGHT_TILE  size_bytes = 4KiB  security_domain = d  tenant_id = t }
coalition c { members = [w, v] }
tenant t { quota_bytes = 6GiB }
phase p { step a { raises = [DONE] }  override w { retain_us = 12345678901234567890us } }
plan q { machine = "m.toml"  phase p { override w { residency = [HBM(a, a), DRAM] } } }
"""
TABLES = pack(load(Source("x.mir", TEXT)))
DATA = dumps(TABLES)


def sealed(data: bytes) -> bytes:
    """Return the bytes with the checksum that they should have."""
    checksum = zlib.crc32(data[HEADER_BYTES:], zlib.crc32(data[: HEADER_BYTES - 4]))
    return data[: HEADER_BYTES - 4] + struct.pack("<I", checksum) + data[HEADER_BYTES:]


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_bytes_that_were_changed_are_refused_or_mean_something(data: st.DataObject) -> None:
    changed = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(4, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    try:
        packed = read(sealed(bytes(changed)), "x.mirb")
    except CouldNotRun:
        return
    module = unpack(packed)
    view = View(module)
    for name in module.data:
        view.value(name, "size_bytes")


@given(st.integers(0, len(DATA) - 1))
@settings(max_examples=50, deadline=None)
def test_a_file_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(CouldNotRun):
        read(DATA[:length], "x.mirb")


@given(st.integers(4, len(DATA) - 1), st.integers(1, 255))
@settings(max_examples=50, deadline=None)
def test_a_flipped_bit_shows_in_the_checksum(at: int, flipped: int) -> None:
    changed = bytearray(DATA)
    changed[at] ^= flipped
    with pytest.raises(CouldNotRun):
        loads(bytes(changed), "x.mirb")


def test_another_file_is_named_as_that() -> None:
    with pytest.raises(CouldNotRun, match=r"`x\.mirb` is not a packed file"):
        loads(TEXT.encode(), "x.mirb")


def test_a_file_of_another_version_is_named_as_that() -> None:
    other = sealed(DATA[:4] + struct.pack("<H", 2) + DATA[6:])
    with pytest.raises(CouldNotRun, match="packed by another version of mirc"):
        loads(other, "x.mirb")


def _changed(section: str, index: int, **values: Any) -> Tables:
    array = getattr(TABLES, section).copy()
    for name, value in values.items():
        array[name][index] = value
    return attrs.evolve(TABLES, **{section: array})


def _row(index: int, key: str, code: int) -> Tables:
    rows = TABLES.rows.copy()
    spot = SPOTS[key]
    rows[index, spot.word] &= ~np.uint64(spot.ones << spot.shift)
    rows[index, spot.word] |= np.uint64(code << spot.shift)
    return attrs.evolve(TABLES, rows=rows)


def _number(kind: Kind) -> int:
    return int(np.flatnonzero(TABLES.blocks["kind"] == kind)[0])


def _nested() -> int:
    return int(np.flatnonzero(TABLES.fields["tag"] == Tag.LIST)[0])


def _word() -> int:
    """Return the element that is the word of the first call."""
    called = TABLES.cells[TABLES.cells["tag"] == Tag.CALL][0]
    return int(called["payload"]) & 0xFFFF_FFFF


def _renamed(number: int, text: str) -> Tables:
    strings = [*TABLES.strings]
    strings[number] = text
    return attrs.evolve(TABLES, strings=tuple(strings))


BEYOND = 0xFFFF_FFF0
WRONG: dict[str, Tables] = {
    "it is no kind of declaration": _row(1, "what", 3),
    "`class` has a code that means nothing": _row(1, "class", 14),
    "`size_bytes` has a code that means nothing": _row(1, "size_bytes", 5),
    "`preferred_tiers` has a code that means nothing": _row(1, "preferred_tiers", 1 << 3),
    "`security_domain` is one that is not listed": _row(1, "domain", 2),
    "`tenant_id` is one that is not listed": _row(1, "tenant", 2),
    "`dtype` is in its row and beside it, or in neither": _row(1, "dtype", 31),
    "its fields lie behind the last": _row(1, "first", BEYOND),
    "there is no such kind of block": _changed("blocks", 1, kind=10),
    "two bytes that mean nothing are not zero": _changed("blocks", 1, zero=1),
    "the block stands inside nothing": _changed("blocks", _number(Kind.TENANT), parent=0),
    "no block before it holds it": _changed("blocks", _number(Kind.OVERRIDE), parent=BEYOND),
    "the override stands in a block of another kind": _changed(
        "blocks", _number(Kind.OVERRIDE), parent=0
    ),
    "there is no such key": _changed("fields", 0, key=0),
    "there is no such confidence": _changed("fields", 0, confidence=BEYOND),
    "an element has neither key nor confidence": _changed("cells", 0, key=1),
    "there is no such kind of value": _changed("cells", 0, tag=12),
    "there is no such string": _changed("cells", 0, payload=BEYOND),
    "the string is not a number": _changed("cells", 0, tag=Tag.BIG_INT),
    "the string is no bare word": _changed(
        "cells", _word(), payload=TABLES.strings.index("12345678901234567890000000")
    ),
    "a truth is 0 or 1": _changed("cells", 0, tag=Tag.BOOL, payload=2),
    "the number is not finite": _changed("fields", 0, tag=Tag.FLOAT, payload=0x7FF << 52),
    "its elements do not follow those before": _changed("fields", _nested(), payload=1 << 32 | 1),
    "a call has no word": _changed("cells", _word(), tag=Tag.INT),
    "a confidence is a number from 0 to 1": attrs.evolve(
        TABLES, confidences=np.array([1.5], dtype=np.float64)
    ),
    "`nokey` is not a key": _renamed(int(TABLES.keys[0]), "nokey"),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_no_record_can_say_is_refused_with_its_place(reason: str) -> None:
    with pytest.raises(CouldNotRun, match=r"`x\.mirb` is damaged at byte \d+: ") as refused:
        loads(dumps(WRONG[reason]), "x.mirb")
    assert reason in refused.value.message


def test_the_place_is_that_of_the_record() -> None:
    at = HEADER_BYTES + 32  # the second row
    with pytest.raises(CouldNotRun, match=f"at byte {at}: it is no kind of declaration"):
        loads(dumps(_row(1, "what", 3)), "x.mirb")
    with pytest.raises(CouldNotRun, match=f"at byte {HEADER_BYTES + 64 + 16}: there is no such"):
        loads(dumps(_changed("blocks", 1, kind=10)), "x.mirb")


def _values(tags: Sequence[int], payloads: Sequence[int]) -> Tables:
    """Return a file whose one coalition's members are a value that is given node by node."""
    cells = np.zeros(len(tags), dtype=TABLES.cells.dtype)
    cells["tag"], cells["payload"] = tags, payloads
    fields = TABLES.fields[_nested() : _nested() + 1].copy()
    fields["payload"] = 1 << 32
    rows = TABLES.rows[:0]
    blocks = TABLES.blocks[_number(Kind.COALITION) : _number(Kind.COALITION) + 1].copy()
    blocks["first"] = 0
    return attrs.evolve(TABLES, rows=rows, blocks=blocks, fields=fields, cells=cells)


def test_a_value_inside_of_itself_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="its elements do not follow those before"):
        loads(dumps(_values([Tag.LIST], [1 << 32])), "x.mirb")


def test_values_that_no_field_holds_are_refused() -> None:
    # the second and third cell hold each other, and the first is all that the field holds
    made = _values([Tag.NAME, Tag.LIST, Tag.LIST], [0, 1 << 32 | 1, 1 << 32 | 2])
    with pytest.raises(CouldNotRun, match="a value is endless, or nests too deeply"):
        loads(dumps(made), "x.mirb")


def test_a_value_that_nests_too_deeply_is_refused() -> None:
    deep = 40
    payloads = [1 << 32 | index + 1 for index in range(deep)]
    with pytest.raises(CouldNotRun, match="a value is endless, or nests too deeply"):
        loads(dumps(_values([Tag.LIST] * deep + [Tag.NAME], [*payloads, 0])), "x.mirb")


def test_a_small_file_that_says_the_same_again_and_again_is_refused() -> None:
    # 5 000 coalitions share one list of 10 000 members: 50 million values in 240 kB
    made = _values([Tag.NAME] * 10_000, [0] * 10_000)
    made.fields["payload"] = 10_000 << 32
    blocks = np.repeat(made.blocks, 5_000)
    data = dumps(attrs.evolve(made, blocks=blocks))
    assert len(data) < 300_000
    with pytest.raises(CouldNotRun, match="more is said than 33_554_432 values"):
        loads(data, "x.mirb")


def test_what_is_sound_and_not_right_is_refused_in_the_words_of_check() -> None:
    blocks = TABLES.blocks.copy()
    blocks["name"][_number(Kind.COALITION)] = TABLES.strings.index("t")
    data = dumps(attrs.evolve(TABLES, blocks=blocks))
    with pytest.raises(CouldNotRun, match="says what is not right: coalition `c` is not declared"):
        read(data, "x.mirb")


def test_a_name_that_is_no_text_is_not_packed() -> None:
    with pytest.raises(CouldNotRun, match="half of a surrogate pair"):
        dumps(attrs.evolve(TABLES, strings=("\ud800", *TABLES.strings[1:])))


def test_a_file_that_nothing_would_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MAX_BYTES", len(DATA) - 1)
    with pytest.raises(CouldNotRun, match="would be larger than"):
        dumps(TABLES)
