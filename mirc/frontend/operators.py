"""An ATen operator's schema into what it does to memory: views, in-place writes, chance."""

from enum import Enum, auto
from functools import cache
from typing import Any

import attrs
import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import Node

aten = torch.ops.aten


class Kind(Enum):
    """What an operator's result is, as memory."""

    NOTHING = auto()
    """Checks and hints: no result, no effect."""
    VIEW = auto()
    """Always another look at its first tensor."""
    MAYBE_VIEW = auto()
    """A view where that is possible, a copy where it is not (``reshape``, ``to``)."""
    IN_PLACE = auto()
    """Writes to a tensor it was given and returns it."""
    JOIN = auto()
    """``cat``: appends, where it grows a cache."""
    FRESH = auto()
    """Memory without contents (``empty``)."""
    WAIT = auto()
    """The end of a collective: gives the tensor that its start made, now complete."""
    COMPUTE = auto()
    """Makes new bytes."""


@attrs.frozen(slots=True)
class Operator:
    """What every call of one operator has in common.

    ``written`` are positions of mutated arguments; ``reads_target`` is false where the old bytes
    do not matter (``copy_``), ``partial`` is true where only indexed elements are written.
    ``reads_shape`` says that the operands' bytes do not matter (``ones_like``); ``updated`` are
    positions of arguments that a call in training writes without its schema saying so.
    """

    name: str
    kind: Kind
    written: tuple[int, ...] = ()
    reads_target: bool = True
    partial: bool = False
    random: bool = False
    collective: bool = False
    reads_shape: bool = False
    updated: tuple[int, ...] = ()


MAYBE = frozenset(
    {
        "to",
        "reshape",
        "reshape_as",
        "contiguous",
        "flatten",
        "ravel",
        "type_as",
        "dropout",
        "feature_dropout",
        "alpha_dropout",
        "feature_alpha_dropout",
        "resolve_conj",
        "resolve_neg",
        "rrelu",
    }
)
JOINS = frozenset({"cat", "concat", "concatenate"})
FRESH = frozenset({"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided"})
VIEWS = frozenset({"lift", "lift_fresh", "lift_fresh_copy", "alias", "detach", "_unsafe_view"})
OVERWRITES = frozenset(
    {"copy_", "fill_", "zero_", "normal_", "uniform_", "random_", "exponential_", "set_"}
)
INDEXED = frozenset(
    {
        "index_put_",
        "_index_put_impl_",
        "index_copy_",
        "index_add_",
        "index_fill_",
        "scatter_",
        "scatter_add_",
        "scatter_reduce_",
        "masked_scatter_",
        "put_",
    }
)
INDEXED_OVERWRITES = frozenset({"index_put_", "index_copy_", "index_fill_", "scatter_", "put_"})
SHAPED = frozenset(
    {
        "ones_like",
        "zeros_like",
        "full_like",
        "rand_like",
        "randn_like",
        "randint_like",
        "new_zeros",
        "new_ones",
        "new_full",
    }
)
STATISTICS = frozenset({"batch_norm", "native_batch_norm", "cudnn_batch_norm"})
"""Operators that bring running statistics up to date while they train."""
COLLECTIVES = frozenset({"_c10d_functional", "c10d", "c10d_functional"})
DROPS = frozenset(
    {
        "dropout",
        "feature_dropout",
        "alpha_dropout",
        "feature_alpha_dropout",
        "native_dropout",
        "rrelu",
    }
)


@cache
def operator_of(target: OpOverload) -> Operator:
    """Read ``target``'s schema once; the answer is the same at every call."""
    schema = target._schema  # noqa: SLF001 - the schema has no public accessor
    short = target._opname  # noqa: SLF001
    name = f"{target.namespace}.{short}.{target._overloadname}"  # noqa: SLF001
    written = tuple(
        place
        for place, argument in enumerate(schema.arguments)
        if argument.alias_info is not None
        and argument.alias_info.is_write
        and not (argument.name == "grads" and short.startswith("_fused_"))  # only to unscale them
    )
    kind = _kind(target, short, written)
    return Operator(
        name=name,
        kind=kind,
        written=written if kind is Kind.IN_PLACE else (),
        reads_target=short not in OVERWRITES and short not in INDEXED_OVERWRITES,
        partial=short in INDEXED,
        random=torch.Tag.nondeterministic_seeded in target.tags,
        collective=target.namespace in COLLECTIVES,
        reads_shape=short in SHAPED,
        updated=tuple(
            place
            for place, argument in enumerate(schema.arguments)
            if short in STATISTICS and argument.name in ("running_mean", "running_var")
        ),
    )


def _kind(target: OpOverload, short: str, written: tuple[int, ...]) -> Kind:
    returns = target._schema.returns  # noqa: SLF001
    tests = (
        (target.namespace in COLLECTIVES and short == "wait_tensor", Kind.WAIT),
        (torch.Tag.inplace_view in target.tags or short in VIEWS, Kind.VIEW),
        (bool(written), Kind.IN_PLACE),
        (not returns or short.startswith(("_assert", "sym_")), Kind.NOTHING),
        (short in MAYBE, Kind.MAYBE_VIEW),
        (target.is_view, Kind.VIEW),
        (short in FRESH, Kind.FRESH),
        (short in JOINS, Kind.JOIN),
    )
    return next((kind for holds, kind in tests if holds), Kind.COMPUTE)


def is_view(node: Node, source: Tensor, result: Tensor) -> bool:
    """Say whether a MAYBE_VIEW call gave a view of ``source`` (judged by shapes and strides).

    Storages are not asked: after a ``.pt2`` round trip all parameters on meta share one.
    """
    if source.dtype is not result.dtype:
        return False
    short = node.target._opname  # type: ignore[union-attr] # noqa: SLF001
    if short in DROPS:
        return not training_call(node)
    if node.kwargs.get("copy") or (short == "to" and source.device != result.device):
        return False
    if not all(isinstance(size, int) for size in (*source.shape, *result.shape)):
        return True  # sizes known only at run time: torch itself cannot tell yet
    if source.shape == result.shape:
        return source.stride() == result.stride()
    return source.is_contiguous() or _can_view(source, result)


def _can_view(source: Tensor, result: Tensor) -> bool:
    stand_in = torch.empty_strided(source.shape, source.stride(), dtype=source.dtype, device="meta")
    try:
        stand_in.view(result.shape)
    except RuntimeError:
        return False
    return True


def random_call(node: Node, operator: Operator) -> bool:
    """Say whether this call draws random numbers (dropout: only if something can be dropped)."""
    if not operator.random or not training_call(node):
        return False
    return all(_argument(node, name, otherwise=1.0) for name in ("dropout_p", "dropout"))


def training_call(node: Node) -> bool:
    """Read the switch that operators with dropout have; one without it is always on."""
    return all(_argument(node, name, otherwise=True) for name in ("train", "training"))


def _argument(node: Node, name: str, *, otherwise: Any) -> Any:
    """Give the value of the operator's argument ``name`` at this call, or its default."""
    schema: Any = node.target._schema  # type: ignore[union-attr] # noqa: SLF001
    for place, argument in enumerate(schema.arguments):
        if argument.name == name:
            given = node.args[place] if place < len(node.args) else node.kwargs.get(name)
            return argument.default_value if given is None else given
    return otherwise
