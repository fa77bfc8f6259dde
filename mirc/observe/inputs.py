"""Placeholders of a captured phase into real tensors: what the model brings, else drawn ones."""

import zlib
from math import sqrt
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree

from mirc.frontend.costs import aten, whole
from mirc.frontend.traced import Traced
from mirc.graph.model import Role


class Given:
    """Weights, drawn once and shared by phases, and inputs, drawn anew for each run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._weights: dict[str, Tensor] = {}

    def to(self, traced: Traced, run: int) -> list[Any]:
        """Return the values of a phase's placeholders, in their order."""
        entry = traced.entry
        owned: dict[str, Tensor] = dict(entry.model.named_parameters(remove_duplicate=False))
        owned.update(entry.model.named_buffers(remove_duplicate=False))
        flat = pytree.tree_leaves((entry.args, entry.kwargs))
        brought = {
            node: value
            for node, value in zip(traced.arguments, flat, strict=False)
            if node is not None
        }
        values = []
        for node in traced.graph.find_nodes(op="placeholder"):
            given = traced.inputs.get(node.name)
            if given is not None and given.role is not Role.INPUT:
                values.append(self._weight(given.name, node, owned.get(given.name), given.role))
            else:
                values.append(self._input(node, brought.get(node), run))
        return values

    def _weight(self, name: str, node: fx.Node, real: Tensor | None, role: Role) -> Any:
        like = node.meta.get("val")
        if real is not None and not real.is_meta:
            return real.detach()
        if not isinstance(like, Tensor):
            return like
        shape = _shape(like)
        known = self._weights.get(name)
        if known is None or tuple(known.shape) != shape or known.dtype != like.dtype:
            known = self._weights[name] = self._drawn(name, shape, like.dtype, role)
        return known

    def _drawn(self, name: str, shape: tuple[int, ...], dtype: torch.dtype, role: Role) -> Tensor:
        """Draw a weight: matrices by their fan-in, scales 1, biases 0, tables of places in order.

        source: LeCun et al., Efficient BackProp (1998), section 4.6
        """
        if not dtype.is_floating_point:
            return torch.arange(torch.Size(shape).numel()).reshape(shape).to(dtype)
        if role is Role.PARAMETER and len(shape) < 2:
            return torch.full(shape, 0.0 if name.endswith("bias") else 1.0, dtype=dtype)
        made = torch.empty(shape, dtype=torch.float32)
        fan_in = shape[-1] if shape else 1
        made.normal_(0.0, 1 / sqrt(max(1, fan_in)), generator=self._random(name))
        return made.to(dtype)

    def _input(self, node: fx.Node, real: Any, run: int) -> Any:
        if isinstance(real, Tensor) and not real.is_meta:
            return real
        like = node.meta.get("val")
        if not isinstance(like, Tensor):
            return like if real is None else real
        shape = _shape(like)
        source = self._random(f"{node.name} {run}")
        if like.dtype.is_floating_point:
            return torch.empty(shape).normal_(generator=source).to(like.dtype)
        if like.dtype is torch.bool:
            return torch.ones(shape, dtype=torch.bool)
        most = _rows_looked_up(node)
        if most is None:
            return torch.ones(shape, dtype=like.dtype)
        return torch.randint(most, shape, generator=source).to(like.dtype)

    def _random(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed((self._seed << 32) + zlib.crc32(name.encode()))


def _shape(like: Tensor) -> tuple[int, ...]:
    return tuple(map(whole, like.shape))


def _rows_looked_up(node: fx.Node) -> int | None:
    """Return how many rows the table has that an input indexes, directly or through views."""
    for user in node.users:
        packet = getattr(user.target, "overloadpacket", None)
        if packet is aten.embedding and user.args[1] is node:
            table = user.args[0]
            assert isinstance(table, fx.Node)  # noqa: S101 - a tensor in any captured graph
            return whole(table.meta["val"].shape[0])
        if packet in (aten.view, aten.reshape, aten.to, aten.clone, aten.alias, aten.unsqueeze):
            found = _rows_looked_up(user)
            if found is not None:
                return found
    return None
