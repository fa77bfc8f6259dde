"""A captured program and the facts about it into a module of Memory Intent IR."""

from collections.abc import Iterator

import mirc
from mirc.graph import Access, Program, Role, Storage
from mirc.ir import (
    Block,
    Call,
    Coalition,
    Declaration,
    Field,
    Module,
    Name,
    Object,
    Override,
    Phase,
    Plan,
    PlanPhase,
    Step,
    Template,
    Text,
    Value,
)
from mirc.ir.enums import PhaseKind, PhaseScope, WorkKind
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.names import reference
from mirc.passes.annotate import Annotated, Intent
from mirc.passes.base import Facts
from mirc.passes.coalition import Coalitions
from mirc.passes.leaving_fields import leaving_overrides, leaving_phase_overrides
from mirc.passes.liveness import Live
from mirc.passes.machine_plan import MachinePlan
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.plan_fields import (
    clock_confidence,
    microseconds,
    plan_overrides,
    plan_phase_overrides,
)
from mirc.passes.reuse import Reuse
from mirc.passes.scale import joint_amount, made_size, row_scale, step_flops, touched
from mirc.passes.seeds import Machines
from mirc.passes.steps import Touch
from mirc.passes.tier_liveness import TierLive
from mirc.passes.wired_fields import wired_overrides

_SEQUENCES = (PhaseKind.PREFILL, PhaseKind.DECODE)
_COLLECTIVES = {
    "all_reduce": "ALL_REDUCE",
    "all_gather": "ALL_GATHER",
    "reduce_scatter": "REDUCE_SCATTER",
    "all_to_all": "ALL_TO_ALL",
    "broadcast": "BROADCAST",
}


def emit(program: Program, facts: Facts) -> Module:
    """Return the module: intent first, then one plan for each machine.

    Field nodes and tuples are shared between the parts of a storage, so that 30,000 expert slices
    cost a name and a pointer each. Raises MissingFactError where a pass did not run.
    """
    declarations: list[Declaration] = []
    for index, intent in facts[Annotated].intents.items():
        declarations += _declared(program, facts, program.storages[index], intent)
    declarations += _coalitions(program, facts[Coalitions])
    declarations += [_phase(program, facts, phase) for phase in facts[Phases].phases]
    declarations += [_plan(program, facts, plan) for plan in facts[TierLive].plans]
    return Module(tuple(declarations), info=_info(program, facts))


def _info(program: Program, facts: Facts) -> Block:
    fields = [
        Field("producer", Text(f"mirc {mirc.__version__}")),
        Field("model", Text(program.name)),
        Field("model_digest", Text(program.digest)),
    ]
    if facts[Reuse].dtype in FIELD_BY_KEY["dtype"].type.words:
        fields.append(Field("dtype", reference(facts[Reuse].dtype)))
    fields.append(Field("schedule", facts[Phases].schedule))
    name = program.name if isinstance(reference(program.name), Name) else "model"
    return Block(name, tuple(fields))


def _declared(
    program: Program, facts: Facts, storage: Storage, intent: Intent
) -> Iterator[Object | Template]:
    first, rest = intent.fields[0], intent.fields[1:]
    if intent.template:
        size = Field("size_bytes", _instance_size(facts, storage))
        yield Template(storage.name, (first, size, *rest))
    elif not storage.parts:
        size = Field("size_bytes", _size(program, facts, storage))
        yield Object(storage.name, (first, size, *rest))
    else:
        of_size: dict[int, tuple[Field, ...]] = {}
        for part, own in zip(storage.parts, intent.slices, strict=False):
            size = Field("size_bytes", part.size_bytes)
            yield Object(storage.name + part.suffix, (first, size, *own[1:]))
        for part in storage.parts[len(intent.slices) :]:
            fields = of_size.get(part.size_bytes)
            if fields is None:
                fields = (first, Field("size_bytes", part.size_bytes), *rest)
                of_size[part.size_bytes] = fields
            yield Object(storage.name + part.suffix, fields)


def _size(program: Program, facts: Facts, storage: Storage) -> Value:
    del program
    if storage.role not in (Role.ACTIVATION, Role.OUTPUT, Role.INPUT, Role.SAVED):
        return storage.size_bytes
    for phase in facts[Phases].phases:  # what a run makes belongs to one phase
        if storage.index in phase.table.used_in:
            return made_size(storage, phase.graph)
    return storage.size_bytes


def _instance_size(facts: Facts, storage: Storage) -> Value:
    if storage.per_token_bytes:
        return Call("PER_TOKEN", (storage.per_token_bytes,))
    for phase in facts[Phases].phases:
        if storage.index in phase.table.used_in:
            return storage.size_bytes // phase.graph.batch
    return storage.size_bytes


def _coalitions(program: Program, coalitions: Coalitions) -> Iterator[Coalition]:
    for group in coalitions.groups:
        names = [program.storages[index].name for index in group.members]
        for place, part in enumerate(group.parts):
            names[place] += program.storages[group.members[place]].parts[part].suffix
        members = tuple(map(reference, names))
        sure = None if group.confidence is None else round(group.confidence, 2)
        yield Coalition(group.name, (Field("members", members, sure),))


