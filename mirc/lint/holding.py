"""Pins, claims and protections into what stays in near memory through which steps of a phase."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from mirc.ir.enums import Guarantee, ObjectClass, PersistenceScope, PinLevel, SignalKind, TierKind
from mirc.ir.meaning import Applied, Condition, PerToken
from mirc.ir.module import Claim, Module, Phase, Step
from mirc.ir.places import Mark
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.ledger import Ledger, Stay
from mirc.lint.needs import Need, Needs
from mirc.lint.said import Said
from mirc.machine import Machine

AT_LOAD = (
    ObjectClass.WEIGHT_TILE,
    ObjectClass.EXPERT_WEIGHT,
    ObjectClass.CONSTANT,
    ObjectClass.OPTIMIZER_STATE,
    ObjectClass.CHECKPOINT_FRAGMENT,
    ObjectClass.METADATA_PAGE,
)
"""Classes whose bytes exist before the first step: what is wired of them is bound at load."""

_ANY_TIME = frozenset(SignalKind) - {
    SignalKind.ALLREDUCE_COMPLETE,
    SignalKind.UPDATE_COMPLETE,
    SignalKind.CHECKPOINT_COMPLETE,
}
"""What the runtime may raise at any time, whatever steps do."""

_LASTING = (PersistenceScope.SESSION, PersistenceScope.PERSISTENT)


class Place(NamedTuple):
    """A machine on which a module is judged, and the plan for it, if it is a plan's own."""

    machine: Machine
    plan: str | None = None

    def has(self, tier: TierKind) -> bool:
        """Whether the machine has a memory of that kind."""
        return self.machine.tier(tier) is not None

    @property
    def wires(self) -> bool:
        """Whether something can be wired into an on-chip memory beside the near one."""
        sram = self.machine.sram
        return sram is not None and sram.memory != self.machine.near.name


def places(context: Context) -> tuple[Place, ...]:
    """Return the machines that were given, then each plan's own."""
    given = [Place(machine) for machine in context.machines]
    for plan in context.module.plans.values():
        machine = context.machine_of(plan)
        if machine is not None:
            given.append(Place(machine, plan.name))
    return tuple(given)


