"""Choices of neighbouring layers into the chance of an expert given the layer before."""

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.passes.observed_routing import ObservedRouter, pair_counts

SHRINKAGES = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0)
"""Tokens that the unconditional chance is worth beside an expert's own successors."""
LEAST_TOKENS = 64
SIGNIFICANT = 3.0
"""Standard errors by which held-out likelihood must rise: a model has dozens of pairs."""


@attrs.frozen(kw_only=True, eq=False)
class Follows:
    """Whether one router's choice tells of the next one's.

    ``chances[a, b]`` is the chance that a token takes expert ``b`` of ``after`` having taken ``a``
    of ``before``; with several taken, the mean of their rows. ``gain_nats`` is how much likelier
    held-out tokens are by it than by the unconditional chances, per token, ``error_nats`` its
    standard error; ``support[a]`` the tokens that took ``a``.
    """

    before: str
    after: str
    chances: NDArray[np.float64]
    support: NDArray[np.float64]
    gain_nats: float
    error_nats: float

    @property
    def helps(self) -> bool:
        """Whether the gain is beyond chance."""
        return self.gain_nats > SIGNIFICANT * self.error_nats


def follows(before: ObservedRouter, after: ObservedRouter, effect: float) -> Follows | None:
    """Fit the chances on half of the tokens, their shrinkage on a quarter, judge on the last.

    The shrinkage towards unconditional chances is the likeliest of ``SHRINKAGES``; the chances
    returned are then fitted on all tokens. ``effect`` is the design effect, by whose root the
    standard error grows. None where the layers routed different tokens, or fewer than 64.
    """
    tokens = len(before.chosen)
    if tokens < LEAST_TOKENS or not np.array_equal(before.tokens, after.tokens):
        return None
    parts = (
        slice(0, tokens // 2),
        slice(tokens // 2, 3 * tokens // 4),
        slice(3 * tokens // 4, None),
    )
    fit, choose, judge = parts
    fitted = _counted(before, after, fit)
    scores = [_gains(fitted.chances(weight), before, after, choose).mean() for weight in SHRINKAGES]
    weight = SHRINKAGES[int(np.argmax(scores))]
    gains = _gains(fitted.chances(weight), before, after, judge)
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) * float(np.sqrt(effect))
    return Follows(
        before=before.router.module,
        after=after.router.module,
        chances=_counted(before, after, slice(None)).chances(weight)[0],
        support=before.counts,
        gain_nats=float(gains.mean()),
        error_nats=error,
    )


Tables = tuple[NDArray[np.float64], NDArray[np.float64]]


@attrs.frozen(eq=False)
class _Counted:
    """Tokens that took each pair and each first expert; unconditional chances of the second."""

    pairs: NDArray[np.float64]
    support: NDArray[np.float64]
    share: NDArray[np.float64]

    def chances(self, weight: float) -> Tables:
        """Return conditional and unconditional chances; rows sum to a token's experts."""
        given = (self.pairs + weight * self.share) / (self.support[:, None] + weight)
        return given, self.share


def _counted(before: ObservedRouter, after: ObservedRouter, part: slice) -> _Counted:
    first, second = before.chosen[part], after.chosen[part]
    rows, columns = before.router.experts, after.router.experts
    taken = np.bincount(second.ravel(), minlength=columns) + after.router.top_k / columns
    return _Counted(
        pairs=pair_counts(first, second, (rows, columns)),
        support=np.bincount(first.ravel(), minlength=rows).astype(np.float64),
        share=taken * after.router.top_k / taken.sum(),
    )


def _gains(
    tables: Tables, before: ObservedRouter, after: ObservedRouter, part: slice
) -> NDArray[np.float64]:
    """Return, for each token, the sum of log ratios over the experts that it took."""
    chances, share = tables
    first, second = before.chosen[part], after.chosen[part]
    given = chances[first[:, :, None], second[:, None, :]].mean(axis=1)
    gains: NDArray[np.float64] = np.log(given / share[second]).sum(axis=1)
    return gains
