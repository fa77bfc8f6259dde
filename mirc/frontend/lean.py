"""An export without the parts of torch's work that no one reads afterwards."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.fx import config
from torch.overrides import TorchFunctionMode


@contextlib.contextmanager
def lean(module: nn.Module) -> Iterator[None]:
    """Export ``module`` for a while without source lines and without empty switches of autograd.

    The graph that remains has the same operations: torch.export takes each switch out again, at
    the price of cutting the graph there and joining the pieces.
    """
    running: list[contextlib.ExitStack] = []

    def enter(_module: nn.Module, _inputs: Any) -> None:
        running.append(contextlib.ExitStack())
        running[-1].enter_context(_Unswitched())

    def leave(_module: nn.Module, _inputs: Any, _result: Any) -> None:
        if running:
            running.pop().close()

    hooks = (
        module.register_forward_pre_hook(enter),
        module.register_forward_hook(leave, always_call=True),
    )
    before = config.do_not_emit_stack_traces
    config.do_not_emit_stack_traces = True
    try:
        yield
    finally:
        config.do_not_emit_stack_traces = before
        for hook in hooks:
            hook.remove()


class _Unswitched(TorchFunctionMode):
    """Passes over ``no_grad`` where gradients are off already, as rotary embeddings write it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if func is torch._C._set_grad_enabled and args == (torch.is_grad_enabled(),):  # noqa: SLF001 - what no_grad() calls
            return None
        return func(*args, **(kwargs or {}))
