"""A module and its plans into the policies that change nothing, each with its reason."""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from mirc.grammar import SourcePlaces
from mirc.graph import Program
from mirc.ir import FIELD_BY_KEY, Block, Coalition, Module, Name
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.registry import RULES
from mirc.machine import Machine
from mirc.passes.base import Facts
from mirc.passes.machine_plan import MachinePlan
from mirc.passes.placing import Mode
from mirc.passes.tier_liveness import TierLive

WITHOUT_EFFECT = frozenset(
    {
        "never-retired",
        "event-never-raised",
        "condition-never-true",
        "wired-yet-spillable",
        "hard-never-read",
        "deadline-of-no-class",
        "protected-elsewhere",
        "ladder-below-floor",
        "restated-value",
        "unscheduled-phase",
        "dead-override",
        "never-reached",
        "every-never-comes",
        "no-such-tier",
        "unused-object",
        "unused-tenant",
        "claim-of-nothing",
        "coalition-of-one",
    }
)
"""Lint rules about what is declared and changes nothing."""

_OF_LEAVING = ("fallback_tiers", "spill_policy", "deadline_class")
_OF_PRESSURE = ("fallback_tiers", "spill_policy", "anti_evict_rule")
_LISTS = ("preferred_tiers", "fallback_tiers")


@attrs.frozen(kw_only=True)
class IdlePolicy:
    """``key`` of ``objects`` declarations (``example`` is the first) changes nothing.

    ``machine`` is empty where that holds on all of them.
    """

    key: str
    objects: int
    example: str
    reason: str
    machine: str = ""


def idle_policies(program: Program, facts: Facts, module: Module) -> tuple[IdlePolicy, ...]:
    """Return them: what lint rules find first, then what each plan leaves nothing to do for.

    A plan shows it for the schedule and batch that it was made for. Cost: O(objects x plans), and
    that of the rules.
    """
    plans = facts[TierLive].plans
    machines = tuple(plan.machine for plan in plans)
    found = [*_by_rules(module, machines)]
    for plan in plans:
        found += _absent_tiers(module, plan.machine)
        found += _by_plan(program, facts[TierLive], module, plan)
    return tuple(found)


def _by_rules(module: Module, machines: tuple[Machine, ...]) -> Iterator[IdlePolicy]:
    context = Context(module, machines, SourcePlaces(""))
    groups: dict[tuple[str, str], list[str]] = {}
    for rule in RULES:
        if rule.name in WITHOUT_EFFECT:
            for finding in rule.check(context):
                subject, _, key = finding.subject.rpartition(".")
                named = key in FIELD_BY_KEY
                groups.setdefault((key if named else rule.name, finding.message), []).append(
                    subject if named else finding.subject
                )
    for (key, message), subjects in groups.items():
        yield IdlePolicy(key=key, objects=len(subjects), example=subjects[0], reason=message)


def _absent_tiers(module: Module, machine: Machine) -> Iterator[IdlePolicy]:
    """Yield the tiers that lists name and the machine does not have."""
    there = {memory.kind.value for memory in machine.memories}
    groups: dict[tuple[str, str], list[str]] = {}
    seen: dict[tuple[int, str], tuple[str, ...]] = {}  # equal blocks share their fields
    for name, block in module.data.items():
        for key in _LISTS:
            at = (id(block.fields), key)
            if at not in seen:
                seen[at] = _words(block, key)
            for word in seen[at]:
                if word not in there:
                    groups.setdefault((key, word), []).append(name)
    for (key, word), names in groups.items():
        yield IdlePolicy(
            key=key,
            objects=len(names),
            example=names[0],
            reason=f"names {word}, which {machine.name} does not have",
            machine=machine.name,
        )


def _words(block: Block, key: str) -> tuple[str, ...]:
    value = block.value(key)
    listed = value if isinstance(value, tuple) else ()
    return tuple(word.text for word in listed if isinstance(word, Name))


def _by_plan(
    program: Program, tiers: TierLive, module: Module, plan: MachinePlan
) -> Iterator[IdlePolicy]:
    staying = _staying(program, tiers, plan)
    if not staying:
        return
    all_stay = len(staying) == len(tiers.pieces) and all(
        phase.placement.fits for phase in plan.phases.values()
    )
    machine, near = plan.machine.name, plan.near.value
    if all_stay:
        reason = f"all fits into {near} in every phase: nothing is under pressure"
        yield from _counted(module.data, _OF_PRESSURE, machine, reason)
    weights = {name: module.data[name] for name in staying if name in module.data}
    reason = f"stays in {near} in every phase: it is never fetched again"
    keys = [key for key in _OF_LEAVING if not (all_stay and key in _OF_PRESSURE)]
    yield from _counted(weights, [*keys, "route_probability"], machine, reason)
    hints = [group for group in module.coalitions.values() if _within(module, group, weights)]
    if hints:
        yield IdlePolicy(
            key="members",
            objects=len(hints),
            example=hints[0].name,
            reason=f"all members stay in {near} in every phase: none is moved with another",
            machine=machine,
        )


def _staying(program: Program, tiers: TierLive, plan: MachinePlan) -> list[str]:
    """Return the objects that are in near memory throughout all phases."""
    away = {
        index
        for phase in plan.phases.values()
        for index, residence in enumerate(phase.placement.residences)
        if residence.mode is not Mode.STAYS
    }
    names = []
    for index, piece in enumerate(tiers.pieces):
        if index not in away:
            storage = program.storages[piece.storage]
            names.append(storage.name + (storage.parts[piece.part].suffix if storage.parts else ""))
    return names


def _counted(
    blocks: Mapping[str, Block], keys: Iterable[str], machine: str, reason: str
) -> Iterator[IdlePolicy]:
    for key in keys:
        names = [name for name, block in blocks.items() if block.value(key) is not None]
        if names:
            yield IdlePolicy(
                key=key, objects=len(names), example=names[0], reason=reason, machine=machine
            )


def _within(module: Module, group: Coalition, blocks: Mapping[str, Block]) -> bool:
    members = read(group, "members") or ()
    parts = [part for member in members for part in module.parts(member)]
    return bool(parts) and all(part in blocks for part in parts)
