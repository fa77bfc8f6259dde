"""A span of a source into the line it stands on and the carets below it, safe for a terminal."""

import unicodedata

import attrs

from mirc.diagnostics.model import Source, Span

WIDTH = 100  # columns of source shown; a longer line is clipped around the caret
CONTEXT = 30  # columns kept before the caret of a clipped line
TAB = 4
ELLIPSIS = "…"


@attrs.frozen
class Excerpt:
    """One source line as shown, and the columns (from 0) that the carets take."""

    number: int
    text: str
    caret_start: int
    caret_width: int

    @property
    def carets(self) -> str:
        """The line below the text."""
        return " " * self.caret_start + "^" * self.caret_width


def visible(char: str) -> str:
    """Return what stands for one character: itself, or a picture of a control character.

    Terminals obey control characters and reorder text around directional marks; shown files and
    messages come from strangers.
    """
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def safe(text: str) -> str:
    """Return a text whose every character is harmless on a terminal."""
    return text if text.isascii() and text.isprintable() else "".join(map(visible, text))


def excerpt(source: Source, span: Span) -> Excerpt:
    """Cut the first line of a span out of its source.

    Time does not depend on the length of the line: at most ``WIDTH`` characters on either side of
    the span are looked at.
    """
    number, column = source.position(min(span.start, len(source.text)))
    line_start = source.line_starts[number - 1]
    line_end = _line_end(source, number)
    start = min(line_start + column - 1, line_end)
    end = max(start, min(span.end, line_end))

    window_start = max(line_start, start - WIDTH)
    window_end = min(line_end, start + 2 * WIDTH)
    before = _columns(source.text[window_start:start], 0)
    marked = _columns(source.text[start : min(end, window_end)], len(before))
    after = _columns(source.text[min(end, window_end) : window_end], len(before) + len(marked))
    caret_width = max(1, len(marked))

    clipped_left = window_start > line_start
    cells = before + marked + after
    drop = 0
    if clipped_left or (len(cells) > WIDTH and len(before) + min(caret_width, CONTEXT) > WIDTH):
        drop = max(0, len(before) - CONTEXT)
    clipped_left = clipped_left or drop > 0
    shown = cells[drop : drop + WIDTH]
    clipped_right = window_end < line_end or len(cells) > drop + WIDTH
    caret_start = len(before) - drop
    prefix = ELLIPSIS if clipped_left else ""
    return Excerpt(
        number=number,
        text=(prefix + "".join(shown) + (ELLIPSIS if clipped_right else "")).rstrip(),
        caret_start=caret_start + len(prefix),
        caret_width=max(1, min(caret_width, len(shown) - caret_start)),
    )


def _line_end(source: Source, number: int) -> int:
    """Return the offset after the last character of a line, its line break (or CRLF) left out."""
    starts = source.line_starts
    end = starts[number] - 1 if number < len(starts) else len(source.text)
    return end - 1 if end > starts[number - 1] and source.text[end - 1] == "\r" else end


def _columns(text: str, column: int) -> list[str]:
    """Return what fills each terminal column: tabs become blanks, a wide character takes two."""
    if text.isascii() and text.isprintable():
        return list(text)
    cells: list[str] = []
    for char in text:
        if char == "\t":
            cells += " " * (TAB - (column + len(cells)) % TAB)
        elif unicodedata.combining(char) and cells:
            cells[-1] += char
        elif unicodedata.east_asian_width(char) in "WF":
            cells += [visible(char), ""]
        else:
            cells.append(visible(char))
    return cells
