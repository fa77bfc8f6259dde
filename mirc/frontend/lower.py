"""One captured fx graph into nodes over storages: views folded, noise dropped, costs counted."""

import operator as python_operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
from torch import Tensor, fx
from torch._ops import OpOverload

from mirc.frontend.caches import Appends
from mirc.frontend.costs import FlopCounter, elements, tensor_bytes
from mirc.frontend.operators import Kind, Operator, is_view, operator_of, random_call, training_call
from mirc.frontend.reads import read_of
from mirc.frontend.steps import steps_of
from mirc.frontend.table import Draft, StorageTable
from mirc.frontend.traced import Traced
from mirc.graph.model import Graph, Node, Role, Use

Value = Draft | tuple[Draft | None, ...] | None
DISCARDABLE = frozenset({Kind.VIEW, Kind.MAYBE_VIEW, Kind.JOIN, Kind.FRESH, Kind.COMPUTE})


def lower(traced: Traced, table: StorageTable, flops: FlopCounter) -> Graph:
    """Turn one phase into a :class:`~mirc.graph.model.Graph`, its storages into ``table``.

    Cost: O(fx nodes + uses); a few microseconds each.
    """
    lowering = Lowering(traced, table, flops)
    lowering.run(traced.graph, {})
    lowering.mark_outputs()
    lowering.grow_caches()
    entry = traced.entry
    roles = [draft.role for draft in table.drafts]
    nodes = tuple(lowering.nodes)
    return Graph(
        phase=entry.phase,
        nodes=nodes,
        steps=steps_of(entry.phase, nodes, roles),
        outputs=frozenset(lowering.outputs),
        batch=entry.batch,
        tokens=entry.tokens,
        past=entry.past,
    )


