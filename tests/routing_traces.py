"""Routing as real routers do it, drawn: skewed, in groups, alike within a request, in order."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from mirc.traces.routing import RoutingTrace, load

Choices = NDArray[np.int64]


def planted(
    layers: int, experts: int, top_k: int, tokens: int, *, size: int, share: float, seed: int = 0
) -> tuple[Choices, Choices]:
    """Return the group of each (layer, expert), and choices of (tokens, layers, top_k).

    With probability ``share`` a token draws one group of ``size`` experts and takes as many of it
    as it may; the rest, or all, comes from the layer's own skew (Zipf 0.6), as do the groups.
    """
    rng = np.random.default_rng(seed)
    count = -(-experts // size)
    of_group = np.arange(1, count + 1) ** -0.6
    groups = np.empty((layers, experts), dtype=np.int64)
    chosen = np.empty((tokens, layers, top_k), dtype=np.int64)
    for layer in range(layers):
        groups[layer, rng.permutation(experts)] = np.arange(experts) // size
        keys = skew(experts, rng) + rng.gumbel(size=(tokens, experts))
        drawn = rng.choice(count, tokens, p=of_group / of_group.sum())
        inside = (groups[layer] == drawn[:, None]) & (rng.random(tokens) < share)[:, None]
        chosen[:, layer] = taken(np.where(inside, keys + 1e3, keys), top_k)
    return groups, chosen


def requests(
    layers: int, experts: int, top_k: int, tokens: int, *, each: int, sway: float, seed: int
) -> Choices:
    """Return choices of requests of ``each`` tokens, which lean the same way for ``sway`` > 0.

    Layers' skews are those of seed 0: another seed gives other requests to the same routers.
    """
    rng, skews = np.random.default_rng(seed), np.random.default_rng(0)
    chosen = np.empty((tokens, layers, top_k), dtype=np.int64)
    for layer in range(layers):
        leans = sway * rng.standard_normal((-(-tokens // each), experts))
        keys = skew(experts, skews) + np.repeat(leans, each, axis=0)[:tokens]
        chosen[:, layer] = taken(keys + rng.gumbel(size=(tokens, experts)), top_k)
    return chosen


def in_order(experts: int, tokens: int, *, share: float, seed: int = 0) -> Choices:
    """Return top-1 choices of two layers: the second one's follows the first's by ``share``."""
    rng = np.random.default_rng(seed)
    first, other = rng.integers(experts, size=(2, tokens))
    second = np.where(rng.random(tokens) < share, (first + 1) % experts, other)
    return np.stack([first, second], axis=1)[:, :, None]


def skew(experts: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the log weights of experts in some order: Zipf 0.6."""
    return -0.6 * np.log(rng.permutation(experts) + 1)


def taken(keys: NDArray[np.float64], top_k: int) -> Choices:
    """Return the highest keys of each row, by number."""
    return np.sort(np.argpartition(keys, -top_k, axis=1)[:, -top_k:], axis=1)


def saved(*arrays: NDArray[np.generic]) -> bytes:
    """Return a ``.npy`` of one array, or a ``.npz`` of several."""
    file = BytesIO()
    if len(arrays) == 1:
        np.save(file, arrays[0])
    else:
        np.savez(file, *arrays)
    return file.getvalue()


def trace(chosen: Choices, *, each: int = 0) -> RoutingTrace:
    """Return the trace of one array, or of requests of ``each`` tokens."""
    runs = [chosen] if not each else np.split(chosen, range(each, len(chosen), each))
    return load(BytesIO(saved(*(run.astype(np.int16) for run in runs))), "trace")


def rand_index(one: Choices, other: Choices) -> float:
    """Return the adjusted Rand index of two labellings (Hubert, Arabie, 1985)."""
    pairs = np.unique(np.stack([one, other]), axis=1, return_counts=True)[1]
    first, second = (np.unique(each, return_counts=True)[1] for each in (one, other))
    both, mine, theirs = (float((n * (n - 1) / 2).sum()) for n in (pairs, first, second))
    expected = mine * theirs / (len(one) * (len(one) - 1) / 2)
    return (both - expected) / ((mine + theirs) / 2 - expected)
