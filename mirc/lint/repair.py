"""What a rule would change into the edits of a text that do it."""

import re
from typing import NamedTuple, Protocol

from mirc.diagnostics import Edit, Fix, Span
from mirc.grammar.locate import SourcePlaces
from mirc.ir.module import Block
from mirc.ir.places import Path
from mirc.lint.rearrange import elements_in_order, fields_in_order, values_swapped

# Compiled when a fix needs them: every run of check loads this.
_COMMA_AFTER = r"\s*,[ \t]*"
_COMMA_BEFORE = r",\s*$"
_TO_END_OF_LINE = r"[ \t\r]*(?:\n|\Z)"
_COMMENT = r"[ \t]*//[^\n]*"


class Repair(Protocol):
    """A change to one declaration that removes a finding.

    Those below are named tuples, not attrs classes: every run of check loads this module.
    """

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits that make it, or None where a comment stands in the way."""


class RemoveField(NamedTuple):
    """Take a field away, with its line if nothing else stands on it."""

    block: Block
    key: str

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits; none where they would take a comment within the value along."""
        span = places.field(self.block, self.key)
        if "//" in places.text[span.start : span.end]:
            return None
        return Fix(f"remove `{self.key}`", (Edit(whole_line(places.text, span), ""),))


class RemoveBlock(NamedTuple):
    """Take a declaration away, with its lines if nothing else stands on them."""

    block: Block

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        span = self.block.extent or places.name(self.block)
        return Fix(f"remove `{self.block.name}`", (Edit(whole_line(places.text, span), ""),))


class RemoveElement(NamedTuple):
    """Take one element of a list away, with its comma."""

    block: Block
    key: str
    place: int

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        return _without_element(places, self.block, self.key, self.place)


class RemoveElements(NamedTuple):
    """Take elements of a list away, but not all, with their commas."""

    block: Block
    key: str
    places: tuple[int, ...]

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        if len(self.places) == 1:
            return _without_element(places, self.block, self.key, self.places[0])
        return _without_elements(places, self.block, self.key, self.places)


class ReplaceValue(NamedTuple):
    """Write another value, or another element of it."""

    block: Block
    key: str
    text: str
    path: Path = ()

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        span = places.value(self.block, self.key, self.path)
        return Fix(f"write `{self.text}`", (Edit(span, self.text),))


class ReplaceName(NamedTuple):
    """Write a declaration's name in another way."""

    block: Block
    text: str

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        return Fix(f"write `{self.text}`", (Edit(places.name(self.block), self.text),))


class AddField(NamedTuple):
    """Write one more field (``key = value``), as the block's last."""

    block: Block
    text: str

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        return _added(places, self.block, self.text)


class SwapValues(NamedTuple):
    """Let two fields of a block change values, confidences with them."""

    block: Block
    keys: tuple[str, str]

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        first, second = self.keys
        edits = values_swapped(places, self.block, first, second)
        return Fix(f"swap `{first}` and `{second}`", edits) if edits else None


class OrderElements(NamedTuple):
    """Write a list's elements in another order, given as indices of the present one."""

    block: Block
    key: str
    order: tuple[int, ...]

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        edits = elements_in_order(places, self.block, self.key, self.order)
        return Fix(f"reorder `{self.key}`", edits) if edits else None


class OrderFields(NamedTuple):
    """Write a block's fields in another order, given as indices of the present one."""

    block: Block
    order: tuple[int, ...]

    def fix(self, places: SourcePlaces) -> Fix | None:
        """Return the edits."""
        edits = fields_in_order(places, self.block, self.order)
        return Fix("reorder the fields", edits) if edits else None


def whole_line(text: str, span: Span) -> Span:
    """Return the span with its line's break and blanks, if nothing else stands on the line.

    Where something does, the blanks before the span go with it.
    """
    start = _blanks_before(text, span.start)
    rest = re.compile(_TO_END_OF_LINE).match(text, span.end)
    if rest is not None and _begins_line(text, start):
        return Span(start, rest.end())
    return Span(start, span.end)


# A line may be of millions of characters, with a finding every few: nothing here looks beyond the
# blanks around a place.
def _blanks_before(text: str, at: int) -> int:
    """Return where the blanks before an offset begin, on its line."""
    while at > 0 and text[at - 1] in " \t":
        at -= 1
    return at


def _begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _without_element(places: SourcePlaces, block: Block, key: str, index: int) -> Fix | None:
    place = places.block(block)
    field = place.field(key) if place is not None else None
    if field is None or index >= len(field.value.inner):
        return None
    text, span = places.text, field.value.inner[index].span
    removed = text[span.start : span.end]
    gap = field.value.inner[index - 1].span.end if index else field.value.span.start
    after = re.compile(_COMMA_AFTER).match(text, span.end)
    before = re.compile(_COMMA_BEFORE).search(text, gap, span.start)
    if after is not None:
        span = Span(span.start, after.end())
    elif before is not None and "//" not in text[gap : before.start()].rpartition("\n")[2]:
        span = Span(before.start(), span.end)
    else:
        return None  # it is the only one, or a comment parts it from its comma
    whole = whole_line(text, span)
    alone = "\n" in text[whole.start : whole.end] and whole.end > span.end
    return Fix(f"remove `{removed}`", (Edit(whole if alone else span, ""),))


def _without_elements(
    places: SourcePlaces, block: Block, key: str, gone: tuple[int, ...]
) -> Fix | None:
    place = places.block(block)
    field = place.field(key) if place is not None else None
    spans = [element.span for element in field.value.inner] if field is not None else []
    left = [index for index in range(len(spans)) if index not in gone]
    if not left or len(left) + len(gone) != len(spans):
        return None
    text, edits = places.text, []
    runs = [index for index in gone if index - 1 not in gone]
    for first in runs:
        after = next((index for index in left if index > first), None)
        if after is not None:
            span = Span(spans[first].start, spans[after].start)
        else:
            span = Span(spans[first - 1].end, spans[-1].end)
        if "//" in text[span.start : span.end]:
            return None
        edits.append(Edit(span, ""))
    removed = " and ".join(f"`{text[spans[i].start : spans[i].end]}`" for i in gone)
    return Fix(f"remove {removed}", tuple(edits))


def _added(places: SourcePlaces, block: Block, text: str) -> Fix | None:
    place = places.block(block)
    if place is None or block.extent is None:
        return None
    message = f"add `{text}`"
    if place.fields:
        last = place.fields[-1][1].span
        start = _blanks_before(places.text, last.start)
        if not _begins_line(places.text, start):
            return Fix(message, (Edit(Span(last.end, last.end), "  " + text),))
        indent = places.text[start : last.start]
        end = _past_comment(places.text, last.end)
        return Fix(message, (Edit(Span(end, end), "\n" + indent + text),))
    brace = places.text.find("{", place.name.end, block.extent.end)
    if brace < 0:
        return None
    return Fix(message, (Edit(Span(brace + 1, brace + 1), f" {text} "),))


def _past_comment(text: str, at: int) -> int:
    """Return the end of the line if only a comment follows, else ``at``."""
    comment = re.compile(_COMMENT).match(text, at)
    return at + len(comment[0].rstrip()) if comment is not None else at
