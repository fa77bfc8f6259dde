"""A model whose blocks repeat into its whole program, from captures of a few repeats."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
from torch import nn

from mirc.frontend.blame import blame
from mirc.frontend.entry import CaptureOptions, Entry, Fold
from mirc.frontend.fold_depth import shortened
from mirc.frontend.fold_layout import Layout
from mirc.frontend.fold_program import replicated, with_scales
from mirc.frontend.fold_runs import stacks_of
from mirc.frontend.fold_stretch import BETWEEN, REPEATS, NotAffineError
from mirc.frontend.fold_watch import Remembered, confirm, watched
from mirc.frontend.growth import alike, scaled
from mirc.frontend.target import Model
from mirc.frontend.whole import Progress, Whole, capture_entries, digest
from mirc.graph.model import Capture, Level, Program

WORTH = 10
"""Repeats from which on folding is quicker: it captures seven and runs all of them once."""


@runtime_checkable
class Resizable(Protocol):
    """A model whose inputs can be made at other sizes."""

    def elsewhere(self, options: CaptureOptions) -> CaptureOptions:
        """Give the same phases with another batch and, where they have many, other tokens."""


def folded(model: Model, options: CaptureOptions, progress: Progress) -> Program | None:
    """Capture a model at two depths and lay the deeper one out at full depth.

    Both captures leave a few repeats of each run of alike blocks. The program of four, laid out
    at three, must be the program of three; and one run of the whole model without contents must
    make the calls, call by call, that the layout makes of those of four. The program of three is
    captured at another batch and token count where the model has such inputs and is the same one
    there: then it also tells how each amount grows.

    Gives None where no block repeats often enough. Raises NotAffineError, with the reason, where
    more repeats are not provably more of the same.
    """
    module = _module(model, options)
    least = WORTH if options.fold is Fold.AUTO else REPEATS + 1
    layout = Layout(stacks_of(module, least) if module is not None else ())
    if module is None or not layout.runs:
        return None
    try:
        return _folded(model, module, layout, options, progress)
    except NotAffineError:
        raise
    except Exception as error:
        raise NotAffineError(f"the shortened model fails: {blame(error, '')}") from error


def _folded(
    model: Model, module: nn.Module, layout: Layout, options: CaptureOptions, progress: Progress
) -> Program:
    progress(f"folding {model.name}: {_described(layout)}")
    known: dict[Any, Any] = {}
    with shortened(module, layout, REPEATS) as kept:
        with Remembered(known):
            entries = _entries(model, options, kept)
        short = capture_entries(model.name, entries, options.tile_bytes, _quiet)
        calls = [watched(entry, known) for entry in entries]
    _check(short)
    again = replicated(short.program, layout, [REPEATS - 1] * len(layout.runs))
    found = _elsewhere(model, module, layout, options)
    if found is not None and alike(again, found.program):
        shorter = found
        learned = with_scales(short.program, layout, scaled(again, found.program))
    else:
        shorter = _shortened(model, module, layout, options)
        learned = short.program
        if (again.storages, again.graphs) != (shorter.program.storages, shorter.program.graphs):
            raise NotAffineError("one repeat of a block less changes more than that block")
    with Remembered(known):
        whole = model.entries(options)
    for few, entry in zip(calls, whole, strict=True):
        confirm(few, watched(entry, known), layout)
    program = replicated(learned, layout, layout.counts())
    captures = tuple(_captures(short, shorter, layout))
    for graph in program.graphs:
        progress(f"captured `{graph.phase}`: {len(graph.nodes)} operations, folded")
    return attrs.evolve(program, digest=digest(program.storages, program.graphs), captures=captures)


def _shortened(model: Model, module: nn.Module, layout: Layout, options: CaptureOptions) -> Whole:
    with shortened(module, layout, REPEATS - 1) as kept:
        with Remembered({}):
            entries = _entries(model, options, kept)
        return capture_entries(model.name, entries, options.tile_bytes, _quiet)


def _elsewhere(
    model: Model, module: nn.Module, layout: Layout, options: CaptureOptions
) -> Whole | None:
    """Capture at other sizes as well, where the model says at which; None where that fails."""
    if not isinstance(model, Resizable):
        return None
    try:
        return _shortened(model, module, layout, model.elsewhere(options))
    except Exception:  # noqa: BLE001 - the sizes asked for are what must work, not these
        return None


def _module(model: Model, options: CaptureOptions) -> nn.Module | None:
    """Give the one module that all phases run; None where they have several."""
    own = getattr(model, "model", None)
    if isinstance(own, nn.Module):
        return own
    entries = model.entries(options)
    first = entries[0].model
    alone = all(entry.model is first and entry.exported is None for entry in entries)
    return first if alone else None


def _entries(
    model: Model, options: CaptureOptions, kept: Mapping[int, Sequence[int]]
) -> list[Entry]:
    """Give the phases of a shortened model; inputs that are one a block are shortened as well."""
    entries = [
        attrs.evolve(
            entry,
            args=tuple(_left(value, kept) for value in entry.args),
            kwargs={name: _left(value, kept) for name, value in entry.kwargs.items()},
        )
        for entry in model.entries(options)
    ]
    if any(entry.training is not None for entry in entries):
        raise NotAffineError("a training step is captured whole")
    return entries


def _left(value: Any, kept: Mapping[int, Sequence[int]]) -> Any:
    if type(value) in (list, tuple) and len(value) in kept:
        return type(value)(value[place] for place in kept[len(value)])
    return value


def _quiet(_sentence: str) -> None:
    """Tell nobody about the captures of a shortened model."""


def _check(short: Whole) -> None:
    for capture in short.program.captures:
        if capture.level is not Level.EXPORT:
            raise NotAffineError(f"torch.export does not capture `{capture.phase}`")


def _captures(short: Whole, shorter: Whole, layout: Layout) -> Iterator[Capture]:
    """Yield the captures of the whole graphs, with the fx nodes that they would have."""
    counts = layout.counts()
    note = f"folded: {_described(layout)}"
    for four, three, modules in zip(
        short.program.captures, shorter.program.captures, short.fx_modules, strict=True
    ):
        each = _repeated(modules, layout)
        gained = four.fx_nodes - three.fx_nodes
        if sum(each) != gained:
            if len(set(counts)) > 1:
                raise NotAffineError("it is not known which block some operations serve")
            each = [gained, *(0 for _ in counts[1:])]
        more = sum(size * (count - REPEATS) for size, count in zip(each, counts, strict=True))
        yield attrs.evolve(four, fx_nodes=four.fx_nodes + more, note=note)


def _repeated(modules: Mapping[str, int], layout: Layout) -> list[int]:
    """Count the fx nodes of the third repeat of each run."""
    each = [0 for _ in layout.runs]
    for path, count in modules.items():
        spot = layout.spot(path)
        if spot is not None and spot.unit == BETWEEN:
            each[spot.run] += count
    return each


def _described(layout: Layout) -> str:
    """Say which lists are folded, and into what."""
    return ", ".join(
        f"{run.count} x {run.period} of `{stack.paths[0] or 'the model'}`"
        for stack in layout.stacks
        for run in stack.runs
    )
