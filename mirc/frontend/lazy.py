"""Code that builds a model into that model, without the bytes that it would not fit into."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_any, tree_map

SMALL = 1 << 16
"""Elements up to which a tensor is always made: what code looks at while it builds is small."""
FACTORIES = frozenset(
    {
        torch.empty,
        torch.empty_strided,
        torch.zeros,
        torch.ones,
        torch.full,
        torch.eye,
        torch.arange,
        torch.linspace,
        torch.logspace,
        torch.rand,
        torch.randn,
        torch.randint,
        torch.normal,
    }
)
STAYS = frozenset({Tensor.cuda, Tensor.cpu, Tensor.pin_memory})
HERE = ("cpu", "meta")


class Lazily(TorchFunctionMode):
    """Let tensors be made until ``budget_bytes`` are, and large ones on the meta device then.

    Small tensors stay real throughout, so that ``.item()`` and ``tolist()`` of a schedule work.
    Requests for other devices (``.cuda()``, ``device="cuda"``) are answered here. An operation
    between tensors with and without bytes gives one without. ``made_bytes`` counts both kinds.
    """

    def __init__(self, budget_bytes: int) -> None:
        super().__init__()
        self.budget_bytes = budget_bytes
        self.made_bytes = 0

    @property
    def exceeded(self) -> bool:
        """Whether more was asked for than is made."""
        return self.made_bytes > self.budget_bytes

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run ``func``, on this machine and as far as the budget goes."""
        del types
        kwargs = dict(kwargs or {})
        if func in STAYS:
            return args[0]
        if func is Tensor.to and len(args) > 1 and _elsewhere(args[1]):
            # a module sends its tensors with all three: device, dtype or None, non_blocking
            args = (args[0], *(one for one in args[2:3] if one is not None))
        if _elsewhere(kwargs.get("device")):
            del kwargs["device"]
        if func is Tensor.to and len(args) == 1 and not kwargs:
            return args[0]
        if func in FACTORIES and kwargs.get("device") is None:
            return self._made(func, args, kwargs)
        return _mixed(func, args, kwargs)

    def _made(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            outline = func(*args, **{**kwargs, "device": "meta", "generator": None})
        except TypeError:
            outline = func(*args, **{**kwargs, "device": "meta"})
        size = outline.numel() * outline.element_size()
        self.made_bytes += size
        if outline.numel() > SMALL and self.exceeded:
            return outline
        return func(*args, **{**kwargs, "device": "cpu"})


def _elsewhere(device: Any) -> bool:
    """Say whether this names a device that is neither ``cpu`` nor ``meta``."""
    if isinstance(device, int) and not isinstance(device, bool):
        return True  # the bare number of a CUDA device
    if not isinstance(device, str | torch.device):
        return False
    return str(device).partition(":")[0] not in HERE


def _mixed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operation; where only some of its tensors have bytes, as if none had."""
    if not (tree_any(_is_meta, (args, kwargs)) and tree_any(_is_real, (args, kwargs))):
        return func(*args, **kwargs)
    outlines = tree_map(lambda one: one.to("meta") if _is_real(one) else one, (args, kwargs))
    result = func(*outlines[0], **outlines[1])
    written = args and result is outlines[0][0]  # in place: the caller goes on with what it had
    return args[0] if written else result


def _is_meta(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_meta


def _is_real(value: Any) -> bool:
    return isinstance(value, Tensor) and not value.is_meta


def emptied(modules: Iterable[nn.Module]) -> None:
    """Put every tensor that the modules hold on the meta device, in place; ties stay ties."""
    outlines: dict[int, tuple[Tensor, Tensor]] = {}  # the tensor too: its identity stays taken
    for module in modules:
        for holder, name, tensor in list(_held(module)):
            if tensor.is_meta:
                continue
            if id(tensor) not in outlines:
                outlines[id(tensor)] = (tensor, _outline(tensor))
            holder[name] = outlines[id(tensor)][1]


def _outline(tensor: Tensor) -> Tensor:
    outline = tensor.detach().to("meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(outline, requires_grad=tensor.requires_grad)
    return outline


def _held(module: nn.Module) -> Iterator[tuple[dict[str, Any], str, Tensor]]:
    for part in module.modules():
        own: dict[str, Any] = vars(part)
        for holder in (own["_parameters"], own["_buffers"], own):
            for name, value in holder.items():
                if isinstance(value, Tensor):
                    yield holder, name, value
