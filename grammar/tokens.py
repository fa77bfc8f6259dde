"""A text that parses into its words, and its comments alone."""

import re
from collections.abc import Iterator

import attrs

from mirc.ir.names import NAME_PATTERN

STRING = r'"(?:[^"\\\r\n]|\\.)*"'
NUMBER = r"-?[0-9][A-Za-z0-9_.+-]*"
_COMMENT = re.compile(rf"{STRING}|//[^\n]*")
_BLANKS = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    rf"""(?P<comment>//[^\n]*)
    | (?P<header>mir[ \t]+[0-9]+\.[0-9]+(?![A-Za-z0-9_.]))
    | (?P<name>{NAME_PATTERN})
    | (?P<mark>[][(){{}},=@])
    | {STRING} | {NUMBER}""",
    re.ASCII | re.VERBOSE,
)


def comments(text: str) -> Iterator[str]:
    """Yield the comments of a text in order, without the blanks at their ends."""
    if "//" not in text:
        return
    for match in _COMMENT.finditer(text):
        if match[0].startswith("/"):
            yield match[0].rstrip()


@attrs.frozen(slots=True)
class Token:
    """One word as written; ``breaks`` is whether a line ended since the word before."""

    kind: str
    text: str
    start: int
    end: int
    breaks: bool


class Cursor:
    """Goes through the words of a text that parses, from an offset on."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at

    def peek(self, at: int | None = None) -> Token | None:
        """Return the next word, or the first one from an offset on; None at the end."""
        here = self.at if at is None else at
        blanks = _BLANKS.match(self.text, here)
        start = here if blanks is None else blanks.end()
        match = _TOKEN.match(self.text, start)
        if match is None:
            return None
        breaks = self.text.find("\n", here, start) >= 0
        return Token(match.lastgroup or "value", match[0], start, match.end(), breaks)

    def take(self) -> Token:
        """Step over the next word; raise EOFError at the end."""
        token = self.peek()
        if token is None:
            raise EOFError("the text ends inside a declaration")
        self.at = token.end
        return token

    def ahead(self) -> str:
        """Return the text of the next word that is no comment; empty at the end."""
        token = self.peek()
        while token is not None and token.kind == "comment":
            token = self.peek(token.end)
        return "" if token is None else token.text

    def take_past(self, comments: list[str]) -> Token:
        """Step over the next word that is no comment, adding the comments before it."""
        token = self.take()
        while token.kind == "comment":
            comments.append(token.text.rstrip())
            token = self.take()
        return token
