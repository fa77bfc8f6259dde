"""A program into the sentences that say what is wrong with it (none: it is well formed)."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from mirc.graph.model import Access, Graph, Node, Program, Role, Split, Storage, Use

GIVEN = frozenset(
    {
        Role.PARAMETER,
        Role.BUFFER,
        Role.CONSTANT,
        Role.INPUT,
        Role.CACHE,
        Role.STATE,
        Role.OPTIMIZER,
    }
)

HANDED_ON = frozenset({Role.SAVED, Role.GRADIENT})
"""Roles of what one phase makes for a later one."""


def verify(program: Program) -> tuple[str, ...]:
    """Check a program by its definition, with code that shares nothing with what built it."""
    found = [*_storages(program.storages)]
    handed_on: set[int] = set()
    for graph in program.graphs:
        faults = _graph(graph, program.storages, handed_on)
        found += [f"{graph.phase}: {fault}" for fault in faults]
        handed_on |= {
            use.storage
            for node in graph.nodes
            for use in node.writes
            if 0 <= use.storage < len(program.storages)
            and program.storages[use.storage].role in HANDED_ON
        }
    return tuple(found)


def _storages(storages: Sequence[Storage]) -> Iterator[str]:
    names: set[str] = set()
    for position, storage in enumerate(storages):
        if storage.index != position:
            yield f"storage `{storage.name}` says index {storage.index}, stands at {position}"
        if storage.name in names:
            yield f"two storages are named `{storage.name}`"
        names.add(storage.name)
        if storage.size_bytes < 0:
            yield f"storage `{storage.name}` has a negative size"
        parts = sum(part.size_bytes for part in storage.parts)
        if storage.parts and parts != storage.size_bytes:
            yield f"the parts of `{storage.name}` hold {parts} of {storage.size_bytes} bytes"
        if bool(storage.parts) is (storage.split is Split.NONE):
            yield f"storage `{storage.name}` is split {storage.split} in {len(storage.parts)} parts"


def _graph(graph: Graph, storages: Sequence[Storage], handed_on: AbstractSet[int]) -> Iterator[str]:
    yield from _steps(graph)
    written: set[int] = set(handed_on)
    for position, node in enumerate(graph.nodes):
        if node.index != position:
            yield f"node `{node.name}` says index {node.index}, stands at {position}"
        if node.flops < 0:
            yield f"node `{node.name}` has negative FLOPs"
        for use in (*node.reads, *node.writes):
            if not 0 <= use.storage < len(storages):
                yield f"node `{node.name}` uses storage {use.storage} of {len(storages)}"
                return
            yield from _use(node, use, storages[use.storage])
        for use in node.reads:
            if storages[use.storage].role not in GIVEN and use.storage not in written:
                yield f"node `{node.name}` reads `{storages[use.storage].name}` before it is made"
        written.update(use.storage for use in node.writes)
    for output in sorted(graph.outputs - written):
        yield f"output `{storages[output].name}` is never made"


def _use(node: Node, use: Use, storage: Storage) -> Iterator[str]:
    if not 0 <= use.size_bytes <= storage.size_bytes:
        size = f"{use.size_bytes} of {storage.size_bytes} bytes"
        yield f"node `{node.name}` uses {size} of `{storage.name}`"
    routed = use.access is Access.ROUTED
    if routed and storage.split is not Split.EXPERTS:
        yield f"node `{node.name}` routes over `{storage.name}`, which has no experts"
    if routed != (use.top_k > 0):
        yield f"node `{node.name}` has top_k {use.top_k} for `{storage.name}`"


def _steps(graph: Graph) -> Iterator[str]:
    at = 0
    names: set[str] = set()
    for step in graph.steps:
        if step.first != at or step.last < step.first:
            yield f"step `{step.name}` runs from {step.first} to {step.last}, expected from {at}"
        at = step.last + 1
        if step.name in names:
            yield f"two steps are named `{step.name}`"
        names.add(step.name)
    if at != len(graph.nodes):
        yield f"the steps end at node {at} of {len(graph.nodes)}"
