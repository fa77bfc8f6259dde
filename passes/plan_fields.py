"""A machine's plan into the fields of its overrides."""

from collections.abc import Iterator

from mirc.graph import Program, Role
from mirc.ir import Call, Field, Name, Override, Value
from mirc.ir.enums import ObjectClass, Recompute
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.names import reference
from mirc.passes.annotate import Annotated
from mirc.passes.base import Facts
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.pieces import name_of, use_of
from mirc.passes.placing import Mode, Residence
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.tier_liveness import TierLive

HORIZON_TRANSFERS = 12
"""Prefetch begins at most this many of a piece's own transfers ahead: 8 to 16 measure alike, while
without a limit a link faster than compute moves almost twice the bytes."""

ROOFLINE = 0.95
"""Confidence that a roofline time is within a factor of 2 of a run's: 0.92 to 0.99 of them are,
by benchmarks/calibration.py."""

STALLED = 0.03
"""The same where transfers stretch the run more than twofold by the plan's own account: the times
are then positions, no more. 0.00 to 0.06 of them hold."""


def plan_overrides(program: Program, tiers: TierLive, plan: MachinePlan) -> Iterator[Override]:
    """Yield what holds in all phases: a master that is not where the intent says."""
    usual = FIELD_BY_KEY["backing"].default_for(ObjectClass.WEIGHT_TILE)
    fields = {tier: (Field("backing", (Name(tier.value),)),) for tier in plan.masters.bytes_in}
    for piece, tier in zip(tiers.pieces, plan.masters.tier, strict=True):
        if (Name(tier.value),) != usual:
            yield Override(name_of(program, piece), fields[tier])


def plan_phase_overrides(
    program: Program, facts: Facts, tiers: TierLive, plan: MachinePlan, phase: PhasePlan
) -> Iterator[Override]:
    """Yield residency and times of every piece that the phase uses, then recompute costs."""
    shared: dict[tuple[object, ...], tuple[Field, ...]] = {}
    for index, (piece, residence) in enumerate(
        zip(tiers.pieces, phase.placement.residences, strict=True)
    ):
        use = use_of(phase.wanted, piece)
        tier = plan.masters.tier[index]
        key = (residence, tier, use.first, use.last, piece.size_bytes)
        fields = shared.get(key)
        if fields is None:
            fields = tuple(_fields(plan, phase, tiers, index))
            shared[key] = fields
        yield Override(name_of(program, piece), fields)
    yield from _recompute(program, facts, plan, phase)


def _fields(plan: MachinePlan, phase: PhasePlan, tiers: TierLive, index: int) -> Iterator[Field]:
    piece = tiers.pieces[index]
    residence = phase.placement.residences[index]
    yield Field("residency", _residency(plan, phase, residence, index))
    use = use_of(phase.wanted, piece)
    if use.first < 0:
        return
    start, sure = phase.clock.start_ps, clock_confidence(phase)
    yield Field("first_use_us", microseconds(start[use.first]), sure)
    yield Field("last_use_us", microseconds(start[use.last]), sure)
    ahead = HORIZON_TRANSFERS * sum(spent for _, spent in plan.transfers_ps(index))
    yield Field("prefetch_horizon_us", microseconds(min(ahead, phase.clock.period_ps)))


def clock_confidence(phase: PhasePlan) -> float:
    """Return how far the roofline clock of a phase is to be believed as time."""
    longest = phase.placement.run_ps if phase.phase.repeats else phase.first_run_ps
    return STALLED if longest > 2 * phase.clock.period_ps else ROOFLINE


def _residency(
    plan: MachinePlan, phase: PhasePlan, residence: Residence, index: int
) -> tuple[Value, ...]:
    near, below = Name(plan.near.value), Name(plan.masters.tier[index].value)
    if residence.mode is Mode.STAYS:
        return (near,)
    if residence.stretches:
        steps = phase.phase.graph.steps
        spans = (
            (reference(steps[first].name), reference(steps[last].name))
            for first, last in residence.stretches
        )
        return *(Call(near.text, span) for span in spans), below
    return (below,)


def _recompute(
    program: Program, facts: Facts, plan: MachinePlan, phase: PhasePlan
) -> Iterator[Override]:
    for index in phase.phase.table.used_in:
        storage = program.storages[index]
        if storage.role not in (Role.ACTIVATION, Role.OUTPUT):
            continue
        if index not in facts[Annotated].intents:
            continue  # transient: no object
        word, cost_us = (
            facts[Recomputation].of(index).on.get(plan.machine.name, (Recompute.IMPOSSIBLE, None))
        )
        fields: list[Field] = []
        if word is not facts[Recomputation].of(index).portable:
            fields.append(Field("recompute_class", Name(word.value), ROOFLINE))
        if cost_us is not None:
            fields.append(Field("recompute_cost_us", microseconds(cost_us * 1e6), ROOFLINE))
        if fields:
            yield Override(storage.name, tuple(fields))


def microseconds(picoseconds: float) -> float:
    """Return microseconds to the nanosecond, below one microsecond exactly."""
    value = picoseconds / 1e6
    return round(value, 3) if value >= 1 else round(value, 6)
