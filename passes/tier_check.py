"""A plan into the steps at which it would overfill near memory: an independent count."""

from mirc.passes.machine_plan import MachinePlan
from mirc.passes.pieces import Piece
from mirc.passes.placing import Mode


def near_bytes(plan: MachinePlan, pieces: tuple[Piece, ...], phase: str) -> list[int]:
    """Return the near bytes at each step: what works there and each piece that covers it.

    Counted piece by piece and step by step; it shares nothing with the planner but its result.
    """
    steps = plan.phases[phase]
    totals = list(steps.working_bytes)
    for piece, residence in zip(pieces, steps.placement.residences, strict=True):
        if residence.mode is Mode.STAYS:
            covered: list[int] = list(range(len(totals)))
        else:
            covered = []
            for first, last in residence.stretches:
                if first <= last:
                    covered += range(first, last + 1)
                else:
                    covered += [*range(first, len(totals)), *range(last + 1)]
        for step in covered:
            totals[step] += piece.size_bytes
    return totals


def overfull_steps(plan: MachinePlan, pieces: tuple[Piece, ...], phase: str) -> list[int]:
    """Return the steps of a phase whose near bytes exceed capacity less reserve."""
    usable = plan.machine.near.usable_bytes
    return [step for step, size in enumerate(near_bytes(plan, pieces, phase)) if size > usable]
