import numpy as np
import pytest

from mirc.kernels.build import compiled, source_hash
from mirc.kernels.lists import append
from mirc.kernels.ranks import add_rank, lowest_from, no_ranks


def test_a_plain_function_gives_the_same_compiled() -> None:
    fast, plain = no_ranks(5000), no_ranks(5000)
    quick_add, quick_lowest = compiled(add_rank), compiled(lowest_from)
    for rank in (4999, 77, 1024):
        quick_add(fast, rank)
        add_rank(plain, rank)
        assert quick_lowest(fast, 0) == lowest_from(plain, 0)
        assert quick_lowest(fast, rank + 1) == lowest_from(plain, rank + 1)
    assert np.array_equal(fast, plain)


def test_a_function_is_compiled_once() -> None:
    assert compiled(add_rank) is compiled(add_rank)


def test_the_hash_covers_the_whole_room_of_the_kernels() -> None:
    assert source_hash(add_rank) == source_hash(append)
    assert len(source_hash(add_rank)) == 12


def test_only_plain_functions_are_compiled() -> None:
    with pytest.raises(TypeError, match="not a plain function"):
        compiled(max)
