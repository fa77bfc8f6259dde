"""A declaration of a source text into the spans of its name, its fields and their parts."""

import re
from collections.abc import Mapping
from functools import cached_property

import attrs

from mirc.diagnostics import Span
from mirc.ir.module import Block
from mirc.ir.names import KEYWORDS, POSSESSIVE_NAME
from mirc.ir.places import NOWHERE, Path, Places

_TOKEN = re.compile(
    rf'//[^\n]*|"(?:[^"\\\n]|\\.)*+"|{POSSESSIVE_NAME}|[-0-9][\w.+-]*|[][(){{}},@=]', re.ASCII
)
_BLOCKS = frozenset(KEYWORDS)
_SHORT = 1 << 12  # characters of a block that may well be read again
_ALL: Mapping[tuple[Span, str], tuple[int, ...]] = {}  # every list is whole
_KEPT = 1 << 8  # short blocks remembered


@attrs.frozen(slots=True)
class Element:
    """A value, or an element of one, and the elements in it."""

    span: Span
    inner: tuple["Element", ...] = ()


@attrs.frozen(slots=True)
class FieldPlace:
    """Where one field stands: ``span`` is all of ``key = value @ confidence``."""

    key: Span
    value: Element
    confidence: Span | None

    @property
    def span(self) -> Span:
        """From the key to the end of the value or confidence."""
        return Span(self.key.start, (self.confidence or self.value.span).end)


@attrs.frozen
class BlockPlace:
    """Where a block's own parts stand: its keyword, its name, its fields in written order."""

    keyword: Span
    name: Span
    fields: tuple[tuple[str, FieldPlace], ...]

    def field(self, key: str, nth: int = 0) -> FieldPlace | None:
        """Return the ``nth`` field of a key."""
        places = self._by_key.get(key, ())
        return places[nth] if nth < len(places) else None

    @cached_property
    def _by_key(self) -> dict[str, list[FieldPlace]]:
        found: dict[str, list[FieldPlace]] = {}
        for key, place in self.fields:
            found.setdefault(key, []).append(place)
        return found


class SourcePlaces(Places):
    """Finds the parts of a block by reading its text again; only findings and editors ask.

    A long block is read once, since a thousand findings may each point to it; short ones are
    remembered while they are few, since each of a million may have a finding.
    """

    def __init__(self, text: str, kept: Mapping[tuple[Span, str], tuple[int, ...]] = _ALL) -> None:
        self.text = text
        self._kept = kept  # which elements a module has of a list, by the block's extent and key
        self._long: dict[Span, BlockPlace] = {}
        self._short: dict[Span, BlockPlace] = {}

    def block(self, block: Block) -> BlockPlace | None:
        """Return where a block's parts stand; None for one that was built."""
        extent = block.extent
        if extent is None:
            return None
        known = self._short if extent.end - extent.start <= _SHORT else self._long
        place = known.get(extent)
        if place is None:
            if known is self._short and len(known) >= _KEPT:
                known.clear()
            place = known[extent] = _Reader(self.text, extent).block()
        return place

    def name(self, block: Block) -> Span:
        """Return the span of the block's name."""
        place = self.block(block)
        return place.name if place is not None else NOWHERE

    def field(self, block: Block, key: str, nth: int = 0) -> Span:
        """Return the span of the field; of the block's name if it has no such field."""
        place = self._field(block, key, nth)
        return place.span if place is not None else self.name(block)

    def key(self, block: Block, key: str, nth: int = 0) -> Span:
        """Return the span of the key."""
        place = self._field(block, key, nth)
        return place.key if place is not None else self.name(block)

    def value(self, block: Block, key: str, path: Path = ()) -> Span:
        """Return the span of the value, or of the element that ``path`` leads to."""
        place = self._field(block, key)
        if place is None:
            return self.name(block)
        element = place.value
        if path and block.extent is not None and (block.extent, key) in self._kept:
            kept = self._kept[block.extent, key]
            path = (kept[path[0]] if path[0] < len(kept) else path[0], *path[1:])
        for index in path:
            if index >= len(element.inner):
                break
            element = element.inner[index]
        return element.span

    def confidence(self, block: Block, key: str) -> Span:
        """Return the span of the confidence, without the ``@``."""
        place = self._field(block, key)
        if place is None:
            return self.name(block)
        return place.confidence or place.value.span

    def _field(self, block: Block, key: str, nth: int = 0) -> FieldPlace | None:
        place = self.block(block)
        return place.field(key, nth) if place is not None else None


class _Reader:
    """Reads the words of one block; what is not a field of its own is stepped over."""

    def __init__(self, text: str, extent: Span) -> None:
        self.text = text
        self.tokens = [
            Span(m.start(), m.end())
            for m in _TOKEN.finditer(text, extent.start, extent.end)
            if not m[0].startswith("//")
        ]
        self.at = 0

    def _word(self, ahead: int = 0) -> str:
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        return self.text[token.start : token.end]

    def _take(self) -> Span:
        self.at += 1
        return self.tokens[self.at - 1]

    def block(self) -> BlockPlace:
        """Read the head, then each field that stands directly between the braces."""
        keyword = self._take()
        if self._word() == "object":  # after `extern`
            self._take()
        name = self._take() if self._word() else keyword
        fields = []
        depth = 0
        while word := self._word():
            if depth == 1 and word not in _BLOCKS and self._word(1) == "=":
                fields.append((word, self._field()))
                continue
            depth += (word == "{") - (word == "}")
            self.at += 1
        return BlockPlace(keyword, name, tuple(fields))

    def _field(self) -> FieldPlace:
        key = self._take()
        equals = self._take()
        value = self._element(equals)
        confidence = None
        if self._word() == "@":
            self._take()
            confidence = self._take() if self._word() else None
        return FieldPlace(key, value, confidence)

    def _element(self, otherwise: Span) -> Element:
        if not self._word():
            return Element(otherwise)
        opens = self._word() == "["
        first = last = self._take()
        if not opens:
            if self._word() != "(":
                return Element(first)
            last = self._take()
        inner = []
        while (word := self._word()) not in ("]", ")", ""):
            if word == ",":
                self.at += 1
                continue
            inner.append(self._element(last))
            last = inner[-1].span
        if self._word():
            last = self._take()
        return Element(Span(first.start, last.end), tuple(inner))
