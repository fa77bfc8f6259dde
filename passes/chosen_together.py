"""Observed choices into experts that tokens choose together, in one layer or the next."""

from collections.abc import Iterator

import attrs
import numpy as np

from mirc.bounds.communities import evidence, groups
from mirc.graph import Program
from mirc.passes.expert_routing import Routing
from mirc.passes.observed_routing import ObservedRouter, pair_counts

MOST_MEMBERS = 32
MOST_BYTES = 1 << 30
"""More than this together is no neighbourhood that a prefetch could use."""
LEAST_CHANCE = 0.5
"""A successor that follows less often than it does not is no hint."""
LEAST_TOKENS = 16
"""Tokens that must have chosen an expert before its successor is told."""


@attrs.frozen
class Together:
    """``members`` are (families, slice), ascending; ``chance`` is P(b|a), mean over the pairs."""

    module: str
    members: tuple[tuple[tuple[int, ...], int], ...]
    chance: float


def together(program: Program, routing: Routing) -> Iterator[Together]:
    """Yield the groups of each observed router, in its order.

    Counts are divided by the trace's design effect: tokens of one request that repeat each other
    are one piece of evidence.
    """
    for each in routing.observed:
        experts, families = each.router.experts, each.router.storages
        most = _most_members(program, each)
        pairs = pair_counts(each.chosen, each.chosen, (experts, experts))
        np.fill_diagonal(pairs, 0.0)
        alone, effect = each.counts, routing.effect
        found = evidence(pairs / effect, alone / effect, len(each.chosen) / effect)
        for members in groups(found, most):
            inside = pairs[np.ix_(members, members)] / alone[list(members), None]
            ordered = len(members) * (len(members) - 1)
            yield Together(
                module=each.router.module,
                members=tuple((families, member) for member in members),
                chance=float(inside.sum()) / ordered,
            )


def after(routing: Routing) -> Iterator[Together]:
    """Yield each expert with its likeliest successor, where more often than not it follows."""
    by_module = {each.router.module: each.router for each in routing.observed}
    for pair in routing.follows:
        if not pair.helps:
            continue
        first, second = by_module[pair.before], by_module[pair.after]
        best = pair.chances.argmax(axis=1)
        for expert, successor in enumerate(best.tolist()):
            chance = float(pair.chances[expert, successor])
            if pair.support[expert] >= LEAST_TOKENS * routing.effect and chance >= LEAST_CHANCE:
                yield Together(
                    module=pair.before,
                    members=((first.storages, expert), (second.storages, successor)),
                    chance=min(1.0, chance),
                )


def _most_members(program: Program, observed: ObservedRouter) -> int:
    """Bound a group by members, by bytes, and by half of the layer: the whole is no group."""
    each = sum(program.storages[index].parts[0].size_bytes for index in observed.router.storages)
    return min(MOST_MEMBERS, MOST_BYTES // max(1, each), observed.router.experts // 2)
