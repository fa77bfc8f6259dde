"""The 32 bytes of a row: where each field lies, and what its codes mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import FIELD_BY_KEY, KEYS_WHERE, Call, Name, Size, TierKind, Where
from mirc.packed.columns import COLUMN_BY_KEY, COLUMNS, LAYOUT, SPOTS, Amount, Tiers, Words
from mirc.packed.pack import pack
from mirc.packed.tables import BLOCK, NODE


def test_a_row_has_256_bits_and_all_are_used_once() -> None:
    for word, keys in enumerate(LAYOUT):
        bits = [bit for key in keys for bit in _bits(key)]
        assert sorted(bits) == list(range(64)), word
    assert (BLOCK.itemsize, NODE.itemsize) == (16, 16)


def _bits(key: str) -> range:
    return range(SPOTS[key].shift, SPOTS[key].shift + SPOTS[key].width)


def test_all_fields_of_an_object_may_stand_beside_its_row() -> None:
    keys = KEYS_WHERE[Where.OBJECT].keys() | KEYS_WHERE[Where.TEMPLATE].keys()
    assert len(keys) <= SPOTS["count"].ones


def test_each_word_of_a_field_has_its_own_code_and_no_code_is_the_escape() -> None:
    for column in COLUMNS:
        if isinstance(column, Words):
            codes = [column.encode(word) for word in column.words]
            assert codes == list(range(1, len(column.words) + 1))
            assert len(codes) < COLUMN_BY_KEY[column.key][1].ones
            assert [column.decode(code) for code in codes if code] == list(column.words)


def test_every_word_that_a_field_takes_alone_has_a_code() -> None:
    for column in COLUMNS:
        if isinstance(column, Words):
            bare = {word for word in FIELD_BY_KEY[column.key].type.words if word.isupper()}
            coded = {word.text for word in column.words if isinstance(word, Name)}
            assert bare - coded <= {"EVERY", "WINDOW", "AFTER"}, column.key


@given(st.lists(st.sampled_from(list(TierKind)), min_size=1, unique=True))
def test_tiers_keep_their_order(tiers: list[TierKind]) -> None:
    column = Tiers("preferred_tiers")
    value = tuple(Name(tier.value) for tier in tiers)
    code = column.encode(value)
    assert code is not None
    assert column.decode(code) == value
    assert code & 7 == 1 + list(TierKind).index(tiers[0])  # the nearest is in the lowest bits


@given(st.integers(0, 2**48 - 1), st.booleans(), st.sampled_from(["", "PER_TOKEN", "PER_SEQUENCE"]))
def test_amounts_below_2_to_the_48_are_exact(number: int, unit: bool, per: str) -> None:  # noqa: FBT001 - drawn
    plain = Size(number) if unit else number
    value = Call(per, (plain,)) if per else plain
    column = Amount("size_bytes")
    code = column.encode(value)
    assert code is not None
    assert repr(column.decode(code)) == repr(value)
    assert code & (1 << 48) - 1 == number


@pytest.mark.parametrize("value", [2**48, Size(2**48), Call("PER_TOKEN", (2**48,)), -1, 1.0, True])
def test_what_does_not_fit_has_no_code(value: object) -> None:
    assert Amount("size_bytes").encode(value) is None  # type: ignore[arg-type]


def test_a_row_is_read_off_by_hand() -> None:
    text = """mir 1.0
    object w { class = WEIGHT_TILE  size_bytes = 4096  preferred_tiers = [HBM, DRAM] }
    """
    (row,) = pack(load(Source("x.mir", text))).rows.tolist()
    # size 4096, form 1 (a bare number) from bit 48, class 1 from bit 51; HBM is tier 2, DRAM 4
    assert row == [4096 | 1 << 48 | 1 << 51, 2 | 4 << 3, 0, 0]


def test_what_a_row_cannot_hold_is_all_ones_there_and_said_beside_it() -> None:
    text = """mir 1.0
    object w { class = WEIGHT_TILE  size_bytes = 1KiB  reuse = HIGH @ 0.5  dtype = "int8" }
    """
    tables = pack(load(Source("x.mir", text)))
    (row,) = tables.rows.tolist()
    assert SPOTS["reuse"].of(row) == 15
    assert SPOTS["dtype"].of(row) == 31  # quoted, which a code would not say
    keys = [tables.strings[tables.keys[field["key"] - 1]] for field in tables.fields]
    assert keys == ["dtype", "reuse"]
    assert (SPOTS["first"].of(row), SPOTS["count"].of(row)) == (0, 2)
