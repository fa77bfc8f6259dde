"""Captured graphs into phases: what each is, its windows, and what changes when it begins."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.graph import Access, Graph, Node, Program, Role
from mirc.ir import Call, Name, Text, Value
from mirc.ir.enums import PhaseKind
from mirc.passes.base import Facts, Pass
from mirc.passes.seeds import Options, Schedule
from mirc.passes.steps import PERSISTENT, StepTable, step_table

UNBOUNDED_RUNS = 1024
"""How often a phase inside a LOOP is taken to run when phases are weighed against each other."""


class WindowKind(StrEnum):
    """A stretch of steps inside a phase where urgency differs."""

    EXPERT_DISPATCH = "expert_dispatch"
    """From the router's choice to the last use of an expert that it chose."""
    COLLECTIVE = "collective"
    """From the start of a collective to the step that waits for it, or first uses its result."""
    HEAD = "head"
    """The steps that read weights and make the phase's outputs."""


@attrs.frozen(slots=True)
class Window:
    """Steps ``first`` to ``last``, inclusive; ``reduced`` is what a reduction in it completes."""

    kind: WindowKind
    first: int
    last: int
    reduced: tuple[int, ...] = ()


@attrs.frozen(kw_only=True)
class PhaseFact:
    """One phase: ``runs`` counts its runs in the schedule.

    ``idle`` are storages that other phases use and this one does not; ``filled`` and ``appended``
    are caches by what happens to them.
    """

    name: str
    kind: PhaseKind
    table: StepTable
    runs: float
    windows: tuple[Window, ...]
    idle: tuple[int, ...]
    filled: tuple[int, ...]
    appended: tuple[int, ...]

    @property
    def graph(self) -> Graph:
        """The phase's graph."""
        return self.table.graph

    @property
    def reduced(self) -> frozenset[int]:
        """Storages that hold the results of reductions among accelerators."""
        return frozenset(index for window in self.windows for index in window.reduced)

    @property
    def repeats(self) -> bool:
        """Whether one run is followed by another, so that positions wrap around."""
        return self.runs > 1


@attrs.frozen
class Phases:
    """All phases in the program's order, and the schedule they run in."""

    phases: tuple[PhaseFact, ...]
    schedule: tuple[Value, ...]

    @cached_property
    def by_weight(self) -> tuple[PhaseFact, ...]:
        """Phases, the one that runs most often first (ties in the program's order)."""
        return tuple(sorted(self.phases, key=lambda phase: -phase.runs))

    def sentences(self) -> Iterator[str]:
        """Yield a line a phase, and one for each kind of window in it."""
        for phase in self.phases:
            yield (
                f"{phase.name}: {phase.kind.value.lower()}, {len(phase.graph.steps)} steps, "
                f"{len(phase.graph.nodes)} nodes, runs {phase.runs:g} times, "
                f"{len(phase.filled)} caches filled, {len(phase.appended)} appended to, "
                f"{len(phase.idle)} storages of other phases idle"
            )
            for kind in WindowKind:
                count = sum(window.kind is kind for window in phase.windows)
                if count:
                    yield f"{phase.name}: {count} {kind.value} windows"


