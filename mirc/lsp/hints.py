"""Lines in view into what they leave unsaid: the value before an override, a number's unit."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from mirc.diagnostics import Span
from mirc.grammar.locate import FieldPlace
from mirc.grammar.shown import shown
from mirc.ir.fields import FIELD_BY_KEY, FieldSpec
from mirc.ir.module import Block, Field, Object, Override, Template
from mirc.ir.values import Call, Name, Value
from mirc.lsp.analysis import Analysis, extent_of, keyword_of
from mirc.lsp.cursor import Frame
from mirc.lsp.described import origin_of, text_of, view_at

if TYPE_CHECKING:
    from mirc.ir.resolve import View

_LARGE = 1024  # from here on a bare number is read more easily with a unit
_IMPLIED = ("deadline_class", "spill_policy", "recompute_class")


@attrs.frozen
class Hint:
    """Words shown after an offset, and what is said when somebody asks."""

    offset: int
    label: str
    about: str


def hints(analysis: Analysis, span: Span) -> tuple[Hint, ...]:
    """Return the hints of the blocks that reach into a span, in order; none in a broken file."""
    if analysis.document.diagnostics:
        return ()
    found = _Hints(analysis, span)
    blocks = analysis.document.blocks
    return tuple(sorted(found.of(blocks, ()), key=lambda hint: hint.offset))


class _Hints:
    def __init__(self, analysis: Analysis, span: Span) -> None:
        self.analysis = analysis
        self.span = span
        self._views: dict[tuple[Frame, ...], View] = {}

    def of(
        self, blocks: tuple[Block, ...] | list[Block], frames: tuple[Frame, ...]
    ) -> Iterator[Hint]:
        """Yield the hints of those blocks that are in view."""
        for block in blocks:
            extent = extent_of(block)
            if extent.end < self.span.start or extent.start > self.span.end:
                continue
            inner = self.analysis.children(block)
            if not inner or block.fields:
                yield from self._block(block, frames)
            yield from self.of(inner, (*frames, Frame(keyword_of(block), block.name)))

    def _block(self, block: Block, frames: tuple[Frame, ...]) -> Iterator[Hint]:
        place = self.analysis.places.block(block)
        if place is None:
            return
        for field in block.fields:
            spec, stands = FIELD_BY_KEY.get(field.key), place.field(field.key)
            if spec is None or stands is None or not self._in_view(stands):
                continue
            number = _number(spec, field.value)
            if number:
                yield Hint(stands.value.span.end, f"= {number}", "the same in its largest unit")
            if isinstance(block, Override):
                yield from self._before(block, field, stands, frames)
            elif field.key == "class" and isinstance(block, Object | Template):
                yield from self._implied(block, field, stands)

    def _in_view(self, place: FieldPlace) -> bool:
        return self.span.start <= place.span.end <= self.span.end

    def _before(
        self, block: Override, field: Field, place: FieldPlace, frames: tuple[Frame, ...]
    ) -> Iterator[Hint]:
        """Yield what held before this override."""
        module = self.analysis.module
        names = module.parts(block.name)
        if not names:
            return
        if frames not in self._views:
            self._views[frames] = view_at(module, frames)
        view = self._views[frames]
        history = view.history(names[0], field.key)
        at = next((i for i, said in enumerate(history) if said.origin.field is field), None)
        if at is None or at + 1 >= len(history):
            return
        before = history[at + 1]
        text = text_of(view, names[0], field.key, before)
        family = f", of `{names[0]}`" if names[0] != block.name else ""
        about = f"what holds outside this override ({origin_of(before)}){family}"
        yield Hint(place.span.end, f"was {text or 'unset'}", about)

    def _implied(self, block: Object | Template, field: Field, place: FieldPlace) -> Iterator[Hint]:
        """Yield what the class says of pressure where the object does not."""
        if not isinstance(field.value, Name) or block.name not in self.analysis.module.data:
            return
        klass = self.analysis.class_of(block.name)
        written = {each.key for each in block.fields}
        said = [
            (key, shown(FIELD_BY_KEY[key], value))
            for key in _IMPLIED
            if key not in written
            and klass in FIELD_BY_KEY[key].class_defaults
            and (value := FIELD_BY_KEY[key].default_for(klass)) is not None
        ]
        if said:
            about = "\n".join(f"{key} = {text}" for key, text in said)
            label = ", ".join(text for _, text in said)
            yield Hint(place.span.end, f"implies {label}", f"defaults of {klass}:\n{about}")


def _number(spec: FieldSpec, value: Value) -> str | None:
    """Return a large bare number with its unit."""
    plain = value.args[0] if isinstance(value, Call) and len(value.args) == 1 else value
    if spec.unit is None or type(plain) is not int or plain < _LARGE:
        return None
    text = shown(spec, value)
    said = text.partition("(")[2].removesuffix(")") or text
    return None if said.removesuffix("B").removesuffix("us").isdigit() or "_" in said else said
