"""A joint graph of forward and backward into two phases that share what backward needs."""

from collections.abc import Iterator, Mapping

import attrs
from torch import Tensor, fx

from mirc.frontend.costs import FlopCounter, tensor_bytes
from mirc.frontend.entry import Entry
from mirc.frontend.lower import Lowering
from mirc.frontend.lower_nodes import Value
from mirc.frontend.table import Draft, StorageTable
from mirc.frontend.traced import Given, Traced
from mirc.frontend.train_joint import Joint
from mirc.graph.model import Graph, Node, Role, Use

ACCUMULATE = "torch.autograd.AccumulateGrad"
"""What copies a gradient whose bytes belong to something else as well."""


@attrs.frozen(kw_only=True)
class Lowered:
    """Both phases, and the storage of each trained parameter's gradient by its path."""

    forward: Graph
    backward: Graph
    gradients: Mapping[str, Draft]


def lower_joint(joint: Joint, entry: Entry, table: StorageTable, flops: FlopCounter) -> Lowered:
    """Lower forward, then go on with what it made into backward.

    What forward made and backward reads becomes SAVED, the gradient of ``P`` the storage
    ``P.grad``. Cost: O(fx nodes + uses).
    """
    traced = _traced(joint, entry, table)
    forward = Lowering(attrs.evolve(traced, entry=_named(entry, "forward")), table, flops)
    forward.walk(joint.nodes[: joint.boundary], {})
    forward.mark_outputs()
    backward = Lowering(
        attrs.evolve(traced, entry=_named(entry, "backward"), outputs=()), table, flops
    )
    begun = len(table.drafts)
    backward.values = dict(forward.values)
    backward.walk(joint.nodes[joint.boundary :], {})
    gradients = {
        name: _gradient(name, node, backward, joint, begun)
        for name, node in joint.gradients.items()
    }
    _save(forward, backward, table)
    return Lowered(
        forward=forward.graph(),
        backward=backward.graph(),
        gradients=gradients,
    )


def _named(entry: Entry, phase: str) -> Entry:
    return attrs.evolve(entry, phase=phase)


def _traced(joint: Joint, entry: Entry, table: StorageTable) -> Traced:
    parameters = dict(entry.module.named_parameters())
    buffers = dict(entry.module.named_buffers())
    inputs: dict[str, Given] = {}
    for path, node in joint.state.items():
        tensor = parameters[path] if path in parameters else buffers[path]
        role = Role.PARAMETER if path in parameters else Role.BUFFER
        inputs[node.name] = Given(table.name_of(tensor, path), role)
    for place, node in enumerate(joint.arguments):
        inputs[node.name] = Given(f"input_{place}", Role.INPUT)
    return Traced(
        entry=entry,
        graph=joint.graph,
        inputs=inputs,
        arguments=joint.arguments,
        outputs=(joint.loss,),
    )


def _gradient(name: str, node: fx.Node, backward: Lowering, joint: Joint, begun: int) -> Draft:
    """Turn what backward made of a parameter into its gradient, or copy it where it is no whole."""
    value = backward.values[node]
    weight = _draft(backward.values[joint.state[name]])
    made = _draft(value)
    size = tensor_bytes(node.meta["val"])
    full = joint.state[name].meta["val"]
    own = made.role is Role.ACTIVATION and made.index >= begun
    if own and made.size_bytes == size == tensor_bytes(full):
        made.role = Role.GRADIENT
        made.name = f"{weight.name}.grad"
        made.module = weight.module
        made.shape = weight.shape
        return made
    return _copied(weight, made, full, backward)


def _copied(weight: Draft, made: Draft, full: Tensor, backward: Lowering) -> Draft:
    copy = backward.table.add(f"{weight.name}.grad", Role.GRADIENT, full, weight.module)
    backward.nodes.append(
        Node(
            index=len(backward.nodes),
            name=backward.name_in(weight.module),
            op=ACCUMULATE,
            module=weight.module,
            reads=(Use(storage=made.index, size_bytes=min(made.size_bytes, copy.size_bytes)),),
            writes=(Use(storage=copy.index, size_bytes=copy.size_bytes),),
        )
    )
    return copy


def _draft(value: Value) -> Draft:
    if not isinstance(value, Draft):
        raise TypeError("a parameter and its gradient are one tensor each")
    return value


def _save(forward: Lowering, backward: Lowering, table: StorageTable) -> None:
    """Mark what forward made and backward still needs."""
    needed = {use.storage for node in backward.nodes for use in (*node.reads, *node.writes)}
    for index in _written(forward):
        draft = table.drafts[index]
        if index in needed and draft.role in (Role.ACTIVATION, Role.OUTPUT):
            draft.role = Role.SAVED


def _written(lowering: Lowering) -> Iterator[int]:
    for node in lowering.nodes:
        for use in node.writes:
            yield use.storage
