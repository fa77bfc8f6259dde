import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.bounds.packing import (
    Gap,
    divisible_saved_bytes,
    farthest_keep,
    greedy_keep,
    saved_bytes_bound,
    use_gaps,
    whole_saved_bytes,
)
from mirc.bounds.streaming import streamed_bytes

STEPS = 6
GAPS = st.tuples(
    st.integers(0, STEPS - 1), st.integers(0, STEPS - 1), st.integers(1, 9), st.integers(0, 9)
).map(lambda g: Gap(min(g[:2]), max(g[:2]), g[2], g[3]))
ROOM = st.lists(st.integers(0, 20), min_size=STEPS, max_size=STEPS)


def fits(gaps: list[Gap], keep: tuple[bool, ...], room: list[int]) -> bool:
    def used(step: int) -> int:
        held = (g for g, kept in zip(gaps, keep, strict=True) if kept)
        return sum(g.size_bytes for g in held if g.first <= step <= g.last)

    return all(used(step) <= room[step] for step in range(STEPS))


def saved(gaps: list[Gap], keep: tuple[bool, ...]) -> int:
    return sum(g.saved_bytes for g, kept in zip(gaps, keep, strict=True) if kept)


def best(gaps: list[Gap], room: list[int]) -> int:
    choices = product((False, True), repeat=len(gaps))
    return max(saved(gaps, keep) for keep in choices if fits(gaps, keep, room))


@settings(max_examples=60, deadline=None)
@given(st.lists(GAPS, max_size=6), ROOM)
def test_no_choice_of_gaps_saves_more_than_the_bound(gaps: list[Gap], room: list[int]) -> None:
    assert saved_bytes_bound(gaps, room) >= best(gaps, room) - 1e-6
    assert saved_bytes_bound(gaps, room) + 1 >= whole_saved_bytes(gaps, room) >= best(gaps, room)


@settings(max_examples=60, deadline=None)
@given(st.lists(GAPS, max_size=6), ROOM)
def test_the_greedy_choice_fits_and_stays_below_the_bound(gaps: list[Gap], room: list[int]) -> None:
    keep = greedy_keep(gaps, room)
    assert fits(gaps, keep, room)
    assert saved(gaps, keep) <= saved_bytes_bound(gaps, room) + 1e-6


def test_the_greedy_choice_takes_the_short_gap_when_only_one_fits() -> None:
    # both save 4 bytes in a room of 4; one occupies 1 step, the other 3
    gaps = [Gap(0, 2, 4, 4), Gap(1, 1, 4, 4)]
    assert greedy_keep(gaps, [4, 4, 4]) == (False, True)


def test_the_cyclic_closed_form_is_the_packing_bound_of_its_gaps() -> None:
    # 5 objects of 2 bytes, used at steps 0..4 of each of 3 runs; room for 3 of them at once, of
    # which the step in use takes one: 4 stay through every gap's middle at best 2 (C = 3 objects)
    uses = [[i, i + 5, i + 10] for i in range(5)]
    gaps = use_gaps(uses, [2] * 5)
    room = [2 * 3 - 2] * 15  # less the object in use
    total = 2 * 15
    closed_form = streamed_bytes(10, np.full(3, 6))
    assert total - saved_bytes_bound(gaps, room) == pytest.approx(closed_form, abs=2)


def test_uses_in_neighbouring_steps_leave_no_gap() -> None:
    assert use_gaps([[0, 1, 4]], [7]) == (Gap(2, 3, 7, 7),)


def test_scipy_is_not_imported_until_a_bound_is_asked_for() -> None:
    code = "import sys, mirc.bounds.packing; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


FLAT = st.lists(GAPS.map(lambda g: Gap(g.first, g.last, g.size_bytes, g.size_bytes)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(FLAT, st.integers(0, 20))
def test_dropping_the_farthest_bytes_is_the_linear_optimum(gaps: list[Gap], room: int) -> None:
    flat = [room] * STEPS
    assert divisible_saved_bytes(gaps, flat) == pytest.approx(saved_bytes_bound(gaps, flat))


@settings(max_examples=60, deadline=None)
@given(FLAT, ROOM)
def test_whole_gaps_that_end_farthest_leave_first_and_what_is_kept_fits(
    gaps: list[Gap], room: list[int]
) -> None:
    keep = farthest_keep(gaps, room)
    assert fits(gaps, keep, room)
    assert saved(gaps, keep) <= best(gaps, room) <= divisible_saved_bytes(gaps, room)


def test_with_equal_sizes_the_farthest_leaving_is_optimal() -> None:
    # room for one: the long gap leaves where the first short one begins, both short ones stay
    gaps = [Gap(0, 5, 4, 4), Gap(1, 2, 4, 4), Gap(4, 4, 4, 4)]
    assert farthest_keep(gaps, [4] * STEPS) == (False, True, True)