class PhaseAnnotator(Pass[Phases]):
    """Say what each captured graph is, which windows it has, and what changes when it begins.

    A phase that writes checkpoint fragments is a checkpoint; one that changes optimizer states, or
    parameters by their gradients, an optimizer update; any other that writes gradients goes
    backward. One that writes a cache that held nothing fills it (prefill); one that reads a cache
    and appends one token a sequence decodes (several tokens: a chunk of a long prompt, prefill
    again); one that touches no cache is a forward pass. An expert dispatch window runs from the
    top-k before a routed read to the block's last routed read; a collective window from the start
    of the collective to the step that waits for it (without one, to the first reader of its
    result). What changes: caches go from filled to appended, and storages that only other phases
    use fall idle. Without a written schedule, phases run once in order, the decode phase
    repeatedly, and then training iterations: forward, backward, update, every few of them a
    checkpoint.

    reads:   Schedule, Options
    writes:  Phases, with windows in step indices, inclusive
    cost:    O(nodes + uses)
    source:  definitions on the graph's own reads, writes and operations; no module's name counts
    """

    name = "phase-annotator"
    reads = (Schedule, Options)
    writes = Phases

    def run(self, program: Program, facts: Facts) -> Phases:
        """Establish Phases."""
        kinds = {graph.phase: _kind(program, graph) for graph in program.graphs}
        written = facts[Schedule].written
        schedule = _default(program, kinds, facts[Options]) if written is None else written
        runs = scheduled_runs(schedule)
        _known(runs, kinds)
        tables = {graph.phase: step_table(graph) for graph in program.graphs}
        used_anywhere = frozenset().union(*(table.used_in for table in tables.values()))
        persistent = [
            s.index for s in program.storages if s.role in PERSISTENT and s.index in used_anywhere
        ]
        phases = []
        for graph in program.graphs:
            table = tables[graph.phase]
            filled, appended = _caches(program, graph)
            phases.append(
                PhaseFact(
                    name=graph.phase,
                    kind=kinds[graph.phase],
                    table=table,
                    runs=runs.get(graph.phase, 0.0),
                    windows=tuple(_windows(program, graph, table)),
                    idle=tuple(index for index in persistent if index not in table.used_in),
                    filled=filled,
                    appended=appended,
                )
            )
        return Phases(tuple(phases), schedule)

    def unbounded(self, facts: Facts) -> str:
        """Return that this follows from what was found, and is not chosen."""
        del facts
        return "phases and windows are read off the graphs by definition"


def scheduled_runs(schedule: tuple[Value, ...], times: float = 1.0) -> dict[str, float]:
    """Return how often each phase runs in a schedule: REPEAT multiplies, EVERY divides."""
    runs: dict[str, float] = {}
    for item in schedule:
        match item:
            case Name(text) | Text(text):
                part = {text: times}
            case Call("REPEAT" | "LOOP" | "EVERY" as word, args):
                counts = [arg for arg in args if isinstance(arg, int)]
                count = float(counts[0]) if counts else UNBOUNDED_RUNS
                body = tuple(arg for arg in args if not isinstance(arg, int))
                part = scheduled_runs(body, times / count if word == "EVERY" else times * count)
            case tuple():
                part = scheduled_runs(item, times)
            case _:
                part = {}
        for name, count in part.items():
            runs[name] = runs.get(name, 0.0) + count
    return runs


def _known(runs: Mapping[str, float], kinds: Mapping[str, PhaseKind]) -> None:
    for name in runs:
        if name not in kinds:
            near = get_close_matches(name, kinds, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(kinds)}"
            raise CouldNotRun(f"the schedule runs the phase `{name}`, which was not captured", hint)


def _default(program: Program, kinds: dict[str, PhaseKind], options: Options) -> tuple[Value, ...]:
    """Run each phase once, decode phases repeatedly, then training iterations with checkpoints."""
    trained = (PhaseKind.BACKWARD, PhaseKind.OPTIMIZER_UPDATE)
    saves = {graph.phase for graph in program.graphs if _saves(program, graph)}
    iteration = [name for name, kind in kinds.items() if kind in trained or name in saves]
    checkpoints = [name for name, kind in kinds.items() if kind is PhaseKind.CHECKPOINT]
    decoding = [name for name, kind in kinds.items() if kind is PhaseKind.DECODE]
    repeated = {*iteration, *decoding, *(checkpoints if iteration else ())}
    schedule: list[Value] = [Name(name) for name in kinds if name not in repeated]
    if decoding:
        schedule.append(Call("REPEAT", (options.decode_runs, *map(Name, decoding))))
    if iteration:
        body: list[Value] = [Name(name) for name in iteration]
        body += [Call("EVERY", (options.checkpoint_every, Name(name))) for name in checkpoints]
        schedule.append(Call("REPEAT", (options.training_runs, *body)))
    return tuple(schedule)


def _saves(program: Program, graph: Graph) -> bool:
    """Say whether a phase makes what a later one needs: a training iteration begins with it."""
    return any(
        program.storages[use.storage].role is Role.SAVED
        for node in graph.nodes
        for use in node.writes
    )


