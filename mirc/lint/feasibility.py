"""Rules about what must be held at once, on a machine: each names the bytes that are too many."""

from collections.abc import Iterator, Mapping, Sequence

from mirc.diagnostics import Severity
from mirc.ir.enums import PinLevel, TierKind
from mirc.ir.meaning import Residency
from mirc.ir.module import Block, Phase
from mirc.ir.places import Mark
from mirc.lint.context import Context
from mirc.lint.holding import Holding, Place, places
from mirc.lint.ledger import Held, Ledger, Stay, against, named, shown, spans, witness
from mirc.lint.needs import Need
from mirc.lint.rule import Found, LintRule
from mirc.lint.said import Said


class StepBeyondMemory(LintRule):
    """What a step must hold at once is more than near memory has, whatever a controller does.

    A model larger than the memory is no fault: it streams. Nothing streams within a step, though.
    While one runs, near memory holds what it reads and writes, its `transient_bytes`, and what
    may not leave: wired objects, hard claims, and what an `anti_evict_rule` protects until an
    event that steps raise. Clean copies are dropped, dirty ones spilled, soft pins broken with
    their event; these are never. Only what is certain counts: each object once, at the narrowest
    precision that its floor allows, symbolic sizes at the phase's captured `batch`, `tokens` and
    `context`, a `ROUTED` read at its smallest experts. What has no size, phases without steps and
    conditions that may be false are left out. The witness is the fewest objects that are too many:
    without any one of them the rest would fit.
    """

    code = "MIR603"
    name = "step-beyond-memory"
    severity = Severity.ERROR
    message = (
        "step `{step}` of `{phase}` must hold {need} at once, and {tier} of {machine} has "
        "{capacity}: {witness}{others}"
    )
    hint = "split the step or its objects, lower the phase's `batch`, or release what is held"
    bad = """
object w { class = WEIGHT_TILE  size_bytes = 60GiB }
object x { class = ACTIVATION  size_bytes = 20GiB }
phase p { step s { reads = [w]  writes = [x] } }
"""
    good = """
object w[0:512] { class = WEIGHT_TILE  size_bytes = 30GiB }
object w[512:1024] { class = WEIGHT_TILE  size_bytes = 30GiB }
object x { class = ACTIVATION  size_bytes = 20GiB }
phase p {
  step s.0 { reads = ["w[0:512]"]  writes = [x] }
  step s.1 { reads = ["w[512:1024]"]  writes = [x] }
}
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        for place in places(context):
            holding = context.once(Holding.made)
            for phase in context.module.phases.values():
                yield from self._in(holding.ledger(phase, place), phase, place)

    def _in(self, ledger: Ledger, phase: Phase, place: Place) -> Iterator[Found]:
        near = place.machine.near
        totals = ledger.totals()
        over = [step for step, total in enumerate(totals) if total > near.usable_bytes]
        if not over:
            return
        worst = max(over, key=totals.__getitem__)
        held = ledger.held(worst)
        need, capacity = against(totals[worst], near.usable_bytes)
        found = witness(held, near.usable_bytes)
        yield self.at(
            phase.steps[worst],
            related=shown(found),
            step=phase.steps[worst].name,
            phase=phase.name,
            need=need,
            tier=near.kind,
            machine=place.machine.name,
            capacity=capacity,
            witness=named(found, len(held)),
            others=_others(len(over) - 1),
        )


class ProtectedBeyondTier(LintRule):
    """What is pinned or protected from eviction is more than the tiers that it may not leave.

    All of it exists at the same time. If every protection holds then, one of the promises must be
    broken: a soft pin with its event, or nothing can be admitted beside them. Objects that exist
    from the first step on count everywhere, others between their first and last use in a phase.
    """

    code = "MIR604"
    name = "protected-beyond-tier"
    severity = Severity.WARNING
    message = (
        "{need} may not leave {tier} in `{phase}`, and {machine} has {capacity} of it: {witness}"
    )
    hint = "take the pin or `anti_evict_rule` from some of them, or let them prefer one more tier"
    bad = """
object a { class = WEIGHT_TILE  size_bytes = 40GiB  pin_level = SOFT }
object b { class = WEIGHT_TILE  size_bytes = 40GiB  pin_level = SOFT }
phase p {
  step s { reads = [a] }
  step t { reads = [b] }
}
"""
    good = """
