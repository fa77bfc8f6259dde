"""A tier plan into an address for everything that lies in near memory, step by step."""

import time
from collections.abc import Iterator

from mirc.bounds.certificate import Certificate
from mirc.bounds.offsets import ALIGNMENT, place_offsets
from mirc.bounds.peak import Interval
from mirc.graph import Program
from mirc.passes.base import Facts
from mirc.passes.liveness import Live
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.placing import Mode
from mirc.passes.seeds import Options
from mirc.passes.tier_liveness import TierLive
from mirc.passes.working import COMING, held_bytes


def tier_offsets(program: Program, facts: Facts) -> Iterator[Certificate]:
    """Yield, for each machine, phase and tier, how far an offset plan lies above what must lie.

    Near memory holds what works and the pieces that the plan keeps or fetches there, each of these
    from a fetch to the last use before it leaves; a lower tier holds masters, all of them always.
    What a training iteration spills or computes again lies near only where its plan says so.
    """
    for plan in facts[TierLive].plans:
        machine = plan.machine.name
        for name, phase in plan.phases.items():
            begin = time.perf_counter()
            intervals = list(_near(program, facts, plan, phase))
            found = place_offsets(intervals, len(phase.phase.graph.steps), ALIGNMENT)
            yield Certificate(
                decision=f"offsets in {plan.near.value} of {machine} during {name}",
                objective=found.height_bytes,
                bound=found.peak_bytes,
                unit="bytes",
                method="peak-live",
                solver=f"first fit by {found.order}",
                seconds=time.perf_counter() - begin,
                note=_room(len(intervals), found.height_bytes, plan.machine.near.usable_bytes),
                feasible=found.peak_bytes <= plan.machine.near.usable_bytes,
            )
        for tier, size in plan.masters.bytes_in.items():
            if not size or tier is plan.near:
                continue
            pieces = zip(facts[TierLive].pieces, plan.masters.tier, strict=True)
            held = [Interval(0, 0, piece.size_bytes) for piece, where in pieces if where is tier]
            found = place_offsets(held, 1, ALIGNMENT)
            yield Certificate(
                decision=f"offsets of masters in {tier.value} of {machine}",
                objective=found.height_bytes,
                bound=found.peak_bytes,
                unit="bytes",
                method="peak-live",
                solver="one after the other",
                note=f"{len(held)} objects",
            )


def _room(objects: int, height: int, usable: int) -> str:
    if height <= usable:
        return f"{objects} objects in {usable:_} usable bytes"
    beyond = f"{height - usable:_} more than the {usable:_} usable bytes"
    return f"{objects} objects take {beyond}: some must be moved, or be pieces"


def _near(
    program: Program, facts: Facts, plan: MachinePlan, phase: PhasePlan
) -> Iterator[Interval]:
    """Yield what lies in near memory; a streamed piece may wrap into the next run."""
    steps = len(phase.phase.graph.steps)
    pieces = facts[TierLive].pieces
    for piece, residence in zip(pieces, phase.placement.residences, strict=True):
        if residence.mode is Mode.STAYS:
            yield Interval(0, steps - 1, piece.size_bytes)
        else:
            for first, last in residence.stretches:
                yield Interval(first, last, piece.size_bytes)
    life = facts[Live].phases[phase.phase.name]
    leaving = {} if plan.leaving is None else plan.leaving.near.get(phase.phase.name, {})
    for index, span in life.lives.items():
        storage = program.storages[index]
        if storage.role in COMING:
            for first, last in leaving.get(index, ((span.first, span.last),)):
                yield Interval(first, last, storage.size_bytes)
    for step, size in enumerate(life.transient_bytes):
        yield Interval(step, step, size)
    yield Interval(0, steps - 1, held_bytes(program, phase.phase, life, facts[Options]))
