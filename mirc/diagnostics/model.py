"""A finding about a text: a code, a place, a sentence and a way out."""

import re
from bisect import bisect_right
from enum import StrEnum
from functools import cached_property

import attrs


class Severity(StrEnum):
    """How much a finding matters; only errors and warnings make ``mirc check`` exit 1."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@attrs.frozen(slots=True, order=True)
class Span:
    """Character offsets into a source: ``start`` inclusive, ``end`` exclusive."""

    start: int
    end: int


@attrs.frozen
class Source:
    """A text and the name it is reported under (``<stdin>`` for standard input)."""

    name: str
    text: str = attrs.field(repr=False)

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column (in characters) of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a 1-based line, without its line break."""
        starts = self.line_starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


@attrs.frozen(slots=True)
class Rule:
    """A kind of finding: ``code`` (``MIR201``), kebab ``name`` and ``severity``."""

    code: str
    name: str
    severity: Severity


@attrs.frozen(slots=True)
class Related:
    """A second place that explains a finding: ``first declared here``."""

    span: Span
    message: str


@attrs.frozen(slots=True)
class Diagnostic:
    """One finding: a lower-case sentence without a full stop; the hint begins with a verb."""

    rule: Rule
    span: Span
    message: str
    hint: str | None = None
    related: tuple[Related, ...] = ()
