"""Reads and writes into live intervals, per object and per phase, and the peak they make."""

import time
from collections.abc import Iterator

import attrs

from mirc.bounds.certificate import Certificate
from mirc.bounds.peak import Interval, Peak, peak
from mirc.graph import Program, Role
from mirc.passes.allocation import Allocation, allocate
from mirc.passes.base import Facts, Pass
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.steps import HANDED_ON, MADE, PASSING, PERSISTENT


@attrs.frozen(slots=True)
class Life:
    """The steps during which one storage is needed in one phase, inclusive.

    For what the run makes: from the writing step to the last reading one (an output: to the last
    step). For what outlives the run: from its first to its last use; its bytes exist throughout.
    For what is handed on: to the last step of the phase that writes it, from the first step of one
    that reads it.
    """

    first: int
    last: int


@attrs.frozen(kw_only=True)
class PhaseLife:
    """One phase: ``lives`` by storage, without transients.

    ``transient_bytes[i]`` is the peak of what is born and dies inside step ``i``,
    ``traffic_bytes[i]`` what those temporaries and repeated reads move there. ``peak`` is the most
    that bytes which come and go (activations, outputs, transients, what is handed on) take at once,
    and the step; ``held_bytes`` is what persistent storages of this phase take besides, and
    ``waiting_bytes`` the part of the peak that only waits for a later phase.
    """

    phase: str
    lives: dict[int, Life]
    transients: frozenset[int]
    transient_bytes: tuple[int, ...]
    traffic_bytes: tuple[int, ...]
    peak: Peak
    held_bytes: int
    waiting_bytes: int = 0


@attrs.frozen
class Live:
    """Live intervals by phase."""

    phases: dict[str, PhaseLife]

    def sentences(self) -> Iterator[str]:
        """Yield a line a phase."""
        for life in self.phases.values():
            yield (
                f"{life.phase}: {len(life.lives)} live intervals, {len(life.transients)} storages "
                f"transient inside one step (at most {max(life.transient_bytes, default=0):_} "
                f"bytes), peak live {life.peak.size_bytes:_} bytes at step {life.peak.step} "
                f"beside {life.held_bytes:_} that persist"
            )


class Liveness(Pass[Live]):
    """Give every storage the steps of each phase during which its bytes are needed.

    An activation lives from the step that writes it to the last step that reads it; an output
    lives to the final step. What a phase hands on to a later one of the iteration (activations that
    backward needs, gradients) lives from the step that writes it through all phases between, in the
    program's order, to the last step of the last phase that uses it. An activation that no other
    step reads is transient: it is no object, its bytes are part of the step's own peak (found node
    by node). Views and in-place results own no bytes: the graph has one storage for them. The peak
    of a phase is the largest sum of activations, outputs, what is handed on and the step's
    transients: a lower bound on any allocator. It is certified by offsets for all of them,
    temporaries node by node: first fit in decreasing size.

    reads:   Phases
    writes:  Live, in step indices, inclusive
    cost:    O((steps + nodes + uses) log)
    source:  Aho et al., Compilers (2nd ed.), 9.2.5, on straight-line code; Pisarchyk and Lee,
             arXiv:2001.03288, 4.2 (offsets by decreasing size)
    """

    name = "liveness"
    reads = (Phases,)
    writes = Live

    def run(self, program: Program, facts: Facts) -> Live:
        """Establish Live."""
        phases = facts[Phases].phases
        stays = _stays(program, phases)
        return Live(
            {
                phase.name: _phase_life(program, phase, place, stays)
                for place, phase in enumerate(phases)
            }
        )

    def certify(self, program: Program, facts: Facts) -> Iterator[Certificate]:
        """Yield how far an offset plan of each phase lies above the peak that bounds it."""
        for phase in facts[Phases].phases:
            begin = time.perf_counter()
            life = facts[Live].phases[phase.name]
            made = allocation_of(program, phase, life)
            yield Certificate(
                decision=f"offsets of what {phase.name} makes",
                objective=made.plan.height_bytes + life.waiting_bytes,
                bound=life.peak.size_bytes,
                unit="bytes",
                method="peak-live",
                solver=f"first fit by {made.plan.order}",
                seconds=time.perf_counter() - begin,
                note=f"{len(made.storages)} storages over {len(phase.graph.nodes)} nodes",
            )


