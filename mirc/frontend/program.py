"""A TARGET into a program: folded where its blocks repeat, else captured whole."""

import attrs

from mirc.frontend import target as targets
from mirc.frontend.entry import CaptureOptions, Fold
from mirc.frontend.fold import folded
from mirc.frontend.fold_stretch import NotAffineError
from mirc.frontend.whole import Progress, capture_entries
from mirc.grammar.memory import collection_paused
from mirc.graph.model import Program


def capture(target: str, options: CaptureOptions, progress: Progress) -> Program:
    """Load ``target``, capture its phases and lower them into one program.

    ``progress`` gets a sentence as each phase begins and ends. The model itself is left as it was
    found. Raises :class:`~mirc.diagnostics.errors.CouldNotRun` where there is nothing to capture.
    """
    with collection_paused():  # a model is built once and lives on
        model = targets.resolve(target)
    return capture_model(model, options, progress)


def capture_model(model: targets.Model, options: CaptureOptions, progress: Progress) -> Program:
    """Capture and lower a model that is already loaded.

    Unless ``options.fold`` forbids it, repeated blocks are captured a few times and copied
    (:mod:`mirc.frontend.fold`); what does not fold is captured whole, and each capture says why.
    """
    note = ""
    if options.fold is not Fold.NEVER:
        try:
            with collection_paused():
                found = folded(model, options, progress)
        except NotAffineError as error:
            note = f"not folded: {error}"
            progress(note)
        else:
            if found is not None:
                return found
    program = capture_entries(
        model.name, model.entries(options), options.tile_bytes, progress
    ).program
    if not note:
        return program
    captures = tuple(attrs.evolve(each, note=note) for each in program.captures)
    return attrs.evolve(program, captures=captures)
