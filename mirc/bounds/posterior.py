"""Counts of a router's choices into the chance of each expert in a step, and its confidence."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STRENGTHS = 2.0 ** np.arange(-1, 15)
"""Tokens that a prior may be worth: half a token to sixteen thousand."""
_QUANTILES = 16
_ROUNDING = 1e-9
_LEAST_BLOCKS = 16
_LEAST_WINDOWS = 8


def prior_strength(counts: Floats, tokens: float, mean: float) -> float:
    """Return how many tokens the uniform prior is worth beside ``counts``, by their likelihood.

    Experts' chances are taken as drawn from Beta(a m, a (1 - m)) with mean ``m``; each count is
    then beta-binomial, and the ``a`` that makes all of them likeliest wins (empirical Bayes): near
    infinity for a router that is balanced, small for a skewed one.
    Source: Casella, An introduction to empirical Bayes data analysis, American Statistician 39(2),
    1985; the beta-binomial likelihood of Griffiths, Biometrics 29(4), 1973.
    """
    from scipy.special import betaln  # noqa: PLC0415 - only where a trace is given

    a = _STRENGTHS[:, None] * mean
    b = _STRENGTHS[:, None] * (1 - mean)
    likely = (betaln(a + counts, b + tokens - counts) - betaln(a, b)).sum(axis=1)
    return float(_STRENGTHS[int(np.argmax(likely))])


def step_chance(a: Floats, b: Floats, draws: float) -> Floats:
    """Return the chance that at least one of ``draws`` tokens takes an expert, q ~ Beta(a, b).

    E[1 - (1 - q)^n] = 1 - B(a, b + n) / B(a, b): the posterior predictive of the beta-binomial.
    """
    from scipy.special import betaln  # noqa: PLC0415

    chance: Floats = -np.expm1(betaln(a, b + draws) - betaln(a, b))
    return chance


@attrs.frozen(kw_only=True)
class Seen:
    """How chances will be seen: a share of ``runs``, each of ``draws`` independent tokens.

    ``lasting`` of the draws are requests that go on from run to run; ``correlation`` is how alike
    one request's tokens are, from 0 to 1. Nothing lasts: each run draws anew.
    """

    runs: float
    draws: float
    lasting: bool
    correlation: float


def confidence(a: Floats, b: Floats, seen: Seen) -> Floats:
    """Return the chance that the share of runs that use an expert is within a factor of 2.

    It is that of ``step_chance``, seen to half a run (finer is not measured; below it, none and
    one look alike). The chance S that a run spares the expert varies with what is not known of its
    rate q ~ Beta(a, b), and with the requests there will be: of correlation r, each has a rate of
    its own, of variance r q (1 - q). The first two moments of S give a beta distribution, and the
    number of runs is binomial under it. It falls with small support, rare experts, few runs, and
    requests unlike each other. It holds for traffic like that of the trace, and says nothing of
    other traffic.
    """
    from scipy.special import bdtr, betaincinv  # noqa: PLC0415

    runs = max(1, round(seen.runs))
    share = np.maximum(step_chance(a, b, seen.draws), 0.5 / runs)
    most = np.floor(np.minimum(2 * share * runs + _ROUNDING, runs))
    least = np.where(share <= 1 / runs, 0.0, np.ceil(share * runs / 2 - _ROUNDING))
    middles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    rates = betaincinv(a[:, None], b[:, None], middles)
    alike = seen.correlation if seen.lasting else 0.0
    spared = (1 - rates) ** seen.draws
    squared = ((1 - rates) * (1 - rates + alike * rates)) ** seen.draws
    mean, second = spared.mean(axis=1), squared.mean(axis=1)
    variance = np.clip(second - mean**2, 1e-12, None)
    worth = np.clip(mean * (1 - mean) / variance - 1, 1e-6, 1e9)
    shapes = mean * worth + _ROUNDING, (1 - mean) * worth + _ROUNDING
    used = 1 - betaincinv(shapes[0][:, None], shapes[1][:, None], middles)
    within = bdtr(most[:, None], runs, used)
    below = bdtr(np.maximum(least - 1, 0)[:, None], runs, used) * (least > 0)[:, None]
    held: Floats = np.clip((within - below).mean(axis=1), 0.0, 1.0)
    return held


@attrs.frozen
class Spread:
    """The variance of experts' counts between blocks of tokens: ``found``, and if independent.

    ``length`` is the mean length of a block, weighed by its tokens; ``freedom`` the degrees of
    freedom of the variance.
    """

    found: float
    independent: float
    length: float
    freedom: int


def spread(chosen: NDArray[Any], starts: NDArray[np.int64], experts: int) -> Spread:
    """Return how counts vary between blocks of tokens, summed over experts.

    Blocks are the runs where there are 16 or more, else 16 equal stretches.
    """
    tokens = len(chosen)
    edges = starts
    if len(starts) < _LEAST_BLOCKS:
        edges = np.unique(np.linspace(0, tokens, _LEAST_BLOCKS, endpoint=False).astype(np.int64))
    sizes = np.diff(np.append(edges, tokens))
    block = np.repeat(np.arange(len(edges)), sizes)
    keys = (block[:, None] * experts + chosen).ravel()
    counts = np.bincount(keys, minlength=len(edges) * experts).reshape(len(edges), experts)
    share = counts.sum(axis=0) / tokens
    # a block's size takes part of the variance with it: (1 - size / tokens) is left in each
    left = float((sizes * (1 - sizes / tokens)).sum())
    found = float(((counts - sizes[:, None] * share) ** 2).sum())
    length = float((sizes**2).sum()) / tokens
    return Spread(
        found, left * float((share * (1 - share)).sum()), length, (len(edges) - 1) * experts
    )


def resemblance(spreads: Sequence[Spread]) -> tuple[float, float]:
    """Return the design effect of a trace, and the correlation of tokens within a request.

    The effect, how many tokens are worth one, is the ratio of the two variances over all routers,
    and 1 where it is not above that by two standard errors; with blocks of m tokens it is
    1 + (m - 1) r, which gives the correlation r.
    Source: Kish, Survey Sampling, 1965, 5.4 and 8.2.
    """
    independent = sum(each.independent for each in spreads)
    if not independent:
        return 1.0, 0.0
    effect = sum(each.found for each in spreads) / independent
    if effect < 1 + 2 * sqrt(2 / max(1, sum(each.freedom for each in spreads))):
        return 1.0, 0.0
    length = sum(each.length for each in spreads) / len(spreads)
    return effect, min(0.99, (effect - 1) / (length - 1)) if length > 1 else 0.0


def draws_of(chosen: NDArray[Any], starts: NDArray[np.int64], experts: int, tokens: int) -> float:
    """Return how many independent tokens choose as many experts as ``tokens`` consecutive ones.

    Tokens of one run repeat each other's experts. The distinct experts in windows of the trace are
    counted, and the n for which sum 1 - (1 - f)^n gives as many is found by bisection. Windows are
    as long as asked for, or as leaves eight of them; what is longer grows in proportion.
    """
    lengths = np.diff(np.append(starts, len(chosen)))
    window = min(tokens, int(lengths.max()))
    while window > 1 and int((lengths // window).sum()) < _LEAST_WINDOWS:
        window = (window + 1) // 2
    if window <= 1:
        return float(tokens)
    distinct = _distinct(chosen, starts, lengths, experts, window)
    shares = np.bincount(chosen.ravel(), minlength=experts) / len(chosen)
    spared = np.log1p(-np.minimum(shares, 1 - _ROUNDING))
    low, high = 1.0, float(window)
    for _ in range(50):
        middle = (low + high) / 2
        if -np.expm1(middle * spared).sum() < distinct:
            low = middle
        else:
            high = middle
    return high * tokens / window


def _distinct(
    chosen: NDArray[Any],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    experts: int,
    window: int,
) -> float:
    """Return the mean number of distinct experts in windows that do not overlap."""
    place = np.arange(len(chosen)) - np.repeat(starts, lengths)
    whole = place < np.repeat(lengths // window * window, lengths)
    before = np.cumsum(lengths // window) - lengths // window
    number = np.repeat(before, lengths) + place // window
    keys = (number[:, None] * experts + chosen)[whole]
    return float(len(np.unique(keys)) / (lengths // window).sum())
