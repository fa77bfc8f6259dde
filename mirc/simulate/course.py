"""A packed file and a scenario into the stage that follows what is raised, begun and shared."""

from collections.abc import Iterator, Mapping

import numpy as np

from mirc.controller.ingest import strength_of
from mirc.controller.signals import Course, Guard, Raised, SignalStage
from mirc.ir import families_of
from mirc.ir.meaning import Applied, Condition
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.model import Ints
from mirc.simulate.topology import rooms_below
from mirc.simulate.workload import Scenario

_GROUP = "SEQUENCE_GROUP"


def signal_stage(
    packed: Packed, scenario: Scenario, machine: Machine, plan: str | None
) -> SignalStage | None:
    """Return the stage, or None for a file without rules and without overrides on signals.

    A rule that protects several tiers of the machine lets its object move between them, and bars
    the others. One that protects near memory alone keeps it there.
    """
    owners = _owners(packed, scenario.workload.names)
    guards = tuple(
        tuple(_guards(PackedView(packed, phase=phase, plan=plan), owners, machine))
        for phase in packed.phases
    )
    strengths = {
        event: dict(_strengths(packed, event, owners, machine, plan)) for event in packed.signals
    }
    raises = {
        step: tuple(Raised(each.word, tuple(map(str, each.args))) for each in events)
        for step, events in scenario.raises.items()
    }
    heard = any(event.word in strengths for events in raises.values() for event in events)
    if not any(guards) and not heard:
        return None
    workload = scenario.workload
    course = Course(
        names=workload.names,
        phases=tuple(packed.phases),
        phase=workload.step_phase.astype(np.int64),
        begins=frozenset(np.flatnonzero(workload.step_position == 0).tolist()),
        raises=raises,
        fanout=_fanout(packed, scenario, owners, plan),
    )
    return SignalStage(course, guards, strengths)


def _owners(packed: Packed, names: tuple[str, ...]) -> dict[str, list[int]]:
    """Return the run's objects by the declaration that each comes from."""
    found: dict[str, list[int]] = {}
    for o, name in enumerate(names):
        owner = name if name in packed.data else name[: name.rindex("(")]
        found.setdefault(owner, []).append(o)
    return found


def _guards(view: PackedView, owners: Mapping[str, list[int]], machine: Machine) -> Iterator[Guard]:
    below = [room.kind for room in rooms_below(machine)]
    for owner, objects in owners.items():
        rule = view.value(owner, "anti_evict_rule")
        if not isinstance(rule, Condition):
            continue
        tiers = view.value(owner, "anti_evict_from") or view.value(owner, "preferred_tiers") or ()
        # Memories below are numbered from 1, in the order of their rooms.
        outside = [number for number, kind in enumerate(below, 1) if kind not in tiers]
        all_outside = len(outside) == len(below)
        if not outside or (all_outside and machine.near.kind not in tiers):
            continue
        barred = 0 if all_outside else sum(1 << number for number in outside)
        for o in objects:
            yield Guard(
                object=o,
                until=rule.until,
                word=rule.word,
                bound=rule.bound or 0,
                barred=barred,
                args=tuple(map(str, rule.args)),
            )


def _strengths(
    packed: Packed,
    event: str,
    owners: Mapping[str, list[int]],
    machine: Machine,
    plan: str | None,
) -> Iterator[tuple[int, int]]:
    """Yield the strength of each object that a signal speaks of."""
    spoken = {override.name for override in packed.signals[event].overrides}
    view = PackedView(packed, signal=event, plan=plan)
    for owner, objects in owners.items():
        if any(name in spoken for name in (owner, *families_of(owner))):
            strength = strength_of(view, owner, str(machine.near.kind))
            yield from ((o, strength) for o in objects)


def _fanout(
    packed: Packed, scenario: Scenario, owners: Mapping[str, list[int]], plan: str | None
) -> Ints:
    """Count the sequences that share each object in each phase: [p, n].

    A named group has its members, an instance one sequence, all else those of the phase.
    """
    workload = scenario.workload
    found = np.ones((len(packed.phases), workload.object_count), dtype=np.int64)
    for number, phase in enumerate(packed.phases):
        view = PackedView(packed, phase=phase, plan=plan)
        for owner, objects in owners.items():
            shared = view.value(owner, "sharing_scope")
            if isinstance(shared, Applied) and shared.word == _GROUP and shared.args:
                found[number, objects] = len(shared.args)
            elif owner in packed.objects:
                found[number, objects] = scenario.sequences_of.get(phase, 0)
    return found
