"""A module that nothing can trace into a graph of its leaves: weights in registration order."""

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from mirc.frontend.costs import tensor_bytes
from mirc.frontend.entry import Entry
from mirc.frontend.steps import steps_of
from mirc.frontend.table import StorageTable
from mirc.graph.model import Access, Graph, Node, Role, Use


def module_tree(entry: Entry, table: StorageTable) -> Graph:
    """Give one node per leaf module that owns anything; activations and FLOPs stay unknown.

    The order is that of registration, as weights-only tools assume. An embedding touches one row
    per element of the integer inputs; everything else is read whole.
    """
    model = entry.model
    rows = sum(_count(leaf) for leaf in tree_leaves((entry.args, entry.kwargs)))
    nodes: list[Node] = []
    for path, part in model.named_modules():
        reads = _reads(path, part, (table, entry.phase), rows)
        if reads:
            place = f"{entry.phase}.{path}" if path else entry.phase
            node = Node(
                index=len(nodes),
                name=f"{place}.op_0",
                op=f"module.{type(part).__name__}",
                module=path,
                reads=reads,
            )
            nodes.append(node)
    return Graph(
        phase=entry.phase,
        nodes=tuple(nodes),
        steps=steps_of(entry.phase, nodes, [draft.role for draft in table.drafts]),
        batch=entry.batch,
        tokens=entry.tokens,
        past=entry.past,
    )


def _count(leaf: object) -> int:
    integers = isinstance(leaf, Tensor) and not leaf.is_floating_point()
    return leaf.numel() if isinstance(leaf, Tensor) and integers else 0


def _reads(
    path: str, part: nn.Module, place: tuple[StorageTable, str], rows: int
) -> tuple[Use, ...]:
    table, phase = place
    uses: dict[int, Use] = {}
    owned: list[tuple[str, Tensor, Role]] = [
        *((name, one, Role.PARAMETER) for name, one in part.named_parameters(recurse=False)),
        *((name, one, Role.BUFFER) for name, one in part.named_buffers(recurse=False)),
    ]
    for name, tensor, role in owned:
        if not tensor.numel():
            continue
        full = table.name_of(tensor, f"{path}.{name}" if path else name)
        draft = table.shared(full, role, tensor, phase)
        if isinstance(part, nn.Embedding) and rows:
            touched = min(
                rows * (tensor_bytes(tensor) // max(1, tensor.shape[0])), draft.size_bytes
            )
            use = Use(storage=draft.index, size_bytes=touched, access=Access.TOUCH)
        else:
            use = Use(storage=draft.index, size_bytes=draft.size_bytes)
        uses[draft.index] = use
    return tuple(uses.values())
