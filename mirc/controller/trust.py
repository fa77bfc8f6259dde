"""Hints and what was observed into what is believed: chances, order and bits of use."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import Ints

Floats = NDArray[np.float64]

AT_FIRST = 0.9
"""The share of a class's hints that is taken to be true before anything was observed."""
_WORTH = 10.0  # hints that this first opinion counts for
_ROUNDS = 4  # of expectation and maximisation, each time that something was observed
_QUANTILES, _LEVELS = 32, 32
_LEAST = 1e-3  # a chance of use is taken to lie between this and one less this
_MOST_ODDS = 50.0


def believed(declared: Floats, used: Ints, runs: int, trust: float) -> tuple[Floats, float]:
    """Return the chances of use of one class's objects, and which share of its hints is true.

    ``declared`` are the hinted chances, ``used`` in how many of ``runs`` runs each object was used,
    ``trust`` what the share was taken to be. A hint is either true, or it says nothing of its
    object: then the chance is one of those that occur in the class (once in ten times, any other).
    The share follows from all of the class together, by expectation and maximisation; an object's
    chance is the mean of what its own runs leave of the two possibilities. Source: Robbins, An
    empirical Bayes approach to statistics, 3rd Berkeley Symposium (1956); Dempster, Laird and
    Rubin, Maximum likelihood from incomplete data, J. R. Stat. Soc. B 39 (1977).
    """
    hinted = np.clip(declared, _LEAST, 1 - _LEAST)
    true = _log_likelihood(hinted, used, runs)
    levels = np.concatenate(
        (
            np.quantile(hinted, (np.arange(_QUANTILES) + 0.5) / _QUANTILES),
            np.clip((np.arange(_LEVELS) + 0.5) / _LEVELS, _LEAST, 1 - _LEAST),
        )
    )
    weights = np.repeat((0.9 / _QUANTILES, 0.1 / _LEVELS), (_QUANTILES, _LEVELS))
    each = _log_likelihood(levels, used[:, None], runs)
    greatest = each.max(axis=1, keepdims=True)
    likely = np.exp(each - greatest) * weights
    total = likely.sum(axis=1)
    otherwise = (likely * levels).sum(axis=1) / total
    gain = true - np.log(total) - greatest[:, 0]
    share: Floats = np.full(len(declared), trust)
    for _ in range(_ROUNDS):
        odds = np.clip(np.log(trust) - np.log1p(-trust) + gain, -_MOST_ODDS, _MOST_ODDS)
        share = 1.0 / (1.0 + np.exp(-odds))
        trust = float((share.sum() + AT_FIRST * _WORTH) / (len(share) + _WORTH))
        trust = min(max(trust, _LEAST), 1 - _LEAST)
    return share * declared + (1 - share) * otherwise, trust


def _log_likelihood(chance: Floats, used: Ints, runs: int) -> Floats:
    used_at, spared = used.astype(np.float64), (runs - used).astype(np.float64)
    found: Floats = used_at * np.log(chance) + spared * np.log1p(-chance)
    return found


def in_order(times: Ints) -> Ints:
    """Return the places of a longest part of a sequence that does not decrease: O(n log n).

    Of planned times, given in the order in which uses were observed, these are the ones that the
    observation does not contradict. Source: Fredman, On computing the length of longest increasing
    subsequences, Discrete Mathematics 11 (1975).
    """
    if (times[1:] >= times[:-1]).all():
        return np.arange(len(times), dtype=np.int64)
    tails: list[int] = []
    at: list[int] = []
    before = [-1] * len(times)
    for place, time in enumerate(times.tolist()):
        length = bisect_right(tails, time)
        before[place] = at[length - 1] if length else -1
        tails[length : length + 1] = [time]
        at[length : length + 1] = [place]
    found = []
    place = at[-1]
    while place >= 0:
        found.append(place)
        place = before[place]
    return np.array(found[::-1], dtype=np.int64)


def agreed(hints: Sequence[bool | None]) -> list[bool | None]:
    """Return hints on the blocks of one prefix, root first, so that none contradicts another.

    Whoever uses a block uses all that it stands on: what will be used again is a beginning of the
    prefix. Of all beginnings it is the one that contradicts the fewest hints, the shortest of
    equal ones; where nobody gave a hint there is none after.
    """
    cost = least = sum(1 for hint in hints if hint)
    end = 0
    for place, hint in enumerate(hints, 1):
        if hint is not None:
            cost += -1 if hint else 1
            if cost < least:
                least, end = cost, place
    return [None if hint is None else place < end for place, hint in enumerate(hints)]
