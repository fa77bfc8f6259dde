"""An entry of the residency map: 128 published bits and 13 of ours."""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.ir.enums import PinLevel, TierKind
from mirc.packed.residency import (
    ENTRY_BITS,
    LAYOUT,
    PUBLISHED_BITS,
    Entry,
    Transfer,
    accessed,
    dumps,
    hash_of,
    loads,
    regretted,
)

ENTRIES = st.builds(
    Entry,
    hash=st.integers(0, 2**64 - 1),
    tier=st.sampled_from(TierKind),
    hotness=st.integers(0, 65_535),
    reuse=st.integers(0, 65_535),
    regret=st.integers(0, 65_535),
    transfer=st.sampled_from(Transfer),
    domain=st.integers(0, 255),
    replicas=st.integers(0, 15),
    owner=st.integers(0, 63),
    pin=st.sampled_from(PinLevel),
    dirty=st.booleans(),
)
ENTRY = Entry(hash=hash_of("w"), tier=TierKind.HBM)


@pytest.mark.mechanism("S5-01")
def test_an_entry_has_141_bits_of_which_128_are_published() -> None:
    assert ENTRY_BITS == 141
    published = ("hash", "tier", "hotness", "reuse", "regret", "transfer", "domain")
    widths = dict(LAYOUT)
    assert [widths[key] for key in published] == [64, 4, 16, 16, 16, 4, 8]
    assert sum(widths[key] for key in published) == PUBLISHED_BITS == 128
    assert len(dumps([ENTRY] * 64_000)) == 1_128_000


@pytest.mark.mechanism("S5-01")
@given(st.lists(ENTRIES, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_map_is_read_as_it_was_written(entries: list[Entry]) -> None:
    assert loads(dumps(entries), len(entries)) == tuple(entries)


@pytest.mark.mechanism("S5-01")
def test_counters_stay_at_their_ends() -> None:
    full = attrs.evolve(ENTRY, hotness=65_534, regret=65_535, reuse=1)
    assert regretted(full).regret == 65_535
    assert regretted(ENTRY).regret == 1
    once = accessed(full)
    assert (once.hotness, once.reuse) == (65_535, 0)
    twice = accessed(once)
    assert (twice.hotness, twice.reuse) == (65_535, 0)


@pytest.mark.parametrize(
    ("key", "value"), [("domain", 256), ("owner", 64), ("replicas", -1), ("regret", 65_536)]
)
def test_what_has_no_bits_is_no_entry(key: str, value: int) -> None:
    with pytest.raises(ValueError, match=key):
        Entry(**{"hash": 1, "tier": TierKind.HBM, key: value})  # type: ignore[arg-type]


def test_other_bytes_are_refused_with_the_entry() -> None:
    data = dumps([ENTRY, ENTRY])
    with pytest.raises(CouldNotRun, match="a map of 2 entries has 36 bytes, not 35"):
        loads(data[:-1], 2)
    wrong = bytearray(data)
    wrong[(141 + 64) // 8] |= 0xF0  # bits 205 to 208 are the second entry's tier
    wrong[(141 + 64) // 8 + 1] |= 0x01
    with pytest.raises(CouldNotRun, match="entry 1 of the residency map"):
        loads(bytes(wrong), 2)


def test_ids_do_not_depend_on_the_process() -> None:
    assert hash_of("layers.0.w") == hash_of("layers.0.w") != hash_of("layers.1.w")
    assert hash_of("w").to_bytes(8, "little").hex() == "9e6b28a282509220"  # printf w | b2sum -l 64
