"""How long blocks of each kind stayed unused into what keeping one of that age is worth.

A kind is a row of features, coarse ones first. Of each kind and age it is counted how many blocks
came to be of that age and how many were used again before they were older; a kind that few were
seen of is taken to be like what it has in common with others, feature by feature. The worth of
keeping a block is the largest number of uses for the time that it is kept, over all times to stop
at: Gittins' index. Sources: Beckmann, Chen and Cidon, LHD: Improving cache hit rate by maximizing
hit density (NSDI 2018); Gittins, Bandit processes and dynamic allocation indices (J. R. Stat. Soc.
B 41, 1979).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Kind = tuple[int, ...]

EDGES = (0, *(1 << power for power in range(2, 14)))  # ages in requests, each to the next one
AGES = len(EDGES)
PRIOR = 200.0  # blocks: what is expected of a kind weighs as many as these observations
_MOST = 0.9  # chance that is expected without having been seen
_WIDTHS = np.diff(np.array([*EDGES, 2 * EDGES[-1]], dtype=np.float64))


class Lifetimes:
    """Counts by kind and age; ``worth`` as of the last ``learn``. Kinds are numbered as they come.

    ``features`` is how many there are in a kind. ``prior`` is how many times as often as others a
    block of each first feature is thought to be used, until it is known better. It holds two
    numbers for each kind and age.
    """

    def __init__(self, features: int, prior: Mapping[int, float]) -> None:
        self.worth: Reals = np.zeros((0, AGES))
        self._prior = prior
        self._numbers: dict[Kind, int] = {}
        self._levels: list[dict[Kind, int]] = [{} for _ in range(features)]
        self._above: list[list[int]] = [[] for _ in range(features)]  # by level: of each group
        self._group: list[list[int]] = [[] for _ in range(features)]  # by level: of each kind
        self._reached = np.zeros((64, AGES))
        self._used = np.zeros((64, AGES))

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, kind: Kind) -> int:
        """Return the number of a kind: O(features) for a new one, O(1) after that."""
        found = self._numbers.get(kind)
        if found is None:
            found = self._numbers[kind] = len(self._numbers)
            self._place(kind)
            if found == len(self._used):
                self._reached = np.concatenate([self._reached, np.zeros_like(self._reached)])
                self._used = np.concatenate([self._used, np.zeros_like(self._used)])
        return found

    def _place(self, kind: Kind) -> None:
        above = 0
        for level, groups in enumerate(self._levels):
            key = kind[: level + 1]
            if key not in groups:
                groups[key] = len(groups)
                self._above[level].append(above)
            above = groups[key]
            self._group[level].append(above)

    def reach(self, number: int, age: int, blocks: int = 1) -> None:
        """Count blocks of a kind that came to be of an age; fewer than none takes them back."""
        self._reached[number, age] += blocks

    def use(self, number: int, age: int) -> None:
        """Count a block of a kind that was used again at an age."""
        self._used[number, age] += 1

    def forget(self, keeps: float) -> None:
        """Let what was counted so far count for a share of what it did: times change."""
        self._reached *= keeps
        self._used *= keeps

    def learn(self) -> None:
        """Reckon anew what each kind is worth: O(kinds x features x ages)."""
        count = len(self._numbers)
        used, reached = self._used[:count], self._reached[:count]
        chance = _shrunk(used.sum(0), reached.sum(0), np.full(AGES, 0.01), 1.0)[None, :]
        for level, (above, group) in enumerate(zip(self._above, self._group, strict=True)):
            size = len(above), AGES
            uses, all_ = np.zeros(size), np.zeros(size)
            np.add.at(uses, group, used)
            np.add.at(all_, group, reached)
            expected = chance[above]
            if level == 0:
                times = [self._prior.get(first, 1.0) for (first,) in self._levels[0]]
                expected = np.minimum(_MOST, expected * np.array(times)[:, None])
            chance = _shrunk(uses, all_, expected, PRIOR)
        self.worth = _index(chance[self._group[-1]] if self._group else chance.repeat(count, 0))


def _shrunk(used: Reals, reached: Reals, expected: Reals, weight: float) -> Reals:
    """Return the share that was used, held to what was expected by so many observations."""
    found: Reals = (used + weight * expected) / (np.maximum(reached, used) + weight)
    return found


def _index(chance: Reals) -> Reals:
    """Return Gittins' index of each kind at each age, from the chances [kinds, ages] of a use.

    A use within an age is taken to come in its middle.
    """
    best = np.zeros_like(chance)
    for age in range(AGES):
        ahead = chance[:, age:]
        stays = np.cumprod(1 - ahead, axis=1)
        alive = np.concatenate([np.ones((len(chance), 1)), stays[:, :-1]], axis=1)
        uses = np.cumsum(alive * ahead, axis=1)
        time = np.cumsum(alive * (1 - ahead / 2) * _WIDTHS[age:], axis=1)
        best[:, age] = (uses / time).max(axis=1)
    return best


def ranks(worth: Reals) -> Sequence[int]:
    """Return the place of each entry, flattened, from what is worth least."""
    order = np.argsort(worth, axis=None, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    found: Sequence[int] = places.tolist()
    return found
