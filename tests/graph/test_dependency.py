import networkx as nx

from mirc.graph import Graph, Node, Program, Role, Step, Storage, Use
from mirc.graph.dependency import digraph, graphml


def storage(position: int, name: str, role: Role = Role.ACTIVATION) -> Storage:
    return Storage(
        index=position, name=name, role=role, size_bytes=100, dtype="float32", shape=(25,)
    )


def node(position: int, reads: list[tuple[int, int]], writes: list[int]) -> Node:
    return Node(
        index=position,
        name=f"n{position}",
        op="aten.add.Tensor",
        module="m",
        reads=tuple(Use(storage=one, size_bytes=size) for one, size in reads),
        writes=tuple(Use(storage=one, size_bytes=100) for one in writes),
        flops=position,
    )


STORAGES = (storage(0, "x", Role.INPUT), storage(1, "a"), storage(2, "b"))
# n0: x -> a; n1: a -> b; n2: a, b -> a (in place); n3: a -> b
GRAPH = Graph(
    phase="forward",
    nodes=(
        node(0, [(0, 100)], [1]),
        node(1, [(1, 40)], [2]),
        node(2, [(1, 100), (2, 100)], [1]),
        node(3, [(1, 60)], [2]),
    ),
    steps=(Step(name="m", first=0, last=1), Step(name="m.run_2", first=2, last=3)),
)


def test_edges_run_from_the_last_writer_to_each_reader_with_the_bytes_read() -> None:
    drawn = digraph(GRAPH, STORAGES)
    assert list(drawn.edges(data="bytes")) == [(0, 1, 40), (0, 2, 100), (1, 2, 100), (2, 3, 60)]
    assert drawn.edges[0, 1]["storages"] == ("a",)
    assert drawn.nodes[3] == {"op": "aten.add.Tensor", "module": "m", "flops": 3}
    assert nx.is_directed_acyclic_graph(drawn)


def test_two_storages_on_one_edge_add_up() -> None:
    both = Graph(
        phase="forward", nodes=(node(0, [], [1, 2]), node(1, [(1, 30), (2, 70)], [])), steps=()
    )
    assert digraph(both, STORAGES).edges[0, 1] == {"storages": ("a", "b"), "bytes": 100}


def test_graphml_holds_every_phase_and_reads_back_with_its_bytes() -> None:
    program = Program(name="m", digest="sha256:0", storages=STORAGES, graphs=(GRAPH,))
    read = nx.parse_graphml(graphml(program))
    assert read.graph["program"] == "m"
    assert read.nodes["forward:3"]["op"] == "aten.add.Tensor"
    assert read.edges["forward:0", "forward:1"] == {"storages": "a", "bytes": 40}
    assert len(read) == len(GRAPH.nodes)