def allocation_of(program: Program, phase: PhaseFact, life: PhaseLife) -> Allocation:
    """Return a place for everything that a run of the phase makes, temporaries included."""
    lives = {
        index: (span.first, span.last)
        for index, span in life.lives.items()
        if program.storages[index].role in PASSING
    }
    return allocate(program, phase, lives, life.transients)


def _stays(program: Program, phases: tuple[PhaseFact, ...]) -> dict[int, tuple[int, int]]:
    """Return the first and the last phase that uses each storage that is handed on."""
    stays: dict[int, tuple[int, int]] = {}
    for place, phase in enumerate(phases):
        for index in phase.table.used_in:
            if program.storages[index].role in HANDED_ON:
                first, _ = stays.get(index, (place, place))
                stays[index] = (first, place)
    return stays


def _phase_life(
    program: Program, phase: PhaseFact, place: int, stays: dict[int, tuple[int, int]]
) -> PhaseLife:
    table, graph = phase.table, phase.graph
    final = len(graph.steps) - 1
    lives: dict[int, Life] = {}
    transients: set[int] = set()
    for index, steps in table.used_in.items():
        role = program.storages[index].role
        handed_out = role is Role.OUTPUT or index in graph.outputs
        if role is Role.ACTIVATION and not handed_out and steps[0] == steps[-1]:
            transients.add(index)
        elif role is Role.INPUT:
            lives[index] = Life(0, steps[-1])
        elif index in stays:
            begun, ended = stays[index]
            goes_on = place < ended or begun == ended
            lives[index] = Life(steps[0] if place == begun else 0, final if goes_on else steps[-1])
        else:
            lives[index] = Life(steps[0], final if handed_out and role in MADE else steps[-1])
    inner, traffic = _inside(program, phase, transients)
    made = [
        Interval(life.first, life.last, program.storages[index].size_bytes)
        for index, life in lives.items()
        if program.storages[index].role in PASSING
    ]
    waiting = sum(
        program.storages[index].size_bytes
        for index, (first, last) in stays.items()
        if first < place < last and index not in lives
    )
    made.append(Interval(0, final, waiting))
    made += [Interval(step, step, size) for step, size in enumerate(inner)]
    held = sum(
        program.storages[index].size_bytes
        for index in lives
        if program.storages[index].role in PERSISTENT
    )
    return PhaseLife(
        phase=phase.name,
        lives=lives,
        transients=frozenset(transients),
        transient_bytes=inner,
        traffic_bytes=traffic,
        peak=peak(made),
        held_bytes=held,
        waiting_bytes=waiting,
    )


def _inside(
    program: Program, phase: PhaseFact, transients: set[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return each step's inner peak and the bytes that its temporaries and repeats move."""
    peaks: list[int] = []
    traffic: list[int] = []
    for index, step in enumerate(phase.graph.steps):
        span: dict[int, tuple[int, int]] = {}
        for place in range(step.first, step.last + 1):
            node = phase.graph.nodes[place]
            for use in (*node.reads, *node.writes):
                if use.storage in transients:
                    first, _ = span.get(use.storage, (place, place))
                    span[use.storage] = (first, place)
        peaks.append(
            peak(
                Interval(first, last, program.storages[storage].size_bytes)
                for storage, (first, last) in span.items()
            ).size_bytes
        )
        traffic.append(
            sum(
                touch.again_bytes + (touch.size_bytes if touch.storage in transients else 0)
                for touch in (*phase.table.reads[index], *phase.table.writes[index])
            )
        )
    return tuple(peaks), tuple(traffic)
