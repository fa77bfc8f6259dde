"""Attention probabilities into scores of positions: raw sums, and shares of what was visible."""

import attrs
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False)
class Scores:
    """What each of ``n`` positions received from later ones, so far.

    ``by_head`` sums are per layer and KV head (query heads of a group added up); ``queries`` is
    how many later queries saw each position, ``query_heads`` how many heads asked in each layer.
    """

    by_head: Floats  # [layers, kv_heads, n]
    queries: NDArray[np.int64]  # [n]
    query_heads: int

    @property
    def raw(self) -> Floats:
        """S(t) = sum over layers, heads and i > t of A(l, h, i, t); [n], unbounded."""
        total: Floats = self.by_head.sum(axis=(0, 1))
        return total

    @property
    def normalised(self) -> Floats:
        """S(t) over layers x query heads x the queries that saw t: in [0, 1]; [n].

        Early positions are seen by more queries and so sum up more; the share is free of that.
        What no later query has seen has a share of 0.
        """
        asked = self.by_head.shape[0] * self.query_heads * self.queries
        found: Floats = np.divide(self.raw, asked, out=np.zeros(len(asked)), where=asked > 0)
        return found


def nothing_seen(layers: int, kv_heads: int, query_heads: int) -> Scores:
    """Return the scores before the first query.

    Raises ValueError if the query heads do not divide into ``kv_heads`` groups.
    """
    if query_heads % kv_heads:
        raise ValueError(f"{query_heads} query heads do not share {kv_heads} KV heads evenly")
    return Scores(
        by_head=np.zeros((layers, kv_heads, 0)),
        queries=np.zeros(0, dtype=np.int64),
        query_heads=query_heads,
    )


def seen(scores: Scores, attention: Floats, first_query: int) -> Scores:
    """Add the attention of queries ``first_query`` and on: a chunk of a prefill, or one step.

    ``attention`` is [layers, query_heads, queries, keys], rows that sum to 1. A position does not
    score on its own query (i > t excludes t). Raises ValueError for another shape.
    """
    layers, kv_heads, known = scores.by_head.shape
    if attention.ndim != 4 or attention.shape[:2] != (layers, scores.query_heads):
        raise ValueError(f"attention of shape {attention.shape}, not ({layers}, heads, q, k)")
    queries, keys = attention.shape[2:]
    later = np.arange(first_query, first_query + queries)[:, None] > np.arange(keys)
    received = (attention * later).sum(axis=2)
    grouped = received.reshape(layers, kv_heads, -1, keys).sum(axis=2)
    size = max(known, keys)
    by_head = np.zeros((layers, kv_heads, size))
    by_head[:, :, :known] += scores.by_head
    by_head[:, :, :keys] += grouped
    count = np.zeros(size, dtype=np.int64)
    count[:known] += scores.queries
    count[:keys] += later.sum(axis=0)
    return attrs.evolve(scores, by_head=by_head, queries=count)


def moved(score: Floats, step: Floats, decay: float) -> Floats:
    """Return the moving average after a decode step: ``decay`` x score + (1 - decay) x step.

    Both are normalised and of equal length. Raises ValueError for a decay outside of [0, 1].
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"a decay of {decay} is no share")
    return decay * score + (1 - decay) * step
