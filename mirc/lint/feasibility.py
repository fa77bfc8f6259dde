"""Rules about what must be held at once, on a machine: each names the bytes that are too many."""

from collections.abc import Iterator, Sequence

from mirc.diagnostics import Severity
from mirc.ir.enums import PinLevel, TierKind
from mirc.ir.module import Phase
from mirc.ir.places import Mark
from mirc.lint.context import Context
from mirc.lint.holding import Holding, Place, places
from mirc.lint.ledger import Held, Ledger, Stay, against, and_others, named, shown, witness
from mirc.lint.needs import Need
from mirc.lint.rule import Found, LintRule


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
            holding = context.once(Holding)
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
            others=and_others(len(over) - 1),
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
object k { class = KV_BLOCK  size_bytes = 40GiB  pin_level = SOFT }
phase p {
  step s { reads = [k] }
  step t { reads = [a] }
  step u { reads = [k] }
}
"""
    good = """
object a { class = WEIGHT_TILE  size_bytes = 40GiB  pin_level = SOFT }
object k { class = KV_BLOCK  size_bytes = 40GiB }
phase p {
  step s { reads = [k] }
  step t { reads = [a] }
  step u { reads = [k] }
}
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        holding = context.once(Holding)
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
