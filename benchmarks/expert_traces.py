"""Synthetic routing: which experts each step of a decode draws, and caches that live through it."""

from collections import OrderedDict
from random import Random

import attrs


@attrs.frozen(kw_only=True)
class Router:
    """The experts of one model: ``matrices`` are the bytes of each object of one expert."""

    name: str
    layers: int
    experts: int
    top_k: int
    matrices: tuple[int, ...]

    @property
    def objects(self) -> int:
        """All objects of all experts."""
        return self.layers * self.experts * len(self.matrices)


QWEN3 = Router(
    name="qwen3-moe-30b-a3b",
    layers=48,
    experts=128,
    top_k=8,
    matrices=(2 * 2 * 768 * 2048, 2 * 768 * 2048),
)
MIXTRAL = Router(
    name="mixtral-8x7b",
    layers=32,
    experts=8,
    top_k=2,
    matrices=(2 * 2 * 14336 * 4096, 2 * 14336 * 4096),
)


def trace(router: Router, tokens: int, seed: int) -> list[list[int]]:
    """Return the objects of each step, a step being one layer of one token.

    In each layer experts have Zipf weights (exponent 1) in an order of the layer's own. A token
    keeps each expert of the token before with probability 0.4 (text stays on its topic) and draws
    the others by weight.
    """
    chance = Random(seed)  # noqa: S311 - a synthetic trace, no secret
    orders = [chance.sample(range(router.experts), router.experts) for _ in range(router.layers)]
    weights = [1 / (rank + 1) for rank in range(router.experts)]
    before: list[list[int]] = [[] for _ in orders]
    steps = []
    for _ in range(tokens):
        for layer, order in enumerate(orders):
            drawn = {expert: None for expert in before[layer] if chance.random() < 0.4}
            while len(drawn) < router.top_k:
                drawn.setdefault(order[chance.choices(range(router.experts), weights)[0]])
            before[layer] = list(drawn)
            steps.append(
                [
                    (layer * router.experts + expert) * len(router.matrices) + matrix
                    for expert in drawn
                    for matrix in range(len(router.matrices))
                ]
            )
    return steps


def sizes(router: Router) -> list[int]:
    """Return the bytes of each object."""
    return list(router.matrices) * (router.layers * router.experts)


def least_recent(steps: list[list[int]], size: list[int], capacity: int) -> int:
    """Return the bytes that a cache moves in which the least recently used leave."""
    near: OrderedDict[int, None] = OrderedDict()
    held = moved = 0
    for used in steps:
        for index in used:
            if index in near:
                near.move_to_end(index)
            else:
                near[index] = None
                held += size[index]
                moved += size[index]
        while held > capacity:
            held -= size[near.popitem(last=False)[0]]
    return moved


def pinned(steps: list[list[int]], size: list[int], capacity: int) -> int:
    """Return the bytes that the best static placement moves: it knows how often each is used.

    The most used stay; the rest come for each use into a room for the largest step.
    """
    counts = [0] * len(size)
    for used in steps:
        for index in used:
            counts[index] += 1
    left = capacity - max(sum(size[index] for index in used) for used in steps)
    moved = 0
    for index in sorted(range(len(size)), key=lambda i: (-counts[i], i)):
        if counts[index] and size[index] <= left:
            left -= size[index]
            moved += size[index]
        else:
            moved += counts[index] * size[index]
    return moved


def replayed(
    steps: list[list[int]], size: list[int], capacity: int, dropped: tuple[frozenset[int], ...]
) -> int:
    """Play a plan step by step; return what comes in. Raises ValueError where it does not fit."""
    last = {index: step for step, used in enumerate(steps) for index in used}
    near: set[int] = set()
    held = moved = 0
    for step, used in enumerate(steps):
        for index in used:
            if index not in near:
                near.add(index)
                held += size[index]
                moved += size[index]
        if held > capacity:
            raise ValueError(f"step {step} holds {held:_} of {capacity:_} bytes")
        for index in used:
            if step in dropped[index] or last[index] == step:
                near.discard(index)
                held -= size[index]
    return moved
