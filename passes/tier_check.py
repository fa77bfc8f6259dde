"""A plan into the steps at which it would overfill near memory: an independent count."""

from mirc.passes.pieces import Piece
from mirc.passes.placing import Mode
from mirc.passes.tier_liveness import MachinePlan


def near_bytes(plan: MachinePlan, pieces: tuple[Piece, ...], phase: str) -> list[int]:
    """Return the near bytes at each step: what works there and each piece that covers it.

    Counted piece by piece and step by step; it shares nothing with the planner but its result.
    """
    steps = plan.phases[phase]
    totals = list(steps.working_bytes)
    for piece, residence in zip(pieces, steps.placement.residences, strict=True):
        if residence.mode is Mode.STAYS:
            covered: list[int] = list(range(len(totals)))
        elif residence.mode is Mode.STREAMS and residence.first <= residence.last:
            covered = list(range(residence.first, residence.last + 1))
        elif residence.mode is Mode.STREAMS:
            covered = [*range(residence.first, len(totals)), *range(residence.last + 1)]
        else:
            covered = []
        for step in covered:
            totals[step] += piece.size_bytes
    return totals


def overfull_steps(plan: MachinePlan, pieces: tuple[Piece, ...], phase: str) -> list[int]:
    """Return the steps of a phase whose near bytes exceed capacity less reserve."""
    usable = plan.machine.near.usable_bytes
    return [step for step, size in enumerate(near_bytes(plan, pieces, phase)) if size > usable]
