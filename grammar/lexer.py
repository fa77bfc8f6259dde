"""A text into tokens, with the terminals of ``tables.py`` in the order in which Lark tries them."""

import re
from collections.abc import Iterator

import attrs

from mirc.grammar.tables import IGNORED, TERMINALS, WORDS

END = "$END"


class Misread(Exception):  # noqa: N818 - it is what the text is
    """The text is wrong: the token or character at ``offset`` may not stand there."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"misread at {offset}")
        self.offset = offset


@attrs.frozen(slots=True)
class Token:
    """A terminal, its text and its offsets, ``end_pos`` exclusive; named as Lark names them."""

    type: str
    value: str
    start_pos: int
    end_pos: int


# Possessive: else what comes after a comment that fits no terminal would be sought inside it.
BLANKS = f"(?:{'|'.join(pattern for _, pattern in IGNORED)})*+"
PATTERNS = dict(TERMINALS)
KINDS = ("", *(kind for kind, _ in TERMINALS), END)
"""Terminals by the number of their group in ``LEXEME``."""

_NAME = KINDS.index("NAME")
_END = KINDS.index(END)
LEXEME = re.compile(rf"{BLANKS}(?:{'|'.join(f'({p})' for _, p in TERMINALS)}|(\Z))")
_BLANKS = re.compile(BLANKS)


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """Yield the tokens from an offset on, ``$END`` last; raise ``Misread`` where none fits."""
    match = LEXEME.match
    while True:
        found = match(text, start)
        if found is None:
            raise Misread(end_of_blanks(text, start))
        group = found.lastindex or 0
        kind, value = KINDS[group], found[group]
        if group == _NAME and value in WORDS:
            kind = WORDS[value]
        start = found.end()
        yield Token(kind, value, found.start(group), start)
        if group == _END:
            return


def end_of_blanks(text: str, start: int) -> int:
    """Return where the white space and comments at an offset end."""
    found = _BLANKS.match(text, start)
    return found.end() if found is not None else start


def lexemes(line: str) -> tuple[tuple[str, ...], list[str]] | None:
    """Return the terminals of one line and their texts; None where it is no line of tokens."""
    kinds: list[str] = []
    values: list[str] = []
    words, names = WORDS, KINDS
    for found in iter(LEXEME.scanner(line).match, None):  # type: ignore[attr-defined]
        group = found.lastindex
        if group == _END:
            return tuple(kinds), values
        value = found[group]
        values.append(value)
        kinds.append(words.get(value, "NAME") if group == _NAME else names[group])
    return None
