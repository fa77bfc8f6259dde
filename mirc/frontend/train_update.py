"""An optimizer into the phase that applies gradients: its states, its operators, in its order."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.optim import AdamW, Optimizer

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.blame import blame
from mirc.frontend.costs import FlopCounter
from mirc.frontend.entry import Entry
from mirc.frontend.lower import Lowering
from mirc.frontend.lower_nodes import Value
from mirc.frontend.table import Draft, StorageTable
from mirc.frontend.traced import Traced
from mirc.frontend.train_form import MakesOptimizer
from mirc.frontend.train_joint import STACK
from mirc.graph.model import Graph, Role

PHASE = "optimizer_update"
MASTER = "master"


@attrs.frozen(kw_only=True, eq=False)
class _Slot:
    """One trained parameter: ``weight`` is updated with ``gradient``; neither has bytes.

    Where ``master`` is given it is updated instead, and copied to ``weight`` in fewer bits.
    """

    draft: Draft
    gradient: Draft
    weight: Tensor
    master: Tensor | None

    @property
    def updated(self) -> Tensor:
        return self.weight if self.master is None else self.master


@attrs.frozen(kw_only=True, eq=False)
class _Part:
    """Parameters that one call of an optimizer updates."""

    optimizer: Optimizer
    slots: tuple[_Slot, ...]


def update_graph(
    entry: Entry,
    make: MakesOptimizer | None,
    gradients: Mapping[str, Draft],
    table: StorageTable,
    flops: FlopCounter,
) -> Graph:
    """Run the optimizer on tensors without bytes and lower what it does.

    States are what it keeps for a parameter (``P.exp_avg``); those of one element are counters and
    no storages. The first step, which makes them, is run before the one that is recorded. Without
    ``make``, each parameter is updated by AdamW's fused kernel, one after the other. Raises
    CouldNotRun where the optimizer cannot be run.
    """
    # The fused kernel runs on fakes of the CPU; other optimizers look at their counters, which
    # are real beside tensors on meta.
    place: Any = FakeTensorMode() if make is None else contextlib.nullcontext()
    try:
        with place, torch.no_grad():
            slots = {
                name: _slot(one, name, gradients[name], table, fused=make is None)
                for name, one in entry.module.named_parameters()
                if name in gradients
            }
            parts = _parts(make, slots)
            for part in parts:
                _step(part, [torch.empty_like(slot.weight) for slot in part.slots])
            recorded = _record(parts, table)
    except CouldNotRun:
        raise
    except Exception as error:  # noqa: BLE001 - the user's optimizer may raise anything
        raise CouldNotRun(
            f"cannot run the optimizer: {blame(error, '')}",
            "give `optimizer`: one of torch.optim over the module's own parameters",
        ) from None
    return _lowered(recorded, entry, table, flops)


def _slot(tensor: Tensor, path: str, gradient: Draft, table: StorageTable, *, fused: bool) -> _Slot:
    weight = torch.empty_strided(
        tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu" if fused else "meta"
    )
    low = weight.is_floating_point() and weight.element_size() < 4
    return _Slot(
        draft=table.shared(table.name_of(tensor, path), Role.PARAMETER, weight, PHASE),
        gradient=gradient,
        weight=weight,
        master=weight.float() if fused and low else None,
    )


def _parts(make: MakesOptimizer | None, slots: Mapping[str, _Slot]) -> list[_Part]:
    if make is None:
        return [
            _Part(optimizer=AdamW([one.updated], fused=True), slots=(one,))
            for one in slots.values()
        ]
    made = make({name: slot.weight for name, slot in slots.items()})
    held = {id(one) for group in made.param_groups for one in group["params"]}
    chosen = tuple(slot for slot in slots.values() if id(slot.weight) in held)
    if not chosen:
        raise CouldNotRun(
            "the optimizer holds none of the parameters that the loss reaches",
            "make it of `module.parameters()`",
        )
    return [_Part(optimizer=made, slots=chosen)]


def _step(part: _Part, gradients: Sequence[Tensor]) -> None:
    for slot, gradient in zip(part.slots, gradients, strict=True):
        slot.updated.grad = gradient.to(slot.updated.dtype)
    part.optimizer.step()
    for slot in part.slots:
        slot.updated.grad = None
        if slot.master is not None:
            slot.weight.copy_(slot.master)


@attrs.frozen(kw_only=True)
class _Recorded:
    graph: fx.Graph
    given: dict[fx.Node, Value]


def _record(parts: Sequence[_Part], table: StorageTable) -> _Recorded:
    """Record one step of every part; its inputs are weights, gradients, masters and states."""
    tensors: list[Tensor] = []
    values: list[Value] = []
    gradients = [[torch.empty_like(slot.weight) for slot in part.slots] for part in parts]
    for part, found in zip(parts, gradients, strict=True):
        for slot, gradient in zip(part.slots, found, strict=True):
            tensors += [slot.weight, gradient]
            values += [slot.draft, slot.gradient]
            for key, state in _states(part, slot):
                tensors.append(state)
                name = f"{slot.draft.name}.{key}"
                values.append(table.add(name, Role.OPTIMIZER, state, slot.draft.module))

    def run(*_lent: Tensor) -> None:
        for part, found in zip(parts, gradients, strict=True):
            _step(part, found)

    record: Callable[..., fx.GraphModule] = make_fx(run, _error_on_data_dependent_ops=False)
    graph = record(*tensors).graph
    holders = graph.find_nodes(op="placeholder")
    return _Recorded(graph=graph, given=dict(zip(holders, values, strict=True)))


def _states(part: _Part, slot: _Slot) -> Iterator[tuple[str, Tensor]]:
    if slot.master is not None:
        yield MASTER, slot.master
    for key, value in part.optimizer.state[slot.updated].items():
        if isinstance(value, Tensor) and value.numel() > 1:
            yield str(key), value


def _lowered(recorded: _Recorded, entry: Entry, table: StorageTable, flops: FlopCounter) -> Graph:
    nodes = _without_counters(recorded.graph)
    _place(nodes, recorded.given)
    traced = Traced(
        entry=attrs.evolve(entry, phase=PHASE, inner=""),
        graph=recorded.graph,
        inputs={},
        arguments=(),
        outputs=(),
    )
    lowering = Lowering(traced, table, flops)
    lowering.walk(nodes, recorded.given)
    return lowering.graph()


def _without_counters(graph: fx.Graph) -> list[fx.Node]:
    """Leave out the counted steps, and the corrections that are made of them alone."""
    counters: set[fx.Node] = set()
    kept: list[fx.Node] = []
    for node in graph.nodes:
        operands = node.all_input_nodes
        if node.op == "get_attr" or (
            node.op == "call_function" and operands and counters.issuperset(operands)
        ):
            counters.add(node)
        else:
            kept.append(node)
    return kept


def _place(nodes: Sequence[fx.Node], given: Mapping[fx.Node, Value]) -> None:
    """Place each operation in the module whose parameter it updates."""
    paths = {node: one.module for node, one in given.items() if isinstance(one, Draft)}
    for node in nodes:
        if node.op == "call_function":
            path = next((paths[one] for one in node.all_input_nodes if one in paths), "")
            paths[node] = path
            node.meta[STACK] = {path: (path, torch.nn.Module)} if path else {}