class Lowering:
    """The walk over one fx graph: which storage each fx node's value lies in."""

    def __init__(self, traced: Traced, table: StorageTable, flops: FlopCounter) -> None:
        self.traced = traced
        self.table = table
        self.flops = flops
        self.phase = traced.entry.phase
        self.appends = Appends.of(traced)
        self.dead = _dead(traced.graph)
        self.values: dict[fx.Node, Value] = {}
        self.sizes: dict[fx.Node, int] = {}
        self.nodes: list[Node] = []
        self.outputs: list[int] = []
        self.counts: dict[str, int] = {}
        self.rows = traced.entry.batch * traced.entry.tokens
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
            for draft in _drafts(self.values.get(node)):
                if draft.role is Role.ACTIVATION:
                    draft.role = Role.OUTPUT
                    self.outputs.append(draft.index)

    def grow_caches(self) -> None:
        """Tell the table how large each part of each cache is after this phase."""
        for growth in self.appends.growth:
            name, part = growth.ref.name, growth.part
            self.table.grow(name, part, growth.size_bytes, growth.per_token_bytes)

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
        return self._emit(node, operator, reads=(), empty=True)

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
            if len(parts) == 1 and len(given) > 1 and self.traced.entry.training is None:
                return self.values[parts[0]]  # cat(empty, x): what a lazily made cache leaves
            return self._compute(node, operator)
        cache = self.table.cache(ref, node.meta["val"])
        fresh = [part for part in parts if self.values.get(part) is not cache]
        if not fresh:
            return cache
        written = sum(map(self._bytes, fresh))
        uses = tuple(self._reads(fresh))
        self._add(node, operator, uses, (Use(storage=cache.index, size_bytes=written),))
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
            size = self._bytes(item)
            if operator.partial and others:
                element = item.meta["val"].element_size()
                size = min(size, element * max(map(_numel, others)))
            writes += [Use(storage=one.index, size_bytes=size) for one in _drafts(draft)]
            for one in _drafts(draft):
                _mutate(one)
        self._add(node, operator, tuple(self._reads(reads)), tuple(writes))
        return self.values.get(written[0]) if written else None

    def _wait(self, node: fx.Node, operator: Operator) -> Value:
        source = _first_tensor(node)
        if source is None:
            return None
        self._add(node, operator, tuple(self._reads([source])), ())
        return self.values.get(source)

    def _compute(self, node: fx.Node, operator: Operator) -> Value:
        reads = () if operator.reads_shape else tuple(self._reads(node.all_input_nodes, node))
        return self._emit(node, operator, reads=reads, also=self._updates(node, operator))

    def _updates(self, node: fx.Node, operator: Operator) -> tuple[Use, ...]:
        """Give the writes to running statistics, which only a call in training makes."""
        if not operator.updated or not training_call(node):
            return ()
        given = [node.args[place] for place in operator.updated if place < len(node.args)]
        found = [item for item in given if isinstance(item, fx.Node)]
        for item in found:
            for draft in _drafts(self.values.get(item)):
                _mutate(draft)
        return tuple(self._reads(found))

    def _higher_order(self, node: fx.Node) -> Value:
        """Walk into a wrapped region; keep any other as one opaque node."""
        bodies = [item for item in node.all_input_nodes if _is_body(self.traced, item)]
        name = str(node.target)
        if len(bodies) == 1 and name.startswith("wrap_with"):
            return self._inline(node, bodies[0])
        reads = tuple(self._reads(item for item in node.all_input_nodes if item not in bodies))
        return self._emit(node, Operator(name=name, kind=Kind.COMPUTE), reads=reads)

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

    def _reads(self, sources: Any, reader: fx.Node | None = None) -> Iterator[Use]:
        """Give one use per storage read; views of one storage add up."""
        uses: dict[int, Use] = {}
        for source in sources:
            for draft in _drafts(self.values.get(source)):
                use = read_of(reader, source, draft, self._bytes(source), self.rows)
                before = uses.get(draft.index)
                if before is not None:
                    total = before.size_bytes + use.size_bytes
                    if draft.role is not Role.CACHE:  # whose size is known only at the end
                        total = max(use.size_bytes, min(total, draft.size_bytes))
                    use = attrs.evolve(use, size_bytes=total)
                uses[draft.index] = use
        yield from uses.values()

    def _emit(
        self,
        node: fx.Node,
        operator: Operator,
        *,
        reads: tuple[Use, ...],
        also: tuple[Use, ...] = (),
        empty: bool = False,
    ) -> Value:
        """Add a node that makes new storages, one per tensor of its result, and writes ``also``."""
        value = node.meta.get("val")
        results = value if isinstance(value, tuple | list) else (value,)
        module, name = self._next_name(node)
        ref = self.appends.made.get(node)
        drafts: list[Draft | None] = []  # one for each result: what is not asked for is None
        writes: list[Use] = []
        for place, result in enumerate(results):
            if not isinstance(result, Tensor) or not elements(result):
                drafts.append(None)
                continue
            label = name if place == 0 else f"{name}.{place}"
            size = tensor_bytes(result)
            if ref is not None:
                draft = self.table.cache(ref, result)
            else:
                draft = self.table.add(label, Role.ACTIVATION, result, module, size)
            drafts.append(draft)
            writes.append(Use(storage=draft.index, size_bytes=0 if empty else size))
        if writes:
            self._append(node, operator, (module, name), (reads, (*writes, *also)))
        return tuple(drafts) if isinstance(value, tuple | list) else drafts[0]

    def _add(
        self, node: fx.Node, operator: Operator, reads: tuple[Use, ...], writes: tuple[Use, ...]
    ) -> None:
        self._append(node, operator, self._next_name(node), (reads, writes))

    def _append(
        self,
        node: fx.Node,
        operator: Operator,
        place: tuple[str, str],
        uses: tuple[tuple[Use, ...], tuple[Use, ...]],
    ) -> None:
        known = isinstance(node.target, OpOverload)
        self.nodes.append(
            Node(
                index=len(self.nodes),
                name=place[1],
                op=operator.name,
                module=place[0],
                reads=uses[0],
                writes=uses[1],
                flops=self.flops.count(node) if known else 0,
                random=known and random_call(node, operator),
                collective=operator.collective,
            )
        )

    def _next_name(self, node: fx.Node) -> tuple[str, str]:
        module = self.traced.module_of(node)
        count = self.counts.get(module, 0)
        self.counts[module] = count + 1
        place = f"{self.phase}.{module}" if module else self.phase
        return module, f"{place}.op_{count}"

    def _bytes(self, node: fx.Node) -> int:
        size = self.sizes.get(node)
        if size is None:
            value = node.meta.get("val")
            tensors = value if isinstance(value, tuple | list) else (value,)
            size = sum(tensor_bytes(item) for item in tensors if isinstance(item, Tensor))
            self.sizes[node] = size
        return size


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


def _drafts(value: Value) -> tuple[Draft, ...]:
    if isinstance(value, Draft):
        return (value,)
    return tuple(item for item in value if item is not None) if value else ()


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
