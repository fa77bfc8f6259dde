"""A phase's graph into who writes, who reads, and when."""

from collections import defaultdict

import attrs

from mirc.graph.model import Graph


@attrs.frozen(kw_only=True)
class Index:
    """Where each storage is used: node indices in execution order, by storage."""

    writers: dict[int, tuple[int, ...]]
    readers: dict[int, tuple[int, ...]]
    step_of: tuple[int, ...]

    def producers(self, graph: Graph, node: int) -> tuple[int, ...]:
        """Give the nodes that last wrote what ``node`` reads, in order, each once."""
        found = {
            max(before)
            for use in graph.nodes[node].reads
            if (before := [one for one in self.writers.get(use.storage, ()) if one < node])
        }
        return tuple(sorted(found))

    def consumers(self, graph: Graph, node: int) -> tuple[int, ...]:
        """Give the nodes that read what ``node`` writes before it is written again."""
        found: set[int] = set()
        for use in graph.nodes[node].writes:
            later = [one for one in self.writers[use.storage] if one > node]
            end = min(later, default=len(graph.nodes))
            found.update(one for one in self.readers.get(use.storage, ()) if node < one <= end)
        return tuple(sorted(found))


def index(graph: Graph) -> Index:
    """Read the graph once. O(nodes + uses)."""
    writers: defaultdict[int, list[int]] = defaultdict(list)
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for node in graph.nodes:
        for use in node.reads:
            readers[use.storage].append(node.index)
        for use in node.writes:
            writers[use.storage].append(node.index)
    step_of = [0] * len(graph.nodes)
    for position, step in enumerate(graph.steps):
        for node_index in range(step.first, step.last + 1):
            step_of[node_index] = position
    return Index(
        writers={storage: tuple(found) for storage, found in writers.items()},
        readers={storage: tuple(found) for storage, found in readers.items()},
        step_of=tuple(step_of),
    )
