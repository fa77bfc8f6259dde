"""What a training step needs besides a module and its inputs: a loss, an optimizer, targets."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs
from torch import Tensor
from torch.optim import Optimizer

TRAIN = "train"
"""What a training step is called where phases are asked for."""
MakesOptimizer: TypeAlias = Callable[[Mapping[str, Tensor]], Optimizer]
"""Parameters by path into an optimizer of them that has no states yet."""


def own_loss(result: Any) -> Any:
    """Give the loss that a module hands out: its result, that result's ``loss``, its first item."""
    if isinstance(result, Tensor):
        return result
    named = getattr(result, "loss", None)
    if named is None and isinstance(result, dict):
        named = result.get("loss")
    if named is None and isinstance(result, tuple | list) and result:
        return result[0]
    return named


@attrs.frozen(kw_only=True)
class Training:
    """How a module is trained.

    ``loss`` turns the module's result, and then ``targets``, into a scalar. ``optimizer`` makes
    one of the trained parameters; None stands for AdamW with two moments in float32 and, where a
    parameter has fewer bits, a master copy in float32.
    """

    loss: Callable[..., Any] = own_loss
    targets: tuple[Any, ...] = ()
    optimizer: MakesOptimizer | None = None
