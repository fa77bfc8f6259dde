import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.bounds.peak import Interval, Peak, live_bytes, peak

STEPS = 8
SPANS = st.tuples(st.integers(0, STEPS - 1), st.integers(0, STEPS - 1), st.integers(0, 50))
STRAIGHT = SPANS.map(lambda s: Interval(min(s[:2]), max(s[:2]), s[2]))
ANY = SPANS.map(lambda s: Interval(*s))


def brute_force(intervals: list[Interval]) -> list[int]:
    def covers(i: Interval, step: int) -> bool:
        if i.first <= i.last:
            return i.first <= step <= i.last
        return step >= i.first or step <= i.last

    return [sum(i.size_bytes for i in intervals if covers(i, s)) for s in range(STEPS)]


@given(st.lists(STRAIGHT, max_size=12))
def test_the_peak_of_a_sweep_is_the_largest_sum_over_all_steps(intervals: list[Interval]) -> None:
    found = peak(intervals)
    sums = brute_force(intervals)
    assert found.size_bytes == max(sums)
    assert sums[found.step] == max(sums)


@given(st.lists(ANY, max_size=12))
def test_live_bytes_count_intervals_that_wrap_at_both_ends(intervals: list[Interval]) -> None:
    assert live_bytes(intervals, STEPS) == brute_force(intervals)


def test_bytes_that_end_as_others_begin_do_not_add_up() -> None:
    # steps 0-1 hold 4, steps 2-3 hold 5: never 9
    assert peak([Interval(0, 1, 4), Interval(2, 3, 5)]) == Peak(5, 2)


def test_nothing_alive_has_its_peak_of_nothing_at_the_first_step() -> None:
    assert peak([]) == Peak(0, 0)


def test_an_interval_that_leaves_the_phase_is_refused() -> None:
    with pytest.raises(IndexError, match="leaves a phase of 3 steps"):
        live_bytes([Interval(0, 3, 1)], 3)
