"""An operator's shapes into FLOPs, without running the model; tensors into bytes."""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import Node
from torch.fx.node import map_arg
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count, flop_registry

aten = torch.ops.aten
Formula = Callable[..., int]
COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001


MOST = 1 << 40
"""A size whose bound is above this has none worth the name."""


def whole(size: Any) -> int:
    """Give a size as a number; a symbolic one by the value it was traced with.

    One that is known only at run time (how many elements a mask selects) counts with the most
    that it can be, and as 1 where nothing bounds it.
    """
    if isinstance(size, int):
        return size
    hint = getattr(size.node, "hint", None)
    return hint if isinstance(hint, int) else _bound(size) or 1


def unsized(value: Tensor) -> bool:
    """Say whether the data decide how large a tensor is."""
    return any(getattr(size.node, "hint", None) is None for size in _symbols(value))


def unbounded(value: Tensor) -> bool:
    """Say whether the data decide how large a tensor is, and nothing bounds it."""
    return any(
        getattr(size.node, "hint", None) is None and _bound(size) is None
        for size in _symbols(value)
    )


def _symbols(value: Tensor) -> list[Any]:
    sizes: list[Any] = list(value.shape)  # torch calls all of them int
    return [size for size in sizes if not isinstance(size, int)]


def _bound(size: Any) -> int | None:
    """Give the most that a size without a value can be, as torch found while it traced."""
    most = size.node.shape_env.bound_sympy(size.node.expr).upper
    return int(most) if most.is_integer and most.is_finite and most <= MOST else None


def data_decides(node: Node) -> bool:
    """Say whether the data decide how much an operation takes or gives."""
    values = (item.meta.get("val") for item in (*node.all_input_nodes, node))
    parts = (part for one in values for part in (one if isinstance(one, tuple | list) else (one,)))
    return any(isinstance(part, Tensor) and unsized(part) for part in parts)


def elements(value: Tensor) -> int:
    """Count a tensor's elements."""
    return prod(map(whole, value.shape))


def tensor_bytes(value: Tensor) -> int:
    """Count the bytes that a tensor's elements occupy: an expanded (stride 0) dimension once."""
    count = value.element_size()
    for given, stride in zip(value.shape, value.stride(), strict=True):
        size = whole(given)
        if size == 0:
            return 0
        if not isinstance(stride, int) or stride != 0:
            count *= size
    return count


def linear_flops(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    """``x @ weight.T``: two per element of ``x`` and output feature."""
    return 2 * prod(x.shape) * (weight.shape[0] if weight.dim() > 1 else 1)


def matmul_flops(left: Tensor, _right: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """Two per output element and inner dimension."""
    return 2 * prod(out_val.shape) * left.shape[-1]


def attention_flops(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Scores and weighted sum, every key for every query (as torch counts: no causal discount)."""
    rows = prod(query.shape[:-1])
    return 2 * rows * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def grouped_flops(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    """``_grouped_mm`` of rows sorted by expert: each row (a token's choice) meets one expert.

    ``FlopCounterMode`` counts it as 0.
    """
    return 2 * prod(x.shape) * weight.shape[-1]


def grouped_backward_flops(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    """Give those of its two gradients: of the rows, and of the experts."""
    return 2 * grouped_flops(x, weight)


def convolution_flops(x: Tensor, weight: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """``conv1d`` to ``conv3d``, whole: two per output position and weight."""
    return int(conv_flop_count(list(x.shape), list(weight.shape), list(out_val.shape)))


COMPOSITES: dict[Any, Formula] = {
    aten.linear: linear_flops,
    aten.matmul: matmul_flops,
    aten.scaled_dot_product_attention: attention_flops,
    aten._grouped_mm: grouped_flops,  # noqa: SLF001
    # what attention becomes on a CPU below torch.export; its mask comes after the values
    aten._scaled_dot_product_flash_attention_for_cpu: attention_flops,  # noqa: SLF001
    aten.conv1d: convolution_flops,
    aten.conv2d: convolution_flops,
    aten.conv3d: convolution_flops,
}
NAMED: dict[str, Formula] = {
    # what transformers puts in the place of a grouped matmul that is not of bfloat16
    "transformers.grouped_mm_fallback": grouped_flops,
    "transformers.grouped_mm_fallback_backward": grouped_backward_flops,
}
"""The same for operators that exist only once their library is imported."""
GROUPED = frozenset({"aten._grouped_mm", "transformers.grouped_mm_fallback"})
"""Products of rows sorted by expert with the matrices of these experts, their second argument."""


class FlopCounter:
    """Counts each call of an operator by formula, else by taking a composite operator apart.

    A composite operator without a formula (``einsum``, ``lstm``) is run once per signature on
    the meta device, where ``FlopCounterMode`` sees the operators that it is made of.
    """

    def __init__(self) -> None:
        self._formulas: dict[OpOverload, Formula | None] = {}
        self._taken_apart: dict[str, int] = {}

    def count(self, node: Node) -> int:
        """Give the FLOPs of one ``call_function`` node (0 where nothing is multiplied)."""
        target: Any = node.target
        if target not in self._formulas:
            self._formulas[target] = self._formula(target)
        formula = self._formulas[target]
        if formula is None:
            return 0
        args, kwargs = map_arg((node.args, node.kwargs), _value)
        return whole(formula(*args, **kwargs, out_val=_value(node)))

    def _formula(self, target: OpOverload) -> Formula | None:
        packet: Any = target.overloadpacket
        if packet in COMPOSITES:
            return COMPOSITES[packet]
        if str(packet) in NAMED:
            return NAMED[str(packet)]
        if packet in flop_registry:
            registered: Formula = flop_registry[packet]
            return registered
        if target.has_kernel_for_dispatch_key(COMPOSITE):
            return partial(self._take_apart, target)
        return None

    def _take_apart(self, target: OpOverload, *args: Any, out_val: Any, **kwargs: Any) -> int:
        del out_val  # what a formula may want
        signature = f"{target} {tree_map(_signature, (args, kwargs))}"
        if signature not in self._taken_apart:
            self._taken_apart[signature] = _run_on_meta(target, args, kwargs)
        return self._taken_apart[signature]


def _run_on_meta(target: OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    stand_ins, named = tree_map(_stand_in, (tuple(args), kwargs))
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            target(*stand_ins, **named)
    except Exception:  # noqa: BLE001 - an operator without meta kernels counts as no arithmetic
        return 0
    return int(counter.get_total_flops())


def _value(node: Node) -> Any:
    return node.meta.get("val")


def _signature(value: Any) -> Any:
    return (tuple(map(whole, value.shape)), value.dtype) if isinstance(value, Tensor) else value


def _stand_in(value: Any) -> Any:
    if isinstance(value, Tensor):
        shape, strides = (tuple(map(whole, sizes)) for sizes in (value.shape, value.stride()))
        return torch.empty_strided(shape, strides, dtype=value.dtype, device="meta")
    return torch.device("meta") if isinstance(value, torch.device) else value
