"""How the amounts of a model that was captured whole grow: from a second capture at other sizes."""

import attrs

from mirc.frontend.entry import CaptureOptions, Fold
from mirc.frontend.fold import Resizable, folded
from mirc.frontend.fold_stretch import NotAffineError
from mirc.frontend.growth import alike, scaled
from mirc.frontend.resize import fixed
from mirc.frontend.target import Model
from mirc.frontend.whole import capture_entries
from mirc.graph.model import Program, Role

MOST_NODES = 3_000
"""Operations up to which the whole model is captured again; it takes as long as the first time."""


def grown(model: Model, options: CaptureOptions, program: Program) -> Program:
    """Give ``program``, the model's capture as a whole, with the scales of its amounts.

    A small one is captured again at another batch and token count. A large one is folded, with
    its few repeats at two sizes: where that gives the same program, it has the same scales.
    Where neither is so, the scales stay unknown; of a large one the captures then say so. The sizes
    of a training step are then those that were captured, at any batch: one of a single sequence
    takes other operations than one of several.
    """
    if not isinstance(model, Resizable):
        return program
    nodes = sum(len(graph.nodes) for graph in program.graphs)
    if nodes <= MOST_NODES:
        other = _again(model, options)
        if other is not None and alike(program, other):
            return scaled(program, other)
        return fixed(program) if _trains(program) else program
    few = _folded(model, options)
    if few is not None and alike(program, few):
        return attrs.evolve(
            program,
            storages=tuple(
                attrs.evolve(one, scale=like.scale)
                for one, like in zip(program.storages, few.storages, strict=True)
            ),
            graphs=tuple(
                attrs.evolve(
                    graph,
                    nodes=tuple(
                        attrs.evolve(one, flops_scale=like.flops_scale)
                        for one, like in zip(graph.nodes, short.nodes, strict=True)
                    ),
                )
                for graph, short in zip(program.graphs, few.graphs, strict=True)
            ),
        )
    if _trains(program):
        program = fixed(program)
    note = f"sizes at another batch unknown: {nodes:_} operations are not captured twice"
    captures = tuple(
        attrs.evolve(each, note=f"{each.note}; {note}" if each.note else note)
        for each in program.captures
    )
    return attrs.evolve(program, captures=captures)


def _trains(program: Program) -> bool:
    return any(storage.role is Role.SAVED for storage in program.storages)


def _again(model: Model, options: CaptureOptions) -> Program | None:
    """Capture at other sizes; None where that fails: the sizes asked for are what must work."""
    if not isinstance(model, Resizable):
        return None
    try:
        entries = model.entries(model.elsewhere(options))
        return capture_entries(model.name, entries, options.tile_bytes, _quiet).program
    except Exception:  # noqa: BLE001 - as said
        return None


def _folded(model: Model, options: CaptureOptions) -> Program | None:
    try:
        return folded(model, attrs.evolve(options, fold=Fold.ALWAYS), _quiet)
    except NotAffineError:
        return None


def _quiet(_sentence: str) -> None:
    """Tell nobody about a capture that only shows how amounts grow."""
