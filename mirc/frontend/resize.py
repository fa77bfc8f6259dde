"""A user's own inputs into inputs of other sizes, and what a capture of those shows."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from mirc.frontend.growth import MADE, alike, scaled
from mirc.graph.model import Program, Role, Scale

MOST_NODES = 1_000
"""Operations up to which a second capture is worth its time, unless blocks are folded."""
LEAST_TOKENS = 8
MORE = 2
"""Sequences that the second capture has more."""
Call = tuple[tuple[Any, ...], Mapping[str, Any]]


def sizes_of(inputs: Call) -> tuple[int, int]:
    """Tell the batch and the tokens of a sequence from the inputs themselves.

    The batch is the first dimension that all tensors have alike; the tokens are the second one of
    matrices of whole numbers (words). Where they differ, it is one.
    """
    tensors = _tensors(inputs)
    words = {one.shape[1] for one in tensors if _is_words(one)}
    tokens = words.pop() if len(words) == 1 else 1
    leading = {one.shape[0] for one in tensors}
    return (leading.pop(), tokens) if len(leading) == 1 else (1, 1)


def elsewhere(inputs: Call) -> Iterator[Call]:
    """Yield the inputs with more sequences and, from 8 tokens on, fewer tokens; then without those.

    Contents are zeros. Yields nothing where it is not known what a batch is.
    """
    batch, tokens = sizes_of(inputs)
    if {one.shape[0] for one in _tensors(inputs)} != {batch}:
        return
    if tokens >= LEAST_TOKENS:
        yield tree_map(_maker(tokens * 3 // 4), inputs)
    yield tree_map(_maker(tokens), inputs)


def learned(program: Program, captured_elsewhere: Iterator[Program]) -> Program:
    """Give ``program`` with what one of the others shows: how each of its amounts grows.

    Where none is the same program at other sizes, all amounts hold as they were captured: sizes
    and FLOPs alike are FIXED.
    """
    for other in captured_elsewhere:
        if alike(program, other):
            return scaled(program, other)
    return fixed(program)


def fixed(program: Program) -> Program:
    """Give ``program`` with amounts that hold as captured and at no other size."""
    storages = tuple(
        attrs.evolve(one, scale=Scale.FIXED)
        if one.role in (*MADE, Role.SAVED) and one.scale is Scale.UNKNOWN
        else one
        for one in program.storages
    )
    graphs = tuple(
        attrs.evolve(
            graph,
            nodes=tuple(
                attrs.evolve(node, flops_scale=Scale.FIXED)
                if node.flops_scale is Scale.UNKNOWN
                else node
                for node in graph.nodes
            ),
        )
        for graph in program.graphs
    )
    return attrs.evolve(program, storages=storages, graphs=graphs)


def _tensors(inputs: Call) -> list[Tensor]:
    return [one for one in tree_leaves(inputs) if isinstance(one, Tensor) and one.dim()]


def _is_words(tensor: Tensor) -> bool:
    whole = not (tensor.is_floating_point() or tensor.is_complex())
    return tensor.dim() == 2 and whole


def _maker(tokens: int) -> Callable[[Any], Any]:
    def made(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or not leaf.dim():
            return leaf
        rest = (tokens,) if _is_words(leaf) else tuple(leaf.shape[1:])
        shape = (leaf.shape[0] + MORE, *rest)
        return torch.zeros(shape, dtype=leaf.dtype, device=leaf.device)

    return made
