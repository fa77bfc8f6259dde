"""Intent with a share of its hints wrong, beside what no hint changes."""

import numpy as np
import pytest

from mirc.simulate.case import run
from mirc.simulate.corrupt import SHARES
from mirc.simulate.hints import HintCurve, HintPoint, corrupted, hint_curve
from tests.simulate.hints.mended import case


def test_without_a_lie_the_curve_is_the_plain_run() -> None:
    whole = case()
    curve = hint_curve(whole, 0)
    assert [point.share for point in curve.points] == list(SHARES)
    assert curve.points[0].intent_ps == run(whole, "intent").total_ps
    assert curve.points[0].static_ps == run(whole, "static").total_ps
    assert curve.lru_ps == run(whole, "lru").total_ps


def test_lies_cost_time_and_no_point_is_below_the_bound() -> None:
    curve = hint_curve(case(), 1)
    assert curve.points[-1].intent_ps > curve.points[0].intent_ps
    assert all(point.intent_ps >= curve.bound_ps for point in curve.points)


def test_the_same_seed_gives_the_same_curve_and_another_seed_other_lies() -> None:
    whole = case()
    assert hint_curve(whole, 3) == hint_curve(whole, 3)
    first = [corrupted(whole, 0.5, seed).known.phases[0].first_ps for seed in range(8)]
    assert any(not np.array_equal(first[0], other) for other in first[1:])


def test_a_corrupted_case_has_the_sizes_contracts_and_steps_of_the_true_one() -> None:
    whole = case()
    lied = corrupted(whole, 1.0, 0)
    assert lied.scenario is whole.scenario
    assert lied.bounds == whole.bounds
    assert np.array_equal(lied.known.strength, whole.known.strength)


@pytest.mark.parametrize(
    ("times", "until"), [((5, 6, 11, 9), 0.2), ((5, 6, 7, 9), 1.0), ((11, 5, 5, 5), None)]
)
def test_intent_is_worth_it_up_to_the_last_share_before_lru_is_faster(
    times: tuple[int, ...], until: float | None
) -> None:
    # lru takes 10 ps whatever is said
    points = tuple(
        HintPoint(
            share=share,
            intent_ps=time,
            intent_stall_ps=0,
            intent_bytes=0,
            static_ps=10,
            static_stall_ps=0,
        )
        for share, time in zip((0.0, 0.2, 0.5, 1.0), times, strict=True)
    )
    curve = HintCurve(seed=0, points=points, lru_ps=10, lru_stall_ps=0, bound_ps=1)
    assert curve.worth_until == until
