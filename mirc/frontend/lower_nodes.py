"""What a lowered phase is made of: nodes with their names, the bytes that each reads and writes."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import attrs
from torch import Tensor, fx
from torch._ops import OpOverload

from mirc.frontend.caches import Appends
from mirc.frontend.costs import FlopCounter, data_decides, elements, tensor_bytes
from mirc.frontend.operators import Operator, random_call
from mirc.frontend.reads import read_of
from mirc.frontend.table import Draft, StorageTable
from mirc.frontend.traced import Traced
from mirc.graph.model import Node, Role, Scale, Use

Value: TypeAlias = Draft | tuple[Draft | None, ...] | None
"""Where the value of an fx node lies: one storage, one for each of its tensors, or nowhere."""


class Nodes:
    """The nodes of one phase so far, and the values of the fx nodes that they stand for."""

    def __init__(self, traced: Traced, table: StorageTable, flops: FlopCounter) -> None:
        self.traced = traced
        self.table = table
        self.flops = flops
        self.phase = traced.entry.phase
        self.appends = Appends.of(traced)
        self.values: dict[fx.Node, Value] = {}
        self.nodes: list[Node] = []
        self._counts: dict[str, int] = {}
        self._sizes: dict[fx.Node, int] = {}
        self._rows = traced.entry.batch * traced.entry.tokens

    def reads(self, sources: Any, reader: fx.Node | None = None) -> Iterator[Use]:
        """Give one use per storage read; views of one storage add up."""
        uses: dict[int, Use] = {}
        for source in sources:
            for draft in drafts_in(self.values.get(source)):
                use = read_of(reader, source, draft, self.bytes_of(source), self._rows)
                before = uses.get(draft.index)
                if before is not None:
                    total = before.size_bytes + use.size_bytes
                    if draft.role is not Role.CACHE:  # whose size is known only at the end
                        total = max(use.size_bytes, min(total, draft.size_bytes))
                    use = attrs.evolve(use, size_bytes=total)
                uses[draft.index] = use
        yield from uses.values()

    def emit(
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

    def add(
        self, node: fx.Node, operator: Operator, reads: tuple[Use, ...], writes: tuple[Use, ...]
    ) -> None:
        """Add a node that makes no storage."""
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
                flops_scale=Scale.DATA if data_decides(node) else Scale.UNKNOWN,
                random=known and random_call(node, operator),
                collective=operator.collective,
            )
        )

    def _next_name(self, node: fx.Node) -> tuple[str, str]:
        module = self.traced.module_of(node)
        return module, self.name_in(module)

    def name_in(self, module: str) -> str:
        """Name the next node of a module."""
        count = self._counts.get(module, 0)
        self._counts[module] = count + 1
        place = f"{self.phase}.{module}" if module else self.phase
        return f"{place}.op_{count}"

    def bytes_of(self, node: fx.Node) -> int:
        """Count the bytes of all tensors in the value of an fx node."""
        size = self._sizes.get(node)
        if size is None:
            value = node.meta.get("val")
            tensors = value if isinstance(value, tuple | list) else (value,)
            size = sum(tensor_bytes(item) for item in tensors if isinstance(item, Tensor))
            self._sizes[node] = size
        return size


def drafts_in(value: Value) -> tuple[Draft, ...]:
    """Give the storages of a value, one for each of its tensors."""
    if isinstance(value, Draft):
        return (value,)
    return tuple(item for item in value if item is not None) if value else ()
