"""A finding about a text: a code, a place, a sentence and a way out."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
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
    def line_starts(self) -> Sequence[int]:
        """Offset of the first character of each line."""
        starts = array("L", (0,))  # a list would cost 4 times as much, in a file of newlines 40
        starts.extend(match.end() for match in re.finditer("\n", self.text))
        return starts

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
    """A kind of finding: ``code`` (``MIR201``), kebab ``name``, ``severity``, and its page.

    ``about`` says what is wrong and why it matters; ``message`` and ``hint`` are what a finding
    says, with ``{}`` words; each of ``bad`` is a text in which exactly this rule speaks, ``good``
    the first of them put right; ``machine`` names the machine on which they are checked, if the
    rule needs one. A rule that is not ``default`` speaks only when it is selected.
    """

    code: str
    name: str
    severity: Severity
    about: str = attrs.field(default="", eq=False, repr=False, kw_only=True)
    message: str = attrs.field(default="", eq=False, repr=False, kw_only=True)
    hint: str | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)
    bad: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False, kw_only=True)
    good: str = attrs.field(default="", eq=False, repr=False, kw_only=True)
    machine: str | None = attrs.field(default=None, eq=False, repr=False, kw_only=True)
    default: bool = attrs.field(default=True, eq=False, repr=False, kw_only=True)
    fixable: bool = attrs.field(default=False, eq=False, repr=False, kw_only=True)

    @property
    def is_syntax(self) -> bool:
        """Whether it is about what cannot be read: nothing hides that, and others are silent."""
        return self.code.startswith("MIR1")


@attrs.frozen(slots=True)
class Related:
    """A second place that explains a finding: ``first declared here``."""

    span: Span
    message: str


@attrs.frozen(slots=True)
class Edit:
    """A part of the text and what stands there instead; an empty span inserts."""

    span: Span
    text: str


@attrs.frozen(slots=True)
class Fix:
    """A change that removes a finding; ``message`` begins with a verb, edits never overlap."""

    message: str
    edits: tuple[Edit, ...]


@attrs.frozen(slots=True)
class Diagnostic:
    """One finding: a lower-case sentence without a full stop; the hint begins with a verb.

    ``subject`` names what it is about, stable when lines move: ``object w.size_bytes``.
    """

    rule: Rule
    span: Span
    message: str
    hint: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    subject: str = attrs.field(default="", eq=False)
