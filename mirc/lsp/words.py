"""A text into words as an editor sees them: half-typed ones, open strings and comments too."""

import re
from collections.abc import Iterator
from enum import StrEnum

import attrs

from mirc.diagnostics import Span
from mirc.grammar.literals import read_string
from mirc.ir.names import KEYWORDS

_WORD = re.compile(
    r'(?P<comment>//[^\n]*)|(?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*"?)'
    r"|(?P<word>[\w.$-]+(?:\[[0-9:]*\]?)*)|(?P<mark>[^\s\w])"
)
DECLARES = frozenset(KEYWORDS) - {"true", "false"}


class Shape(StrEnum):
    """What a word looks like."""

    COMMENT = "comment"
    STRING = "string"
    """Quoted; perhaps without its closing quote."""
    WORD = "word"
    """A name, key, keyword or number."""
    MARK = "mark"
    """One other character: a bracket, ``=`` ..."""


@attrs.frozen(slots=True)
class Written:
    """A word and where it stands."""

    shape: Shape
    text: str
    span: Span

    @property
    def name(self) -> str:
        """What a bare or quoted name spells."""
        if self.shape is not Shape.STRING:
            return self.text
        closed = len(self.text) > 1 and self.text.endswith('"')
        return read_string(self.text if closed else self.text + '"')

    @property
    def declares(self) -> bool:
        """Whether it is a keyword that begins a declaration."""
        return self.shape is Shape.WORD and self.text in DECLARES


def written(text: str, start: int, end: int) -> Iterator[Written]:
    """Yield the words that begin between two offsets; the last may reach past ``end``."""
    for found in _WORD.finditer(text, start):
        if found.start() >= end:
            return
        yield Written(Shape(found.lastgroup or ""), found[0], Span(found.start(), found.end()))
