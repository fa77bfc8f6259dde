"""A captured graph's inputs and outputs into the caches that grow between them."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

import attrs
from torch import Tensor, fx
from torch._ops import OpOverload

from mirc.frontend.costs import elements, tensor_bytes, whole
from mirc.frontend.entry import CacheRef, Entry
from mirc.frontend.operators import Kind, is_view, operator_of
from mirc.frontend.traced import Traced
from mirc.graph.model import Role

Part = tuple[str, int]


@attrs.frozen(slots=True)
class Growth:
    """The size of one part of a cache after the phase, and what one token of a sequence adds."""

    ref: CacheRef
    part: Part
    size_bytes: int
    per_token_bytes: int


@attrs.frozen(kw_only=True)
class Appends:
    """Where caches enter a graph (``inputs``), grow (``joins``) or are made (``made``)."""

    inputs: dict[fx.Node, CacheRef]
    joins: dict[fx.Node, CacheRef]
    made: dict[fx.Node, CacheRef]
    growth: tuple[Growth, ...]

    @classmethod
    def of(cls, traced: Traced) -> "Appends":
        """Find them from what the entry declares, else from ``input -> cat -> output``.

        What is appended must be computed from the inputs: a parameter is no new token.
        """
        entry = traced.entry
        entering = list(zip(traced.arguments, entry.caches_in, strict=False))
        leaving = list(zip(traced.outputs, entry.caches_out, strict=False))
        if not (entry.caches_in or entry.caches_out):
            entering, leaving = _discovered(traced)
        inputs = {one: ref for one, ref in entering if one is not None and ref is not None}
        growth: dict[tuple[str, Part], Growth] = {}
        place = _places(entry.phase)
        for one, ref in inputs.items():
            part = place(ref.name)
            size = tensor_bytes(one.meta["val"])
            # a window's cache holds one token less: the newest is the window's last
            past = min(entry.past, ref.window - 1) if ref.window else entry.past
            per_token = size // (past * entry.batch) if ref.grows and past else 0
            growth[ref.name, part] = Growth(ref, part, size, per_token)
        place = _places(entry.phase)
        joins: dict[fx.Node, CacheRef] = {}
        made: dict[fx.Node, CacheRef] = {}
        for node, cache in leaving:
            if cache is None:
                continue
            source, part = _producer(node), place(cache.name)
            if source.op == "call_function" and isinstance(source.target, OpOverload):
                if operator_of(source.target).kind is Kind.JOIN:
                    joins[source] = cache
                elif _fills(source, node):
                    made[source] = cache
            if source in joins or source in made:
                growth[cache.name, part] = _grown(source, cache, part, entry)
        return cls(inputs=inputs, joins=joins, made=made, growth=tuple(growth.values()))


def _places(phase: str) -> Callable[[str], Part]:
    """Give a function that numbers each cache's parts as they are met: keys 0, values 1."""
    counts: dict[str, int] = {}

    def place(name: str) -> Part:
        counts[name] = counts.get(name, -1) + 1
        return phase, counts[name]

    return place


def _grown(source: fx.Node, ref: CacheRef, part: Part, entry: Entry) -> Growth:
    value = source.meta["val"]
    size = tensor_bytes(value)
    tokens = entry.past + entry.tokens
    if operator_of(source.target).kind is Kind.JOIN:
        tokens = whole(value.shape[_dimension(source)])
    per_token = size // (tokens * entry.batch) if ref.grows and tokens else 0
    return Growth(ref, part, size, per_token)


def _dimension(join: fx.Node) -> int:
    given = join.args[1] if len(join.args) > 1 else join.kwargs.get("dim", 0)
    return given if isinstance(given, int) else 0


