"""A plan and a machine with a little more of something into what that would save."""

from collections.abc import Iterator

import attrs

from mirc.graph import Program
from mirc.machine import Link, Machine, Memory
from mirc.passes.base import Facts
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import PIPELINE, closure
from mirc.passes.seeds import Machines
from mirc.passes.tier_liveness import TierLive

GB = 10**9
MOST_OF_A_MEMORY = 16
"""A memory is tried with 1 GB more, or with this part of its size where that is less."""
PS_PER_MS = 10**9


@attrs.frozen(kw_only=True)
class ShadowPrice:
    """What a little more of a machine's part takes off a run of a phase.

    ``step`` is how much more was tried, in GB of a memory or in GB/s of a link (all its fragment
    sizes alike), and ``step_saved_ms`` what it saved. ``saved_ms`` is the same per unit: a rate,
    which says little of a whole unit where ``step`` is a small part of one. ``weighted_ms`` adds up
    the rate over all runs of the schedule, ``run_ms`` is the run as it is. Negative where the plan
    gets slower: it is a heuristic's, and no optimum.
    """

    machine: str
    part: str
    kind: str
    phase: str
    unit: str
    step: float
    step_saved_ms: float
    saved_ms: float
    weighted_ms: float
    run_ms: float
    method: str = "finite differences of the plan's own run time"


def shadow_prices(program: Program, facts: Facts) -> Iterator[ShadowPrice]:
    """Yield a price for each phase and part of each machine, by planning again.

    A phase that does not fit has none. Only the passes that look at machines run again, once for
    each part. Cost: that of these passes times the parts. Raises MissingFactError where no tier
    plan was made.
    """
    for plan in facts[TierLive].plans:
        if not any(phase.placement.fits for phase in plan.phases.values()):
            continue
        before = _run_ms(program, facts, plan.machine)
        for trial in _trials(plan.machine):
            after = _run_ms(program, facts, trial.machine)
            for phase in facts[Phases].phases:
                if not plan.phases[phase.name].placement.fits:
                    continue
                step_saved = before[phase.name] - after[phase.name]
                saved = step_saved / trial.step
                yield ShadowPrice(
                    machine=plan.machine.name,
                    part=trial.part,
                    kind=trial.kind,
                    phase=phase.name,
                    unit=trial.unit,
                    step=trial.step,
                    step_saved_ms=step_saved,
                    saved_ms=saved,
                    weighted_ms=saved * phase.runs,
                    run_ms=before[phase.name],
                )


def unpriced(facts: Facts) -> Iterator[str]:
    """Yield why a phase on a machine has no prices. Raises as ``shadow_prices``."""
    for plan in facts[TierLive].plans:
        for name, phase in plan.phases.items():
            if not phase.placement.fits:
                yield (
                    f"{name} on {plan.machine.name} does not fit: no run of it can be timed, with "
                    "more of a part or without"
                )


@attrs.frozen(kw_only=True)
class _Trial:
    """A machine whose ``part`` has ``step`` units more."""

    machine: Machine
    part: str
    kind: str
    unit: str
    step: float


def _trials(machine: Machine) -> Iterator[_Trial]:
    for memory in machine.memories:
        more = min(GB, memory.capacity_bytes // MOST_OF_A_MEMORY) or 1
        yield _Trial(
            machine=_larger(machine, memory, more),
            part=memory.name,
            kind="memory",
            unit="GB",
            step=more / GB,
        )
    for link in machine.links:
        faster = min(float(GB), link.peak_bytes_per_s / MOST_OF_A_MEMORY)
        yield _Trial(
            machine=_faster(machine, link, faster),
            part=link.name,
            kind="link",
            unit="GB/s",
            step=faster / GB,
        )


def _run_ms(program: Program, facts: Facts, machine: Machine) -> dict[str, float]:
    """Return the planned milliseconds of a run of each phase on one machine."""
    (plan,) = _replanned(program, facts, machine)[TierLive].plans
    return {name: phase.placement.run_ps / PS_PER_MS for name, phase in plan.phases.items()}


def _replanned(program: Program, facts: Facts, machine: Machine) -> Facts:
    """Plan for another machine; what no machine changes is taken as it is."""
    written = {each.writes for each in PIPELINE} | {Machines}
    seeds = (fact for fact in facts if type(fact) not in written)
    found = Facts.seeded(Machines((machine,)), *seeds)
    changed: set[type] = {Machines}
    for each in closure(("tier-liveness",)):
        if changed.isdisjoint(each.reads):
            found = found.having(facts[each.writes])
        else:
            changed.add(each.writes)
            found = found.having(each.run(program, found))
    return found


def _larger(machine: Machine, memory: Memory, size_bytes: int) -> Machine:
    grown = attrs.evolve(memory, capacity_bytes=memory.capacity_bytes + size_bytes)
    return attrs.evolve(
        machine,
        memories=tuple(grown if each is memory else each for each in machine.memories),
    )


def _faster(machine: Machine, link: Link, bytes_per_s: float) -> Machine:
    factor = 1 + bytes_per_s / link.peak_bytes_per_s
    curve = tuple((size, rate * factor) for size, rate in link.curve)
    faster = attrs.evolve(link, curve=curve)
    return attrs.evolve(
        machine, links=tuple(faster if each is link else each for each in machine.links)
    )
