"""One captured fx graph into nodes over storages: views folded, noise dropped, costs counted."""

import operator as python_operator
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, fx
from torch._ops import OpOverload

from mirc.frontend.caches import lazily_made
from mirc.frontend.costs import FlopCounter, elements
from mirc.frontend.lower_nodes import Nodes, Value, drafts_in
from mirc.frontend.operators import Kind, Operator, is_view, operator_of, training_call
from mirc.frontend.steps import steps_of
from mirc.frontend.table import Draft, StorageTable
from mirc.frontend.traced import Traced
from mirc.graph.model import Graph, Role, Use

DISCARDABLE = frozenset({Kind.VIEW, Kind.MAYBE_VIEW, Kind.JOIN, Kind.FRESH, Kind.COMPUTE})


def lower(traced: Traced, table: StorageTable, flops: FlopCounter) -> Graph:
    """Turn one phase into a :class:`~mirc.graph.model.Graph`, its storages into ``table``.

    Cost: O(fx nodes + uses); a few microseconds each.
    """
    lowering = Lowering(traced, table, flops)
    lowering.run(traced.graph, {})
    lowering.mark_outputs()
    lowering.grow_caches()
    return lowering.graph()


class Lowering(Nodes):
    """The walk over one fx graph: which storage each fx node's value lies in."""

    def __init__(self, traced: Traced, table: StorageTable, flops: FlopCounter) -> None:
        super().__init__(traced, table, flops)
        self.dead = _dead(traced.graph)
        self.outputs: list[int] = []
        self.ways: dict[Kind, Callable[[fx.Node, Operator], Value]] = {
            Kind.NOTHING: self._nothing,
            Kind.VIEW: self._view,
            Kind.MAYBE_VIEW: self._maybe_view,
            Kind.IN_PLACE: self._in_place,
            Kind.JOIN: self._join,
            Kind.FRESH: self._fresh,
            Kind.WAIT: self._wait,
            Kind.COMPUTE: self._compute,
        }

    def run(self, graph: fx.Graph, given: dict[fx.Node, Value]) -> None:
        """Walk a graph whose placeholders stand in ``given`` or are the phase's own inputs."""
        self.walk(graph.nodes, given)

    def walk(self, nodes: Iterable[fx.Node], given: dict[fx.Node, Value]) -> None:
        """Walk some nodes of a graph, in order; what they use was walked or is given."""
        for node in nodes:
            if node.op == "call_function":
                self.values[node] = self._call(node)
            elif node.op == "placeholder":
                self.values[node] = given[node] if node in given else self._input(node)
            elif node.op == "get_attr":
                self.values[node] = self._constant(node)

    def mark_outputs(self) -> None:
        """Note which storages are handed to the caller."""
        for node in self.traced.outputs:
            for draft in drafts_in(self.values.get(node)):
                if draft.role is Role.ACTIVATION:
                    draft.role = Role.OUTPUT
                    self.outputs.append(draft.index)

    def grow_caches(self) -> None:
        """Tell the table how large each part of each cache is after this phase."""
        for growth in self.appends.growth:
            name, part = growth.ref.name, growth.part
            self.table.grow(name, part, growth.size_bytes, growth.per_token_bytes)

    def graph(self) -> Graph:
        """Close the phase: its nodes, cut into steps by the roles that storages have in the end."""
        entry = self.traced.entry
        nodes = tuple(self.nodes)
        return Graph(
            phase=entry.phase,
            nodes=nodes,
            steps=steps_of(entry.phase, nodes, [draft.role for draft in self.table.drafts]),
            outputs=frozenset(self.outputs),
            batch=entry.batch,
            tokens=entry.tokens,
            past=entry.past,
        )

    def _input(self, node: fx.Node) -> Value:
        value = node.meta.get("val")
        given = self.traced.inputs.get(node.name)
        if not isinstance(value, Tensor) or given is None or not elements(value):
            return None
        if given.role is Role.PARAMETER or (given.role is Role.BUFFER and self._used(node)):
            return self.table.shared(given.name, given.role, value, self.phase)
        ref = self.appends.inputs.get(node)
        if ref is not None:
            return self.table.cache(ref, value)
        if not self._used(node):
            return None
        return self.table.add(f"{self.phase}.{given.name}", given.role, value)

    def _used(self, node: fx.Node) -> bool:
        return any(user not in self.dead for user in node.users)

    def _constant(self, node: fx.Node) -> Value:
        value = node.meta.get("val")
        if not isinstance(value, Tensor) or not elements(value):
            return None
        name = self.table.name_of(value, "")
        if name:
            return self.table.shared(name, Role.BUFFER, value, self.phase)
        return self.table.add(f"{self.phase}.{node.target}", Role.CONSTANT, value)

    def _call(self, node: fx.Node) -> Value:
        target = node.target
        if target is python_operator.getitem:
            source, place = node.args[0], node.args[1]
            value = self.values.get(source)  # type: ignore[arg-type]
            if isinstance(value, tuple):
                return value[place] if isinstance(place, int) and place < len(value) else None
            return value
        if isinstance(target, OpOverload):
            return self._operator(node, operator_of(target))
        if isinstance(node.meta.get("val"), Tensor | tuple | list):
            return self._higher_order(node)
        return None

    def _operator(self, node: fx.Node, operator: Operator) -> Value:
        if node in self.dead:
            return None  # what nobody looks at is not worth running
        return self.ways[operator.kind](node, operator)

    def _nothing(self, _node: fx.Node, _operator: Operator) -> Value:
        return None

    def _fresh(self, node: fx.Node, operator: Operator) -> Value:
        return self.emit(node, operator, reads=(), empty=True)

    def _view(self, node: fx.Node, operator: Operator) -> Value:
        source = _first_tensor(node)
        return self._compute(node, operator) if source is None else self.values.get(source)

    def _maybe_view(self, node: fx.Node, operator: Operator) -> Value:
        source = _first_tensor(node)
        if source is None or not is_view(node, source.meta["val"], node.meta["val"]):
            return self._compute(node, operator)
        return self.values.get(source)

    def _join(self, node: fx.Node, operator: Operator) -> Value:
        given: Any = node.args[0] if node.args else node.kwargs["tensors"]
        parts = [part for part in given if _numel(part)]
        ref = self.appends.joins.get(node)
        if ref is None:
            source = lazily_made(node, self.traced) if self.traced.entry.training is None else None
            if source is not None:
                return self.values[source]
            return self._compute(node, operator)
        cache = self.table.cache(ref, node.meta["val"])
        fresh = [part for part in parts if self.values.get(part) is not cache]
        if not fresh:
            return cache
        written = sum(map(self.bytes_of, fresh))
        uses = tuple(self.reads(fresh))
        self.add(node, operator, uses, (Use(storage=cache.index, size_bytes=written),))
        return cache

    def _in_place(self, node: fx.Node, operator: Operator) -> Value:
        names = [argument.name for argument in node.target._schema.arguments]  # type: ignore[union-attr] # noqa: SLF001
        written: list[fx.Node] = []
        for place in operator.written:
            given = node.args[place] if place < len(node.args) else node.kwargs.get(names[place])
            written += [item for item in _nodes_in(given) if self.values.get(item) is not None]
        others = [item for item in node.all_input_nodes if item not in written]
        reads = [*written, *others] if operator.reads_target else others
        writes = []
        for item in written:
            draft = self.values[item]
            size = self.bytes_of(item)
            if operator.partial and others:
                element = item.meta["val"].element_size()
                size = min(size, element * max(map(_numel, others)))
            writes += [Use(storage=one.index, size_bytes=size) for one in drafts_in(draft)]
            for one in drafts_in(draft):
                _mutate(one)
        self.add(node, operator, tuple(self.reads(reads)), tuple(writes))
        return self.values.get(written[0]) if written else None

    def _wait(self, node: fx.Node, operator: Operator) -> Value:
        source = _first_tensor(node)
        if source is None:
            return None
        self.add(node, operator, tuple(self.reads([source])), ())
        return self.values.get(source)

    def _compute(self, node: fx.Node, operator: Operator) -> Value:
        reads = () if operator.reads_shape else tuple(self.reads(node.all_input_nodes, node))
        return self.emit(node, operator, reads=reads, also=self._updates(node, operator))

    def _updates(self, node: fx.Node, operator: Operator) -> tuple[Use, ...]:
        """Give the writes to running statistics, which only a call in training makes."""
        if not operator.updated or not training_call(node):
            return ()
        given = [node.args[place] for place in operator.updated if place < len(node.args)]
        found = [item for item in given if isinstance(item, fx.Node)]
        for item in found:
            for draft in drafts_in(self.values.get(item)):
                _mutate(draft)
        return tuple(self.reads(found))

    def _higher_order(self, node: fx.Node) -> Value:
        """Walk into a wrapped region; keep any other as one opaque node."""
        bodies = [item for item in node.all_input_nodes if _is_body(self.traced, item)]
        name = str(node.target)
        if len(bodies) == 1 and name.startswith("wrap_with"):
            return self._inline(node, bodies[0])
        reads = tuple(self.reads(item for item in node.all_input_nodes if item not in bodies))
        return self.emit(node, Operator(name=name, kind=Kind.COMPUTE), reads=reads)

    def _inline(self, node: fx.Node, body: fx.Node) -> Value:
        graph = self.traced.attribute(body).graph
        self.dead |= _dead(graph)
        place = node.args.index(body)
        given = [
            self.values.get(item) if isinstance(item, fx.Node) else None
            for item in node.args[place + 1 :]
        ]
        holders = [item for item in graph.nodes if item.op == "placeholder"]
        self.run(graph, dict(zip(holders, given, strict=False)))
        (out,) = graph.output_node().args
        results = out if isinstance(out, tuple | list) else (out,)
        return tuple(self.values.get(item) for item in results)  # type: ignore[misc]


