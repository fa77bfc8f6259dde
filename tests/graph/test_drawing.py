"""What of a program is drawn, and the texts that say it to graphviz and other tools."""

import re

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.graph.drawing import Drawing, Edge, Shape, Vertex, draw
from mirc.graph.drawing_forms import MOST_READERS, dot, graphml, size_text
from mirc.graph.model import Access
from tests.passes.programs import Builder, decoder
from tests.test_emit import toy


def names(drawing: Drawing) -> set[str]:
    return {vertex.key for vertex in drawing.vertices}


def test_steps_and_what_they_exchange_are_drawn_and_what_one_step_keeps_is_not() -> None:
    drawing = draw(toy(), phase="decode_step")
    steps = [vertex.name for vertex in drawing.vertices if vertex.shape is Shape.STEP]
    assert steps == ["embed", "layers.0.attn", "layers.0.router", "layers.0.moe", "head"]
    assert "decode_step.attn.op_1" in names(drawing)
    assert "decode_step.attn.op_0" not in names(drawing)  # made and read inside one step
    assert not any(name.startswith("prefill") for name in names(drawing))
    assert Edge(
        source="layers.0.moe.up",
        target="decode_step/layers.0.moe",
        size_bytes=32,
        access=Access.ROUTED,
    ) in (drawing.edges)


def test_all_phases_share_what_outlives_them() -> None:
    drawing = draw(toy())
    assert {vertex.phase for vertex in drawing.vertices} == {"", "prefill", "decode_step"}
    readers = {edge.target for edge in drawing.edges if edge.source == "head.weight"}
    assert readers == {"prefill/head", "decode_step/head"}


def test_a_neighbourhood_counts_edges_in_both_directions() -> None:
    program = decoder(layers=3)
    weight = "model.layers.1.mlp.gate_proj.weight"
    step = "decode_step/model.layers.1.mlp.gate_proj"
    assert names(draw(program, around=weight, depth=0)) == {weight}
    assert names(draw(program, around=weight, depth=1)) == {weight, step}
    assert names(draw(program, around=weight)) == {
        *(weight, step),
        "decode_step.model.layers.1.self_attn.o_proj.op_0",  # what the step reads
        "decode_step.model.layers.1.mlp.gate_proj.op_0",  # and makes
    }
    by_step = draw(program, around="model.layers.1.mlp.gate_proj", depth=1)
    assert names(by_step) == names(draw(program, around=weight))


def test_a_part_means_its_family() -> None:
    assert draw(toy(), around="layers.0.moe.up[1]") == draw(toy(), around="layers.0.moe.up")


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"phase": "decode"}, "the phase `decode`", "did you mean `decode_step`?"),
        ({"around": "head.weigth"}, "`head.weigth`", "did you mean `head.weight`?"),
        ({"around": "zzz"}, "object or step `zzz`", "choose from embed.weight, "),
    ],
)
def test_a_name_that_is_not_drawn_is_one_sentence(
    asked: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(CouldNotRun, match=message) as caught:
        draw(toy(), phase=asked.get("phase"), around=asked.get("around"))
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_graphml_reads_back_with_every_vertex_and_edge() -> None:
    drawing = draw(toy())
    read = nx.parse_graphml(graphml(drawing))
    assert set(read.nodes) == names(drawing)
    assert {(a, b): known["bytes"] for a, b, known in read.edges(data=True)} == {
        (edge.source, edge.target): edge.size_bytes for edge in drawing.edges
    }
    assert read.nodes["head.weight"] == {
        "label": "head.weight",
        "shape": "object",
        "kind": "parameter",
        "phase": "",
        "amount": 64,
    }


_STRING = r'"(?:[^"\\]|\\.)*"'
_ATTRIBUTES = rf"\[(?:\w+=(?:\w+|{_STRING}) ?)+\]"
_STATEMENT = re.compile(
    rf"\s*(?:(?:node|edge) {_ATTRIBUTES};|rankdir=TB;|label={_STRING};|subgraph {_STRING} {{|}}"
    rf"|{_STRING} {_ATTRIBUTES};|{_STRING} -> {_STRING} {_ATTRIBUTES};|digraph {_STRING} {{)"
)


@given(st.lists(st.text(min_size=1), unique=True))
def test_dot_quotes_whatever_a_name_holds(drawn: list[str]) -> None:
    vertices = tuple(
        Vertex(key=name, name=name, shape=Shape.OBJECT, kind="cache", phase=name, amount=1)
        for name in drawn
    )
    edges = tuple(
        Edge(source=name, target=drawn[0], size_bytes=0, access=Access.WHOLE) for name in drawn
    )
    text = dot(Drawing(name="".join(drawn), vertices=vertices, edges=edges))
    at = 0
    statements = []
    while match := _STATEMENT.match(text, at):
        statements.append(match[0])
        at = match.end()
    assert text[at:].strip() == ""
    arrows = [statement for statement in statements if re.search(rf"{_STRING} -> ", statement)]
    assert len(arrows) == len(drawn)


def test_the_drawing_is_the_same_text_each_time() -> None:
    assert dot(draw(toy())) == dot(draw(toy()))
    assert dot(draw(toy())).count("subgraph") == 2


def test_sizes_are_written_in_the_largest_unit_that_holds_one() -> None:
    sizes = (0, 1023, 1024, 3 << 19, 1 << 40)
    assert [size_text(size) for size in sizes] == ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "1.0 TiB"]


def test_a_step_that_touches_a_thing_twice_has_one_edge_with_both_amounts() -> None:
    build = Builder()
    weight = build.store("w", 8)
    build.node("s", [weight])
    build.node("s", [weight], step=False)
    build.phase("p")
    (edge,) = draw(build.program()).edges
    assert (edge.source, edge.target, edge.size_bytes) == ("w", "p/s", 16)


def test_what_many_steps_read_is_named_beside_each_of_them_in_dot_alone() -> None:
    build = Builder()
    table = build.store("table", 8)
    few = build.store("few", 8)
    for step in range(MOST_READERS + 1):
        build.node(f"s{step}", [table, few] if step else [table])
    build.phase("p")
    drawing = draw(build.program())
    text = dot(drawing)
    assert text.count('[label="table" shape=plaintext];') == MOST_READERS + 1
    assert '"table" -> ' not in text
    assert text.count('"few" -> ') == MOST_READERS
    assert len(nx.parse_graphml(graphml(drawing))["table"]) == MOST_READERS + 1
