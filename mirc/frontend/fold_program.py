"""A program of a few repeats into the program of all: storages and nodes copied and renamed."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from mirc.frontend.fold_layout import Layout
from mirc.frontend.fold_stretch import (
    BETWEEN,
    REPEATS,
    Copy,
    NotAffineError,
    Spot,
    Stretch,
    followed,
)
from mirc.frontend.steps import steps_of
from mirc.graph.model import Graph, Node, Program, Role, Scale, Storage, Use

OWNED = (Role.PARAMETER, Role.BUFFER)
DIGITS = re.compile(r"(\d+)")


def replicated(short: Program, layout: Layout, counts: Sequence[int]) -> Program:
    """Lay a program that was captured at a few repeats out at ``counts`` of each run.

    The digest is left as it was. Raises NotAffineError where the repeats do not agree on what
    more of them would be. O(nodes + uses of the result).
    """
    return _Replication(short, layout, counts).program()


def with_scales(short: Program, layout: Layout, shorter: Program) -> Program:
    """Give ``short`` the scales of ``shorter``, which is ``short`` laid out at a repeat less."""
    replication = _Replication(short, layout, [REPEATS - 1] * len(layout.runs))
    stretches = [replication.storages, *map(replication.stretch, short.graphs)]
    known = [
        [storage.scale for storage in shorter.storages],
        *([node.flops_scale for node in graph.nodes] for graph in shorter.graphs),
    ]
    storages, *nodes = map(_handed_back, stretches, known)
    graphs = tuple(
        attrs.evolve(
            graph,
            nodes=tuple(map(_with_flops_scale, graph.nodes, scales)),
        )
        for graph, scales in zip(short.graphs, nodes, strict=True)
    )
    return attrs.evolve(
        short, storages=tuple(map(_with_scale, short.storages, storages)), graphs=graphs
    )


def _handed_back(stretch: Stretch, scales: Sequence[Scale]) -> list[Scale]:
    """Give the scales of a short sequence's elements from those of its copies."""
    found = [Scale.UNKNOWN] * len(stretch.spots)
    for copy, scale in zip(stretch.copies, scales, strict=True):
        found[copy.source] = scale
    for third, second in stretch.before.items():
        found[third] = found[second]
    return found


def _with_scale(storage: Storage, scale: Scale) -> Storage:
    return attrs.evolve(storage, scale=scale)


def _with_flops_scale(node: Node, scale: Scale) -> Node:
    return attrs.evolve(node, flops_scale=scale)


