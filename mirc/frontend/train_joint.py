"""A training entry into one fx graph of its forward and backward operations, in their order."""

import contextlib
from collections.abc import Iterator
from typing import Any

import attrs
import torch.fx.traceback
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import get_proxy_mode, make_fx
from torch.utils._pytree import tree_flatten, tree_unflatten

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.entry import Entry
from mirc.frontend.retrace import following
from mirc.frontend.train_form import Training

STACK = "nn_module_stack"


@attrs.frozen(kw_only=True)
class Joint:
    """``nodes`` up to ``boundary`` (exclusive) go forward, those from it on backward.

    ``state`` are the placeholders of parameters and buffers by path, ``arguments`` those of the
    inputs and targets; ``gradients`` hold the node of each trained parameter's gradient by path,
    without those of parameters that the loss does not reach.
    """

    graph: fx.Graph
    nodes: tuple[fx.Node, ...]
    boundary: int
    state: dict[str, fx.Node]
    arguments: tuple[fx.Node, ...]
    loss: fx.Node
    gradients: dict[str, fx.Node]


def trace_joint(entry: Entry, training: Training) -> Joint:
    """Run forward, loss and backward on fake tensors and record the operators that they reach.

    The fakes lie on the CPU whatever the module lies on: losses have no derivative on the meta
    device, and attention would not be the fused kernel that training uses. Each backward node is
    placed in the module of the forward operation that it differentiates. Raises CouldNotRun where
    the loss is no scalar or reaches no parameter that is trained.
    """
    module = entry.module
    owned = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    leaves, spec = tree_flatten((entry.args, entry.kwargs, training.targets))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    trained: list[str] = []
    boundary = 0

    def step(state: list[Tensor], tensors: list[Tensor]) -> list[Tensor | None]:
        nonlocal boundary
        for place, tensor in zip(places, tensors, strict=True):
            leaves[place] = tensor
        args, kwargs, targets = tree_unflatten(leaves, spec)
        lent = dict(zip(owned, state, strict=True))
        result = torch.func.functional_call(module, lent, args, kwargs)
        loss = _scalar(training.loss(result, *targets))
        begun = _recorded()
        boundary = len(begun)
        _place_backward(loss, begun)
        weights = {name: one for name, one in lent.items() if one.requires_grad}
        found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
        reached = {name: one for name, one in zip(weights, found, strict=True) if one is not None}
        trained.extend(reached)
        return [loss, *reached.values()]

    mode = FakeTensorMode(allow_non_fake_inputs=True)
    with (
        mode,
        torch.enable_grad(),
        following(module),
        torch.fx.traceback.preserve_node_meta(),
    ):
        state = [_fake(one) for one in owned.values()]
        given = [_fake(leaves[place]) for place in places]
        traced = make_fx(step, _allow_non_fake_inputs=True)(state, given)
    if not trained:
        raise CouldNotRun("the loss reaches no parameter that is trained")
    return _joint(traced.graph, list(owned), trained, boundary)


def _joint(graph: fx.Graph, owned: list[str], trained: list[str], boundary: int) -> Joint:
    holders = graph.find_nodes(op="placeholder")
    results: Any = graph.output_node().args[0]
    nodes = tuple(graph.nodes)
    _place_sums(nodes[boundary:])
    return Joint(
        graph=graph,
        nodes=nodes,
        boundary=boundary,
        state=dict(zip(owned, holders, strict=False)),
        arguments=tuple(holders[len(owned) :]),
        loss=results[0],
        gradients=dict(zip(trained, results[1:], strict=True)),
    )


def _fake(tensor: Tensor) -> Tensor:
    """Make a stand-in on the CPU that is trained if ``tensor`` is, with the same hooks."""
    made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")
    made.requires_grad_(tensor.requires_grad)
    hooks: dict[int, Any] | None = tensor._backward_hooks  # noqa: SLF001 - no public reader
    hooked: Any = made
    for hook in (hooks or {}).values():
        hooked.register_hook(hook)
    return made


def _scalar(loss: Any) -> Tensor:
    if not isinstance(loss, Tensor):
        raise CouldNotRun(
            f"the loss is a {type(loss).__name__}, no tensor",
            "give `loss`: a function of the module's result and the targets",
        )
    if loss.numel() != 1:
        raise CouldNotRun(f"the loss has {loss.numel()} elements, not one", "reduce it to a scalar")
    if not loss.requires_grad:
        raise CouldNotRun("the loss reaches no parameter that is trained")
    return loss


def _recorded() -> list[fx.Node]:
    mode = get_proxy_mode()
    graph: Any = getattr(mode, "tracer").graph  # noqa: B009 - of two kinds, only one has it
    return list(graph.nodes)


def _place_backward(loss: Tensor, forward: list[fx.Node]) -> None:
    """Let each autograd node mark what it runs with the module of its forward operation.

    Autograd numbers its nodes, and the recorder notes the last number at each operation: the
    first one with a number is the operation that the autograd node of this number stands for.
    """
    stacks: dict[int, Any] = {}
    for node in forward:
        if node.op == "call_function":
            stacks.setdefault(node.meta.get("seq_nr", -1), node.meta.get(STACK, {}))
    for node in _autograd_nodes(loss):
        stack = stacks.get(node._sequence_nr())  # noqa: SLF001 - no public reader
        if stack:
            node.register_prehook(_entering(stack))
            node.register_hook(_leaving)


def _autograd_nodes(loss: Tensor) -> Iterator[Any]:
    seen: set[Any] = set()
    todo: list[Any] = [loss.grad_fn]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            todo += [following_one for following_one, _ in node.next_functions]
            yield node


def _entering(stack: Any) -> Any:
    def enter(_gradients: Any) -> None:
        torch.fx.traceback.get_current_meta()[STACK] = stack

    return enter


def _leaving(_inputs: Any, _outputs: Any) -> None:
    with contextlib.suppress(KeyError):
        del torch.fx.traceback.get_current_meta()[STACK]


def _place_sums(backward: tuple[fx.Node, ...]) -> None:
    """Place sums of gradients, which no autograd node runs, where their last operand was made."""
    for node in backward:
        if node.op == "call_function" and STACK not in node.meta:
            stacks = [one.meta[STACK] for one in node.all_input_nodes if one.meta.get(STACK)]
            if stacks:
                node.meta[STACK] = stacks[-1]
