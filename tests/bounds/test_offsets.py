"""Offsets of intervals in one memory, checked byte by byte by code that shares nothing."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.bounds import offsets
from mirc.bounds.offsets import OffsetPlan, _first_fit, place_offsets
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


def simple(drawn: tuple[Interval, ...], align: int, order: list[int]) -> list[int]:
    """Return first fit as it is defined: the lowest multiple at which no byte is taken."""
    offsets = [0] * len(drawn)
    taken: list[set[int]] = [set() for _ in range(STEPS)]
    throughout = [i for i, each in enumerate(drawn) if all(alive(each, s) for s in range(STEPS))]
    for index in (*throughout, *(i for i in order if i not in throughout)):
        spans = [step for step in range(STEPS) if alive(drawn[index], step)]
        at = 0
        while any(at + byte in taken[s] for s in spans for byte in range(drawn[index].size_bytes)):
            at += align
        offsets[index] = at if drawn[index].size_bytes else 0
        for step in spans:  # up to where the next may begin
            end = -(-(at + drawn[index].size_bytes) // align) * align
            taken[step].update(range(at, end) if drawn[index].size_bytes else ())
    return offsets


@settings(max_examples=300, deadline=None)
@given(intervals(), st.sampled_from((1, 4)), st.randoms(use_true_random=False))
def test_each_interval_lies_where_first_fit_by_its_definition_puts_it(
    drawn: tuple[Interval, ...], align: int, random: Random
) -> None:
    order = list(range(len(drawn)))
    random.shuffle(order)
    sized = [i for i, each in enumerate(drawn) if each.size_bytes]
    found = _first_fit(drawn, STEPS, align, order)
    expected = simple(drawn, align, order)
    assert [found[i] for i in sized] == [expected[i] for i in sized]


def test_thousands_of_intervals_are_placed_as_by_looking_at_all_that_was_placed() -> None:
    random = np.random.default_rng(3)
    steps = 400
    rows = zip(*random.integers((0, 0, 1), (steps, steps, 10**6), (700, 3)).T.tolist(), strict=True)
    drawn = [Interval(*row) for row in rows if row[0] != (row[1] + 1) % steps]  # none throughout
    order = sorted(range(len(drawn)), key=lambda i: -drawn[i].size_bytes)
    found = _first_fit(drawn, steps, 256, order)
    covered = [{s for s in range(steps) if alive(each, s)} for each in drawn]
    for place, index in enumerate(order):
        beside = sorted(
            (found[other], drawn[other].size_bytes)
            for other in order[:place]
            if covered[index] & covered[other]
        )
        at = 0
        for offset, size in beside:
            if at + drawn[index].size_bytes <= offset:
                break
            at = max(at, -(-(offset + size) // 256) * 256)
        assert found[index] == at


def test_where_too_many_overlap_one_order_is_tried_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = (Interval(2, 4, 2), Interval(3, 3, 2), Interval(1, 2, 3), Interval(3, 4, 2))
    monkeypatch.setattr(offsets, "PAIRS", 3)
    plan = place_offsets(drawn, 5)
    assert plan.height_bytes == 7
    assert plan.order == "decreasing size, the only order tried for 4 pairs that overlap"


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