object a { class = WEIGHT_TILE  size_bytes = 40GiB  pin_level = SOFT }
object b { class = WEIGHT_TILE  size_bytes = 40GiB }
phase p {
  step s { reads = [a] }
  step t { reads = [b] }
}
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        holding = context.once(Holding.made)
        names = dict.fromkeys(
            (*holding.said.about("pin_level"), *holding.said.about("anti_evict_rule"))
        )
        for place in places(context) if names else ():
            worst: dict[frozenset[TierKind], tuple[int, Phase, tuple[Held, ...]]] = {}
            for phase in context.module.phases.values():
                for tiers, ledger in _protected(holding, tuple(names), phase, place):
                    totals = ledger.totals()
                    step = max(range(len(totals)), key=totals.__getitem__)
                    if tiers not in worst or totals[step] > worst[tiers][0]:
                        worst[tiers] = totals[step], phase, ledger.held(step)
            for tiers, (total, phase, held) in worst.items():
                room = sum(m.usable_bytes for m in place.machine.memories if m.kind in tiers)
                if total > room:
                    yield self._found(tiers, (total, room), phase, place, held)

    def _found(
        self,
        tiers: frozenset[TierKind],
        sizes: tuple[int, int],
        phase: Phase,
        place: Place,
        held: Sequence[Held],
    ) -> Found:
        need, capacity = against(*sizes)
        found = witness(held, sizes[1])
        first = found[0].mark
        return self.at(
            first.block,
            first.key,
            related=shown(found[1:]),
            need=need,
            tier=" or ".join(tier for tier in TierKind if tier in tiers),
            phase=phase.name,
            machine=place.machine.name,
            capacity=capacity,
            witness=named(found, len(held)),
        )


