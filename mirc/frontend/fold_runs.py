"""A model's lists of modules into runs of alike blocks, by hashing what each block is."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import torch
from torch import nn

LONGEST_PERIOD = 12
PLAIN = (int, str, bool, type(None), torch.dtype, torch.device)
LISTS = (nn.ModuleList, nn.Sequential)
Setting = tuple[str, str]


@attrs.frozen(kw_only=True)
class Run:
    """A stretch of a list of modules that repeats: ``count`` times ``period`` modules."""

    start: int
    period: int
    count: int


@attrs.frozen(kw_only=True)
class Stack:
    """Lists of modules that are walked side by side: all of one owner and one length.

    ``paths`` are theirs in the model, ``containers`` the lists themselves. ``numbering`` names
    the settings (submodule, attribute) that hold a module's own place in the list.
    """

    paths: tuple[str, ...]
    containers: tuple[nn.Module, ...] = attrs.field(repr=False)
    length: int
    runs: tuple[Run, ...]
    numbering: tuple[Setting, ...] = ()


def stacks_of(model: nn.Module, least: int) -> tuple[Stack, ...]:
    """Find the outermost lists in which a run has at least ``least`` repeats.

    Modules are alike in class, in the names, shapes and dtypes of all they hold, and in every
    whole number, word and switch that they and what is below them have, save a number that is
    their own place in the list. Nothing else is asked (an attribute that is a float, a function
    or a configuration): whether like modules do the like is found out by running them. O(modules).
    """
    if isinstance(model, LISTS):
        whole = _stack(("",), (model,), least)
        if whole is not None:
            return (whole,)
    return tuple(_below("", model, least))


def runs_of(words: Sequence[Any], least: int) -> Iterator[Run]:
    """Yield the runs of a sequence, first come first served, each as long as can be.

    Where two periods cover as much, the shorter one counts. O(words x longest period).
    """
    start = 0
    while start < len(words):
        found = [
            Run(start=start, period=period, count=_repeats(words, start, period))
            for period in range(1, min(LONGEST_PERIOD, len(words) // least) + 1)
        ]
        long = [run for run in found if run.count >= least]
        if not long:
            start += 1
            continue
        best = max(long, key=lambda run: (run.period * run.count, -run.period))
        yield best
        start += best.period * best.count


def _repeats(words: Sequence[Any], start: int, period: int) -> int:
    end = start + period
    while end < len(words) and words[end] == words[end - period]:
        end += 1
    return (end - start) // period


def _below(
    path: str, module: nn.Module, least: int, above: tuple[nn.Module, ...] = ()
) -> Iterator[Stack]:
    above = (*above, module)  # a module may hold what holds it
    lists: dict[int, list[str]] = {}
    for name, child in module.named_children():
        if isinstance(child, LISTS):
            lists.setdefault(len(child), []).append(name)
    folded: set[str] = set()
    for length, names in lists.items():
        if length >= least:
            containers = tuple(module.get_submodule(name) for name in names)
            stack = _stack(tuple(_joined(path, name) for name in names), containers, least)
            if stack is not None:
                folded.update(names)
                yield stack
    for name, child in module.named_children():
        if name not in folded and not any(child is one for one in above):
            yield from _below(_joined(path, name), child, least, above)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _stack(paths: tuple[str, ...], containers: tuple[nn.Module, ...], least: int) -> Stack | None:
    held = list(map(modules_of, containers))
    if any(len(each) != len(containers[0]) for each in held):  # type: ignore[arg-type] # a list
        return None  # some places are empty
    rows = list(zip(*held, strict=True))
    described = [dict(_settings(row)) for row in rows]
    numbering = _numbering(described)
    words = [
        hash(tuple((key, value) for key, value in one.items() if key not in numbering))
        for one in described
    ]
    runs = tuple(runs_of(words, least))
    if not runs:
        return None
    return Stack(
        paths=paths,
        containers=containers,
        length=len(words),
        runs=runs,
        numbering=tuple(sorted(numbering)),
    )


def modules_of(container: nn.Module) -> list[nn.Module]:
    """Give what a list holds, in order; ``children()`` leaves out what comes twice."""
    return [module for module in container._modules.values() if module is not None]  # noqa: SLF001 - as said


def _settings(row: tuple[nn.Module, ...]) -> Iterator[tuple[Setting, Any]]:
    """Yield all that is asked of one block: by submodule and attribute, what it is."""
    for number, block in enumerate(row):
        for path, module in block.named_modules():
            place = f"{number}.{path}"
            yield (place, ""), type(module)
            for store in (module._parameters, module._buffers):  # noqa: SLF001 - own ones alone
                for name, held in store.items():
                    yield (place, name), None if held is None else (tuple(held.shape), held.dtype)
            for name, value in vars(module).items():
                if isinstance(value, PLAIN) and not name.startswith("_"):
                    yield (place, name), value
                elif isinstance(value, tuple | list) and all(isinstance(x, PLAIN) for x in value):
                    yield (place, name), tuple(value)


def _numbering(described: Sequence[dict[Setting, Any]]) -> frozenset[Setting]:
    """Find the settings that count up by one from each module of a list to the next."""
    first, *others = described
    return frozenset(
        key
        for key, value in first.items()
        if type(value) is int
        and all(
            type(one.get(key)) is int and one[key] == value + place
            for place, one in enumerate(others, 1)
        )
    )
