"""Scores and a budget into the positions that are promoted, pinned or for a time."""

from collections.abc import Sequence
from enum import StrEnum

import attrs
import numpy as np
from attrs import validators as v

from mirc.controller.sinks.scores import Floats


class Stay(StrEnum):
    """How long a promoted position stays."""

    PINNED = "PINNED"
    """Until its sequence ends."""
    TIMED = "TIMED"
    """For its dwell; then it may leave, and does once its score has sunk."""


@attrs.frozen(kw_only=True)
class Registers:
    """The settings of the choice: all are a deployment's own, none is right for every model.

    A position is a sink from ``threshold`` on, and pinned from ``pinned_from`` on (shares, as
    ``Scores.normalised``, or sums, if raw ones are given). It dwells for ``dwell_steps``; its score
    is averaged with ``decay``; below ``leave_share`` of the threshold a timed one is let go.
    Essay 002 illustrates them with sums from 3.0, 0.9 and 12.
    """

    threshold: float = attrs.field(default=0.02, validator=v.ge(0))
    pinned_from: float = attrs.field(default=0.1, validator=v.ge(0))
    dwell_steps: int = attrs.field(default=12, validator=v.ge(0))
    decay: float = attrs.field(default=0.9, validator=[v.ge(0), v.le(1)])
    leave_share: float = attrs.field(default=0.5, validator=[v.ge(0), v.le(1)])


@attrs.frozen(kw_only=True)
class Sink:
    """A position that is to be promoted before the first decode step."""

    position: int
    score: float
    stay: Stay


def sinks(scores: Floats, registers: Registers, most: int) -> tuple[Sink, ...]:
    """Choose the at most ``most`` highest positions from the threshold on, best first.

    Equal scores are taken in the order of positions.
    """
    order = np.lexsort((np.arange(len(scores)), -scores))[:most]
    return tuple(
        Sink(
            position=int(position),
            score=float(scores[position]),
            stay=Stay.PINNED if scores[position] >= registers.pinned_from else Stay.TIMED,
        )
        for position in order
        if scores[position] >= registers.threshold
    )


def mass_of(scores: Floats, positions: Sequence[int]) -> float:
    """Return the share of all attention to earlier tokens that some positions receive.

    ``scores`` are raw sums: shares of different denominators do not add up.
    """
    total = float(scores.sum())
    return float(scores[list(positions)].sum()) / total if total else 0.0


def sinks_and_window(positions: Sequence[int], context: int, window: int) -> frozenset[int]:
    """Return what an approximate mode keeps: some first positions and the last ``window``.

    Source: Xiao et al., Efficient Streaming Language Models with Attention Sinks (2023).
    """
    return frozenset(positions) | frozenset(range(max(0, context - window), context))


def heavy_hitters(scores: Floats, most: int, window: int) -> frozenset[int]:
    """Return what an approximate mode keeps: the ``most`` highest sums, and the last ``window``.

    Source: Zhang et al., H2O: Heavy-Hitter Oracle (2023), with sums of the prefill alone.
    """
    older = scores[: max(0, len(scores) - window)]
    best = np.lexsort((np.arange(len(older)), -older))[:most]
    return sinks_and_window(best.tolist(), len(scores), window)
