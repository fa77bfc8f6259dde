"""Sizes and FLOPs at the captured batch into amounts that hold at others, where provable."""

from math import prod

from mirc.graph import Access, Graph, Program, Role, Scale, Storage
from mirc.ir import Call, Value
from mirc.passes.phase_annotator import PhaseFact

_MADE = (Role.ACTIVATION, Role.OUTPUT, Role.INPUT, Role.SAVED)
SPELLED = {Scale.PER_TOKEN: "PER_TOKEN", Scale.PER_SEQUENCE: "PER_SEQUENCE"}


def made_size(storage: Storage, graph: Graph) -> Value:
    """Return a made storage's size: per token or per sequence where captures showed that it is.

    Captured at one size only, its leading shape decides: one that begins with (batch, tokens), or
    with their product, holds one row a token; one that begins with the batch, one a sequence (at
    the captured context). Anything else is fixed.
    """
    return _amount(storage.size_bytes, row_scale(storage, graph), graph)


def row_scale(storage: Storage, graph: Graph) -> str:
    """Return ``PER_TOKEN``, ``PER_SEQUENCE`` or nothing for a storage that a run makes."""
    tokens = graph.batch * graph.tokens
    shape = storage.shape
    if storage.role not in _MADE or not shape:
        return ""
    if storage.scale is not Scale.UNKNOWN:
        return SPELLED.get(storage.scale, "")
    if shape[:2] == (graph.batch, graph.tokens) or shape[0] == tokens:
        return "PER_TOKEN"
    return "PER_SEQUENCE" if shape[0] == graph.batch else ""


def joint_amount(size: int, scales: set[str], graph: Graph) -> Value:
    """Return a sum of storages of these scales as one amount.

    Where a part of it grows, all of it does, by the sequence: at more sequences than were captured
    that is too much rather than too little.
    """
    if scales == {"PER_TOKEN"}:
        return _amount(size, "PER_TOKEN", graph)
    if not size or not any(scales):
        return size
    return Call("PER_SEQUENCE", (-(-size // graph.batch),))


def step_flops(program: Program, phase: PhaseFact, step: int) -> Value:
    """Return a step's FLOPs per token where captures showed it, or its weights' products do.

    The products are two FLOPs for each weight and token (of a routed family, for those chosen).
    Otherwise they are per sequence at the captured context, which holds for any batch, unless
    captures showed that some of them do not grow with the batch.
    """
    flops = phase.table.flops[step]
    if not flops:
        return 0
    graph = phase.graph
    begun, ended = graph.steps[step].first, graph.steps[step].last
    scales = {node.flops_scale for node in graph.nodes[begun : ended + 1] if node.flops}
    if scales == {Scale.PER_TOKEN}:
        return _amount(flops, "PER_TOKEN", graph)
    if scales == {Scale.FIXED}:
        return flops
    each = 0
    for touch in phase.table.reads[step]:
        storage = program.storages[touch.storage]
        if storage.role is Role.PARAMETER and len(storage.shape) > 1:
            weights = prod(storage.shape)
            if touch.access is Access.ROUTED and storage.parts:
                weights = weights * touch.top_k // len(storage.parts)
            each += 0 if touch.access is Access.TOUCH else 2 * weights
    if each and flops == each * graph.batch * graph.tokens:
        return Call("PER_TOKEN", (each,))
    grows = scales.isdisjoint((Scale.FIXED, Scale.OTHER, Scale.DATA))
    return _amount(flops, "PER_SEQUENCE" if grows else "", graph)


def touched(size: int, graph: Graph) -> Value:
    """Return the bytes of gathered rows: so many a token."""
    return _amount(size, "PER_TOKEN", graph)


def _amount(size: int, scale: str, graph: Graph) -> Value:
    count = graph.batch * (graph.tokens if scale == "PER_TOKEN" else 1)
    if not scale or not size or size % count:
        return size
    return Call(scale, (size // count,))
