"""A TARGET into a program: folded where its blocks repeat, else captured whole."""

import contextlib
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import attrs

from mirc.frontend import target as targets
from mirc.frontend.entry import CaptureOptions, Fold
from mirc.frontend.fold import folded
from mirc.frontend.fold_stretch import NotAffineError
from mirc.frontend.grown import grown
from mirc.frontend.resize import MOST_NODES, learned
from mirc.frontend.whole import Progress, capture_entries
from mirc.grammar.memory import collection_paused
from mirc.graph.model import Program

UNREPEATED = "not folded: the phases run no one module in which a block repeats often enough"


@runtime_checkable
class Resized(Protocol):
    """A model with inputs of its own, which may be made again at other sizes."""

    def resized(self, options: CaptureOptions) -> Iterator[targets.Model]:
        """Yield the model with inputs of other sizes, the likeliest way first."""


def capture(target: str, options: CaptureOptions, progress: Progress) -> Program:
    """Load ``target``, capture its phases and lower them into one program.

    ``progress`` gets a sentence as each phase begins and ends. The model itself is left as it was
    found. Raises :class:`~mirc.diagnostics.errors.CouldNotRun` where there is nothing to capture.
    """
    with collection_paused():  # a model is built once and lives on, and so do the libraries
        model = targets.resolve(target)
        found = _folded(model, options, progress)
    return _finished(model, options, progress, found)


def capture_model(model: targets.Model, options: CaptureOptions, progress: Progress) -> Program:
    """Capture and lower a model that is already loaded.

    Unless ``options.fold`` forbids it, repeated blocks are captured a few times and copied
    (:mod:`mirc.frontend.fold`); what does not fold is captured whole, and each capture says why.
    """
    with collection_paused():
        found = _folded(model, options, progress)
    return _finished(model, options, progress, found)


def _finished(
    model: targets.Model, options: CaptureOptions, progress: Progress, found: Program | str
) -> Program:
    """Capture what did not fold, and learn how amounts grow where the inputs are the model's own.

    A second capture at other sizes is made of what is small or folds: it takes as long.
    """
    program = _whole(model, options, progress, found) if isinstance(found, str) else found
    if not isinstance(model, Resized):
        return grown(model, options, program) if isinstance(found, str) else program
    nodes = sum(len(graph.nodes) for graph in program.graphs)
    small = not isinstance(found, str) or nodes <= MOST_NODES
    others = model.resized(options) if small else iter(())
    return learned(program, _captured(others, options))


def _captured(models: Iterator[targets.Model], options: CaptureOptions) -> Iterator[Program]:
    for model in models:
        with contextlib.suppress(Exception):  # the sizes asked for are what must work, not these
            found = _folded(model, options, _quiet)
            yield _whole(model, options, _quiet, "") if isinstance(found, str) else found


def _quiet(_sentence: str) -> None:
    """Tell nobody about a capture that only shows how amounts grow."""


def _folded(model: targets.Model, options: CaptureOptions, progress: Progress) -> Program | str:
    """Give the folded program, or why there is none (nothing, where no one would expect one).

    ``progress`` hears of the folding once it held: what is given up is only said in the end.
    """
    if options.fold is Fold.NEVER:
        return ""
    lines: list[str] = []
    try:
        found = folded(model, options, lines.append)
    except NotAffineError as error:
        return f"not folded: {error}"
    if found is None:
        return UNREPEATED if options.fold is Fold.ALWAYS else ""
    for line in lines:
        progress(line)
    return found


def _whole(model: targets.Model, options: CaptureOptions, progress: Progress, note: str) -> Program:
    program = capture_entries(
        model.name, model.entries(options), options.tile_bytes, progress
    ).program
    if not note:
        return program
    captures = tuple(attrs.evolve(each, note=note) for each in program.captures)
    return attrs.evolve(program, captures=captures)
