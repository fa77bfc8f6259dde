"""What was observed of routers into the chance of each expert in a run, and its confidence."""

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.bounds.posterior import (
    Seen,
    confidence,
    draws_of,
    prior_strength,
    resemblance,
    spread,
    step_chance,
)
from mirc.passes.observed_routing import ObservedRouter

Beta = tuple[NDArray[np.float64], NDArray[np.float64]]


def likeness(observed: Sequence[ObservedRouter]) -> tuple[float, float]:
    """Return how many tokens are worth one in all routers, and how alike a request's tokens are."""
    return resemblance([spread(each.chosen, each.starts, each.router.experts) for each in observed])


def belief(observed: ObservedRouter, effect: float) -> Beta:
    """Return the posterior Beta(a, b) of each expert's chance to be taken by one token."""
    mean = observed.router.top_k / observed.router.experts
    counts, tokens = observed.counts / effect, len(observed.chosen) / effect
    if mean >= 1:
        return counts + 1e9, np.full_like(counts, 1e-9)
    worth = prior_strength(counts, tokens, mean)
    return worth * mean + counts, worth * (1 - mean) + tokens - counts


def beliefs(observed: Sequence[ObservedRouter], effect: float) -> list[Beta]:
    """Return the posteriors of all routers."""
    return [belief(each, effect) for each in observed]


def chances(
    observed: ObservedRouter, effect: float, *, batch: int, tokens: int, seen: Seen
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return each expert's chance in a run of ``batch`` sequences of ``tokens``, and confidences.

    ``seen`` says how the runs follow each other; its draws are found here.
    """
    each = draws_of(observed.chosen, observed.starts, observed.router.experts, tokens)
    a, b = belief(observed, effect)
    shares = step_chance(a, b, each * batch)
    sure = confidence(a, b, attrs.evolve(seen, draws=each * batch))
    return tuple(shares.tolist()), tuple(sure.tolist())
