"""A router's probabilities and a batch into the experts that one step touches."""

import numpy as np
from numpy.typing import NDArray

from mirc.simulate.model import Ints

_CHUNK = 512  # tokens drawn at a time: bounds memory at 512 x experts doubles
_LEAST_ODDS = 1e-12  # an expert that is never chosen still has a logarithm
_MOST_PROBABILITY = 1 - 1e-12  # and one that always is has finite odds


def draw_experts(
    probabilities: NDArray[np.float64], chosen: int, tokens: int, seed: tuple[int, ...]
) -> Ints:
    """Return the distinct experts, ascending, that ``tokens`` tokens choose ``chosen`` of each.

    ``probabilities`` are the chances that a step uses each expert, for any of its tokens; all
    equal is uniform routing. Each token draws without replacement, in proportion to ``token_odds``
    of them, by the greatest ``chosen`` of log odds plus Gumbel noise (Efraimidis and Spirakis,
    2006; Kool et al., 2019). ``seed`` alone decides the draw.
    """
    experts = len(probabilities)
    if chosen >= experts:
        return np.arange(experts, dtype=np.int64)
    rng = np.random.default_rng(seed)
    logits = np.log(token_odds(probabilities))
    touched = np.zeros(experts, dtype=np.bool_)
    for start in range(0, tokens, _CHUNK):
        count = min(_CHUNK, tokens - start)
        keys = logits + rng.gumbel(size=(count, experts))
        best = np.argpartition(keys, experts - chosen, axis=1)[:, experts - chosen :]
        touched[best.ravel()] = True
        if touched.all():
            break
    return np.flatnonzero(touched).astype(np.int64)


def token_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what one token's choice is in proportion to, from each expert's chance in a step.

    If a step's tokens make n choices and each takes an expert with a small chance q, the step
    spares it with probability 1 - p = (1 - q)^n, near exp(-nq): q is in proportion to -log(1 - p),
    and n falls out. Only positive scale matters; equal chances stay equal.
    """
    return np.maximum(-np.log1p(-np.minimum(probabilities, _MOST_PROBABILITY)), _LEAST_ODDS)
