"""One read of one storage into how much of it moves: all, gathered rows, or routed experts."""

from torch import Tensor, fx

from mirc.bounds.routing import distinct_experts
from mirc.frontend.costs import GROUPED, aten, tensor_bytes, whole
from mirc.frontend.table import Draft
from mirc.graph.model import Access, Role, Use

GATHERS = frozenset(
    {aten.embedding, aten.index_select, aten.index, aten.gather, aten.take, aten.embedding_bag}
)
HELD = frozenset({Role.PARAMETER, Role.BUFFER, Role.CONSTANT})


def read_of(
    reader: fx.Node | None, source: fx.Node, draft: Draft, size_bytes: int, rows: int
) -> Use:
    """Say what ``reader`` moves of ``draft`` through ``source`` (a view of ``size_bytes``).

    A gather touches the rows that it gives back; a grouped matmul reads the experts that its rows
    were routed to; a view of a part of a weight touches that part. ``rows`` are the tokens of one
    run, over all sequences.
    """
    if draft.role not in HELD:
        return Use(storage=draft.index, size_bytes=size_bytes)
    packet = getattr(reader.target, "overloadpacket", None) if reader is not None else None
    if reader is not None and packet in GATHERS and reader.args[0] is source:
        gathered = reader.meta["val"]
        touched = tensor_bytes(gathered) if isinstance(gathered, Tensor) else size_bytes
        return Use(storage=draft.index, size_bytes=min(touched, size_bytes), access=Access.TOUCH)
    if reader is not None and str(packet) in GROUPED and reader.args[1] is source:
        routed = _routed(reader, source, draft, rows)
        if routed is not None:
            return routed
    if size_bytes < draft.size_bytes:
        return Use(storage=draft.index, size_bytes=size_bytes, access=Access.TOUCH)
    return Use(storage=draft.index, size_bytes=size_bytes)


def _routed(reader: fx.Node, source: fx.Node, draft: Draft, rows: int) -> Use | None:
    choices = reader.args[0].meta["val"]  # type: ignore[union-attr]
    experts = draft.shape[0]
    stack = source.meta["val"].shape
    if draft.role is not Role.PARAMETER or len(stack) != 3 or stack[0] != experts:
        return None
    if choices.dim() != 2 or not rows:
        return None
    top_k = max(1, min(experts, whole(choices.shape[0]) // rows))
    draft.routed = True
    slice_bytes = draft.size_bytes // experts
    return Use(
        storage=draft.index,
        size_bytes=round(distinct_experts(experts, top_k, rows)) * slice_bytes,
        access=Access.ROUTED,
        top_k=top_k,
    )
