"""A program into the steps and objects to draw: a phase, all of them, or a neighbourhood."""

from collections import deque
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.graph.model import Access, Graph, Program, Role, Storage, Use


class Shape(StrEnum):
    """What a vertex stands for."""

    STEP = "step"
    OBJECT = "object"


@attrs.frozen(slots=True, kw_only=True)
class Vertex:
    """A step (``amount`` are its FLOPs) or an object (``amount`` are its bytes).

    ``key`` is unique in the drawing: an object's name, or ``phase/step``. ``kind`` is an object's
    role, or what most of a step's work is called. ``phase`` is empty for what outlives a phase.
    """

    key: str
    name: str
    shape: Shape
    kind: str
    phase: str
    amount: int


@attrs.frozen(slots=True, kw_only=True)
class Edge:
    """``size_bytes`` that flow from an object into a step that reads it, or out of one into it."""

    source: str
    target: str
    size_bytes: int
    access: Access


@attrs.frozen(kw_only=True)
class Drawing:
    """Vertices and edges in the program's order."""

    name: str
    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


def draw(
    program: Program, *, phase: str | None = None, around: str | None = None, depth: int = 2
) -> Drawing:
    """Return what to draw of a program; what lives inside one step is left out.

    ``phase`` limits it to one; ``around`` (an object, a part of one, or a step) to what is at most
    ``depth`` edges away, in either direction: 1 are the steps that use an object, 2 what else these
    use. Raises CouldNotRun for a name that the program does not have. Cost: O(uses).
    """
    graphs = [graph for graph in program.graphs if phase in (None, graph.phase)]
    if not graphs:
        raise _unknown("phase", str(phase), (graph.phase for graph in program.graphs))
    vertices: dict[str, Vertex] = {}
    edges: list[Edge] = []
    for graph in graphs:
        for vertex, found in _steps(program, graph):
            vertices[vertex.key] = vertex
            edges += found
    used = {key for edge in edges for key in (edge.source, edge.target)}
    objects = {
        storage.name: _object(storage, program)
        for storage in program.storages
        if storage.name in used
    }
    whole = Drawing(
        name=program.name, vertices=(*objects.values(), *vertices.values()), edges=tuple(edges)
    )
    return whole if around is None else _neighbourhood(whole, program, around, depth)


def _steps(program: Program, graph: Graph) -> Iterator[tuple[Vertex, list[Edge]]]:
    inner = _inner(program, graph)
    for step in graph.steps:
        nodes = graph.nodes[step.first : step.last + 1]
        key = f"{graph.phase}/{step.name}"
        reads = _sums(program, (use for node in nodes for use in node.reads), inner)
        writes = _sums(program, (use for node in nodes for use in node.writes), inner)
        heaviest = max(nodes, key=lambda node: node.flops)
        yield (
            Vertex(
                key=key,
                name=step.name,
                shape=Shape.STEP,
                kind=heaviest.op,
                phase=graph.phase,
                amount=sum(node.flops for node in nodes),
            ),
            [
                *(Edge(source=n, target=key, size_bytes=s, access=a) for n, s, a in reads),
                *(Edge(source=key, target=n, size_bytes=s, access=a) for n, s, a in writes),
            ],
        )


def _inner(program: Program, graph: Graph) -> frozenset[int]:
    """Return the activations that one step alone uses."""
    used: dict[int, set[int]] = {}
    for place, step in enumerate(graph.steps):
        for node in graph.nodes[step.first : step.last + 1]:
            for use in (*node.reads, *node.writes):
                used.setdefault(use.storage, set()).add(place)
    return frozenset(
        index
        for index, places in used.items()
        if len(places) == 1
        and index not in graph.outputs
        and program.storages[index].role is Role.ACTIVATION
    )


def _sums(
    program: Program, uses: Iterable[Use], inner: frozenset[int]
) -> Iterator[tuple[str, int, Access]]:
    sums: dict[int, tuple[int, Access]] = {}
    for use in uses:
        if use.storage not in inner:
            before, _ = sums.get(use.storage, (0, use.access))
            sums[use.storage] = (before + use.size_bytes, use.access)
    for index, (size, access) in sums.items():
        yield program.storages[index].name, size, access


def _object(storage: Storage, program: Program) -> Vertex:
    owners = [graph.phase for graph in program.graphs if storage.name.startswith(f"{graph.phase}.")]
    made = storage.role in (Role.ACTIVATION, Role.OUTPUT, Role.INPUT)
    return Vertex(
        key=storage.name,
        name=storage.name,
        shape=Shape.OBJECT,
        kind=storage.role.value,
        phase=owners[0] if made and owners else "",
        amount=storage.size_bytes,
    )


def _neighbourhood(whole: Drawing, program: Program, around: str, depth: int) -> Drawing:
    starts = _named(whole, program, around)
    beside: dict[str, list[str]] = {}
    for edge in whole.edges:
        beside.setdefault(edge.source, []).append(edge.target)
        beside.setdefault(edge.target, []).append(edge.source)
    far = dict.fromkeys(starts, 0)
    todo = deque(starts)
    while todo:
        key = todo.popleft()
        if far[key] == depth:
            continue
        for other in beside.get(key, ()):
            if other not in far:
                far[other] = far[key] + 1
                todo.append(other)
    return Drawing(
        name=whole.name,
        vertices=tuple(vertex for vertex in whole.vertices if vertex.key in far),
        edges=tuple(e for e in whole.edges if e.source in far and e.target in far),
    )


def _named(whole: Drawing, program: Program, around: str) -> list[str]:
    """Return the vertices that a name means: an object, the family of a part, or steps."""
    parts = (s.name for s in program.storages for part in s.parts if s.name + part.suffix == around)
    wanted = next(parts, around)
    found = [vertex.key for vertex in whole.vertices if wanted in (vertex.name, vertex.key)]
    if not found:
        raise _unknown("object or step", around, (vertex.name for vertex in whole.vertices))
    return found


def _unknown(what: str, name: str, names: Iterable[str]) -> CouldNotRun:
    known = list(dict.fromkeys(names))
    near = get_close_matches(name, known, n=1)
    shown = ", ".join(known[:5]) + (" ..." if len(known) > 5 else "")
    return CouldNotRun(
        f"nothing that is drawn is the {what} `{name}`",
        f"did you mean `{near[0]}`?" if near else f"choose from {shown}",
    )
