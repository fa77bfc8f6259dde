"""The rule about what a plan puts into a memory, step by step."""

from collections.abc import Iterator, Mapping, Sequence

from mirc.diagnostics import Severity
from mirc.ir.enums import TierKind
from mirc.ir.meaning import Residency
from mirc.ir.module import Block, Field, Override, Phase
from mirc.ir.places import Mark
from mirc.lint.context import Context
from mirc.lint.holding import Holding, Place
from mirc.lint.ledger import Ledger, Stay, against, and_others, named, shown, spans, witness
from mirc.lint.needs import Need
from mirc.lint.rule import Found, LintRule
from mirc.lint.said import Said

_Lying = dict[str, tuple[Override, Field]]


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
object b { class = WEIGHT_TILE  size_bytes = 15GiB  deadline_class = SOFT }
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
object b { class = WEIGHT_TILE  size_bytes = 15GiB  deadline_class = SOFT }
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
        holding = context.once(Holding)
        for plan in context.module.plans.values():
            machine = context.machine_of(plan)
            if machine is None:
                continue
            place = Place(machine, plan.name)
            everywhere = _residing(holding.said, plan.name, None)
            for phase in context.module.phases.values():
                lying = everywhere | _residing(holding.said, plan.name, phase.name)
                if lying:
                    yield from self._in(holding, phase, place, lying)

    def _in(self, holding: Holding, phase: Phase, place: Place, lying: _Lying) -> Iterator[Found]:
        near = place.machine.near
        outside = frozenset(holding.on_chip(phase.name, place.plan)) - lying.keys()
        for tier, entries in _by_tier(holding, phase, place, lying).items():
            if tier is near.kind and phase.steps:
                needs, room = holding.needs.of(phase, place.plan), near.usable_bytes
            else:
                needs = (Need({}, {}, 0),) * max(1, len(phase.steps))
                memories = (m for m in place.machine.memories if m.kind == tier)
                room = sum(memory.usable_bytes for memory in memories)
                if sum(size for _, size, *_ in entries) <= room:
                    continue  # all of it fits at once
            why = f"lies in {tier} by the plan"
            stays = [
                Stay(name, size, first, last, Mark(lying[name][0], "residency"), why)
                for name, size, first, last in entries
            ]
            ledger = Ledger(holding.module, phase, needs, stays, outside)
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
                others=and_others(len(over) - 1),
            )


def _residing(said: Said, plan: str, phase: str | None) -> _Lying:
    """Return what a plan gives residencies to in a phase, or everywhere, and where it does."""
    table = said.overriding(plan, phase, "residency")
    if table.keys() <= said.module.data.keys():
        return table
    found: _Lying = {}
    for name, written in table.items():
        for part in said.module.parts(name):
            if part == name or part not in table:
                found[part] = written
    return found


def _by_tier(
    holding: Holding, phase: Phase, place: Place, lying: _Lying
) -> dict[TierKind, list[tuple[str, int, int, int]]]:
    """Return (name, bytes, first step, last step) of what lies in each tier."""
    steps = max(1, len(phase.steps))
    index = {step.name: number for number, step in enumerate(phase.steps)}
    found: dict[TierKind, list[tuple[str, int, int, int]]] = {}
    shapes: dict[int, tuple[tuple[TierKind, int, int], ...]] = {}
    size_of = holding.needs.sizes(phase, place.plan)
    for name, (_, field) in lying.items():
        size = 0 if name in holding.module.templates else size_of(name)
        if not size:
            continue
        shape = shapes.get(id(field.value))  # equal lines share one value
        if shape is None:
            residencies = holding.said.read("residency", field.value)
            shape = shapes[id(field.value)] = tuple(_stretches(residencies, index, steps))
        for tier, first, last in shape:
            found.setdefault(tier, []).append((name, size, first, last))
    return found


def _stretches(
    residencies: Sequence[Residency], index: Mapping[str, int], steps: int
) -> Iterator[tuple[TierKind, int, int]]:
    """Yield from which step to which an object with these residencies lies in each tier."""
    tiers: dict[TierKind, list[Residency]] = {}
    for residency in residencies:
        tiers.setdefault(residency.tier, []).append(residency)
    for tier, several in tiers.items():
        for first, last in _merged(several, index, steps):
            yield tier, first, last


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
