"""A routing trace and a model's routers into what was observed of each of them."""

from collections.abc import Iterable, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.traces.routing import RoutingTrace


@attrs.frozen(kw_only=True)
class Router:
    """One module's router: the families that its choice selects from, slice by slice."""

    module: str
    storages: tuple[int, ...]
    experts: int
    top_k: int


@attrs.frozen(kw_only=True, eq=False)
class ObservedRouter:
    """``chosen[token, rank]`` of a router; runs of tokens that came together begin at ``starts``.

    ``tokens[i]`` is the place in the trace of its ``i``-th token.
    """

    router: Router
    chosen: NDArray[np.int64]
    starts: NDArray[np.int64]
    tokens: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.float64]:
        """How many tokens chose each expert."""
        counted = np.bincount(self.chosen.ravel(), minlength=self.router.experts)
        return counted.astype(np.float64)


def bind(routers: Mapping[str, Router], trace: RoutingTrace) -> tuple[ObservedRouter, ...]:
    """Give each router its layer of the trace: in order where their numbers agree, else by block.

    A trace may count all blocks while only some route; layers that never route are passed over,
    and a block is known by the first number in its module's path; numbers agree where the last
    of the trace is that of the last router. Raises CouldNotRun where the
    trace is of another model: of another number of layers, experts, or experts a token.
    """
    if not routers:
        raise CouldNotRun(
            f"`{trace.name}` is a routing trace, and the model routes nothing",
            "leave `--routing` out",
        )
    places = _places(tuple(routers), trace)
    return tuple(
        _observed(router, trace, place)
        for router, place in zip(routers.values(), places, strict=True)
    )


def _places(modules: tuple[str, ...], trace: RoutingTrace) -> tuple[int, ...]:
    layers = trace.chosen.shape[1]
    routing = [place for place in range(layers) if (trace.chosen[:, place] >= 0).any()]
    for known in (range(layers), routing):
        if len(known) == len(modules):
            return tuple(known)
    numbers = {number: place for place, number in enumerate(trace.layers or range(layers))}
    blocks = [_block(module) for module in modules]
    exact = max(numbers) == max(blocks) and all(block in numbers for block in blocks)
    if exact and len(set(blocks)) == len(blocks):
        return tuple(numbers[block] for block in blocks)
    raise CouldNotRun(
        f"`{trace.name}` has {layers} layers of which {len(routing)} route; "
        f"the model has {len(modules)} routers",
        "give a trace of this model",
    )


def _block(module: str) -> int:
    return next((int(part) for part in module.split(".") if part.isdecimal()), -1)


def _observed(router: Router, trace: RoutingTrace, place: int) -> ObservedRouter:
    width = trace.chosen.shape[2]
    if (trace.experts or router.experts) != router.experts:
        raise _other(trace, f"{trace.experts} experts", f"{router.experts} in `{router.module}`")
    if width != router.top_k if not trace.ranked else width < router.top_k:
        raise _other(trace, f"{width} choices a token", f"{router.top_k} in `{router.module}`")
    rows = trace.chosen[:, place, : router.top_k]
    kept = np.flatnonzero(rows[:, 0] >= 0)
    chosen = rows[kept].astype(np.int64)
    if not len(kept):
        raise _other(trace, f"no choice in layer {place}", f"a router in `{router.module}`")
    if int(chosen.max()) >= router.experts:
        highest = f"expert {int(chosen.max())} in layer {place}"
        raise _other(trace, highest, f"{router.experts} experts in `{router.module}`")
    starts = np.unique(np.searchsorted(kept, trace.starts))
    return ObservedRouter(
        router=router, chosen=chosen, starts=starts[starts < len(kept)], tokens=kept
    )


def _other(trace: RoutingTrace, seen: str, has: str) -> CouldNotRun:
    return CouldNotRun(
        f"`{trace.name}` is of another model: it has {seen}, the model has {has}",
        "give a trace of this model",
    )


def pair_counts(
    first: NDArray[np.int64], second: NDArray[np.int64], experts: tuple[int, int]
) -> NDArray[np.float64]:
    """Return ``counts[a, b]``: the tokens that chose ``a`` in ``first`` and ``b`` in ``second``."""
    rows, columns = experts
    counts = np.zeros(rows * columns, dtype=np.float64)
    for part in _slices(len(first)):
        keys = first[part, :, None] * columns + second[part, None, :]
        counts += np.bincount(keys.ravel(), minlength=rows * columns)
    return counts.reshape(rows, columns)


def _slices(tokens: int) -> Iterable[slice]:
    """Bound the memory of all pairs of a token."""
    return (slice(begin, begin + 4096) for begin in range(0, tokens, 4096))
