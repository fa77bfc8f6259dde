"""Attention over parts of the keys into attention over all of them, by their log-sum-exps."""

from collections.abc import Iterable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.sinks.scores import Floats

Array = NDArray[np.floating]


@attrs.frozen(kw_only=True, eq=False)
class Partial:
    """Attention of some queries over some keys, in the dtype of the queries.

    ``lse`` is log(sum(exp(scaled scores))) over those keys: -inf where none is visible, and
    ``out`` is 0 there.
    """

    out: Array  # [..., queries, head_dim]
    lse: Array  # [..., queries]


def attend(q: Array, k: Array, v: Array, visible: NDArray[np.bool_] | None = None) -> Partial:
    """Return softmax(q k^T / sqrt(d)) v over the given keys, and its log-sum-exp.

    ``q`` is [..., queries, d], ``k`` and ``v`` [..., keys, d]; no keys at all are allowed.
    ``visible`` [..., queries, keys] hides keys from queries.
    """
    scores = q @ np.swapaxes(k, -1, -2) / q.dtype.type(np.sqrt(q.shape[-1]))
    if visible is not None:
        scores = np.where(visible, scores, -np.inf)
    highest = scores.max(axis=-1, initial=-np.inf)
    shift = np.where(np.isfinite(highest), highest, 0).astype(q.dtype)
    weights = np.exp(scores - shift[..., None])
    total = weights.sum(axis=-1)
    safe = np.where(total > 0, total, 1).astype(q.dtype)
    with np.errstate(divide="ignore"):
        lse = np.log(total) + shift
    return Partial(out=(weights @ v) / safe[..., None], lse=lse.astype(q.dtype))


def merge(parts: Sequence[Partial]) -> Partial:
    """Merge attention over disjoint keys: exactly what attention over all of them gives.

    m = max lse; O = sum(e^(lse - m) O) / sum(e^(lse - m)). At least one part. Source: essay 002,
    Phase 4; Dao et al., FlashAttention (2022), 3.1; Milakov and Gimelshein, Online normalizer
    calculation for softmax (2018).
    """
    lses = np.stack([part.lse for part in parts])
    highest = lses.max(axis=0)
    shift = np.where(np.isfinite(highest), highest, 0).astype(lses.dtype)
    weights = np.exp(lses - shift)
    total = weights.sum(axis=0)
    safe = np.where(total > 0, total, 1).astype(lses.dtype)
    weighted = sum(w[..., None] * part.out for w, part in zip(weights, parts, strict=True))
    with np.errstate(divide="ignore"):
        lse = np.log(total) + shift
    return Partial(out=np.asarray(weighted) / safe[..., None], lse=lse.astype(lses.dtype))


def bypass(tags: Iterable[int], keys: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Route each of ``keys`` positions by a tag array: those on chip, and the others.

    Raises ValueError for a tag of no position.
    """
    fast = np.array(sorted(set(tags)), dtype=np.int64)
    if len(fast) and not 0 <= fast[0] <= fast[-1] < keys:
        raise ValueError(f"a tag names no position of {keys}")
    slow = np.setdiff1d(np.arange(keys, dtype=np.int64), fast, assume_unique=True)
    return fast, slow


def dropped_mass(kept: Partial, whole: Partial) -> Floats:
    """Return, for each query, the softmax mass of what an approximate mode leaves out.

    1 - e^(lse_kept - lse_whole): 0 if everything was kept, 1 if nothing; 0 where nothing is
    visible at all.
    """
    with np.errstate(invalid="ignore"):
        share = np.exp(kept.lse.astype(np.float64) - whole.lse.astype(np.float64))
    return np.where(np.isfinite(whole.lse), 1 - share, 0.0)
