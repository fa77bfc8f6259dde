"""What is wrong in a text into the edits that put it right."""

import re
from bisect import bisect_right

from mirc.diagnostics import Edit, Fix, Span

_WORD = re.compile(r"[\w.\"'\[\]()]")


def removal(text: str, start: int, end: int) -> Fix:
    """Take a part out, with its line if it is alone; words that it kept apart stay apart."""
    line = text.rfind("\n", 0, start) + 1
    if text.startswith("\n", end) and not text[line:start].strip():
        return Fix(f"remove {_shown(text[start:end])}", (Edit(Span(line, end + 1), ""),))
    glued = start and _WORD.match(text, start - 1) and _WORD.match(text, end)
    return Fix(f"remove {_shown(text[start:end])}", (Edit(Span(start, end), " " if glued else ""),))


def replacement(start: int, end: int, text: str) -> Fix:
    """Write something else in the place of a part."""
    return Fix(f"write {_shown(text)}", (Edit(Span(start, end), text),))


def insertion(offset: int, text: str) -> Fix:
    """Add what is missing."""
    return Fix(f"add {_shown(text)}", (Edit(Span(offset, offset), text),))


def quoting(text: str, start: int, end: int) -> Fix:
    """Put a part into double quotes."""
    return replacement(start, end, quoted(text[start:end]))


def quoted(text: str) -> str:
    """Return a text in double quotes, so that it reads back."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def overlaid(text: str, patches: list[tuple[int, int, str]]) -> str:
    """Return a text of the same length with parts written over; of two patches, the later stands.

    A patch is (start, end, as many characters).
    """
    laid: list[tuple[int, int, str]] = []  # apart from each other, in order
    for start, end, patch in reversed(patches):
        at = max(0, bisect_right(laid, start, key=lambda each: each[0]) - 1)
        gaps, free = [], start
        while at < len(laid) and laid[at][0] < end:
            if free < laid[at][0]:
                gaps.append((free, laid[at][0], patch[free - start : laid[at][0] - start]))
            free = max(free, laid[at][1])
            at += 1
        if free < end:
            gaps.append((free, end, patch[free - start :]))
        for gap in gaps:
            laid.insert(bisect_right(laid, gap[0], key=lambda each: each[0]), gap)
    parts, free = [], 0
    for start, end, patch in laid:
        parts += [text[free:start], patch]
        free = end
    return "".join([*parts, text[free:]])


def _shown(text: str) -> str:
    text = text.strip()
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`".replace("\n", " ")
