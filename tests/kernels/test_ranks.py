import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirc.kernels.ranks import add_rank, clear_ranks, discard_rank, lowest_from, no_ranks
from mirc.kernels.world import NONE


@given(st.integers(1, 40_000), st.data())
def test_the_lowest_rank_from_here_on_is_what_a_sorted_list_says(
    count: int, data: st.DataObject
) -> None:
    bits = no_ranks(count)
    ranks = data.draw(st.lists(st.integers(0, count - 1), max_size=40))
    gone = data.draw(st.lists(st.sampled_from(ranks), max_size=20)) if ranks else []
    for rank in ranks:
        add_rank(bits, rank)
    for rank in gone:
        discard_rank(bits, rank)
    left = sorted(set(ranks) - set(gone))
    for start in [0, *data.draw(st.lists(st.integers(0, count), max_size=10))]:
        expected = next((rank for rank in left if rank >= start), NONE)
        assert lowest_from(bits, start) == expected
    clear_ranks(bits)
    assert lowest_from(bits, 0) == NONE
    assert not np.any(bits[9:])