def _kind(program: Program, graph: Graph) -> PhaseKind:
    read = {program.storages[use.storage].role for node in graph.nodes for use in node.reads}
    written = {program.storages[use.storage].role for node in graph.nodes for use in node.writes}
    if Role.CHECKPOINT in written:
        return PhaseKind.CHECKPOINT
    if Role.OPTIMIZER in written or (Role.PARAMETER in written and Role.GRADIENT in read):
        return PhaseKind.OPTIMIZER_UPDATE
    if Role.GRADIENT in written:
        return PhaseKind.BACKWARD
    filled, appended = _caches(program, graph)
    if appended and graph.tokens == 1:
        return PhaseKind.DECODE
    return PhaseKind.PREFILL if filled or appended else PhaseKind.FORWARD


def _caches(program: Program, graph: Graph) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the caches that the graph fills, and those that it appends to.

    With tokens already in the cache, a cache that is both written and read is appended to; without
    any, reading what was just written is still filling.
    """
    read: dict[int, None] = {}
    written: dict[int, None] = {}
    for node in graph.nodes:
        for uses, into in ((node.reads, read), (node.writes, written)):
            for use in uses:
                if program.storages[use.storage].role in (Role.CACHE, Role.STATE):
                    into.setdefault(use.storage)
    grows = {index for index in written if index in read and graph.past > 0}
    return (
        tuple(index for index in written if index not in grows),
        tuple(index for index in written if index in grows),
    )


def _windows(program: Program, graph: Graph, table: StepTable) -> Iterator[Window]:
    yield from _dispatches(program, graph, table)
    yield from _collectives(graph, table)
    made = {
        step
        for step, touches in enumerate(table.writes)
        if any(program.storages[t.storage].role is Role.OUTPUT for t in touches)
    }
    heads = [
        step
        for step in sorted(made)
        if any(program.storages[t.storage].role is Role.PARAMETER for t in table.reads[step])
    ]
    if heads:
        yield Window(WindowKind.HEAD, heads[0], heads[-1])


def _dispatches(program: Program, graph: Graph, table: StepTable) -> Iterator[Window]:
    chooses = [
        any("topk" in node.op for node in graph.nodes[step.first : step.last + 1])
        for step in graph.steps
    ]
    begin: int | None = None  # the step of the last choice that no routed read has followed yet
    first: int | None = None
    last = -1
    module = ""
    for step, touches in enumerate(table.reads):
        if chooses[step]:
            if first is not None:
                yield Window(WindowKind.EXPERT_DISPATCH, first, last)
                first = None
            begin = step
        routed = [t.storage for t in touches if t.access is Access.ROUTED]
        if not routed:
            continue
        owner = program.storages[routed[0]].module
        if first is not None and owner != module:
            yield Window(WindowKind.EXPERT_DISPATCH, first, last)
            first = None
        if first is None:
            first = step if begin is None else begin
            begin = None
        module, last = owner, step
    if first is not None:
        yield Window(WindowKind.EXPERT_DISPATCH, first, last)


def _collectives(graph: Graph, table: StepTable) -> Iterator[Window]:
    waits: dict[int, int] = {}
    for index, step in enumerate(graph.steps):
        for node in graph.nodes[step.first : step.last + 1]:
            if waits_for(node):
                waits.update((use.storage, index) for use in node.reads)
    readers = table.first_read
    for index, step in enumerate(graph.steps):
        for node in graph.nodes[step.first : step.last + 1]:
            if node.collective and not waits_for(node):
                made = [use.storage for use in node.writes]
                waited = [waits[one] for one in made if waits.get(one, -1) >= index]
                read = [readers[one] for one in made if readers.get(one, -1) >= index]
                end = max(waited) if waited else min(read, default=index)
                reduced = tuple(made) if "reduce" in node.op else ()
                yield Window(WindowKind.COLLECTIVE, index, end, reduced)


def waits_for(node: Node) -> bool:
    """Say whether a node ends a collective that another one started."""
    return node.collective and "wait" in node.op
