"""Claim: chances of experts learnt from one trace hold on other requests, as often as they say.

Routers are drawn (3 of 64 experts, top 4, Zipf 0.6) whose requests resemble themselves by ``sway``.
A trace of some tokens is observed; other requests then run, and for each expert the share of runs
that used it is compared with what was declared: within a factor of 2 or not, as `mirc compare`
scores it. Prints the mean confidence, the share that held and the expected calibration error; the
Brier score of the chances beside the uniform prior's; distinct experts of a batch, declared and
seen; and what the layer before tells of the next. Exits 1 where an error exceeds 0.15, a chance is
worse than the prior's, distinct experts are off by 5 %, or an order is invented, or missed in
20,000 tokens.

    python benchmarks/routing.py
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the traces of the tests

from mirc.bounds.posterior import Floats, Seen, step_chance
from mirc.bounds.routing import chosen_probability, distinct_experts
from mirc.observe.score import Forecast, Score, score, within_factor_2
from mirc.passes.observed_routing import ObservedRouter, Router, bind
from mirc.passes.routing_chances import belief, chances, likeness
from mirc.passes.routing_order import follows
from tests.routing_traces import in_order, requests, trace

LAYERS, EXPERTS, TOP_K, EACH = 3, 64, 4, 64
SEEDS = range(8)
MOST_ERROR = 0.15
MOST_OFF = 0.05
ENOUGH = 20_000
"""Tokens that show any order there is."""
CASES = tuple(
    (sway, tokens, batch, runs)
    for sway, tokens in ((0.0, 64), (0.0, 512), (0.0, 4096), (1.0, 1024), (1.0, 4096), (2.0, 4096))
    for batch, runs in ((1, 16), (1, 128), (8, 128))
)


def routers(layers: int, experts: int, top_k: int) -> dict[str, Router]:
    """Return routers as a model has them."""
    return {
        f"layers.{i}": Router(module=f"layers.{i}", storages=(i,), experts=experts, top_k=top_k)
        for i in range(layers)
    }


def observed(sway: float, tokens: int, seed: int) -> tuple[ObservedRouter, ...]:
    """Return what a trace shows."""
    chosen = requests(LAYERS, EXPERTS, TOP_K, tokens, each=EACH, sway=sway, seed=seed)
    return bind(routers(LAYERS, EXPERTS, TOP_K), trace(chosen, each=EACH))


def came(sway: float, batch: int, runs: int, seed: int) -> Floats:
    """Return whether each run of a batch of other requests used each (layer, expert)."""
    chosen = requests(LAYERS, EXPERTS, TOP_K, batch * runs, each=runs, sway=sway, seed=seed)
    used = np.zeros((runs, LAYERS, EXPERTS))
    run = np.tile(np.arange(runs), batch)
    used[run[:, None, None], np.arange(LAYERS)[:, None], chosen] = 1
    return used


def outcomes(
    sway: float, tokens: int, batch: int, runs: int
) -> Iterator[tuple[Forecast, Forecast, Forecast]]:
    """Yield, for each expert: its confidence, its chance and the prior's, as forecasts."""
    prior = chosen_probability(EXPERTS, TOP_K, batch)
    for seed in SEEDS:
        seen = observed(sway, tokens, 10 + seed)
        effect, correlation = likeness(seen)
        horizon = Seen(runs=runs, draws=batch, lasting=True, correlation=correlation)
        used = came(sway, batch, runs, 100 + seed).sum(axis=0)
        for layer, router in enumerate(seen):
            shares, sure = chances(router, effect, batch=batch, tokens=1, seen=horizon)
            for share, said, count in zip(shares, sure, used[layer].tolist(), strict=True):
                held = within_factor_2(share, count / runs, 0.5 / runs)
                yield (
                    Forecast(said, 1, int(held)),
                    Forecast(share, runs, int(count)),
                    Forecast(prior, runs, int(count)),
                )


def scored(forecasts: list[Forecast]) -> Score:
    """Score forecasts of which there are some."""
    result = score(forecasts)
    if result is None:
        raise ValueError("there is nothing to score")
    return result


def calibrated() -> bool:
    """Print a row for each case; say whether confidences and chances are as claimed."""
    print("| sway | tokens | batch | runs | confidence | held | ECE | Brier | prior's | least |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    holds = True
    for sway, tokens, batch, runs in CASES:
        found = list(outcomes(sway, tokens, batch, runs))
        sure, chance, prior = (scored([row[i] for row in found]) for i in range(3))
        holds &= sure.calibration_error <= MOST_ERROR and chance.brier <= prior.brier
        print(
            f"| {sway:g} | {tokens} | {batch} | {runs} | {sure.forecast:.3f} | {sure.observed:.3f} "
            f"| {sure.calibration_error:.3f} | {chance.brier:.4f} | {prior.brier:.4f} "
            f"| {chance.least_brier:.4f} |",
            flush=True,
        )
    return holds


def distinct() -> bool:
    """Print distinct experts of a batch of requests, declared from a trace and seen in others."""
    print("\n| sway | batch | declared | seen | uniform prior |\n|--:|--:|--:|--:|--:|")
    holds = True
    for sway in (0.0, 1.0, 2.0):
        seen = observed(sway, 65_536, 1)
        effect, _ = likeness(seen)
        for batch in (1, 4, 16, 64):
            said = np.mean([step_chance(*belief(each, effect), batch).sum() for each in seen])
            many = [came(sway, batch, 16, 77 + turn).sum(axis=2).mean() for turn in range(24)]
            used = float(np.mean(many))
            holds &= abs(said / used - 1) <= MOST_OFF
            prior = distinct_experts(EXPERTS, TOP_K, batch)
            print(f"| {sway:g} | {batch} | {said:.1f} | {used:.1f} | {prior:.1f} |", flush=True)
    return holds


def ordered() -> bool:
    """Print how much likelier held-out tokens are, given the layer before."""
    print(
        "\n| next follows by | tokens | gain, nats | standard error | used |\n|--:|--:|--:|--:|---|"
    )
    holds = True
    for share in (0.0, 0.1, 0.3, 0.8):
        for tokens in (200, 2000, 20_000):
            first, second = bind(routers(2, 64, 1), trace(in_order(64, tokens, share=share)))
            pair = follows(first, second, 1.0)
            if pair is None:
                raise ValueError("the layers routed different tokens")
            holds &= pair.helps == (share > 0) or (share > 0 and tokens < ENOUGH)
            print(
                f"| {share:g} | {tokens} | {pair.gain_nats:+.3f} | {pair.error_nats:.3f} "
                f"| {'yes' if pair.helps else 'no'} |"
            )
    return holds


def main() -> None:
    """Print the tables; exit 1 where the claim fails."""
    results = [calibrated(), distinct(), ordered()]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
