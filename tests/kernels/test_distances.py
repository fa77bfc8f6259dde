"""One pass over accesses against caches that are really played, one at each capacity."""

from collections import OrderedDict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirc.kernels.distances import COUNTED, NEXT, REMOVED, TOTAL, UNCOUNTED, stack, use
from mirc.kernels.world import NONE
from mirc.simulate.curves import curve
from mirc.simulate.model import Ints

ids = st.lists(st.integers(0, 11), max_size=150)
sizes = st.lists(st.integers(1, 9), min_size=12, max_size=12)


def played(accesses: list[int], size: list[int], capacity: int) -> int:
    """Play LRU: what comes in lets the least recently used go until it fits."""
    near: OrderedDict[int, int] = OrderedDict()
    hits = 0
    for x in accesses:
        if x in near:
            hits += 1
            near.move_to_end(x)
            continue
        near[x] = size[x]
        while sum(near.values()) > capacity:
            near.popitem(last=False)
    return hits


def table(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


@given(ids, sizes)
def test_one_pass_gives_the_hits_of_lru_at_every_capacity(
    accesses: list[int], size: list[int]
) -> None:
    capacities = list(range(max(size), sum(size) + 1))  # each object alone fits
    found = curve(table(accesses), table(size), capacities, path="python")
    assert list(found.hits) == [played(accesses, size, room) for room in capacities]
    assert found.accesses == len(accesses)
    assert found.accessed_bytes == sum(size[x] for x in accesses)


@given(ids, sizes)
def test_a_larger_memory_never_misses_more(accesses: list[int], size: list[int]) -> None:
    found = curve(table(accesses), table(size), range(1, 60), path="python")
    assert list(found.hits) == sorted(found.hits)
    assert list(found.miss_ratios) == sorted(found.miss_ratios, reverse=True)


def test_positions_are_given_out_anew_and_the_order_stays() -> None:
    # 3 ids have 70 positions: 1000 uses go round many times
    s = stack(np.ones(3, dtype=np.int64))
    assert [int(use(s, x)) for x in (0, 1, 2)] == [NONE] * 3
    assert {int(use(s, n % 3)) for n in range(1000)} == {3}
    assert s.now[TOTAL] == 3
    assert s.now[NEXT] <= len(s.tree)


def test_what_ends_leaves_room_and_comes_back_as_a_first_use() -> None:
    # a b [a ends] b a: b is alone by then, a comes anew
    what = table([COUNTED, COUNTED, REMOVED, COUNTED, COUNTED])
    found = curve(table([0, 1, 0, 1, 0]), table([5, 5]), [5, 10], what=what, path="python")
    assert found.hits == (1, 1)
    assert found.accesses == 4


def test_what_is_made_by_its_first_use_is_no_miss() -> None:
    what = table([UNCOUNTED, COUNTED])
    found = curve(table([0, 0]), table([5]), [5], what=what, path="python")
    assert (found.hits, found.accesses, found.miss_ratios) == ((1,), 1, (0.0,))


def test_the_compiled_pass_counts_what_the_plain_one_does() -> None:
    rng = np.random.default_rng(0)
    accesses = rng.zipf(1.3, 3000) % 400
    size = rng.integers(1, 50, 400)
    what = rng.choice([COUNTED, COUNTED, COUNTED, UNCOUNTED, REMOVED], 3000)
    both = [
        curve(accesses, size, [50, 500, 5000], what=what, path=path)
        for path in ("python", "compiled")
    ]
    assert both[0].hits == both[1].hits
    assert both[0].hit_bytes == both[1].hit_bytes
