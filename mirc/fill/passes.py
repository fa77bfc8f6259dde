"""A file with steps into the same file with what the passes find in them."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from mirc.diagnostics import Source
from mirc.emit import emit
from mirc.fill.additions import additions
from mirc.fill.keys import class_in
from mirc.fill.text import filled
from mirc.grammar import load
from mirc.graph import Program
from mirc.graph.rebuild import rebuild
from mirc.ir import Call, Module, Name, Text, Value
from mirc.machine import Machine
from mirc.passes.pipeline import closure, run
from mirc.passes.seeds import Options

if TYPE_CHECKING:
    from mirc.ir.enums import ObjectClass


@attrs.frozen(kw_only=True)
class Filled:
    """The new text, and how many fields of each key were added."""

    text: str
    counts: Mapping[str, int]
    skipped: tuple[str, ...]
    """Phases that have no steps: nothing was found out about them."""


def fill(source: Source, machines: Mapping[str, Machine], passes: tuple[str, ...] = ()) -> Filled:
    """Run the passes on what the steps of ``source`` say and write down what is absent.

    ``machines`` are to be planned for, by the text that loads them; ``passes`` limit what is filled
    to what these establish. Filling a second time changes nothing. Raises CouldNotRun for an
    unknown pass, a file with errors or without steps.
    """
    closure(passes)
    module = load(source)
    program = rebuild(module)
    known = {graph.phase for graph in program.graphs}
    facts = run(
        program,
        machines=tuple(machines.values()),
        spelled={machine.name: text for text, machine in machines.items()},
        schedule=_schedule(module, known),
        options=options_of(module, program),
    )
    lacking = additions(module, emit(program, facts), passes)
    skipped = tuple(name for name in module.phases if name not in known)
    if skipped:  # a schedule of some phases is not the file's
        lacking = attrs.evolve(
            lacking,
            inside=tuple(each for each in lacking.inside if each.block is not module.info),
        )
    text = filled(source, module, lacking)
    load(Source(source.name, text))  # what was added is well-formed, or this says so
    return Filled(
        text=text,
        counts=Counter(field.key for field in lacking.fields()),
        skipped=skipped,
    )


def options_of(module: Module, program: Program) -> Options:
    """Return what a file has settled for the passes: the classes of its data, the block size."""
    classes: dict[str, ObjectClass] = {}
    for storage in program.storages:
        parts = module.parts(storage.name)
        klass = class_in(module.data[parts[0]]) if parts else None
        if klass is not None:
            classes[storage.name] = klass
    blocks = Counter(
        tokens
        for block in module.templates.values()
        if isinstance(tokens := block.value("block_tokens"), int)
    )
    usual = blocks.most_common(1)
    options = Options(classes=classes)
    return attrs.evolve(options, block_tokens=usual[0][0]) if usual else options


def _schedule(module: Module, known: set[str]) -> tuple[Value, ...] | None:
    """Return the file's schedule without the phases that have no steps; None where it has none."""
    written = module.info.value("schedule") if module.info is not None else None
    return _only(written, known) if isinstance(written, tuple) else None


def _only(items: tuple[Value, ...], known: set[str]) -> tuple[Value, ...]:
    kept: list[Value] = []
    for item in items:
        match item:
            case Name(text) | Text(text):
                if text in known:
                    kept.append(item)
            case Call(word, args):
                body = _only(args, known)
                if any(not isinstance(arg, int) for arg in body):
                    kept.append(Call(word, body))
            case _:
                kept.append(item)
    return tuple(kept)
