"""A small group of placed objects into its best placement beside all others."""

import random
from collections.abc import Sequence

import attrs

from mirc.passes.shelves import Choices, Path, Shelves

Moved = list[tuple[int, Path, float]]


@attrs.frozen(kw_only=True)
class Effort:
    """How many objects are placed anew together, and the choices tried for one such group."""

    together: int
    nodes: int


def regroup(
    shelves: Shelves,
    choices: Choices,
    seed: int,
    wish: Path,
    *,
    effort: Effort,
    chance: random.Random,
) -> Moved:
    """Place ``seed`` and a few that are in the way of its wish as well as can be; it never loses.

    Branch and bound: what is decided, and for the rest its cheapest with room paid for less what
    the room left is worth, is never more than the best end of a branch. Returns what was moved.
    """
    group = _in_the_way(shelves, seed, wish, effort.together, chance)
    for _ in range(8 * effort.together):
        if len(group) >= min(effort.together, shelves.count):
            break
        group.setdefault(chance.randrange(shelves.count))
    before = [(i, shelves.at[i], shelves.paid[i]) for i in group]
    for index in group:
        shelves.take(index)
    order = sorted(group, key=lambda i: (-shelves.size[i], i))
    for index, path in zip(
        order, _Search(shelves, choices, order, before, effort.nodes).paths(), strict=True
    ):
        shelves.put(index, path)
    return before


def _in_the_way(
    shelves: Shelves, seed: int, wish: Path, together: int, chance: random.Random
) -> dict[int, None]:
    group = {seed: None}
    for phase, k in enumerate(wish):
        here = (shelves.size[i] for i in group if shelves.at[i][phase] == k)
        room = shelves.left[phase][k] + sum(here)
        for _ in range(16 * together):
            if k == shelves.last or room >= shelves.size[seed] or len(group) >= together:
                break
            other = chance.randrange(shelves.count)
            if other not in group and shelves.at[other][phase] == k:
                group[other] = None
                room += shelves.size[other]
    return group


class _Search:
    """Depth first over a group's choices; ``before`` is the placement to beat."""

    def __init__(
        self,
        shelves: Shelves,
        choices: Choices,
        order: Sequence[int],
        before: Moved,
        most_nodes: int,
    ) -> None:
        self.shelves = shelves
        self.order = order
        self.options = [choices.of(i) for i in order]
        rooms = zip(shelves.left, choices.price, strict=True)
        self.worth = sum(
            each * free for row, prices in rooms for free, each in zip(row, prices, strict=True)
        )
        self.least = [0.0] * (len(order) + 1)
        for j in range(len(order) - 1, -1, -1):
            self.least[j] = self.least[j + 1] + self.options[j][0][0]
        at = {index: path for index, path, _ in before}
        self.best = [at[i] for i in order]
        self.best_cost = sum(paid for _, _, paid in before) * (1 + 1e-12)
        self.chosen: list[Path] = []
        self.nodes = 0
        self.most_nodes = most_nodes

    def paths(self) -> list[Path]:
        """Return the best paths found, in the order of the group."""
        self._branch(0, 0.0, 0.0)
        return self.best

    def _branch(self, depth: int, spent: float, charged: float) -> None:
        if depth == len(self.order):
            if spent < self.best_cost:
                self.best_cost, self.best = spent, list(self.chosen)
            return
        index = self.order[depth]
        size, left = self.shelves.size[index], self.shelves.left
        for with_room, cost, path in self.options[depth]:
            bound = charged + with_room + self.least[depth + 1] - self.worth
            if bound >= self.best_cost or self.nodes > self.most_nodes:
                return
            if not self.shelves.fits(index, path):
                continue
            self.nodes += 1
            for row, k in zip(left, path, strict=True):
                row[k] -= size
            self.chosen.append(path)
            self._branch(depth + 1, spent + cost, charged + with_room)
            self.chosen.pop()
            for row, k in zip(left, path, strict=True):
                row[k] += size
