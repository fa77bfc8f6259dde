"""What the explanations of syntax errors share: words as shown, blocks as they begin."""

import re

from mirc.diagnostics import Span
from mirc.grammar.automaton import CHARACTER, END, Word

NAMES = frozenset({"NAME", "STRING"})
BLOCK_AHEAD = re.compile(r'[ \t]*(?:[\w.\[\]:]+|"[^"\n]*")?[ \t]*\{')
HEAD_AHEAD = re.compile(r"[ \t]*(?:[\"{']|[\w.]+(?![\w.]|[ \t]*=)|\n[ \t]*[\w\".]+[ \t]*\{)")
_NOISE = re.compile(r"[^\s{}\[\](),=@]+")


def end_of_noise(text: str, offset: int) -> int:
    """Return the end of a run of characters that no field, bracket or blank interrupts."""
    if text[offset] == '"':
        end = text.find("\n", offset)
        return len(text) if end < 0 else end
    match = _NOISE.match(text, offset)
    return match.end() if match else offset + 1


def span(word: Word) -> Span:
    """Return where a word stands."""
    return Span(word.start, word.end)


def shown(word: Word) -> str:
    """Return a word as a message shows it."""
    if word.kind == END:
        return "end of file"
    text = word.text if len(word.text) <= 40 else word.text[:39] + "…"
    if word.kind == CHARACTER and not text.isprintable():
        return f"U+{ord(text):04X}"
    if word.kind == CHARACTER and not text.isascii():
        return f"`{text}` (U+{ord(text):04X})"
    return f"`{text}`"
