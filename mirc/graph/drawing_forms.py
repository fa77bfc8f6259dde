"""What to draw into DOT and GraphML, and DOT into SVG by graphviz's ``dot``."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator

import attrs
import networkx as nx

from mirc.diagnostics import CouldNotRun
from mirc.graph.drawing import Drawing, Edge, Shape, Vertex
from mirc.graph.model import Access, Role

MOST_SECONDS = 120
"""What ``dot`` is given: it lays out thousands of vertices in time that grows faster than they."""
MOST_READERS = 8
"""Steps that edges may lead to from one vertex, before it is drawn beside each of them."""

_FILL = {
    Role.PARAMETER: "#cfe2f3",
    Role.BUFFER: "#d9e7e4",
    Role.CONSTANT: "#d9e7e4",
    Role.INPUT: "#eeeeee",
    Role.CACHE: "#fce5cd",
    Role.STATE: "#fce5cd",
    Role.ACTIVATION: "#ffffff",
    Role.OUTPUT: "#d9ead3",
    Role.SAVED: "#fff2cc",
    Role.GRADIENT: "#ead1dc",
    Role.OPTIMIZER: "#d9d2e9",
    Role.CHECKPOINT: "#d9d2e9",
}
_STYLE = {Access.WHOLE: "solid", Access.TOUCH: "dotted", Access.ROUTED: "dashed"}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def dot(drawing: Drawing) -> str:
    """Return DOT: steps are ellipses, objects boxes of their role's colour, phases clusters.

    An edge is dashed where a router chooses what is read, dotted where a part is. What more than
    ``MOST_READERS`` steps read is named again beside each of them, without a box: edges from one
    end of a model to the other hide what is drawn, and ``dot`` takes minutes for them.
    """
    readers = Counter(edge.source for edge in drawing.edges)
    lines = [
        f"digraph {_quoted(drawing.name)} {{",
        "  rankdir=TB;",
        '  node [fontname="Helvetica" fontsize=10];',
        '  edge [fontname="Helvetica" fontsize=8];',
    ]
    lines += _vertices(drawing.vertices)
    for place, edge in enumerate(drawing.edges):
        if readers[edge.source] > MOST_READERS:
            again = f"{edge.source} {place}"
            lines.append(f"  {_quoted(again)} [label={_quoted(edge.source)} shape=plaintext];")
            lines.append(f"  {_edge(attrs.evolve(edge, source=again))}")
        else:
            lines.append(f"  {_edge(edge)}")
    return "\n".join([*lines, "}"]) + "\n"


def graphml(drawing: Drawing) -> str:
    """Return GraphML: vertices with shape, kind, phase and amount, edges with bytes and access."""
    graph: nx.DiGraph[str] = nx.DiGraph(name=drawing.name)
    for vertex in drawing.vertices:
        graph.add_node(
            vertex.key,
            label=vertex.name,
            shape=vertex.shape.value,
            kind=vertex.kind,
            phase=vertex.phase,
            amount=vertex.amount,
        )
    for edge in drawing.edges:
        graph.add_edge(edge.source, edge.target, bytes=edge.size_bytes, access=edge.access.value)
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def svg(drawing: Drawing) -> str:
    """Return SVG, laid out by ``dot``.

    Raises CouldNotRun where graphviz is not installed, or ``dot`` fails or takes too long.
    """
    program = shutil.which("dot")
    if program is None:
        raise CouldNotRun(
            "SVG needs graphviz's `dot`, which is not installed",
            "install graphviz, or write DOT or GraphML: name the output `.dot` or `.graphml`",
        )
    try:
        done = subprocess.run(  # noqa: S603 - the program that PATH names, and only our own text
            [program, "-Tsvg"],
            input=dot(drawing),
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=MOST_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise CouldNotRun(
            f"`dot` did not lay out {len(drawing.vertices):_} vertices in {MOST_SECONDS} s",
            "draw one phase (`--phase`) or a neighbourhood (`--around`), or write DOT",
        ) from error
    except OSError as error:
        raise CouldNotRun(f"`{program}` cannot be run: {error.strerror}") from error
    if done.returncode:
        reason = " ".join(done.stderr.split())[:200] or f"exit code {done.returncode}"
        raise CouldNotRun(f"`dot` failed: {reason}", "write DOT and look at it: `-o graph.dot`")
    return done.stdout


def _vertices(vertices: Iterable[Vertex]) -> Iterator[str]:
    phases: dict[str, list[Vertex]] = {}
    for vertex in vertices:
        phases.setdefault(vertex.phase, []).append(vertex)
    for vertex in phases.pop("", ()):
        yield f"  {_vertex(vertex)}"
    for phase, inside in phases.items():
        yield f"  subgraph {_quoted(f'cluster_{phase}')} {{"
        yield f"    label={_quoted(phase)};"
        for vertex in inside:
            yield f"    {_vertex(vertex)}"
        yield "  }"


def _vertex(vertex: Vertex) -> str:
    if vertex.shape is Shape.STEP:
        label = f"{vertex.name}\n{vertex.amount:_} FLOPs" if vertex.amount else vertex.name
        return f"{_quoted(vertex.key)} [label={_quoted(label)} shape=ellipse];"
    label = f"{vertex.name}\n{size_text(vertex.amount)}"
    fill = _FILL[Role(vertex.kind)]
    return (
        f"{_quoted(vertex.key)} [label={_quoted(label)} shape=box style=filled"
        f" fillcolor={_quoted(fill)}];"
    )


def _edge(edge: Edge) -> str:
    label = _quoted(size_text(edge.size_bytes))
    return (
        f"{_quoted(edge.source)} -> {_quoted(edge.target)}"
        f" [label={label} style={_STYLE[edge.access]}];"
    )


def size_text(size_bytes: int) -> str:
    """Return bytes in the largest binary unit of which there is one, to a tenth."""
    power = 0
    while power + 1 < len(_UNITS) and size_bytes >= 1024 ** (power + 1):
        power += 1
    amount = size_bytes / 1024**power
    return f"{size_bytes} B" if not power else f"{amount:.1f} {_UNITS[power]}"


def _quoted(text: str) -> str:
    r"""Quote for DOT: a backslash is doubled, as ``\N`` would be the vertex's own name."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
