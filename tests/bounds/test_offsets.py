"""Offsets of intervals in one memory, checked byte by byte by code that shares nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.bounds.offsets import OffsetPlan, place_offsets
from mirc.bounds.peak import Interval

STEPS = 6


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, ...]:
    steps = st.integers(0, STEPS - 1)  # first may come after last: such a one wraps
    return tuple(draw(st.lists(st.builds(Interval, steps, steps, st.integers(0, 12)), max_size=9)))


def alive(interval: Interval, step: int) -> bool:
    if interval.first <= interval.last:
        return interval.first <= step <= interval.last
    return step >= interval.first or step <= interval.last


@given(intervals(), st.sampled_from((1, 4)))
def test_no_byte_is_given_twice_at_one_step_and_the_height_is_between_peak_and_sum(
    drawn: tuple[Interval, ...], align: int
) -> None:
    plan = place_offsets(drawn, STEPS, align)
    assert all(offset % align == 0 for offset in plan.offsets)
    peak = 0
    for step in range(STEPS):
        held = [
            byte
            for offset, interval in zip(plan.offsets, drawn, strict=True)
            if alive(interval, step)
            for byte in range(offset, offset + interval.size_bytes)
        ]
        assert len(held) == len(set(held))
        assert all(byte < plan.height_bytes for byte in held)
        peak = max(peak, len(held))
    assert plan.peak_bytes == peak <= plan.height_bytes
    assert plan.height_bytes <= sum(i.size_bytes + align - 1 for i in drawn)


def test_what_lasts_lies_at_the_bottom_then_the_largest_first_and_small_ones_in_the_gaps() -> None:
    # 8 bytes throughout, so at the bottom; 4 in steps 0 and 1, 4 in steps 2 and 3, 2 in 1 to 2
    drawn = (Interval(0, 1, 4), Interval(0, 3, 8), Interval(2, 3, 4), Interval(1, 2, 2))
    assert place_offsets(drawn, 4) == OffsetPlan(
        offsets=(8, 0, 8, 12), height_bytes=14, peak_bytes=14, order="decreasing size"
    )


def test_another_order_is_taken_where_the_largest_first_leaves_a_gap() -> None:
    drawn = (Interval(2, 4, 2), Interval(3, 3, 2), Interval(1, 2, 3), Interval(3, 4, 2))
    # By size the 3 begins at 0, the 2 of steps 2 to 4 on it, the next 2 at 0, and the last fits not
    # into the one byte between them: height 7. By steps the longest begins at 0, all else on it.
    plan = place_offsets(drawn, 5)
    assert (plan.order, plan.offsets) == ("decreasing steps", (0, 4, 2, 2))
    assert plan.height_bytes == plan.peak_bytes == 2 + 2 + 2  # step 3


@pytest.mark.parametrize("drawn", [(), (Interval(0, 2, 0),)])
def test_what_holds_no_bytes_needs_no_room(drawn: tuple[Interval, ...]) -> None:
    plan = place_offsets(drawn, 3)
    assert (plan.height_bytes, plan.peak_bytes) == (0, 0)


def test_an_interval_that_leaves_the_phase_is_refused() -> None:
    with pytest.raises(IndexError, match="leaves a phase of 3 steps"):
        place_offsets((Interval(1, 3, 5),), 3)
