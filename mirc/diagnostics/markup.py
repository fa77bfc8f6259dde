"""Strangers' text into Markdown that shows it and does nothing else with it."""

import re

from mirc.diagnostics.excerpt import safe

_TICKS = re.compile("`+")
# GitHub makes a link of a bare address too: of `http://`, `www.` and `a@b`.
_SPECIAL = re.compile(r"([\\`*_\[\]<|~&@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


def code(text: str) -> str:
    """Return a code span of one line, in which no mark, link or tag of the text has a meaning.

    Its fence is longer than any in the text; control characters and line breaks are pictures.
    """
    shown = safe(text)
    fence = "`" * (1 + max(map(len, _TICKS.findall(shown)), default=0))
    # Markdown takes one blank off either end, and what has no character at all for no span.
    padded = shown.startswith(("`", " ")) or shown.endswith(("`", " ")) or not shown
    blank = " " if padded else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def plain(text: str) -> str:
    """Return text with a backslash before whatever Markdown obeys inside a line."""
    return _SPECIAL.sub(r"\\\1", safe(text))


def block(text: str) -> str:
    """Return a fenced block of code; its fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}\n{text}\n{fence}"
