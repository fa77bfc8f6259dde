"""Character offsets into an editor's lines and columns, and back."""

import re
from bisect import bisect_right
from enum import StrEnum
from functools import cached_property

import attrs

_BREAK = re.compile(r"\r\n|\n|\r")


class Encoding(StrEnum):
    """In which units a column counts; the value is the protocol's."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


@attrs.frozen(slots=True, order=True)
class Place:
    """A line and a column, both from 0; the column in units of the encoding."""

    line: int
    column: int


@attrs.frozen
class Lines:
    r"""A text by lines; ``\n``, ``\r\n`` and ``\r`` end one, as the protocol has it."""

    text: str = attrs.field(repr=False)
    encoding: Encoding = Encoding.UTF16

    @cached_property
    def starts(self) -> list[int]:
        """Offset of the first character of each line."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    @cached_property
    def _even(self) -> bool:
        """Whether every character takes one unit."""
        return self.encoding is Encoding.UTF32 or self.text.isascii()

    def place(self, offset: int) -> Place:
        """Return where a character stands; an offset past the end is the end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        if self._even:
            return Place(line, offset - start)
        return Place(line, self._units(self.text[start:offset]))

    def offset(self, place: Place) -> int:
        """Return the offset of a place.

        A column past the line's end is the end, before its break; one inside a character is that
        character's start. Lines past the last are the end of the text.
        """
        if place.line >= len(self.starts):
            return len(self.text)
        start, end = self.starts[place.line], self.line_end(place.line)
        if self._even:
            return min(start + place.column, end)
        left = place.column
        for offset in range(start, end):
            left -= self._units(self.text[offset])
            if left < 0:
                return offset
        return end

    def line_end(self, line: int) -> int:
        """Return the offset after the last character of a line, its break left out."""
        if line + 1 >= len(self.starts):
            return len(self.text)
        end = self.starts[line + 1] - 1
        crlf = self.text[end] == "\n" and end > self.starts[line] and self.text[end - 1] == "\r"
        return end - crlf

    def _units(self, part: str) -> int:
        if part.isascii():
            return len(part)
        if self.encoding is Encoding.UTF8:
            return len(part.encode("utf-8", "surrogatepass"))
        if self.encoding is Encoding.UTF16:
            return len(part) + sum(char > "\uffff" for char in part)
        return len(part)
