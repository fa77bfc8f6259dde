"""A place in a text, broken or not, into what stands there and what could."""

import re
from collections.abc import Iterable
from enum import StrEnum

import attrs

from mirc.diagnostics import Span
from mirc.ir.fields import Where
from mirc.lsp.words import Shape, Written, written

_EQUALS = re.compile(r"\s*=")


class Expects(StrEnum):
    """What the grammar wants at the cursor."""

    KEY = "key"
    """A key, or a keyword that begins a block; on top only a keyword."""
    NAME = "name"
    """The name of the block whose keyword stands before."""
    VALUE = "value"
    """A value, or an element of one."""
    CONFIDENCE = "confidence"
    """The number after ``@``."""
    NOTHING = "nothing"
    """A comment, or a bracket's place."""


@attrs.frozen(slots=True)
class Frame:
    """A block around the cursor."""

    keyword: str
    name: str


Inside = tuple[str | None, int]
"""One bracket around the cursor: the call's word, None for a list; the index of the element."""


@attrs.frozen(kw_only=True)
class Cursor:
    """What stands at an offset: the blocks around it, outermost first, and the word.

    ``keyword`` is the one whose name is expected; ``key`` the field's, with ``path`` into its
    value; ``taken`` the keys written before it in its block. ``word`` is None between words.
    """

    expects: Expects
    frames: tuple[Frame, ...] = ()
    word: Written | None = None
    keyword: str = ""
    key: str | None = None
    path: tuple[Inside, ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def where(self) -> Where | None:
        """Which declaration the cursor is in; None on top, or where no such block may stand."""
        return _WHERE.get(tuple(frame.keyword for frame in self.frames))


_WHERE: dict[tuple[str, ...], Where] = {
    ("module",): Where.MODULE,
    ("object",): Where.OBJECT,
    ("template",): Where.TEMPLATE,
    ("coalition",): Where.COALITION,
    ("tenant",): Where.TENANT,
    ("claim",): Where.CLAIM,
    ("phase",): Where.PHASE,
    ("phase", "step"): Where.STEP,
    ("phase", "override"): Where.OVERRIDE,
    ("on",): Where.SIGNAL,
    ("on", "override"): Where.OVERRIDE,
    ("plan",): Where.PLAN,
    ("plan", "override"): Where.PLAN_OVERRIDE,
    ("plan", "phase"): Where.PLAN_PHASE,
    ("plan", "phase", "override"): Where.PLAN_PHASE_OVERRIDE,
}


def cursor_at(text: str, offset: int, start: int = 0, frames: Iterable[Frame] = ()) -> Cursor:
    """Read the text from ``start``, which lies in ``frames``, to the offset.

    Time grows with the distance between the two, so ``start`` should be near.
    """
    scanner = _Scanner(frames)
    for word in written(text, start, offset + 1):
        if word.span.end > offset and word.shape is Shape.MARK:
            break
        if word.span.end >= offset and word.shape is not Shape.MARK:
            if word.shape is Shape.COMMENT and word.span.start == offset:
                break
            # Before `=` stands a key, also where the value before it is unfinished.
            if word.shape is Shape.WORD and _EQUALS.match(text, word.span.end):
                scanner.leave_field()
            return scanner.cursor(word)
        scanner.take(word)
    return scanner.cursor(None)


class _Scanner:
    """Follows the grammar word by word; whatever does not fit is taken for unfinished."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self.frames = list(frames)
        self.taken: list[list[str]] = [[] for _ in self.frames]
        self.last: Written | None = None
        self.keyword = ""
        self.name: str | None = None
        self.leave_field()

    def leave_field(self) -> None:
        """Forget the field; what follows is outside any value."""
        self.key: str | None = None
        self.path: list[Inside] = []
        self.begun = False
        self.confidence = False

    def take(self, word: Written) -> None:
        """Go past one word."""
        if word.shape is Shape.COMMENT:
            return
        if word.shape is Shape.MARK:
            self._mark(word.text)
        elif word.declares:
            self.leave_field()
            self.keyword, self.name = word.text, None
        elif self.keyword and self.name is None:
            self.name = word.name
        elif self.key is not None:
            # A word after a whole value begins the next field.
            self.begun = self.begun or not self.path
        self.last = word

    def _mark(self, mark: str) -> None:
        if mark == "=":
            self.leave_field()
            self.key = self.last.text if self.last and self.last.shape is Shape.WORD else ""
            if self.taken:
                self.taken[-1].append(self.key)
        elif mark == "{":
            self.frames.append(Frame(self.keyword, self.name or ""))
            self.taken.append([])
            self.keyword, self.name = "", None
            self.leave_field()
        elif mark == "}":
            self.leave_field()
            self.keyword, self.name = "", None
            if self.frames:
                self.frames.pop()
                self.taken.pop()
        elif self.key is not None:
            self._in_value(mark)

    def _in_value(self, mark: str) -> None:
        if mark == "[":
            self.path.append((None, 0))
        elif mark == "(":
            self.path.append((self.last.text if self.last is not None else "", 0))
        elif mark in "])":
            if self.path:
                self.path.pop()
            self.begun = not self.path
        elif mark == "," and self.path:
            word, index = self.path[-1]
            self.path[-1] = (word, index + 1)
        elif mark == "@":
            self.confidence = True

    def cursor(self, word: Written | None) -> Cursor:
        """Return what the scanner has come to."""
        return Cursor(
            expects=self._expects(word),
            frames=tuple(self.frames),
            word=word,
            keyword=self.keyword,
            key=self.key,
            path=tuple(self.path),
            taken=tuple(self.taken[-1]) if self.taken else (),
        )

    def _expects(self, word: Written | None) -> Expects:
        if word is not None and word.shape is Shape.COMMENT:
            return Expects.NOTHING
        if self.keyword:
            return Expects.NAME if self.name is None else Expects.NOTHING
        if self.key is None:
            return Expects.KEY
        if self.confidence and self.last is not None and self.last.text == "@":
            return Expects.CONFIDENCE
        if self.path or not self.begun:
            return Expects.VALUE
        return Expects.KEY


def span_of(word: Written) -> Span:
    """Return the span of a name without its quotes."""
    if word.shape is not Shape.STRING:
        return word.span
    closed = len(word.text) > 1 and word.text.endswith('"')
    return Span(word.span.start + 1, word.span.end - closed)
