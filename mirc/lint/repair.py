"""What a rule would change into the edits of a text that do it."""

import re
from typing import NamedTuple, Protocol

from mirc.diagnostics import Edit, Fix, Span
from mirc.grammar.locate import SourcePlaces
from mirc.ir.module import Block
from mirc.ir.places import Path
from mirc.lint.rearrange import elements_in_order, fields_in_order, values_swapped

# Compiled when a fix needs them: every run of check loads this.
_BLANKS = r"[ \t]*"
_COMMA_AFTER = r"\s*,[ \t]*"
_COMMA_BEFORE = r",\s*$"


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
        """Return the edits."""
        span = places.field(self.block, self.key)
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
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end < 0 else end
    if not text[start : span.start].strip() and not text[span.end : end].strip():
        return Span(start, min(end + 1, len(text)))
    before = len(text[: span.start].rstrip(" \t"))
    return Span(max(before, start), span.end)


def _without_element(places: SourcePlaces, block: Block, key: str, index: int) -> Fix | None:
    place = places.block(block)
    field = place.field(key) if place is not None else None
    if field is None or index >= len(field.value.inner):
        return None
    text, span = places.text, field.value.inner[index].span
    removed = text[span.start : span.end]
    after = re.compile(_COMMA_AFTER).match(text, span.end)
    before = re.compile(_COMMA_BEFORE).search(text, field.value.span.start, span.start)
    if after is not None:
        span = Span(span.start, after.end())
    elif before is not None:
        span = Span(before.start(), span.end)
    else:
        return None  # it is the only one, or a comment parts it from its comma
    whole = whole_line(text, span)
    alone = "\n" in text[whole.start : whole.end] and whole.end > span.end
    return Fix(f"remove `{removed}`", (Edit(whole if alone else span, ""),))


def _added(places: SourcePlaces, block: Block, text: str) -> Fix | None:
    place = places.block(block)
    if place is None or block.extent is None:
        return None
    message = f"add `{text}`"
    if place.fields:
        last = place.fields[-1][1].span
        start = places.text.rfind("\n", 0, last.start) + 1
        indent = re.compile(_BLANKS).match(places.text, start)
        if indent is None or indent.end() != last.start:
            return Fix(message, (Edit(Span(last.end, last.end), "  " + text),))
        end = _past_comment(places.text, last.end)
        return Fix(message, (Edit(Span(end, end), "\n" + indent[0] + text),))
    brace = places.text.find("{", place.name.end, block.extent.end)
    if brace < 0:
        return None
    return Fix(message, (Edit(Span(brace + 1, brace + 1), f" {text} "),))


def _past_comment(text: str, at: int) -> int:
    """Return the end of the line if only a comment follows, else ``at``."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return len(text[:end].rstrip()) if text[at:end].lstrip().startswith("//") else at
