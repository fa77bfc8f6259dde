"""What leaves near memory in a training iteration into the fields of its plan's overrides."""

from collections.abc import Iterator

from mirc.graph import Program, Role
from mirc.ir import Call, Field, Name, Override
from mirc.ir.enums import Recompute
from mirc.ir.names import reference
from mirc.machine.transfers import transfer_ps
from mirc.passes.annotate import Annotated
from mirc.passes.base import Facts
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.plan_fields import HORIZON_TRANSFERS, ROOFLINE, clock_confidence, microseconds
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.tiers import below_near, inward

_DROPPED = Field("spill_policy", Name("DROP_RECOMPUTE"))


def leaving_overrides(program: Program, facts: Facts, plan: MachinePlan) -> Iterator[Override]:
    """Yield what is dropped and computed again, with its price where that is known."""
    if plan.leaving is None or not plan.leaving.plan.fits:
        return
    for index in sorted(plan.leaving.plan.recomputed):
        intent = facts[Annotated].intents.get(index)
        if intent is None:
            continue  # transient: no object
        storage = program.storages[index]
        word, cost_us = (
            facts[Recomputation].of(index).on.get(plan.machine.name, (Recompute.IMPOSSIBLE, None))
        )
        fields = [] if _DROPPED in intent.fields else [_DROPPED]
        # What one phase makes and uses says its price there.
        if storage.role is Role.SAVED and cost_us is not None:
            fields.append(Field("recompute_class", Name(word.value), ROOFLINE))
            fields.append(Field("recompute_cost_us", microseconds(cost_us * 1e6), ROOFLINE))
        if fields:
            yield Override(storage.name, tuple(fields))


def leaving_phase_overrides(
    program: Program, facts: Facts, plan: MachinePlan, phase: PhasePlan
) -> Iterator[Override]:
    """Yield from which step to which each storage that leaves is near, in one phase.

    What is spilled lies below for the rest, and is fetched ahead of its first use in backward.
    """
    if plan.leaving is None:
        return
    graph, start = phase.phase.graph, phase.clock.start_ps
    lower = below_near(plan.machine)
    for index, spans in plan.leaving.near.get(phase.phase.name, {}).items():
        if index not in facts[Annotated].intents:
            continue
        stays = [
            Call(plan.near.value, (reference(graph.steps[a].name), reference(graph.steps[b].name)))
            for a, b in spans
        ]
        storage = program.storages[index]
        if index not in plan.leaving.plan.spilled:
            yield Override(storage.name, (Field("residency", tuple(stays)),))
            continue
        sure = clock_confidence(phase)
        used = phase.phase.table.used_in.get(index, (spans[0][0], spans[-1][1]))
        ahead = sum(
            transfer_ps(link, storage.size_bytes) for link in inward(plan.machine, lower[0])
        )
        horizon = min(HORIZON_TRANSFERS * ahead, phase.clock.period_ps)
        yield Override(
            storage.name,
            (
                Field("residency", (*stays, Name(lower[0].kind))),
                Field("first_use_us", microseconds(start[used[0]]), sure),
                Field("last_use_us", microseconds(start[used[-1]]), sure),
                Field("prefetch_horizon_us", microseconds(horizon)),
            ),
        )
