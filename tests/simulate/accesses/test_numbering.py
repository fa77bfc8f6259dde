"""Keys of any 64 bits become ids in the order in which they come, chunk after chunk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.simulate.accesses.hits import count_hits
from mirc.simulate.accesses.numbering import Numbering
from tests.nightly import by_night

keys = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([-1, 0, 1, 2**63 - 1, -(2**63), 2**31, 2**62]),
)


@settings(max_examples=by_night(40, 2000), deadline=None)
@given(
    chunks=st.lists(st.lists(keys, max_size=60), max_size=5),
    factors=st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
)
def test_ids_are_numbers_of_first_appearance_whatever_the_factors(
    chunks: list[list[int]], factors: tuple[int, int]
) -> None:
    known: dict[int, int] = {}
    numbering = Numbering("python", factors)
    for chunk in chunks:
        found = numbering.ids(np.array(chunk, dtype=np.int64)).tolist()
        assert found == [known.setdefault(key, len(known)) for key in chunk]
    assert numbering.count == len(known)


@pytest.mark.parametrize("path", ["python", "compiled"])
def test_the_table_grows_with_what_it_is_given(path: str) -> None:
    # The first table has room for 2,048 keys: 5,000 make it grow once, 9,000 twice.
    raw = np.arange(9_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbering = Numbering(path)
    assert np.array_equal(numbering.ids(raw[:5_000]), np.arange(5_000))
    assert np.array_equal(numbering.ids(raw[4_000:]), np.arange(4_000, 9_000))
    assert numbering.count == 9_000


def test_sizes_count_against_a_capacity_in_bytes() -> None:
    # 0 takes 30 of 40 bytes: 1 drives it out, 2 fits beside 1, and 3 is larger than the cache.
    ids = np.array([0, 1, 2, 1, 0, 3], dtype=np.int64)
    size = np.array([30, 20, 20, 50], dtype=np.int64)
    found = count_hits(ids, "lru", 40, size=size)
    assert (found.hits, found.hit_size, found.evicted, found.passed_by) == (1, 20, 3, 1)


def test_an_oracle_without_a_future_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="`belady` needs the future"):
        count_hits(np.zeros(3, dtype=np.int64), "belady", 2)


def test_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="there is no rule `clock`"):
        count_hits(np.zeros(3, dtype=np.int64), "clock", 2)
