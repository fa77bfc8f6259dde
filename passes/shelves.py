"""Objects put into tiers one by one: what each costs where it lies, and what room is left."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from mirc.bounds.placement import Ints, PlacementProblem
from mirc.bounds.prices import Priced

Path = tuple[int, ...]
Prices = list[list[float]]

_NOWHERE = float("inf")


class Shelves:
    """A placement in the making: ``at[n]`` is an object's tier in each phase, ``paid[n]`` its cost.

    Rooms are never exceeded but in the last tier, which must take what fits nowhere else.
    """

    def __init__(self, problem: PlacementProblem) -> None:
        self.count = problem.objects
        self.last = problem.tiers - 1
        self.size: list[int] = problem.size_bytes.tolist()
        self.access: list[list[list[float]]] = problem.access_ps.transpose(1, 0, 2).tolist()
        self.enter: list[list[float]] = problem.enter_ps.tolist()
        self.left: list[list[int]] = [problem.room_bytes.tolist() for _ in range(problem.phases)]
        self.at: list[Path] = [()] * problem.objects
        self.paid: list[float] = [0.0] * problem.objects

    def tiers(self) -> Ints:
        """Return the placement as ``[p, n]``."""
        return np.array(self.at, dtype=np.int64).reshape(self.count, -1).T

    def put(self, index: int, path: Path) -> None:
        """Lay an object down."""
        for left, k in zip(self.left, path, strict=True):
            left[k] -= self.size[index]
        self.at[index] = path
        self.paid[index] = self.cost(index, path)

    def take(self, index: int) -> None:
        """Take an object away; it still says where it lay."""
        for left, k in zip(self.left, self.at[index], strict=True):
            left[k] += self.size[index]

    def fits(self, index: int, path: Path) -> bool:
        """Tell whether there is room in every phase."""
        size = self.size[index]
        return all(
            k == self.last or left[k] >= size for left, k in zip(self.left, path, strict=True)
        )

    def cost(self, index: int, path: Path) -> float:
        """Return what an object's uses and moves take."""
        total = sum(uses[k] for uses, k in zip(self.access[index], path, strict=True))
        for before, after in pairwise(path):
            if before != after:
                total += self.enter[index][after]
        return total

    def charged(self, index: int, path: Path, price: Prices) -> float:
        """Return the same with the room that the object takes paid for."""
        each = sum(row[k] for row, k in zip(price, path, strict=True))
        return self.cost(index, path) + self.size[index] * each

    def best(self, index: int, price: Prices) -> Path:
        """Return the cheapest tiers that have room, phase by phase: O(p k)."""
        size, enter = self.size[index], self.enter[index]
        so_far: list[float] = []
        came: list[list[int]] = []
        for uses, left, row in zip(self.access[index], self.left, price, strict=True):
            here = [
                use + size * each if free >= size or k == self.last else _NOWHERE
                for k, (use, each, free) in enumerate(zip(uses, row, left, strict=True))
            ]
            if so_far:
                low = min(so_far)
                source = so_far.index(low)
                came.append(
                    [k if so_far[k] <= low + into else source for k, into in enumerate(enter)]
                )
                so_far = [
                    min(stayed, low + into) + now
                    for stayed, into, now in zip(so_far, enter, here, strict=True)
                ]
            else:
                so_far = here
        path = [so_far.index(min(so_far))]
        for sources in reversed(came):
            path.append(sources[path[-1]])
        return tuple(reversed(path))

    def fill(self, order: Iterable[int], price: Prices) -> None:
        """Put all objects down in this order, each where it is cheapest then."""
        for index in order:
            self.put(index, self.best(index, price))

    def settle(self, order: Sequence[int]) -> None:
        """Move one object at a time to where it is cheapest now, until none gains."""
        free = [[0.0] * (self.last + 1) for _ in self.left]
        gained = True
        while gained:
            gained = False
            for index in order:
                path, paid = self.at[index], self.paid[index]
                self.take(index)
                self.put(index, self.best(index, free))
                if self.paid[index] < paid * (1 - 1e-9):
                    gained = True
                elif self.paid[index] > paid:
                    self.take(index)
                    self.put(index, path)

    def restore(self, paths: Sequence[Path]) -> None:
        """Lay every object where ``paths`` say."""
        for index in range(self.count):
            self.take(index)
        for index, path in enumerate(paths):
            self.put(index, path)


class Choices:
    """An object's tiers that some prices made best, or all alike: ``(charged, cost, path)``."""

    def __init__(self, shelves: Shelves, found: Priced) -> None:
        self.price: Prices = found.price.tolist()
        self._shelves = shelves
        self._columns = found.columns
        self._known: dict[int, list[tuple[float, float, Path]]] = {}

    def of(self, index: int) -> list[tuple[float, float, Path]]:
        """Return them, the cheapest with its room paid for first."""
        if index not in self._known:
            shelves = self._shelves
            rows = np.unique(self._columns[:, :, index], axis=0).tolist()
            alike = [(k,) * len(shelves.left) for k in range(shelves.last + 1)]
            paths = {*(tuple(row) for row in rows), *alike}
            self._known[index] = sorted(
                (shelves.charged(index, path, self.price), shelves.cost(index, path), path)
                for path in paths
            )
        return self._known[index]