def _phase(program: Program, facts: Facts, phase: PhaseFact) -> Phase:
    graph = phase.graph
    scope = PhaseScope.SEQUENCE if phase.kind in _SEQUENCES else PhaseScope.BATCH
    fields = (
        Field("kind", Name(phase.kind.value)),
        Field("scope", Name(scope.value)),
        Field("batch", graph.batch),
        Field("tokens", graph.tokens),
        Field("context", graph.past),
    )
    overrides = tuple(
        Override(program.storages[index].name, changed)  # of a family: all its parts
        for index, changed in facts[Annotated].overrides[phase.name].items()
    ) + tuple(
        Override(program.storages[index].name + program.storages[index].parts[part].suffix, changed)
        for (index, part), changed in facts[Annotated].slice_overrides[phase.name].items()
    )
    steps = tuple(
        Step(step.name, tuple(_step_fields(program, facts, phase, place)))
        for place, step in enumerate(graph.steps)
    )
    return Phase(phase.name, fields, steps=steps, overrides=overrides)


def _step_fields(program: Program, facts: Facts, phase: PhaseFact, place: int) -> Iterator[Field]:
    life = facts[Live].phases[phase.name]

    def uses(touches: tuple[Touch, ...]) -> tuple[Value, ...]:
        kept = (touch for touch in touches if touch.storage not in life.transients)
        return tuple(_use(program, phase, touch) for touch in kept)

    for key, touches in (("reads", phase.table.reads), ("writes", phase.table.writes)):
        values = uses(touches[place])
        if values:
            yield Field(key, values)
    flops = step_flops(program, phase, place)
    if flops:
        yield Field("flops", flops)
    work = facts[Reuse].phases[phase.name].work[place]
    if work is not WorkKind.OTHER:
        yield Field("work", Name(work.value))
    inner = [
        program.storages[touch.storage]
        for touch in (*phase.table.reads[place], *phase.table.writes[place])
        if touch.storage in life.transients
    ]
    scales = {row_scale(storage, phase.graph) for storage in inner}
    for key, sizes in (
        ("transient_bytes", life.transient_bytes),
        ("traffic_bytes", life.traffic_bytes),
    ):
        if sizes[place]:
            yield Field(key, joint_amount(sizes[place], scales, phase.graph))
    yield from _collective(program, phase, place)


def _use(program: Program, phase: PhaseFact, touch: Touch) -> Value:
    name = reference(program.storages[touch.storage].name)
    if touch.access is Access.ROUTED:
        return Call("ROUTED", (name, touch.top_k))
    if touch.access is Access.TOUCH:
        return Call("TOUCH", (name, touched(touch.size_bytes, phase.graph)))
    return name


def _collective(program: Program, phase: PhaseFact, place: int) -> Iterator[Field]:
    """Yield what a step starts, and an event for each reduction that it completes.

    A reduction is named after what it leaves: that is what its gradient is protected until.
    """
    step = phase.graph.steps[place]
    for node in phase.graph.nodes[step.first : step.last + 1]:
        words = (word for op, word in _COLLECTIVES.items() if op in node.op)
        word = next(words, "") if node.collective else ""
        if word:
            yield Field("collective", Name(word))
            break
    ended = tuple(
        Call("ALLREDUCE_COMPLETE", (reference(program.storages[index].name),))
        for window in phase.windows
        if window.last == place
        for index in window.reduced
    )
    if ended:
        yield Field("raises", ended)


def _plan(program: Program, facts: Facts, plan: MachinePlan) -> Plan:
    tiers = facts[TierLive]
    phases = tuple(
        PlanPhase(
            name,
            (Field("period_us", microseconds(phase.clock.period_ps), clock_confidence(phase)),),
            overrides=_joined(
                (
                    *plan_phase_overrides(program, facts, tiers, plan, phase),
                    *leaving_phase_overrides(program, facts, plan, phase),
                )
            ),
        )
        for name, phase in plan.phases.items()
    )
    machine = plan.machine.name
    name = "".join(char if char.isalnum() else "_" for char in machine)
    if isinstance(reference(name), Text):
        name = f"plan_{name}"
    return Plan(
        name,
        (Field("machine", Text(facts[Machines].spelling(plan.machine))),),
        overrides=_joined(
            (
                *plan_overrides(program, tiers, plan),
                *wired_overrides(program, facts, plan),
                *leaving_overrides(program, facts, plan),
            )
        ),
        phases=phases,
    )


def _joined(overrides: tuple[Override, ...]) -> tuple[Override, ...]:
    """Return one override for each name, with the fields of all."""
    fields: dict[str, tuple[Field, ...]] = {}
    for override in overrides:
        fields[override.name] = (*fields.get(override.name, ()), *override.fields)
    return tuple(Override(name, each) for name, each in fields.items())
