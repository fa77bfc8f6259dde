"""Who was chosen together how often into groups that no chance explains."""

from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LIFTS = (2.0, 4.0, 8.0, 16.0)
"""How many times more often than by chance members may be chosen together."""
FALSE_GROUPS = 0.01
"""Groups expected to be found in one router whose choices are independent."""


def evidence(together: Floats, alone: Floats, tokens: float) -> Floats:
    """Return, for each pair, the log of how much likelier it is as members of one group.

    Independent experts meet Poisson(e) times, e = n_a n_b / N; members meet Poisson(r e) times, the
    lift r being one of ``LIFTS`` with equal odds: log mean_r exp(c log r - (r - 1) e). Its
    exponential has expectation 1 under independence. ``together`` and ``alone`` count tokens; the
    diagonal is 0.
    Source: the likelihood ratio of a Poisson block model with degree correction (Karrer, Newman,
    Physical Review E 83, 2011).
    """
    expected = np.outer(alone, alone) / tokens
    lifts = [together * np.log(lift) - (lift - 1) * expected for lift in LIFTS]
    found: Floats = np.logaddexp.reduce(lifts) - np.log(len(LIFTS))
    np.fill_diagonal(found, 0.0)
    return found


def groups(found: Floats, most: int) -> tuple[tuple[int, ...], ...]:
    """Return groups of 2 to ``most`` members whose evidence no chance explains, by first member.

    Clusters are joined by the highest mean evidence between them, while it is above zero (average
    linkage; ties by the lowest numbers), so the groups' size follows from the counts and ``most``
    is only a bound. A group stays where the sum of its evidence exceeds log(C(E, m) E /
    FALSE_GROUPS): by Markov's inequality over all C(E, m) groups of each size m, independent
    choices give FALSE_GROUPS of them. Cost: O(E^2) for each of at most E joins.
    """
    count = len(found)
    kept = []
    for members in _linked(found, most):
        size = len(members)
        ways = lgamma(count + 1) - lgamma(size + 1) - lgamma(count - size + 1)
        total = float(found[np.ix_(members, members)].sum()) / 2
        if size > 1 and total > ways + log(count / FALSE_GROUPS):
            kept.append(tuple(members))
    return tuple(sorted(kept))


def _linked(found: Floats, most: int) -> list[list[int]]:
    """Join clusters; the lower number of two is the joined one's."""
    count = len(found)
    total = found.copy()
    sizes = np.ones(count)
    alive = np.ones(count, dtype=np.bool_)
    members = {place: [place] for place in range(count)}
    mean = total.copy() if most > 1 else np.full_like(total, -np.inf)
    np.fill_diagonal(mean, -np.inf)
    while count:
        first, second = sorted(divmod(int(mean.argmax()), count))
        if not mean[first, second] > 0:
            break
        total[first] += total[second]
        total[:, first] = total[first]
        sizes[first] += sizes[second]
        alive[second] = False
        members[first] += members.pop(second)
        row = total[first] / (sizes[first] * sizes)
        row[~alive | (sizes[first] + sizes > most)] = -np.inf
        row[first] = -np.inf
        mean[first] = mean[:, first] = row
        mean[second] = mean[:, second] = -np.inf
    return [sorted(each) for each in members.values()]
