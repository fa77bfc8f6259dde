"""A router's probabilities and a batch into the experts that one step touches."""

import numpy as np
from numpy.typing import NDArray

from mirc.simulate.model import Ints

_CHUNK = 512  # tokens drawn at a time: bounds memory at 512 x experts doubles


def draw_experts(
    probabilities: NDArray[np.float64], chosen: int, tokens: int, seed: tuple[int, ...]
) -> Ints:
    """Return the distinct experts, ascending, that ``tokens`` tokens choose ``chosen`` of each.

    Each token draws without replacement, in proportion to ``probabilities`` (any positive
    scale; all equal is uniform routing), by the greatest ``chosen`` of log p plus Gumbel noise
    (Efraimidis and Spirakis, 2006; Kool et al., 2019). ``seed`` alone decides the draw.
    """
    experts = len(probabilities)
    if chosen >= experts:
        return np.arange(experts, dtype=np.int64)
    rng = np.random.default_rng(seed)
    logits = np.log(probabilities)
    touched = np.zeros(experts, dtype=np.bool_)
    for start in range(0, tokens, _CHUNK):
        count = min(_CHUNK, tokens - start)
        keys = logits + rng.gumbel(size=(count, experts))
        best = np.argpartition(keys, experts - chosen, axis=1)[:, experts - chosen :]
        touched[best.ravel()] = True
        if touched.all():
            break
    return np.flatnonzero(touched).astype(np.int64)


def expected_distinct(experts: int, chosen: int, tokens: int) -> float:
    """Return E x (1 - (1 - k/E)^T): the distinct experts of uniform routing, on average."""
    return experts * (1 - (1 - min(chosen, experts) / experts) ** tokens)
