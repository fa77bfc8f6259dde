"""Forecasts and what came of them into Brier score and calibration error."""

from collections.abc import Iterable
from math import fsum

import attrs

BINS = 10
"""Bins of equal width over forecasts from 0 to 1, for the calibration error."""


@attrs.frozen
class Forecast:
    """``events`` of ``trials`` happened of what was forecast with ``probability`` each time."""

    probability: float
    trials: int
    events: int


@attrs.frozen(kw_only=True)
class Score:
    """How good forecasts were, every trial weighing the same; 0 is best for the last three.

    ``forecast`` is the mean probability and ``observed`` the share that happened. ``brier`` is the
    mean of (forecast - outcome)^2; ``least_brier`` is what it would be had every estimate been its
    own observed share: the rest is what the estimates are to blame for. ``calibration_error`` is
    the expected calibration error: over bins of forecasts, |mean forecast - observed share|,
    weighed by trials.

    source: Brier, Monthly Weather Review 78(1), 1950; Naeini et al., AAAI 2015
    """

    trials: int
    forecast: float
    observed: float
    brier: float
    least_brier: float
    calibration_error: float


def score(forecasts: Iterable[Forecast]) -> Score | None:
    """Score forecasts in any order; None if there was no trial.

    Sums are correctly rounded, so no order of the forecasts changes a bit of the result.
    """
    given = [forecast for forecast in forecasts if forecast.trials]
    trials = sum(forecast.trials for forecast in given)
    if not trials:
        return None
    events = sum(forecast.events for forecast in given)
    return Score(
        trials=trials,
        forecast=fsum(f.probability * f.trials for f in given) / trials,
        observed=events / trials,
        brier=fsum(map(_squared, given)) / trials,
        least_brier=fsum(f.events * (1 - f.events / f.trials) for f in given) / trials,
        calibration_error=fsum(_gaps(given)) / trials,
    )


def within_factor_2(declared: float, observed: float, resolution: float) -> bool:
    """Tell whether two amounts differ by at most a factor of 2, both inclusive.

    An amount below ``resolution`` counts as ``resolution``: nothing finer was measured, and no
    factor leads away from zero.
    """
    low, high = sorted((max(declared, resolution), max(observed, resolution)))
    return high <= 2 * low


def _squared(forecast: Forecast) -> float:
    """Sum (p - y)^2 over the trials: (1 - p)^2 for each that happened, else p^2."""
    missed = forecast.trials - forecast.events
    return forecast.events * (1 - forecast.probability) ** 2 + missed * forecast.probability**2


def _gaps(forecasts: Iterable[Forecast]) -> Iterable[float]:
    bins: dict[int, list[Forecast]] = {}
    for forecast in forecasts:
        place = min(BINS - 1, int(forecast.probability * BINS))
        bins.setdefault(place, []).append(forecast)
    for found in bins.values():
        expected = fsum(f.probability * f.trials for f in found)
        yield abs(expected - sum(f.events for f in found))