class Holding:
    """What may not leave near memory, and when: only what is certain.

    - Wired: what exists before the first step and lasts, where the declaration or the plan wires
      it, through all steps of all phases, since it is bound at load; anything else from its first
      use in the phase on, to the phase's last step if it lasts and else to its last use. What
      prefers on-chip memory is wired there and is not held here, nor is what may be wired farther.
    - Hard claims that bind at once (no ``materialized``) and end with the session (no ``until``, no
      ``retain_us``): through all steps. Of ``blocks`` instances the smallest ones that are covered.
    - ``UNTIL_`` an event that steps raise: from its first use in the phase to the step that raises
      the event, or to its last use if that comes before. Other conditions may be false.

    Soft pins, soft claims, dwell and spill policies yield under pressure and hold nothing here.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.said = context.once(Said)
        self.needs = context.once(Needs)

    @property
    def module(self) -> Module:
        """The module that is read."""
        return self.context.module

    def ledger(self, phase: Phase, place: Place) -> Ledger:
        """Return a phase's needs and stays in the near memory of a machine."""
        needs = self.needs.of(phase, place.plan)
        outside = frozenset(self.on_chip(phase.name, place.plan)) if place.wires else frozenset()
        stays: dict[str, Stay] = {}
        for stay in self._stays(phase, place, needs, outside):
            if stay.name not in stays or _steps(stays[stay.name]) < _steps(stay):
                stays[stay.name] = stay
        return Ledger(self.module, phase, needs, tuple(stays.values()), outside)

    def on_chip(self, phase: str | None, plan: str | None) -> Iterator[str]:
        """Yield what is wired into on-chip memory: it prefers to be there, or the plan puts it."""
        for name in self._pinned:
            if self.said.value(name, "pin_level", phase, plan) is PinLevel.WIRED:
                stays = self.said.value(name, "residency", phase, plan) or ()
                tiers = self.said.value(name, "preferred_tiers", phase, plan)
                if TierKind.SRAM in tiers or any(s.tier is TierKind.SRAM for s in stays):
                    yield name

    def tiers_of(self, name: str, phase: str | None, place: Place) -> frozenset[TierKind]:
        """Return which of its preferred tiers the machine has."""
        tiers = self.said.value(name, "preferred_tiers", phase, place.plan)
        return frozenset(tier for tier in tiers if place.has(tier))

    def lasting(self, name: str) -> bool:
        """Whether an object exists before the first step and as long as the model is loaded."""
        scope = self.said.implied(name, "persistence_scope")
        mark = self.said.mark(name, "persistence_scope")
        scope = scope if mark is None else self.said.typed(mark)
        return self.said.class_of(name) in AT_LOAD and scope in _LASTING

    def claimed(self, claim: Claim) -> tuple[str, ...]:
        """Return what a claim covers: what it names, and what says that the claim covers it."""
        named = [part for name in read(claim, "objects") or () for part in self.module.parts(name)]
        own = (name for name in self._claiming if self._claim_of(name) == claim.name)
        return tuple(dict.fromkeys((*named, *own)))

    def claimed_bytes(self, claim: Claim, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Return which of the covered objects a claim holds for certain, with their bytes."""
        sizes = [(name, self.instance_bytes(name)) for name in names]
        fixed = [(name, size) for name, size in sizes if name not in self.module.templates]
        blocks = read(claim, "blocks")
        if blocks is None:
            return tuple(fixed)
        if len(fixed) == len(sizes):
            return tuple(sorted(fixed, key=lambda pair: pair[1])[:blocks])
        name, least = min(sizes, key=lambda pair: pair[1])
        return ((name, blocks * least if name in self.module.templates else least),)

    def _stays(
        self, phase: Phase, place: Place, needs: Sequence[Need], outside: frozenset[str]
    ) -> Iterator[Stay]:
        if not needs:
            return
        yield from self._wired(phase, place, outside)
        yield from self._promised(len(needs), place)
        yield from self._protected(phase, place)

    def _wired(self, phase: Phase, place: Place, outside: frozenset[str]) -> Iterator[Stay]:
        near = frozenset((place.machine.near.kind,))
        for name in self._pinned:
            mark = self.said.mark(name, "pin_level", phase.name, place.plan)
            if mark is None or self.said.typed(mark) is not PinLevel.WIRED or name in outside:
                continue
            if self.tiers_of(name, phase.name, place) != near or name in self.module.templates:
                continue
            first, last = self._life(name, phase, place.plan)
            size = self.size(name, phase, place.plan)
            if size and first <= last:
                yield Stay(name, size, first, last, mark, "is wired")

    def _life(self, name: str, phase: Phase, plan: str | None) -> tuple[int, int]:
        """Return from which step to which a wired object is near."""
        end, lasting = len(phase.steps) - 1, self.lasting(name)
        if lasting and self.said.value(name, "pin_level", None, plan) is PinLevel.WIRED:
            return 0, end
        first, last = self._uses(name, phase, plan)
        return first, end if lasting and first <= last else last

    def _uses(self, name: str, phase: Phase, plan: str | None) -> tuple[int, int]:
        """Return the first and the last step that use an object; (0, -1) if none does."""
        return self.needs.uses(phase, plan).get(name, (0, -1))

    def _promised(self, steps: int, place: Place) -> Iterator[Stay]:
        for claim in self.module.claims.values():
            if not endless(claim) or not promises(claim, place.machine.near.kind, place):
                continue
            for name, size in self.claimed_bytes(claim, self.claimed(claim)):
                if size:
                    why = f"is held by the hard claim `{claim.name}`"
                    yield Stay(name, size, 0, steps - 1, Mark(claim), why)

    def _protected(self, phase: Phase, place: Place) -> Iterator[Stay]:
        near = frozenset((place.machine.near.kind,))
        for name in self._guarded:
            mark = self.said.mark(name, "anti_evict_rule", phase.name, place.plan)
            rule: Condition | None = None if mark is None else self.said.typed(mark)
            if mark is None or rule is None or not rule.until or rule.word not in self._raised:
                continue
            tiers = self.said.value(name, "anti_evict_from", phase.name, place.plan)
            kept = self.tiers_of(name, phase.name, place)
            kept = kept if tiers is None else frozenset(t for t in tiers if place.has(t))
            if kept != near or name in self.module.templates:
                continue
            first, last = self._uses(name, phase, place.plan)
            last = min(last, self._end(rule, phase, first))
            size = self.size(name, phase, place.plan)
            if size and first <= last:
                yield Stay(name, size, first, last, mark, f"may not leave until {rule.word}")

    def _end(self, rule: Condition, phase: Phase, first: int) -> int:
        """Return the step from ``first`` on that raises what a rule waits for."""
        raising = (
            place
            for place, event in self._events[phase.name]
            if place >= first and _matches(rule, event)
        )
        return next(raising, len(phase.steps) - 1)

    def size(self, name: str, phase: Phase, plan: str | None) -> int:
        """Return the least bytes of an object in a phase."""
        return self.needs.size_of(name, self.needs.batch(phase), phase.name, plan)

    def instance_bytes(self, name: str) -> int:
        """Return the bytes of one instance of a template, or of an object; 0 where unknown."""
        amount = self.needs.amount_of(name)
        template = self.module.templates.get(name)
        if isinstance(amount, PerToken) and template is not None:
            tokens = read(template, "block_tokens")
            return self.needs.least(name, amount.amount * tokens if tokens else 0, None, None)
        size = amount if isinstance(amount, int) else 0
        return self.needs.least(name, size, None, None)

    def _claim_of(self, name: str) -> object:
        mark = self.said.mark(name, "claimed_by")
        return None if mark is None else self.said.typed(mark)

    @cached_property
    def _pinned(self) -> tuple[str, ...]:
        return self.said.about("pin_level")

    @cached_property
    def _guarded(self) -> tuple[str, ...]:
        return self.said.about("anti_evict_rule")

    @cached_property
    def _claiming(self) -> tuple[str, ...]:
        return self.said.about("claimed_by")

    @cached_property
    def _events(self) -> dict[str, tuple[tuple[int, Applied], ...]]:
        return {
            phase.name: tuple(
                (place, event)
                for place, step in enumerate(phase.steps)
                for event in _raised_by(step)
            )
            for phase in self.module.phases.values()
        }

    @cached_property
    def _raised(self) -> frozenset[str]:
        raised = {event.word.upper() for events in self._events.values() for _, event in events}
        return frozenset(word for word in raised if word.lower() not in _ANY_TIME)


def endless(claim: Claim) -> bool:
    """Whether a claim is never lost, binds at once and holds as long as the session."""
    hard = read(claim, "guarantee") is Guarantee.HARD
    ends = any(claim.value(key) is not None for key in ("until", "retain_us", "materialized"))
    return hard and not ends


def promises(claim: Claim, tier: TierKind, place: Place) -> bool:
    """Whether, of the pools that a claim names, the machine has this one alone."""
    return [kind for kind in read(claim, "tiers") if place.has(kind)] == [tier]


def _raised_by(step: Step) -> Iterator[Applied]:
    yield from read(step, "raises") or ()
    if step.value("collective") is not None:
        yield Applied(SignalKind.ALLREDUCE_COMPLETE.value)


def _matches(rule: Condition, event: Applied) -> bool:
    """Whether an event may be the one that a rule waits for: what is not said may be any."""
    word = event.word.upper() == rule.word
    return word and (not rule.args or not event.args or set(rule.args) <= set(event.args))


def _steps(stay: Stay) -> int:
    return stay.last - stay.first
