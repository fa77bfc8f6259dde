"""Touches and a schedule into uses per run, and the bytes and time between them."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

import attrs

from mirc.graph import Access, Program, Role
from mirc.ir.enums import WorkKind
from mirc.machine import Machine
from mirc.machine.roofline import step_ps
from mirc.passes.base import Facts, Pass
from mirc.passes.expert_routing import Routing
from mirc.passes.liveness import Live
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.seeds import Machines
from mirc.passes.steps import Touch


@attrs.frozen(slots=True, kw_only=True)
class Reused:
    """One storage in one phase.

    ``uses_per_run`` counts the steps of one run that touch it, weighed by the routing
    probability. ``distance_bytes`` are the mean bytes that pass through near memory between a use
    and the next one, None where no next use is known.
    """

    uses_per_run: float
    distance_bytes: int | None


@attrs.frozen
class Clock:
    """One phase on one machine by the roofline: ``start_ps[i]`` is when step ``i`` begins.

    ``start_ps`` has one entry more than there are steps: the last one is the period.
    """

    start_ps: tuple[int, ...]

    @property
    def period_ps(self) -> int:
        """Picoseconds of one run, all operands near."""
        return self.start_ps[-1]

    def step_ps(self, step: int) -> int:
        """Picoseconds of one step."""
        return self.start_ps[step + 1] - self.start_ps[step]


@attrs.frozen(kw_only=True)
class PhaseReuse:
    """One phase: ``near_bytes[i]`` is what step ``i`` moves through near memory in all."""

    phase: str
    work: tuple[WorkKind, ...]
    near_bytes: tuple[int, ...]
    reused: dict[int, Reused]


@attrs.frozen
class Reuse:
    """Reuse by phase, and clocks by (machine, phase)."""

    phases: dict[str, PhaseReuse]
    clocks: dict[tuple[str, str], Clock]
    dtype: str

    def sentences(self) -> Iterator[str]:
        """Yield a line a phase and a line a clock."""
        for reuse in self.phases.values():
            once = sum(r.uses_per_run == 1 for r in reuse.reused.values())
            again = [r.distance_bytes for r in reuse.reused.values() if r.distance_bytes]
            yield (
                f"{reuse.phase}: {len(reuse.reused)} storages used, {once} of them once a run; "
                f"{sum(reuse.near_bytes):_} bytes pass through near memory in a run; "
                f"mean distance between uses {sum(again) // max(1, len(again)):_} bytes"
            )
        for (machine, phase), clock in self.clocks.items():
            yield f"{phase} on {machine}: {clock.period_ps / 1e6:_.1f} us a run by the roofline"


class ReuseEstimate(Pass[Reuse]):
    """Count how often each storage is used in a run, and what lies between two uses.

    A distance is the sum of the bytes that all steps from one use to the next move through near
    memory; in a phase that repeats, the last use is followed by the first one of the next run. With
    a machine, the same stretch is a time: each step takes the slower of its FLOPs and its bytes.
    A routed family moves the distinct experts that its tokens are expected to choose.

    reads:   Phases, Live, Routing, Machines
    writes:  Reuse, with distances in bytes and clocks in picoseconds for each machine and phase
    cost:    O(uses + machines x steps)
    source:  Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009
    """

    name = "reuse"
    reads = (Phases, Live, Routing, Machines)
    writes = Reuse

    def run(self, program: Program, facts: Facts) -> Reuse:
        """Establish Reuse."""
        dtype = model_dtype(program)
        phases: dict[str, PhaseReuse] = {}
        clocks: dict[tuple[str, str], Clock] = {}
        for phase in facts[Phases].phases:
            traffic = facts[Live].phases[phase.name].traffic_bytes
            reuse = _phase_reuse(program, phase, facts[Routing], traffic)
            phases[phase.name] = reuse
            for machine in facts[Machines].machines:
                clocks[machine.name, phase.name] = _clock(machine, phase, reuse, dtype)
        return Reuse(phases, clocks, dtype)


def model_dtype(program: Program) -> str:
    """Return the dtype that most bytes of parameters have: what the model computes in."""
    sizes: dict[str, int] = {}
    for storage in program.storages:
        if storage.role is Role.PARAMETER:
            sizes[storage.dtype] = sizes.get(storage.dtype, 0) + storage.size_bytes
    return max(sizes, key=lambda dtype: (sizes[dtype], dtype), default="float32")


def _phase_reuse(
    program: Program, phase: PhaseFact, routing: Routing, traffic: tuple[int, ...]
) -> PhaseReuse:
    table = phase.table

    def moved(touch: Touch) -> int:
        if touch.access is not Access.ROUTED:
            return touch.size_bytes
        share = routing.probability(phase.name, touch.storage)
        return round(program.storages[touch.storage].size_bytes * share)

    near = tuple(
        sum(map(moved, reads)) + sum(map(moved, writes)) + inner
        for reads, writes, inner in zip(table.reads, table.writes, traffic, strict=True)
    )
    before = list(accumulate(near, initial=0))  # bytes moved before each step
    reused = {
        storage: Reused(
            uses_per_run=len(steps) * routing.probability(phase.name, storage),
            distance_bytes=_distance(steps, before, repeats=phase.repeats),
        )
        for storage, steps in table.used_in.items()
    }
    return PhaseReuse(phase=phase.name, work=_work(phase), near_bytes=near, reused=reused)


def _distance(steps: tuple[int, ...], before: list[int], *, repeats: bool) -> int | None:
    passed = [before[b] - before[a + 1] for a, b in pairwise(steps)]
    if repeats:
        passed.append(before[-1] - before[steps[-1] + 1] + before[steps[0]])
    return sum(passed) // len(passed) if passed else None


def _work(phase: PhaseFact) -> tuple[WorkKind, ...]:
    kinds = []
    for step, flops in zip(phase.graph.steps, phase.table.flops, strict=True):
        nodes = phase.graph.nodes[step.first : step.last + 1]
        attention = sum(node.flops for node in nodes if "attention" in node.op)
        if not flops:
            kinds.append(WorkKind.OTHER)
        elif 2 * attention >= flops:
            kinds.append(WorkKind.ATTENTION)
        else:
            kinds.append(WorkKind.MATMUL)
    return tuple(kinds)


def _clock(machine: Machine, phase: PhaseFact, reuse: PhaseReuse, dtype: str) -> Clock:
    steps = zip(phase.table.flops, reuse.work, reuse.near_bytes, strict=True)
    durations = (step_ps(machine, flops, work, dtype, size) for flops, work, size in steps)
    return Clock(tuple(accumulate(durations, initial=0)))