def _dead(graph: fx.Graph) -> set[fx.Node]:
    """Find the operations whose results lead nowhere: to no output, write or collective."""
    dead: set[fx.Node] = set()
    for node in reversed(graph.nodes):
        if node.op != "call_function" or not isinstance(node.target, OpOverload):
            continue
        operator = operator_of(node.target)
        discardable = operator.kind in DISCARDABLE and not operator.collective
        if operator.kind is Kind.NOTHING or (discardable and dead.issuperset(node.users)):
            dead.add(node)
    return dead


def _mutate(draft: Draft) -> None:
    """Mark what outlives the run as changed by it; an input changed in place is state."""
    if draft.role is Role.INPUT:
        draft.role = Role.STATE
    draft.mutated = draft.mutated or draft.role is not Role.ACTIVATION


def _first_tensor(node: fx.Node) -> fx.Node | None:
    for item in node.all_input_nodes:
        if isinstance(item.meta.get("val"), Tensor):
            return item
    return None


def _nodes_in(given: Any) -> list[fx.Node]:
    if isinstance(given, fx.Node):
        return [given]
    return [item for item in given if isinstance(item, fx.Node)] if isinstance(given, list) else []


def _numel(node: fx.Node) -> int:
    value = node.meta.get("val")
    return elements(value) if isinstance(value, Tensor) else 0


def _is_body(traced: Traced, node: fx.Node) -> bool:
    return node.op == "get_attr" and isinstance(traced.attribute(node), fx.GraphModule)
