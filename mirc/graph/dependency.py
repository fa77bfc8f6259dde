"""A captured program into networkx graphs, and those into GraphML."""

from collections.abc import Sequence

import networkx as nx

from mirc.graph.model import Graph, Program, Storage


def digraph(graph: Graph, storages: Sequence[Storage]) -> "nx.DiGraph[int]":
    """Give node indices with ``op``, ``module``, ``flops``; edges from a writer to its readers.

    An edge carries ``storages`` (the names of what flows along it, in order) and ``bytes`` (their
    sum as the reader reads them). A read depends on the last write before it.
    """
    drawn: nx.DiGraph[int] = nx.DiGraph(phase=graph.phase)
    for node in graph.nodes:
        drawn.add_node(node.index, op=node.op, module=node.module, flops=node.flops)
    last: dict[int, int] = {}
    for node in graph.nodes:
        for use in node.reads:
            writer = last.get(use.storage)
            if writer is None:
                continue
            edge = drawn.get_edge_data(writer, node.index, default={"storages": (), "bytes": 0})
            drawn.add_edge(
                writer,
                node.index,
                storages=(*edge["storages"], storages[use.storage].name),
                bytes=edge["bytes"] + use.size_bytes,
            )
        for use in node.writes:
            last[use.storage] = node.index
    return drawn


def graphml(program: Program) -> str:
    """Return all phases as one GraphML text: nodes ``phase:index``, edges with bytes and storages.

    Gephi, yEd, Cytoscape and networkx itself read it.
    """
    whole: nx.DiGraph[str] = nx.DiGraph(program=program.name, digest=program.digest)
    for graph in program.graphs:
        drawn = digraph(graph, program.storages)
        for index, known in drawn.nodes(data=True):
            name = graph.nodes[index].name
            whole.add_node(f"{graph.phase}:{index}", phase=graph.phase, name=name, **known)
        for writer, reader, known in drawn.edges(data=True):
            whole.add_edge(
                f"{graph.phase}:{writer}",
                f"{graph.phase}:{reader}",
                storages=" ".join(known["storages"]),
                bytes=known["bytes"],
            )
    return "\n".join(nx.generate_graphml(whole)) + "\n"
