"""A text and changes of its estimates into the text that has them: nothing else is touched."""

from collections.abc import Iterable

from mirc.diagnostics import Source
from mirc.diagnostics.apply import applied
from mirc.diagnostics.model import Edit, Fix, Span
from mirc.fill.additions import Addition, Additions
from mirc.fill.text import filled
from mirc.grammar import SourcePlaces, load
from mirc.grammar.format import formatted
from mirc.grammar.literals import print_value
from mirc.ir import Block, Field, Module, Override
from mirc.ir.values import Value
from mirc.observe.refine import Address, Change, block_at


def rewritten(source: Source, module: Module, changes: Iterable[Change]) -> str:
    """Return the text of ``source`` with the changes; ``module`` is what it was read as.

    Values and confidences are replaced where they stand, comments stay where they are; what was
    not written is added to its block, or in a new override. A text in canonical layout stays so.
    """
    given = list(changes)
    blocks = _Blocks(module)
    places = SourcePlaces(source.text)
    edits: list[Edit] = []
    added: dict[Address, list[Field]] = {}
    for change in given:
        block = blocks.at(change.address)
        place = places.block(block) if block is not None else None
        field = place.field(change.key) if place is not None else None
        if field is None:
            added.setdefault(change.address, []).append(Field(change.key, *change.after))
            continue
        end = (field.confidence or field.value.span).end
        edits.append(Edit(Span(field.value.span.start, end), spelled(*change.after)))
    if not given:
        return source.text
    edits.sort(key=lambda edit: edit.span)
    text = applied(source.text, [Fix("refine", tuple(edits))])
    if formatted(source) == source.text:
        text = formatted(Source(source.name, text))
    if not added:
        return text
    changed = Source(source.name, text)
    known = load(changed)
    return filled(changed, known, _additions(known, added))


def spelled(value: Value, confidence: float | None) -> str:
    """Return a value as it stands in a file, with its confidence if it has one."""
    text = print_value(value)
    return text if confidence is None else f"{text} @ {print_value(confidence)}"


class _Blocks:
    """The blocks of a module by their addresses, each looked up once."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.known: dict[Address, Block | None] = {}

    def at(self, address: Address) -> Block | None:
        if address not in self.known:
            self.known[address] = block_at(self.module, address)
        return self.known[address]


def _additions(module: Module, added: dict[Address, list[Field]]) -> Additions:
    """Sort new fields into blocks that are there and overrides that are not, by parent."""
    inside: list[Addition] = []
    made: dict[tuple[str, ...], list[Override]] = {}
    for address, fields in added.items():
        block = block_at(module, address)
        if block is not None:
            inside.append(Addition(block=block, fields=tuple(fields)))
        else:
            made.setdefault(address.layer, []).append(Override(address.target, tuple(fields)))
    for layer, overrides in made.items():
        parent = _parent(module, layer)
        inside.append(Addition(block=parent, blocks=tuple(overrides)))
    return Additions(inside=tuple(inside), new=())


def _parent(module: Module, layer: tuple[str, ...]) -> Block:
    if len(layer) == 1:
        return module.phases[layer[0]]
    plan, phase = layer
    return next(part for part in module.plans[plan].phases if part.name == phase)
