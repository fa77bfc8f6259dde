"""What an update changes into the phase that writes it out to be kept."""

from itertools import groupby

from mirc.frontend.entry import Entry
from mirc.frontend.steps import steps_of
from mirc.frontend.table import Draft, StorageTable
from mirc.graph.model import Graph, Node, Role, Use

PHASE = "checkpoint"
KEPT = (Role.PARAMETER, Role.BUFFER, Role.OPTIMIZER)


def checkpoint_graph(entry: Entry, table: StorageTable) -> Graph | None:
    """Copy each parameter, buffer and state that training changes; None where nothing does.

    The fragment of ``P`` is ``checkpoint.P``; fragments of one module make one step.
    """
    kept = sorted(
        (one for one in table.drafts if one.mutated and one.role in KEPT),
        key=lambda one: (one.module, one.index),
    )
    order = {one.module: one.index for one in reversed(kept)}
    kept.sort(key=lambda one: (order[one.module], one.index))
    nodes: list[Node] = []
    for module, members in groupby(kept, key=lambda one: one.module):
        for place, one in enumerate(members):
            fragment = _fragment(one, table)
            nodes.append(
                Node(
                    index=len(nodes),
                    name=f"{PHASE}.{module}.op_{place}" if module else f"{PHASE}.op_{place}",
                    op="aten.copy_.default",
                    module=module,
                    reads=(Use(storage=one.index, size_bytes=one.size_bytes),),
                    writes=(Use(storage=fragment.index, size_bytes=one.size_bytes),),
                )
            )
    if not nodes:
        return None
    roles = [draft.role for draft in table.drafts]
    return Graph(
        phase=PHASE,
        nodes=tuple(nodes),
        steps=steps_of(PHASE, nodes, roles),
        batch=entry.batch,
        tokens=entry.tokens,
    )


def _fragment(one: Draft, table: StorageTable) -> Draft:
    fragment = Draft(
        index=len(table.drafts),
        name=f"{PHASE}.{one.name}",
        role=Role.CHECKPOINT,
        size_bytes=one.size_bytes,
        dtype=one.dtype,
        shape=one.shape,
        module=one.module,
    )
    table.drafts.append(fragment)
    return fragment