def _producer(node: fx.Node) -> fx.Node:
    """Follow views and in-place writes back to the node that made the bytes."""
    while node.op == "call_function" and isinstance(node.target, OpOverload):
        kind = operator_of(node.target).kind
        sources = node.all_input_nodes
        if kind is Kind.IN_PLACE and isinstance(node.args[0], fx.Node):
            node = node.args[0]  # the bytes were there before
            continue
        views = kind is Kind.VIEW or (
            kind is Kind.MAYBE_VIEW and is_view(node, sources[0].meta["val"], node.meta["val"])
        )
        if not views or not sources:
            break
        node = sources[0]
    return node


def _origin(node: fx.Node) -> fx.Node:
    """Follow views and ``cat(empty, x)`` back: how a cache comes in before it grows."""
    made = _producer(node)
    while made.op == "call_function" and isinstance(made.target, OpOverload):
        operands = _filled(made) if operator_of(made.target).kind is Kind.JOIN else []
        if len(operands) != 1:
            break
        made = _producer(operands[0])
    return made


def lazily_made(join: fx.Node, traced: Traced) -> fx.Node | None:
    """Give ``x`` of ``cat(empty, x)``, which is what a cache begins with: no bytes of its own.

    None where that is work: where ``x`` was not computed, or a parameter is what is empty.
    """
    given: Any = join.args[0] if join.args else join.kwargs["tensors"]
    filled = _filled(join)
    if len(filled) != 1 or len(given) < 2 or given[-1] is not filled[0]:
        return None
    roots = map(_producer, given[:-1])
    owned = any(_role(traced, root) in (Role.PARAMETER, Role.BUFFER) for root in roots)
    computed = _producer(filled[0]).op == "call_function"
    same = filled[0].meta["val"].dtype is join.meta["val"].dtype
    return filled[0] if computed and same and not owned else None


def _role(traced: Traced, node: fx.Node) -> Role | None:
    given = traced.inputs.get(node.name) if node.op == "placeholder" else None
    return None if given is None else given.role


def _filled(join: fx.Node) -> list[fx.Node]:
    """Give the operands of a ``cat`` that hold anything."""
    given = join.args[0]
    items = given if isinstance(given, list | tuple) else ()
    return [
        item
        for item in items
        if isinstance(item, fx.Node)
        and isinstance(item.meta.get("val"), Tensor)
        and elements(item.meta["val"])
    ]


def _fills(source: fx.Node, node: fx.Node) -> bool:
    value = source.meta.get("val")
    if not isinstance(value, Tensor) or operator_of(source.target).kind is not Kind.COMPUTE:
        return False
    return tensor_bytes(value) == tensor_bytes(node.meta["val"])


def _discovered(
    traced: Traced,
) -> tuple[list[tuple[fx.Node | None, CacheRef | None]], list[tuple[fx.Node, CacheRef | None]]]:
    """Find the user's own caches: an input that is extended by ``cat`` and handed out again."""
    arguments = {node for node in traced.arguments if node is not None}
    computed = _computed(traced, arguments)
    entering: list[tuple[fx.Node | None, CacheRef | None]] = []
    leaving: list[tuple[fx.Node, CacheRef | None]] = []
    for out in traced.outputs:
        join = _producer(out)
        if join.op != "call_function" or not isinstance(join.target, OpOverload):
            continue
        if operator_of(join.target).kind is not Kind.JOIN:
            continue
        operands = _filled(join)
        past = _origin(operands[0]) if len(operands) > 1 else None
        if past is None or past not in arguments or traced.inputs[past.name].role is not Role.INPUT:
            continue
        if past.meta["val"].dim() != join.meta["val"].dim() or not computed.issuperset(
            operands[1:]
        ):
            continue
        ref = CacheRef(f"kv.{traced.module_of(join) or traced.inputs[past.name].name}")
        entering.append((past, ref))
        leaving.append((out, ref))
    return entering, leaving


def _computed(traced: Traced, arguments: AbstractSet[fx.Node]) -> set[fx.Node]:
    """Give the operations whose results depend on the caller's tensors, and those themselves."""
    found = set(arguments)
    for node in traced.graph.nodes:
        if node.op == "call_function" and not found.isdisjoint(node.all_input_nodes):
            found.add(node)
    return found
