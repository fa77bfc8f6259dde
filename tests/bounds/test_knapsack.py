"""The exact knapsack equals trying everything."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.bounds.knapsack import exact

THINGS = st.lists(st.tuples(st.integers(-3, 20), st.integers(1, 9)), max_size=8)


@given(things=THINGS, capacity=st.integers(0, 30))
def test_no_subset_that_fits_is_worth_more_than_the_exact_answer(
    things: list[tuple[int, int]], capacity: int
) -> None:
    subsets = (s for n in range(len(things) + 1) for s in combinations(things, n))
    best = max(sum(v for v, _ in s) for s in subsets if sum(z for _, z in s) <= capacity)
    values, sizes = [v for v, _ in things], [z for _, z in things]
    assert exact(values, sizes, capacity) == best


def test_a_problem_that_would_take_minutes_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        exact([1.0] * 1_000, [1] * 1_000, 10**9)
