"""Touches and a schedule into uses per run, and the bytes and time between them."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import attrs

from mirc.graph import Access, Program, Role
from mirc.ir.enums import WorkKind
from mirc.machine import Machine
from mirc.machine.roofline import step_ps
from mirc.passes.base import Facts, Pass
from mirc.passes.expert_routing import Routing
from mirc.passes.liveness import Live, PhaseLife
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.reuse_schedule import Across, Scheduled, scheduled
from mirc.passes.seeds import Machines
from mirc.passes.steps import StepTable, Touch


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

    @property
    def durations(self) -> tuple[int, ...]:
        """Picoseconds of each step."""
        return tuple(end - begin for begin, end in pairwise(self.start_ps))

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
    tables: dict[str, StepTable]
    repeating: frozenset[str]
    scheduled: Scheduled

    def distance_ps(self, machine: str, phase: str, storage: int) -> int | None:
        """Return the mean time between two uses of a storage in a phase, None without a next use.

        As the distance in bytes: from the end of one step to the start of the next that uses it.
        """
        start = self.clocks[machine, phase].start_ps
        steps = self.tables[phase].used_in[storage]
        share = self.phases[phase].reused[storage].uses_per_run / len(steps)
        return _distance(steps, start, repeats=phase in self.repeating, share=share)

    def across(self, storage: int) -> Across:
        """Return how one pass through the schedule uses a storage."""
        return self.scheduled.across(storage)

    def sentences(self) -> Iterator[str]:
        """Yield a line a phase, a line a clock, and one for the schedule."""
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
        yield from self.scheduled.sentences()


class ReuseEstimate(Pass[Reuse]):
    """Count how often each storage is used in a run, and what lies between two uses.

    A distance is the sum of the bytes that all steps from one use to the next move through near
    memory; in a phase that repeats, the last use is followed by the first one of the next run. With
    a machine, the same stretch is a time: each step takes the slower of its FLOPs and its bytes.
    Both are also given for one pass through the whole schedule: stretches of it (what passes before
    the first use, between uses, after the last one) are joined and repeated as a whole, so that
    REPEAT(1_000, ...) costs one multiplication. A routed family moves the distinct experts that its
    tokens are expected to choose, and a slice used with probability p comes again after 1/p runs.

    reads:   Phases, Live, Routing, Machines
    writes:  Reuse, with distances in bytes and clocks in picoseconds for each machine and phase
    cost:    O(uses + machines x (steps + storages x phases in the schedule))
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
            reuse = _phase_reuse(program, phase, facts[Routing], facts[Live].phases[phase.name])
            phases[phase.name] = reuse
            for machine in facts[Machines].machines:
                clocks[machine.name, phase.name] = _clock(machine, phase, reuse, dtype)
        seen = facts[Phases]
        names = tuple(machine.name for machine in facts[Machines].machines)
        whole = scheduled(
            seen.phases,
            seen.schedule,
            measures={
                phase.name: (
                    phases[phase.name].near_bytes,
                    *(clocks[name, phase.name].durations for name in names),
                )
                for phase in seen.phases
            },
            expected={
                name: {index: used.uses_per_run for index, used in reuse.reused.items()}
                for name, reuse in phases.items()
            },
            machines=names,
            storages=len(program.storages),
        )
        tables = {phase.name: phase.table for phase in seen.phases}
        repeating = frozenset(phase.name for phase in seen.phases if phase.repeats)
        return Reuse(phases, clocks, dtype, tables, repeating, whole)

    def unbounded(self, facts: Facts) -> str:
        """Return that uses are counted, not chosen."""
        del facts
        return "uses and distances are counted exactly, those of routed slices in expectation"


def model_dtype(program: Program) -> str:
    """Return the dtype that most bytes of parameters have: what the model computes in."""
    sizes: dict[str, int] = {}
    for storage in program.storages:
        if storage.role is Role.PARAMETER:
            sizes[storage.dtype] = sizes.get(storage.dtype, 0) + storage.size_bytes
    return max(sizes, key=lambda dtype: (sizes[dtype], dtype), default="float32")


def _phase_reuse(
    program: Program, phase: PhaseFact, routing: Routing, life: PhaseLife
) -> PhaseReuse:
    table = phase.table

    def moved(touch: Touch) -> int:
        if touch.storage in life.transients:
            return 0  # it is in the step's inner traffic
        if touch.access is not Access.ROUTED:
            return touch.size_bytes
        share = routing.probability(phase.name, touch.storage)
        return round(program.storages[touch.storage].size_bytes * share)

    near = tuple(
        sum(map(moved, reads)) + sum(map(moved, writes)) + inner
        for reads, writes, inner in zip(table.reads, table.writes, life.traffic_bytes, strict=True)
    )
    before = list(accumulate(near, initial=0))  # bytes moved before each step
    reused = {
        storage: Reused(
            uses_per_run=len(steps) * share,
            distance_bytes=_distance(steps, before, repeats=phase.repeats, share=share),
        )
        for storage, steps in table.used_in.items()
        for share in (routing.probability(phase.name, storage),)
    }
    return PhaseReuse(phase=phase.name, work=_work(phase), near_bytes=near, reused=reused)


def _distance(
    steps: tuple[int, ...], before: Sequence[int], *, repeats: bool, share: float
) -> int | None:
    """Return the mean of what passes between two uses; ``before[i]`` passes before step ``i``.

    ``share`` is the chance that a run's steps use it: in a phase that repeats, 1 / share runs pass
    from one use to the same one again, in the mean.
    """
    if repeats:
        own = sum(before[step + 1] - before[step] for step in steps)
        return round((before[-1] / share - own) / len(steps)) if share else None
    passed = [before[b] - before[a + 1] for a, b in pairwise(steps)]
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
