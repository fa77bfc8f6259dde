"""An entry that torch.export refused into an ATen graph: symbolic_trace or make_fx over fakes."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch.fx.traceback
from torch import Tensor, fx, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.modules import module as module_hooks
from torch.utils._pytree import tree_flatten, tree_unflatten

from mirc.frontend.entry import Entry
from mirc.frontend.results import tensors_in
from mirc.frontend.table import StorageTable
from mirc.frontend.traced import Given, Traced
from mirc.graph.model import Role


def by_symbolic_trace(entry: Entry, table: StorageTable) -> Traced:
    """Trace without shapes, then give every node its value by running it on fake tensors."""
    walk = _Walk(fx.symbolic_trace(entry.module))
    return _retrace(entry, table, walk, prefix="graph_module.")


def by_make_fx(entry: Entry, table: StorageTable) -> Traced:
    """Run ``forward`` itself on fake tensors and record the operators that it reaches."""
    return _retrace(entry, table, entry.module, prefix="")


class _Walk(nn.Module):
    """A traced module, run node by node under the module path of each node."""

    def __init__(self, graph_module: fx.GraphModule) -> None:
        super().__init__()
        self.graph_module = graph_module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        names = [node.target for node in self.graph_module.graph.find_nodes(op="placeholder")]
        given = [*args, *(kwargs[str(name)] for name in names[len(args) :] if name in kwargs)]
        return _Placing(self.graph_module).run(*given)


class _Placing(fx.Interpreter):
    def run_node(self, n: fx.Node) -> Any:
        stack = n.meta.get("nn_module_stack")
        if stack:
            with _placed(next(reversed(stack))):
                return super().run_node(n)
        return super().run_node(n)


def _retrace(entry: Entry, table: StorageTable, module: nn.Module, *, prefix: str) -> Traced:
    leaves, spec = tree_flatten((entry.args, entry.kwargs))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    owned = {**dict(entry.module.named_parameters()), **dict(entry.module.named_buffers())}

    def run(state: list[Tensor], tensors: list[Tensor]) -> list[Tensor]:
        for place, tensor in zip(places, tensors, strict=True):
            leaves[place] = tensor
        args, kwargs = tree_unflatten(leaves, spec)
        lent = {prefix + name: tensor for name, tensor in zip(owned, state, strict=True)}
        return list(tensors_in(torch.func.functional_call(module, lent, args, kwargs)))

    given = [leaves[place] for place in places]
    with following(entry.module), torch.fx.traceback.preserve_node_meta():
        record = make_fx(run, tracing_mode="fake", _allow_non_fake_inputs=True)
        traced = record(list(owned.values()), given)
    holders = traced.graph.find_nodes(op="placeholder")
    parameters = dict(entry.module.named_parameters())
    inputs: dict[str, Given] = {}
    for node, (name, tensor) in zip(holders, owned.items(), strict=False):
        role = Role.PARAMETER if name in parameters else Role.BUFFER
        inputs[node.name] = Given(table.name_of(tensor, name), role)
    arguments = tuple(holders[len(owned) :])
    for place, node in enumerate(arguments):
        inputs[node.name] = Given(f"input_{place}", Role.INPUT)
    (results,) = traced.graph.output_node().args
    return Traced(
        entry=entry,
        graph=traced.graph,
        inputs=inputs,
        arguments=arguments,
        outputs=tuple(item for item in results if isinstance(item, fx.Node)),  # type: ignore[union-attr]
    )


@contextlib.contextmanager
def following(module: nn.Module) -> Iterator[None]:
    """Mark each recorded node with the path of the module that is running."""
    paths = {id(part): path for path, part in module.named_modules()}
    running: list[contextlib.ExitStack] = []

    def enter(part: nn.Module, _inputs: Any) -> None:
        if id(part) in paths:
            running.append(contextlib.ExitStack())
            running[-1].enter_context(_placed(paths[id(part)]))

    def leave(part: nn.Module, _inputs: Any, _result: Any) -> None:
        if id(part) in paths and running:
            running.pop().close()

    hooks = (
        module_hooks.register_module_forward_pre_hook(enter),
        module_hooks.register_module_forward_hook(leave),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextlib.contextmanager
def _placed(path: str) -> Iterator[None]:
    meta = torch.fx.traceback.get_current_meta()
    before = meta.get("nn_module_stack", {})
    meta["nn_module_stack"] = {path: (path, nn.Module)}
    try:
        yield
    finally:
        meta["nn_module_stack"] = before
