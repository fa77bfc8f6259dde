"""A field of a source text into the spans of its key, its confidence and its value's elements."""

import re

import attrs

from mirc.diagnostics import Source, Span
from mirc.ir.check import Places
from mirc.ir.module import Field
from mirc.ir.names import NAME_PATTERN
from mirc.ir.types import Path

_TOKEN = re.compile(
    rf'"(?:[^"\\\n]|\\.)*"|//[^\n]*|{NAME_PATTERN}|[-0-9][\w.+-]*|[\[\](),@=]', re.ASCII
)


@attrs.frozen(slots=True)
class _Element:
    span: Span
    inner: tuple["_Element", ...] = ()


class SourcePlaces(Places):
    """Finds the parts of a field by reading its text again; only findings need them."""

    def __init__(self, source: Source) -> None:
        self._text = source.text
        self._last: tuple[Span, tuple[_Element, Span]] | None = None

    def key(self, field: Field) -> Span:
        """Return the span of the key."""
        span = field.span or Span(0, 0)
        return Span(span.start, min(span.end, span.start + len(field.key)))

    def value(self, field: Field, path: Path = ()) -> Span:
        """Return the span of the value, or of the element that ``path`` leads to."""
        if field.span is None:
            return Span(0, 0)
        element = self._read(field.span)[0]
        for index in path:
            if index >= len(element.inner):
                break
            element = element.inner[index]
        return element.span

    def confidence(self, field: Field) -> Span:
        """Return the span of the confidence, without the ``@``."""
        return self._read(field.span)[1] if field.span is not None else Span(0, 0)

    def _read(self, span: Span) -> tuple[_Element, Span]:
        if self._last is None or self._last[0] != span:
            self._last = (span, self._parse(span))
        return self._last[1]

    def _parse(self, span: Span) -> tuple[_Element, Span]:
        matches = _TOKEN.finditer(self._text, span.start, span.end)
        tokens = [Span(m.start(), m.end()) for m in matches if not m[0].startswith("//")]
        reader = _Reader(self._text, tokens[2:])  # after the key and the equals sign
        value = reader.element(span)
        rest = reader.tokens[reader.at :]
        return value, rest[1] if len(rest) > 1 else value.span


class _Reader:
    """Reads one element after the other from tokens; brackets nest."""

    def __init__(self, text: str, tokens: list[Span]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0

    def _peek(self) -> str:
        if self.at >= len(self.tokens):
            return ""
        token = self.tokens[self.at]
        return self.text[token.start : token.end]

    def element(self, whole: Span) -> _Element:
        """Read one value; ``whole`` stands in where there is none."""
        if self.at >= len(self.tokens):
            return _Element(whole)
        first = self.tokens[self.at]
        opener = self._peek()
        self.at += 1
        if opener != "[" and self._peek() != "(":
            return _Element(first)
        if opener != "[":
            self.at += 1
        inner = []
        while self._peek() not in ("]", ")", ""):
            if self._peek() == ",":
                self.at += 1
                continue
            inner.append(self.element(whole))
        last = self.tokens[min(self.at, len(self.tokens) - 1)]
        self.at += 1
        return _Element(Span(first.start, last.end), tuple(inner))