class ResidencyBeyondTier(LintRule):
    """A plan puts more into a memory than it has: at this step its residencies do not fit.

    In near memory what the step itself needs counts beside them. A tier alone, without steps,
    counts through the whole phase; an object in it twice counts once.
    """

    code = "MIR609"
    name = "residency-beyond-tier"
    severity = Severity.ERROR
    message = (
        "the plan `{plan}` has {need} in {tier} at `{step}` of `{phase}`, and {machine} has "
        "{capacity}: {witness}{others}"
    )
    hint = "shorten some of the stays, or leave an object in a lower tier"
    bad = """
object a { class = WEIGHT_TILE  size_bytes = 15GiB }
object b { class = WEIGHT_TILE  size_bytes = 15GiB }
phase p {
  step s { reads = [a] }
  step t { reads = [b] }
}
plan card {
  machine = "card-24g"
  phase p {
    override a { residency = [HBM] }
    override b { residency = [HBM, DRAM] }
  }
}
"""
    good = """
object a { class = WEIGHT_TILE  size_bytes = 15GiB }
object b { class = WEIGHT_TILE  size_bytes = 15GiB }
phase p {
  step s { reads = [a] }
  step t { reads = [b] }
}
plan card {
  machine = "card-24g"
  phase p {
    override a { residency = [HBM(s, s), DRAM] }
    override b { residency = [HBM(t, t), DRAM] }
  }
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        holding = context.once(Holding.made)
        for plan in context.module.plans.values():
            machine = context.machine_of(plan)
            if machine is None:
                continue
            place = Place(machine, plan.name)
            everywhere = _residing(holding.said, plan.name, None)
            for phase in context.module.phases.values():
                names = everywhere | _residing(holding.said, plan.name, phase.name)
                if names:
                    yield from self._in(holding, phase, place, names)

    def _in(
        self, holding: Holding, phase: Phase, place: Place, names: Mapping[str, Mark]
    ) -> Iterator[Found]:
        stays = _stays(holding, phase, place, names)
        for tier in TierKind:
            if tier not in stays:
                continue
            near = place.machine.near
            if tier is near.kind and phase.steps:
                needs, room = holding.needs.of(phase, place.plan), near.usable_bytes
            else:
                needs = (Need({}, {}, 0),) * max(1, len(phase.steps))
                memories = (m for m in place.machine.memories if m.kind == tier)
                room = sum(memory.usable_bytes for memory in memories)
            outside = frozenset(holding.on_chip(phase.name, place.plan)) - names.keys()
            ledger = Ledger(holding.module, phase, needs, stays[tier], outside)
            totals = ledger.totals()
            over = [step for step, total in enumerate(totals) if total > room]
            if not over or not room:
                continue  # a tier that the machine does not have is another rule's
            worst = max(over, key=totals.__getitem__)
            held = ledger.held(worst)
            found = witness(held, room)
            first = next((h.mark for h in found if h.mark.key == "residency"), None)
            block: Block = phase.steps[worst] if first is None else first.block
            need, capacity = against(totals[worst], room)
            yield self.at(
                block,
                None if first is None else first.key,
                related=shown(found),
                plan=place.plan,
                need=need,
                tier=tier,
                step=phase.steps[worst].name if phase.steps else phase.name,
                phase=phase.name,
                machine=place.machine.name,
                capacity=capacity,
                witness=named(found, len(held)),
                others=_others(len(over) - 1),
            )


def _others(count: int) -> str:
    return "" if not count else f" (and {count} more step{'s' * (count > 1)})"


def _protected(
    holding: Holding, names: Sequence[str], phase: Phase, place: Place
) -> Iterator[tuple[frozenset[TierKind], Ledger]]:
    """Yield, for each set of tiers that something may not leave, what may not leave it."""
    steps = max(1, len(phase.steps))
    empty = (Need({}, {}, 0),) * steps
    groups: dict[frozenset[TierKind], list[Stay]] = {}
    on_chip = frozenset(holding.on_chip(phase.name, place.plan)) if place.wires else frozenset()
    uses = holding.needs.uses(phase, place.plan)
    for name in names:
        mark, tiers = _protection(holding, name, phase, place)
        if mark is None or not tiers or name in on_chip or name in holding.module.templates:
            continue
        life = (0, steps - 1) if holding.lasting(name) else uses.get(name)
        size = holding.size(name, phase, place.plan)
        if life is not None and size:
            stay = Stay(name, size, *life, mark, f"is held by its `{mark.key}`")
            groups.setdefault(tiers, []).append(stay)
    for tiers in groups:
        inside = [s for other, stays in groups.items() if other <= tiers for s in stays]
        yield tiers, Ledger(holding.module, phase, empty, inside)


def _protection(
    holding: Holding, name: str, phase: Phase, place: Place
) -> tuple[Mark | None, frozenset[TierKind]]:
    """Return what protects an object, and which tiers of the machine it may not leave."""
    said = holding.said
    rule = said.mark(name, "anti_evict_rule", phase.name, place.plan)
    if rule is not None:
        tiers = said.value(name, "anti_evict_from", phase.name, place.plan)
        if tiers is not None:
            return rule, frozenset(tier for tier in tiers if place.has(tier))
        return rule, holding.tiers_of(name, phase.name, place)
    pin = said.mark(name, "pin_level", phase.name, place.plan)
    if pin is None or said.typed(pin) is PinLevel.NONE:
        return None, frozenset()
    return pin, holding.tiers_of(name, phase.name, place)


def _residing(said: Said, plan: str, phase: str | None) -> dict[str, Mark]:
    """Return what a plan gives residencies to in a phase, or everywhere, and where it does."""
    found: dict[str, Mark] = {}
    for owner, name in said.overriding(plan, "residency"):
        if owner == phase:
            for part in said.module.parts(name):
                mark = said.mark(part, "residency", phase, plan)
                if mark is not None:
                    found[part] = mark
    return found


def _stays(
    holding: Holding, phase: Phase, place: Place, names: Mapping[str, Mark]
) -> dict[TierKind, list[Stay]]:
    steps = max(1, len(phase.steps))
    index = {step.name: number for number, step in enumerate(phase.steps)}
    stays: dict[TierKind, list[Stay]] = {}
    for name, mark in names.items():
        size = 0 if name in holding.module.templates else holding.size(name, phase, place.plan)
        if not size:
            continue
        tiers: dict[TierKind, list[Residency]] = {}
        for residency in holding.said.typed(mark):
            tiers.setdefault(residency.tier, []).append(residency)
        for tier, residencies in tiers.items():
            why = f"lies in {tier} by the plan"
            for first, last in _merged(residencies, index, steps):
                stays.setdefault(tier, []).append(Stay(name, size, first, last, mark, why))
    return stays


def _merged(
    residencies: Sequence[Residency], index: Mapping[str, int], steps: int
) -> Iterator[tuple[int, int]]:
    """Yield the stretches of one object in one tier, in order and apart from each other."""
    found: list[tuple[int, int]] = []
    for residency in residencies:
        if residency.first_step is None or residency.last_step is None:
            yield 0, steps - 1
            return
        if residency.first_step in index and residency.last_step in index:
            first, last = index[residency.first_step], index[residency.last_step]
            found += spans(first, last, steps)
    found.sort()
    begin, end = -1, -2
    for first, last in found:
        if first <= end + 1:
            end = max(end, last)
        else:
            if begin >= 0:
                yield begin, end
            begin, end = first, last
    if begin >= 0:
        yield begin, end
