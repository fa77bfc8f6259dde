"""Reads and writes into live intervals, per object and per phase, and the peak they make."""

from collections.abc import Iterator

import attrs

from mirc.bounds.peak import Interval, Peak, peak
from mirc.graph import Program, Role
from mirc.passes.base import Facts, Pass
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.steps import MADE, PERSISTENT


@attrs.frozen(slots=True)
class Life:
    """The steps during which one storage is needed in one phase, inclusive.

    For what the run makes: from the writing step to the last reading one (an output: to the last
    step). For what outlives the run: from its first to its last use; its bytes exist throughout.
    """

    first: int
    last: int


@attrs.frozen(kw_only=True)
class PhaseLife:
    """One phase: ``lives`` by storage, without transients.

    ``transient_bytes[i]`` is the peak of what is born and dies inside step ``i``,
    ``traffic_bytes[i]`` what those temporaries and repeated reads move there. ``peak`` is the most
    that the run's own bytes (activations, outputs, transients) take at once, and the step;
    ``held_bytes`` is what persistent storages of this phase take besides.
    """

    phase: str
    lives: dict[int, Life]
    transients: frozenset[int]
    transient_bytes: tuple[int, ...]
    traffic_bytes: tuple[int, ...]
    peak: Peak
    held_bytes: int


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
    lives to the final step. An activation that no other step reads is transient: it is no object,
    its bytes are part of the step's own peak (found node by node). Views and in-place results own
    no bytes: the graph has one storage for them. The peak of a phase is the largest sum of
    activations, outputs and the step's transients: a lower bound on any allocator.

    reads:   Phases
    writes:  Live, in step indices, inclusive
    cost:    O((steps + nodes + uses) log)
    source:  Aho et al., Compilers (2nd ed.), 9.2.5, on straight-line code
    """

    name = "liveness"
    reads = (Phases,)
    writes = Live

    def run(self, program: Program, facts: Facts) -> Live:
        """Establish Live."""
        return Live({phase.name: _phase_life(program, phase) for phase in facts[Phases].phases})


def _phase_life(program: Program, phase: PhaseFact) -> PhaseLife:
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
        else:
            lives[index] = Life(steps[0], final if handed_out and role in MADE else steps[-1])
    inner, traffic = _inside(program, phase, transients)
    made = [
        Interval(life.first, life.last, program.storages[index].size_bytes)
        for index, life in lives.items()
        if program.storages[index].role in MADE
    ]
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
