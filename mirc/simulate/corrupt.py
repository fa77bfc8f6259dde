"""True hints into half-true ones: some objects are described by what was said of another."""

import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import UNSAID, Descriptors, announced
from mirc.simulate.model import Ints

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
"""The shares of objects that measurements of half-true intent corrupt."""


def redrawn(known: Descriptors, classes: Ints, share: float, seed: int) -> Descriptors:
    """Return rows in which a share of the objects of each class bear another object's hints.

    An object whose hints are redrawn has those of one drawn at random from its class (``classes``,
    a number for each of ``n`` objects), in every phase: when it is used, how likely, from how far
    ahead it is fetched and whether the plan keeps it near. Sizes, contracts (its strength), and
    what no phase says anything of stay as they are. Source: the corruption of predictions in
    Lykouris and Vassilvitskii, Competitive caching with machine learned advice, J. ACM 68 (2021),
    measured by how many are wrong.
    """
    return announced(known, _donors(_hinted(known), classes, share, seed))


def shuffled(known: Descriptors, classes: Ints, seed: int) -> Descriptors:
    """Return rows in which the hints of each class are dealt out anew among its objects.

    A placebo: as many hints, as strong and as alike, of which none is about its object but by
    chance.
    """
    donors = np.arange(len(classes), dtype=np.int64)
    rng = np.random.default_rng(seed)
    hinted = _hinted(known)
    for number in np.unique(classes[hinted]).tolist():
        ids = np.flatnonzero(hinted & (classes == number))
        donors[ids] = rng.permutation(ids)
    return announced(known, donors)


def _hinted(known: Descriptors) -> NDArray[np.bool_]:
    """Tell of which objects some phase says when, or how likely, they are used."""
    found = known.probability < 1
    for rows in known.phases:
        found = found | (rows.first_ps != UNSAID) | (rows.probability < 1)
    return found


def _donors(hinted: NDArray[np.bool_], classes: Ints, share: float, seed: int) -> Ints:
    donors = np.arange(len(classes), dtype=np.int64)
    rng = np.random.default_rng(seed)
    for number in np.unique(classes[hinted]).tolist():
        ids = np.flatnonzero(hinted & (classes == number))
        wrong = rng.permutation(ids)[: round(share * len(ids))]
        donors[wrong] = rng.choice(ids, len(wrong))
    return donors
