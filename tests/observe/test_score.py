from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.observe.score import Forecast, score, within_factor_2

SHARES = st.floats(0, 1)


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast:
    trials = draw(st.integers(0, 50))
    return Forecast(draw(SHARES), trials, draw(st.integers(0, trials)))


def test_two_forecasts_by_hand() -> None:
    # 0.75 four times, 3 happened: 3 x 0.0625 + 1 x 0.5625 = 0.75; share 0.75, nothing to blame.
    # 0.05 six times, 3 happened: 3 x 0.9025 + 3 x 0.0025 = 2.715; least: 3 x 0.5 = 1.5.
    found = score([Forecast(0.75, 4, 3), Forecast(0.05, 6, 3)])
    assert found is not None
    assert found.trials == 10
    assert found.forecast == pytest.approx((3 + 0.3) / 10)
    assert found.observed == 0.6
    assert found.brier == pytest.approx((0.75 + 2.715) / 10)
    assert found.least_brier == pytest.approx((0.75 + 1.5) / 10)
    # bins 0.7 and 0.0: |3 - 3| + |0.3 - 3| = 2.7 of 10
    assert found.calibration_error == pytest.approx(0.27)


def test_errors_within_a_bin_cancel_and_between_bins_do_not() -> None:
    # 0.41 and 0.49 share a bin: |0.9 - 1| of 2. 0.39 and 0.49 do not: 0.39 + 0.51 of 2.
    same, apart = ([Forecast(p, 1, 0), Forecast(0.49, 1, 1)] for p in (0.41, 0.39))
    assert (found := score(same)) is not None
    assert found.calibration_error == pytest.approx(0.05)
    assert (found := score(apart)) is not None
    assert found.calibration_error == pytest.approx(0.45)


def test_without_trials_there_is_no_score() -> None:
    assert score([]) is None
    assert score([Forecast(0.5, 0, 0)]) is None


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1))
def test_certain_and_right_scores_zero(given_: list[tuple[int, bool]]) -> None:
    found = score(Forecast(float(yes), n, n * yes) for n, yes in given_)
    assert found is not None
    assert (found.brier, found.least_brier, found.calibration_error) == (0, 0, 0)


@given(st.lists(st.integers(1, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))))
def test_a_forecast_of_the_observed_share_is_to_blame_for_nothing(
    counts: list[tuple[int, int]],
) -> None:
    found = score(Forecast(k / n, n, k) for n, k in counts)
    if found is not None:
        assert found.brier == pytest.approx(found.least_brier)
        assert found.calibration_error == pytest.approx(0, abs=1e-12)


@given(st.lists(forecasts()).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
def test_no_order_changes_a_bit(both: tuple[Sequence[Forecast], Sequence[Forecast]]) -> None:
    assert score(both[0]) == score(both[1])


@given(st.lists(forecasts()))
def test_scores_are_shares_and_the_least_is_least(made: list[Forecast]) -> None:
    found = score(made)
    if found is not None:
        assert 0 <= found.least_brier <= found.brier + 1e-12 <= 1 + 2e-12
        assert 0 <= found.calibration_error <= 1 + 1e-12


@pytest.mark.parametrize(
    ("declared", "observed", "held"),
    [
        (10, 20, True),
        (10, 20.5, False),
        (10, 5, True),
        (10, 4.9, False),
        (0, 0, True),
        (0, 2, True),  # both count as at least 1
        (0, 2.5, False),
        (0.001, 0.9, True),
    ],
)
def test_a_factor_of_2_with_zero_as_the_resolution(
    declared: float, observed: float, *, held: bool
) -> None:
    assert within_factor_2(declared, observed, 1.0) is held
