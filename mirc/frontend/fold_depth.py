"""A model shortened to a few repeats of each block for a while, and then as it was."""

import contextlib
from collections.abc import Iterator, MutableMapping
from typing import Any

from torch import nn

from mirc.frontend.fold_layout import Layout
from mirc.frontend.fold_runs import Stack, modules_of
from mirc.frontend.fold_stretch import NotAffineError

DEPTH_WORDS = ("layer", "block", "depth")


@contextlib.contextmanager
def shortened(model: nn.Module, layout: Layout, repeats: int) -> Iterator[dict[int, list[int]]]:
    """Leave ``repeats`` repeats of each run in the model's lists; at the end put all of it back.

    The modules that follow a shortened run are counted anew, in the settings that number them
    too. Whole numbers that count a list (``num_hidden_layers``: named after layers, blocks or
    depth, and of its length) and plain lists with one item a module (``layer_types``) follow, in
    every module and every configuration that a module has.

    Yields the places that are left of each list, by its whole length. Raises NotAffineError where
    two lists of one length are left with different places.
    """
    kept = _kept(layout, repeats)
    with contextlib.ExitStack() as undo:
        for stack, places in zip(
            layout.stacks, map(kept.__getitem__, lengths(layout)), strict=True
        ):
            _renumber(stack, places, undo)
            for container in stack.containers:
                children = modules_of(container)
                shorter = {str(new): children[old] for new, old in enumerate(places)}
                _replace(container._modules, shorter, undo)  # noqa: SLF001 - its own store
        counting = {name for stack in layout.stacks for _, name in stack.numbering}
        for settings in _settings(model):
            for name, value in list(_followed(settings, kept)):
                if name not in counting:
                    _set(settings, name, value, undo)
        yield kept


def lengths(layout: Layout) -> list[int]:
    """Give the whole length of each list."""
    return [stack.length for stack in layout.stacks]


def _kept(layout: Layout, repeats: int) -> dict[int, list[int]]:
    kept: dict[int, list[int]] = {}
    for number, length in enumerate(lengths(layout)):
        places = layout.kept(number, repeats)
        if kept.setdefault(length, places) != places:
            raise NotAffineError(f"two lists of {length} modules repeat in different ways")
    return kept


def _renumber(stack: Stack, places: list[int], undo: contextlib.ExitStack) -> None:
    for new, old in enumerate(places):
        if new == old:
            continue
        for place, name in stack.numbering:
            number, _, path = place.partition(".")
            block = modules_of(stack.containers[int(number)])[old]
            settings = vars(block.get_submodule(path))
            _set(settings, name, settings[name] + new - old, undo)


def _set(settings: dict[str, Any], name: str, value: Any, undo: contextlib.ExitStack) -> None:
    undo.callback(settings.__setitem__, name, settings[name])
    settings[name] = value


def _replace(
    store: MutableMapping[str, Any], contents: dict[str, Any], undo: contextlib.ExitStack
) -> None:
    undo.callback(_refill, store, dict(store))
    _refill(store, contents)


def _refill(store: MutableMapping[str, Any], contents: dict[str, Any]) -> None:
    store.clear()
    store.update(contents)


def _settings(model: nn.Module) -> Iterator[dict[str, Any]]:
    """Yield the attributes of every module and of every configuration, each once."""
    seen: set[int] = set()
    todo: list[Any] = list(model.modules())
    for thing in todo:
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        settings = vars(thing)
        yield settings
        todo += [value for value in settings.values() if _is_configuration(value)]


def _is_configuration(value: Any) -> bool:
    return type(value).__name__.endswith("Config") and hasattr(value, "__dict__")


def _followed(settings: dict[str, Any], kept: dict[int, list[int]]) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if type(value) is int and value in kept:
            if any(word in name.lower() for word in DEPTH_WORDS):
                yield name, len(kept[value])
        elif type(value) in (list, tuple) and len(value) in kept and not name.startswith("_"):
            yield name, type(value)(value[place] for place in kept[len(value)])