class _Replication:
    def __init__(self, short: Program, layout: Layout, counts: Sequence[int]) -> None:
        self.short = short
        self.layout = layout
        self.counts = counts
        self.touched = _first_modules(short)
        spots = [layout.spot(self._home(storage)) for storage in short.storages]
        self.storages = Stretch(spots, list(map(_storage_key, short.storages)), counts)
        self.names: dict[int, str] = {}

    def program(self) -> Program:
        """Give the long program."""
        made = [(graph, tuple(self._nodes(graph))) for graph in self.short.graphs]
        storages = tuple(self._storages())
        roles = [storage.role for storage in storages]
        graphs = tuple(
            attrs.evolve(
                graph,
                nodes=nodes,
                steps=steps_of(graph.phase, nodes, roles),
                outputs=frozenset(
                    index
                    for index, copy in enumerate(self.storages.copies)
                    if copy.source in graph.outputs
                ),
            )
            for graph, nodes in made
        )
        return attrs.evolve(self.short, storages=storages, graphs=graphs)

    def stretch(self, graph: Graph) -> Stretch:
        """Lay out the nodes of one graph."""
        spots = [self.layout.spot(node.module) for node in graph.nodes]
        return Stretch(spots, list(map(_node_key, graph.nodes)), self.counts)

    def _home(self, storage: Storage) -> str:
        """Give the module path that says which repeat a storage belongs to."""
        if storage.role in OWNED and self.layout.child(storage.module) is not None:
            return storage.module
        return self.touched.get(storage.index, "")

    def _nodes(self, graph: Graph) -> Iterator[Node]:
        nodes = graph.nodes
        stretch = self.stretch(graph)
        touches = [tuple(use.storage for use in (*node.reads, *node.writes)) for node in nodes]
        numbers: dict[str, int] = {}
        for index, copy in enumerate(stretch.copies):
            node = nodes[copy.source]
            place = stretch.places.get(copy.source)
            spot = stretch.spots[copy.source] if place is None else Spot(place.run, place.unit)
            before = stretch.before.get(copy.source)
            touched = followed(
                self.storages,
                spot,
                copy,
                touches[copy.source],
                () if before is None else touches[before],
            )
            module = self.layout.renamed(node.module, copy.unit, self.counts)
            number = numbers.get(module, 0)
            numbers[module] = number + 1
            name = f"{graph.phase}.{module}.op_{number}" if module else f"{graph.phase}.op_{number}"
            for old, new in zip(touches[copy.source], touched, strict=True):
                label = self.short.storages[old].name
                if label == node.name or label.startswith(f"{node.name}."):
                    self.names[new] = name + label[len(node.name) :]
            yield Node(
                index=index,
                name=name,
                op=node.op,
                module=module,
                reads=_uses(node.reads, touched),
                writes=_uses(node.writes, touched[len(node.reads) :]),
                flops=node.flops,
                flops_scale=node.flops_scale,
                random=node.random,
                collective=node.collective,
            )

    def _storages(self) -> Iterator[Storage]:
        names: set[str] = set()
        for index, copy in enumerate(self.storages.copies):
            storage = self.short.storages[copy.source]
            name = self.names.get(index) or self._name(storage, copy)
            if name in names:
                raise NotAffineError(f"two repeats of a block would both own `{name}`")
            names.add(name)
            yield attrs.evolve(
                storage,
                index=index,
                name=name,
                module=self.layout.renamed(storage.module, copy.unit, self.counts),
            )

    def _name(self, storage: Storage, copy: Copy) -> str:
        """Rename what no node named: a tensor of a module by its path, the rest by its numbers."""
        if storage.role in OWNED:
            module = self.layout.renamed(storage.module, copy.unit, self.counts)
            return module + storage.name[len(storage.module) :]
        child = self.layout.child(self.touched.get(storage.index, ""))
        words = DIGITS.split(storage.name)
        for place, step in zip(range(1, len(words), 2), self._steps(copy), strict=False):
            number = int(words[place])
            if child is not None and number == child.number:
                words[place] = str(self.layout.number(child, copy.unit, self.counts))
            elif step:
                words[place] = str(number + step)
        return "".join(words)

    def _steps(self, copy: Copy) -> Iterator[int]:
        """Yield how much larger each number in a name is than in that of the copy's source."""
        spot = self.storages.places.get(copy.source)
        later = self.storages.like(copy.source, BETWEEN)
        if spot is None or spot.unit < BETWEEN or later is None:
            yield from itertools.repeat(0)
            return
        numbers = (
            map(int, DIGITS.findall(self.short.storages[each].name))
            for each in (later, self.storages.before[later])
        )
        for new, old in zip(*numbers, strict=True):
            yield (new - old) * (copy.unit - spot.unit)


def _first_modules(short: Program) -> dict[int, str]:
    """Give the module path of the first node that touches each storage."""
    found: dict[int, str] = {}
    for graph in short.graphs:
        for node in graph.nodes:
            for use in (*node.reads, *node.writes):
                found.setdefault(use.storage, node.module)
    return found


def _uses(uses: Sequence[Use], storages: Sequence[int]) -> tuple[Use, ...]:
    return tuple(
        use
        if use.storage == storage
        else Use(storage=storage, size_bytes=use.size_bytes, access=use.access, top_k=use.top_k)
        for use, storage in zip(uses, storages, strict=False)
    )


def _storage_key(storage: Storage) -> Any:
    return (
        storage.role,
        storage.size_bytes,
        storage.dtype,
        storage.shape,
        storage.split,
        storage.parts,
        storage.per_token_bytes,
        storage.window_tokens,
        storage.mutated,
        DIGITS.sub("#", storage.name),
    )


def _node_key(node: Node) -> Any:
    uses = tuple((use.size_bytes, use.access, use.top_k) for use in (*node.reads, *node.writes))
    name = DIGITS.sub("#", node.name)
    return (name, node.op, len(node.reads), uses, node.flops, node.random, node.collective)
