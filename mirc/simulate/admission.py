"""What steps need and what a machine has into whether a run is admitted: the one definition."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import attrs
import numpy as np

from mirc.controller.descriptors import HELD_FAST
from mirc.controller.ingest import strength_of
from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.resolve import View
from mirc.machine import Machine
from mirc.simulate.census import Census
from mirc.simulate.demand import Demand, Spell, Usage
from mirc.simulate.instances import Walk
from mirc.simulate.model import Ints, Spills
from mirc.simulate.tables import PhaseTable
from mirc.simulate.topology import (
    no_room_for_masters,
    rooms_below,
    rooms_for,
)


class Scope(StrEnum):
    """Which memories a run may use."""

    NEAR = "near"
    """Near memory alone holds all weights, all caches and what is alive, from the start."""
    TIERS = "tiers"
    """What a step uses is near while it runs; the rest may lie below, and streams."""


@attrs.frozen(kw_only=True)
class Below:
    """The memories below near memory: what is left beside the masters, for what is spilled.

    ``masters_bytes`` and ``room_bytes`` are of all of them; None of ``free_bytes`` says that the
    masters find no place.
    """

    masters_bytes: int
    room_bytes: int
    free_bytes: int | None


@attrs.frozen(kw_only=True)
class Peak:
    """The step that needs the most of near memory, and the run of its phase."""

    phase: str
    step: int
    size_bytes: int
    spell: Spell = attrs.field(eq=False)


def kept_fast(module: Module, plan: str | None, census: Census, machine: Machine) -> frozenset[str]:
    """Return what may not leave near memory: what is wired, and what is made and never spilled."""
    near = str(machine.near.kind)
    view = View(module, plan=plan)
    names = (name for name in census.names if name in module.objects)
    return frozenset(name for name in names if strength_of(view, name, near) == HELD_FAST)


def backing_of(module: Module, plan: str | None, census: Census) -> dict[str, tuple[str, ...]]:
    """Return the tiers that may hold the master of each object, or of what rows are gathered of."""
    view = View(module, plan=plan)
    found: dict[str, tuple[str, ...]] = {}
    for name in census.names:
        owner = name if name in module.data else name[: name.rindex("(")]
        found[name] = tuple(str(tier) for tier in view.value(owner, "backing") or ())
    return found


def below(demanded: Demand, machine: Machine, spells: Mapping[str, Sequence[Spell]]) -> Below:
    """Return what the memories below have left beside the masters.

    What passes through a memory needs room there for its largest objects, which grow with the
    batch, where anything has to pass. Bytes are counted, as if masters were cut to fit: a run that
    begins still places each.
    """
    sizes = _sizes(demanded, spells)[~demanded.made]
    rooms = rooms_for(sizes, demanded.backing, spills(demanded, spells), rooms_below(machine))
    masters = int(sizes.sum())
    every = sum(max(0, room.size_bytes) for room in rooms)
    back = sum(max(0, room.size_bytes) for room in rooms if room.returns)
    return Below(
        masters_bytes=masters,
        room_bytes=every,
        free_bytes=None if masters > every else max(0, back - masters),
    )


def spills(demanded: Demand, spells: Mapping[str, Sequence[Spell]]) -> Spills:
    """Return what of all that is made may have to be spilled."""
    sizes = _sizes(demanded, spells)[demanded.made]
    runs = [(name, spell) for name, phase in spells.items() for spell in phase]
    blocks = [demanded.largest_block(spell) for _, spell in runs]
    held = [int(demanded.alive(name, spell).max(initial=0)) for name, spell in runs]
    return Spills(held_bytes=max(held), largest_bytes=max([int(sizes.max(initial=0)), *blocks]))


def _sizes(demanded: Demand, spells: Mapping[str, Sequence[Spell]]) -> Ints:
    return demanded.sizes_at(max(spell.sequences for phase in spells.values() for spell in phase))


def need(demanded: Demand, scope: Scope, phase: str, spell: Spell, under: Below) -> Ints:
    """Return the bytes of near memory that each step of a run needs, whatever a policy does.

    ``NEAR``: all masters, all blocks, what is alive, and the step's inner peak. ``TIERS``: what the
    step uses, whole; besides, what may not leave, or finds no room below, has to stay beside it.
    A step that fits here is never stuck: whatever else lies near can be dropped or spilled.
    """
    usage = demanded.usage(phase, spell)
    if scope is Scope.NEAR:
        return demanded.weights_bytes + usage.alive + usage.passing + usage.transient
    homeless = np.maximum(0, usage.alive - (under.free_bytes or 0))
    return usage.operands + _rest(usage, homeless)


def _rest(usage: Usage, homeless: Ints) -> Ints:
    rest: Ints = np.maximum(usage.kept, np.minimum(homeless, usage.alive - usage.used))
    return rest


def peak(
    demanded: Demand, scope: Scope, spells: Mapping[str, Sequence[Spell]], under: Below
) -> Peak:
    """Return the step that needs the most over all runs that are given."""
    return max(_peaks(demanded, scope, spells, under), key=lambda found: found.size_bytes)


def _peaks(
    demanded: Demand, scope: Scope, spells: Mapping[str, Sequence[Spell]], under: Below
) -> Iterator[Peak]:
    for phase, runs in spells.items():
        for spell in runs:
            needed = need(demanded, scope, phase, spell, under)
            step = int(needed.argmax())
            yield Peak(phase=phase, step=step, size_bytes=int(needed[step]), spell=spell)


def largest_spells(runs: Sequence[PhaseTable], walked: Walk) -> dict[str, tuple[Spell, ...]]:
    """Return, for each phase, the run at which its caches are the largest."""
    alive = np.concatenate([[g.sequences] * (g.end - g.first) for g in walked.generations])
    found: dict[str, tuple[Spell, ...]] = {}
    for run, table in enumerate(runs):
        before, after = walked.spans[run]
        known = found.get(table.name)
        held = int(alive[run])
        if known is None or held * after.sum() > known[0].alive * known[0].after.sum():
            spell = Spell(sequences=table.batch.sequences, alive=held, before=before, after=after)
            found[table.name] = (spell,)
    return found


def admit(
    demanded: Demand,
    spells: Mapping[str, Sequence[Spell]],
    module: Module,
    machine: Machine,
    *,
    scope: Scope,
) -> None:
    """Raise CouldNotRun for a run that the machine's memories cannot hold, naming the step."""
    under = below(demanded, machine, spells)
    if scope is Scope.TIERS and under.free_bytes is None:
        raise no_room_for_masters(machine, under.masters_bytes, under.room_bytes)
    worst = peak(demanded, scope, spells, under)
    if worst.size_bytes > machine.near.usable_bytes:
        raise CouldNotRun(
            refusal(worst, module, machine, scope),
            "split the step or its objects, lower `--batch`, or choose a larger machine",
        )


def refusal(worst: Peak, module: Module, machine: Machine, scope: Scope) -> str:
    """Return the sentence that says which step needs more than near memory has."""
    near = machine.near
    what = "needs" if scope is Scope.TIERS else "runs beside all weights and caches and needs"
    return (
        f"step `{step_name(module, worst)}` of `{worst.phase}` {what} {worst.size_bytes:_} bytes "
        f"at once, and `{near.name}` of {machine.name} has {near.usable_bytes:_}"
    )


def step_name(module: Module, worst: Peak) -> str:
    """Return the name of a peak's step; the phase's own where it has no steps."""
    steps = module.phases[worst.phase].steps
    return steps[worst.step].name if steps else worst.phase
