"""Whatever a forward gives back into the tensors in it."""

import contextlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

DEPTH = 8
PLAIN = (Tensor, int, float, str, bool, type(None))


@contextlib.contextmanager
def plain_results(module: nn.Module) -> Iterator[None]:
    """Let ``module`` give a list of tensors for a while, where its result is of a kind of its own.

    A tracer knows containers, but neither the user's classes nor a library's caches.
    """

    def told(_module: nn.Module, _inputs: Any, result: Any) -> Any:
        known = all(isinstance(leaf, PLAIN) for leaf in tree_leaves(result))
        return result if known else list(tensors_in(result))

    hook = module.register_forward_hook(told)
    try:
        yield
    finally:
        hook.remove()


def tensors_in(value: Any, depth: int = 0) -> Iterator[Tensor]:
    """Find the tensors of any result: containers, dataclasses, plain objects."""
    if isinstance(value, Tensor):
        yield value
    elif depth < DEPTH:
        for item in _inside(value):
            yield from tensors_in(item, depth + 1)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    return list(getattr(value, "__dict__", {}).values())
