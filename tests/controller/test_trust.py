"""What is believed after hints and observation have met."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.trust import AT_FIRST, agreed, believed, in_order

BITS = st.lists(st.sampled_from([True, False, None]), max_size=9)


@pytest.mark.mechanism("S0-26")
def test_hints_that_come_true_are_kept_and_others_replaced_by_what_was_seen() -> None:
    # 40 objects used in half of 30 runs, 40 in none; every tenth hint is the other one
    true = np.repeat([0.5, 0.02], 40)
    declared = true.copy()
    wrong = np.arange(80) % 10 == 0
    declared[wrong] = 0.52 - declared[wrong]
    found, trust = believed(declared, np.where(true > 0.1, 15, 0), 30, AT_FIRST)
    assert np.abs(found - true).max() < 0.05
    assert trust == pytest.approx(0.9, abs=0.08)


@pytest.mark.mechanism("S0-26")
def test_trust_in_a_class_falls_to_the_share_that_is_true() -> None:
    rng = np.random.default_rng(0)
    true = rng.choice([0.05, 0.2, 0.8], 3_000)
    used = rng.binomial(60, true)
    for share in (0.0, 0.3, 1.0):
        declared = true.copy()
        wrong = rng.random(3_000) < share
        declared[wrong] = rng.choice(true, wrong.sum())
        trust = AT_FIRST
        for _ in range(5):
            found, trust = believed(declared, used, 60, trust)
        assert trust == pytest.approx(1 - share, abs=0.08)
        assert np.abs(found - true).mean() < 0.03


def test_one_observation_moves_a_chance_little_and_many_move_it_far() -> None:
    declared = np.array([0.1] * 20 + [0.9] * 20)
    used = np.where(np.arange(40) % 20 == 0, 1, np.rint(declared)).astype(np.int64)
    once = believed(declared, used, 1, AT_FIRST)[0][0]
    often = believed(declared, 50 * used, 50, AT_FIRST)[0][0]
    assert declared[0] < once < 0.7
    assert often == pytest.approx(0.9, abs=0.1)


@settings(max_examples=40, deadline=None)
@given(times=st.lists(st.integers(0, 6), max_size=9))
def test_the_uncontradicted_part_is_a_longest_one_that_does_not_decrease(times: list[int]) -> None:
    found = in_order(np.array(times, dtype=np.int64)).tolist()
    longest = max(
        size
        for size in range(len(times) + 1)
        for part in combinations(times, size)
        if list(part) == sorted(part)
    )
    chosen = [times[place] for place in found]
    assert found == sorted(set(found))
    assert chosen == sorted(chosen)
    assert len(chosen) == longest


def test_hints_on_a_prefix_are_reconciled_by_the_fewest_changes() -> None:
    told = [True, False, True, True, False, False, True]
    assert agreed(told) == [True, True, True, True, False, False, False]
    assert agreed([True, None, True, None, False]) == [True, None, True, None, False]
    assert agreed([None, None]) == [None, None]


@settings(max_examples=60, deadline=None)
@given(told=BITS)
def test_no_beginning_of_a_prefix_contradicts_fewer_hints(told: list[bool | None]) -> None:
    found = agreed(told)
    live = [hint for hint in found if hint is not None]
    assert live == sorted(live, reverse=True)
    assert [hint is None for hint in found] == [hint is None for hint in told]

    def changes(end: int) -> int:
        return sum(
            1 for place, hint in enumerate(told) if hint is not None and hint != (place < end)
        )

    changed = sum(1 for a, b in zip(told, found, strict=True) if a != b)
    assert changed == min(changes(end) for end in range(len(told) + 1))
