"""A phase's graph as networkx sees it, and the small questions that passes ask of it."""

from collections.abc import Sequence

import networkx as nx

from mirc.graph.model import Graph, Storage


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
