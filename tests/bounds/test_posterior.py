"""Chances of experts from counts, and confidences that mean what they say."""

import numpy as np
import pytest

from mirc.bounds.posterior import (
    Floats,
    Seen,
    confidence,
    draws_of,
    prior_strength,
    resemblance,
    spread,
    step_chance,
)
from mirc.bounds.routing import distinct_experts
from mirc.observe.score import Forecast, score, within_factor_2
from mirc.passes.observed_routing import ObservedRouter, Router, bind
from mirc.passes.routing_chances import chances, likeness
from tests.routing_traces import requests, trace

EXPERTS, TOP_K, LAYERS = 64, 4, 3
ROUTERS = {
    f"layers.{i}": Router(module=f"layers.{i}", storages=(i,), experts=EXPERTS, top_k=TOP_K)
    for i in range(LAYERS)
}


def test_a_step_s_chance_is_the_mean_over_what_the_rate_may_be() -> None:
    a, b = np.array([2.0, 0.5]), np.array([5.0, 40.0])
    rates = np.random.default_rng(0).beta(a, b, size=(200_000, 2))
    assert step_chance(a, b, 7) == pytest.approx((1 - (1 - rates) ** 7).mean(axis=0), abs=3e-3)
    assert step_chance(a, b, 1) == pytest.approx(a / (a + b))


def test_a_balanced_router_trusts_the_prior_and_a_skewed_one_the_counts() -> None:
    even = np.full(EXPERTS, 100.0)
    skewed = 6400 * 0.9 ** np.arange(EXPERTS) / (0.9 ** np.arange(EXPERTS)).sum()
    assert prior_strength(even, 1600, 1 / 16) == 2**14
    assert prior_strength(skewed, 6400, 1 / EXPERTS) < 100


def test_tokens_that_repeat_each_other_count_once() -> None:
    # 40 requests of 25 equal tokens: 25 tokens are worth one
    one = requests(1, EXPERTS, TOP_K, 40, each=1, sway=0.0, seed=1)
    chosen = np.repeat(one, 25, axis=0)[:, 0]
    starts = np.arange(0, 1000, 25)
    effect, correlation = resemblance([spread(chosen, starts, EXPERTS)])
    assert effect == pytest.approx(25, rel=0.15)
    assert correlation > 0.9
    assert draws_of(chosen, starts, EXPERTS, 25) == pytest.approx(1, abs=0.1)
    fresh = requests(1, EXPERTS, TOP_K, 1000, each=25, sway=0.0, seed=2)[:, 0]
    assert resemblance([spread(fresh, starts, EXPERTS)]) == (1.0, 0.0)
    assert draws_of(fresh, starts, EXPERTS, 25) == pytest.approx(25, rel=0.1)


def test_distinct_experts_of_a_uniform_router_are_those_of_the_closed_form() -> None:
    rng = np.random.default_rng(3)
    keys = rng.random((4000, EXPERTS))
    chosen = np.argpartition(keys, TOP_K, axis=1)[:, :TOP_K]
    counts = np.bincount(chosen.ravel(), minlength=EXPERTS).astype(float)
    worth = prior_strength(counts, 4000, TOP_K / EXPERTS)
    a, b = worth / 16 + counts, worth * 15 / 16 + 4000 - counts
    for batch in (1, 8, 64):
        expected = distinct_experts(EXPERTS, TOP_K, batch)
        assert step_chance(a, b, batch).sum() == pytest.approx(expected, rel=0.01)


def _observed(sway: float, tokens: int, seed: int) -> tuple[ObservedRouter, ...]:
    chosen = requests(LAYERS, EXPERTS, TOP_K, tokens, each=64, sway=sway, seed=seed)
    return bind(ROUTERS, trace(chosen, each=64))


def _shares(sway: float, batch: int, runs: int, seed: int) -> Floats:
    """Return the share of runs, of a batch of new requests, that use each (layer, expert)."""
    chosen = requests(LAYERS, EXPERTS, TOP_K, batch * runs, each=runs, sway=sway, seed=seed)
    used = np.zeros((runs, LAYERS, EXPERTS))
    run = np.tile(np.arange(runs), batch)
    used[run[:, None, None], np.arange(LAYERS)[:, None], chosen] = 1
    shares: Floats = used.mean(axis=0)
    return shares


@pytest.mark.parametrize(
    ("sway", "tokens", "batch", "runs", "off"),
    [
        (0.0, 64, 1, 128, 0.12),  # too few tokens to know rare experts
        (0.0, 2048, 1, 128, 0.04),
        (0.0, 2048, 1, 16, 0.04),
        (0.0, 2048, 8, 128, 0.04),
        (1.0, 2048, 1, 128, 0.15),  # one request is like itself and unlike the trace
        (1.0, 2048, 8, 128, 0.12),
        (2.0, 4096, 8, 128, 0.12),
    ],
)
def test_a_confidence_is_how_often_the_estimate_holds(
    sway: float, tokens: int, batch: int, runs: int, off: float
) -> None:
    forecasts: list[Forecast] = []
    for seed in range(4):
        observed = _observed(sway, tokens, 10 + seed)
        effect, correlation = likeness(observed)
        seen = Seen(runs=runs, draws=batch, lasting=True, correlation=correlation)
        came = _shares(sway, batch, runs, 100 + seed)
        for layer, router in enumerate(observed):
            shares, sure = chances(router, effect, batch=batch, tokens=1, seen=seen)
            for share, said, found in zip(shares, sure, came[layer], strict=True):
                held = within_factor_2(share, float(found), 0.5 / runs)
                forecasts.append(Forecast(said, 1, int(held)))
    result = score(forecasts)
    assert result is not None
    assert abs(result.forecast - result.observed) < off
    assert result.calibration_error < off


def test_more_support_makes_surer() -> None:
    seen = Seen(runs=128, draws=1, lasting=False, correlation=0.0)
    few = confidence(np.array([2.0]), np.array([30.0]), seen)
    many = confidence(np.array([200.0]), np.array([3000.0]), seen)
    assert few < many
