"""A cache of transformers into plain tensors with names, and tensors back into such a cache."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from mirc.frontend.entry import CacheRef

GROWING = ("keys", "values", "indexer_keys")
STATES = {"conv_states": "conv", "recurrent_states": "recurrent"}


@attrs.frozen(slots=True)
class Slot:
    """Where one tensor of one layer's cache lies: an attribute, or one entry of it."""

    attribute: str
    entry: int | None = None

    def of(self, layer: Any) -> Any:
        """Give what lies there."""
        held = getattr(layer, self.attribute, None)
        return held if self.entry is None or held is None else held.get(self.entry)

    def put(self, layer: Any, value: Tensor) -> None:
        """Put a tensor there; an attribute with entries must be the layer's own copy."""
        if self.entry is None:
            setattr(layer, self.attribute, value)
        else:
            getattr(layer, self.attribute)[self.entry] = value


def slots_of(layer: Any) -> tuple[Slot, ...]:
    """List a layer's tensors: keys (or latent) and values, then the states of a recurrence."""
    found = [Slot(name) for name in GROWING]
    for name in STATES:
        found += [Slot(name, entry) for entry in getattr(layer, name, None) or ()]
    return tuple(slot for slot in found if isinstance(slot.of(layer), Tensor))


def cache_parts(cache: Any) -> list[Tensor]:
    """Give the tensors of a cache, layer by layer, in the order of :func:`slots_of`."""
    return [slot.of(layer) for layer in cache.layers for slot in slots_of(layer)]


def cache_refs(cache: Any, family: str, *, grows: bool = True) -> tuple[CacheRef, ...]:
    """Name those tensors: keys and values of a layer are one cache, each state is its own.

    A layer that slides keeps its window; states are ``state.layers.N.conv`` and ``.recurrent``.
    """
    return tuple(
        _ref(layer, slot, f"{family}.{number}", grows=grows)
        for number, layer in enumerate(cache.layers)
        for slot in slots_of(layer)
    )


def _ref(layer: Any, slot: Slot, name: str, *, grows: bool) -> CacheRef:
    if slot.entry is None:
        return CacheRef(name, grows, int(getattr(layer, "sliding_window", None) or 0))
    numbered = f".{slot.entry}" if slot.entry else ""
    number = name.rpartition(".")[2]
    name = f"state.layers.{number}.{STATES[slot.attribute]}{numbered}"
    return CacheRef(name, grows=False, state=True)


def stand_ins(cache: Any) -> list[list[Tensor]]:
    """Give a tensor of the same shape for each of a cache's, layer by layer.

    Their storages are fresh, so that no part is a view of what a run computed.
    """
    return [
        [torch.empty_like(slot.of(layer)) for slot in slots_of(layer)] for layer in cache.layers
    ]


def refilled(cache: Any, parts: Sequence[Sequence[Tensor]]) -> Any:
    """Give a cache like ``cache`` (as many tokens seen, as many in a window) over other tensors.

    ``cache`` itself is left as it was; layers beyond those that ``parts`` has are left out.
    """
    other = copy.copy(cache)
    other.layers = [_layer(layer, given) for layer, given in zip(cache.layers, parts, strict=False)]
    return other


def _layer(layer: Any, parts: Sequence[Tensor]) -> Any:
    other = copy.copy(layer)
    for name in STATES:
        held = getattr(layer, name, None)
        if held is not None:
            setattr(other, name, dict(held))
    for slot, part in _pairs(layer, parts):
        slot.put(other, part)
    return other


def _pairs(layer: Any, parts: Sequence[Tensor]) -> Iterator[tuple[Slot, Tensor]]:
    return zip(slots_of(layer), parts, strict=True)
