"""A long text into declarations: what is written twice is read once, which is many times as fast.

Sound because no token crosses a line end, keywords are reserved and the grammar is unambiguous: a
text that falls into heads of blocks, whole lines of fields and closing braces, nested as ``BODIES``
says, has only that reading. Whatever else it holds, the driver reads. Tests hold both against Lark.
"""

import re

import attrs

from mirc.diagnostics import Span
from mirc.grammar import driver
from mirc.grammar.builder import Start, block_of, read_name
from mirc.grammar.lexer import BLANKS, PATTERNS, Misread, Token, end_of_blanks, lexemes
from mirc.grammar.limits import MAX_FIELDS, too_many_fields
from mirc.grammar.shapes import Build, numbered, shape
from mirc.grammar.tables import BODIES, WORDS
from mirc.ir.module import Block, Field, Fields, Object

_HEADER = re.compile(rf"{BLANKS}({PATTERNS['HEADER']})")
_NAME = rf"(?>{PATTERNS['NAME']})"  # as long as it gets, as the lexer takes it
_OPENS = re.compile(
    rf"{BLANKS}({_NAME}){BLANKS}({_NAME}|{PATTERNS['STRING']}){BLANKS}{PATTERNS['LBRACE']}"
)
_CLOSES = re.compile(rf"{BLANKS}{PATTERNS['RBRACE']}")
_ENDS = re.compile(rf"{BLANKS}\Z")

_REMEMBERED = 1 << 17  # lines, and bodies, kept for another like them
_LONGEST = 1 << 16  # characters beyond which no line or body is kept
_MANY = 1 << 12  # bodies tried before it is judged whether remembering them is worth it


class _UnusualError(Exception):
    """Something stands here that only the driver can read, or nobody."""


def _advanced(before: int, after: int) -> None:
    """Raise AssertionError for a step that took nothing: the next would be the same, forever."""
    if after <= before:
        raise AssertionError("a step of the reader that does not advance")


def read(text: str) -> Start:
    """Return what the text holds; raise ``Misread`` at the first token that may not stand there."""
    return Reader(text).start()


@attrs.define(slots=True)
class Counts:
    """How a text was read: declarations by their lines, in part by the driver, or wholly."""

    by_lines: int = 0
    partly: int = 0
    by_driver: int = 0


class Reader:
    """One reading of one text; offsets always stand between two tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.counts = Counts()
        self.driven = False  # whether the driver read a part of this declaration
        self.lines: dict[str, Fields | None] = {}
        self.bodies: dict[str, Fields] = {}
        # What stands before `=`: the key, and what reads the number behind it. The first `=` of a
        # line is always the sign: a line that begins with one field has no comment before it.
        self.keys: dict[str, tuple[str, re.Pattern[str], Build]] = {}
        self.tried = self.known = 0

    def start(self) -> Start:
        """Read the version line and every declaration."""
        header = _HEADER.match(self.text)
        token, at = None, 0
        if header is not None:
            token, at = Token("HEADER", header[1], *header.span(1)), header.end()
        blocks: list[Block] = []
        while _ENDS.match(self.text, at) is None:
            self.driven = False
            before = at
            try:
                block, at = self.block(at, 0)
                self.counts.partly += self.driven
                self.counts.by_lines += not self.driven
            except (_UnusualError, Misread):  # the driver knows the true place
                block, at = self.declaration(at)
                self.counts.by_driver += 1
            _advanced(before, at)
            blocks.append(block)
        return Start(token, tuple(blocks))

    def declaration(self, at: int) -> tuple[Block, int]:
        """Read one declaration word by word."""
        header = _HEADER.match(self.text, at)
        if header is not None:  # it may stand in the first place only
            raise Misread(header.start(1))
        block, at = driver.declaration(self.text, at)
        return block, at

    def block(self, at: int, body: int) -> tuple[Block, int]:
        """Read one block that stands in a body."""
        head = _OPENS.match(self.text, at)
        opened = BODIES[body].get(head[1]) if head is not None else None
        if head is None or opened is None or head[2] in WORDS:
            raise _UnusualError
        inside, rule = opened
        at = head.end()
        close = self.text.find("}", at)
        if close < 0:
            raise _UnusualError
        if BODIES[inside] or close - at > _LONGEST:
            return self.nested(head, inside, rule)
        fields, at = self.flat(at, close)
        extent = Span(head.start(1), at)
        if rule == "object":
            return Object(read_name(head[2]), fields, extent=extent), at
        return block_of(rule, read_name(head[2]), fields, [], extent), at

    def nested(self, head: re.Match[str], inside: int, rule: str) -> tuple[Block, int]:
        """Read fields and blocks up to the closing brace."""
        fields: list[Field] = []
        blocks: list[Block] = []
        at = head.end()
        while True:
            at = before = end_of_blanks(self.text, at)  # or each item would look through them again
            try:
                block, at = self.block(at, inside)
                _advanced(before, at)
                blocks.append(block)
                continue
            except _UnusualError:
                closing = _CLOSES.match(self.text, at)
            if closing is not None:
                at = closing.end()
                break
            more, at = self.line(at)
            _advanced(before, at)
            fields += more
            if len(fields) > MAX_FIELDS:
                raise too_many_fields(self.text, head.start(1))
        extent = Span(head.start(1), at)
        return block_of(rule, read_name(head[2]), tuple(fields), blocks, extent), at

    def flat(self, at: int, close: int) -> tuple[Fields, int]:
        """Return the fields from an offset on and the end of the closing brace behind them.

        ``close`` is where the next ``}`` stands, be it in a comment; there is one.
        """
        body = self.text[at:close]
        fields = self.bodies.get(body)
        if fields is None:
            fields = self.body(body)
            if fields is None:
                self.driven = True
                fields, at = driver.fields(self.text, at)
                closing = _CLOSES.match(self.text, at)
                if closing is None:
                    raise _UnusualError
                return fields, closing.end()
            self.remember(body, fields)
        else:
            self.known += 1
        return fields, close + 1

    def remember(self, body: str, fields: Fields) -> None:
        """Keep a body for others like it, unless that has not been of use."""
        self.tried += 1
        if self.tried < _MANY or self.known * 4 > self.tried:
            if len(self.bodies) >= _REMEMBERED:
                self.bodies.clear()
            self.bodies[body] = fields

    def body(self, body: str) -> Fields | None:
        """Return the fields of whole lines and of what stands before the brace, or None."""
        lines = body.split("\n")
        last = lines.pop().strip(" \t\r")
        if last:
            if "//" in last:  # perhaps the brace is in the comment
                return None
            lines.append(last)
        known = self.lines
        found: list[Field] = []
        for line in lines:
            fields = known.get(line, ())
            if not fields:
                fields = self.fields(line)
                if fields is None:
                    return None
            found += fields
        return tuple(found)

    def fields(self, line: str) -> Fields | None:
        """Return the fields of a line that holds whole ones and nothing else; else None."""
        try:
            return self.lines[line]
        except KeyError:
            fields = self.read(line)
        if len(self.lines) >= _REMEMBERED:
            self.lines.clear()
        self.lines[line] = fields
        return fields

    def read(self, line: str) -> Fields | None:
        """Read a line that was not seen before; most differ from another in their numbers only."""
        key, _, rest = line.partition("=")
        same = self.keys.get(key)
        if same is not None:
            name, pattern, build = same
            found = pattern.fullmatch(rest)
            if found is not None:
                return build([name, "", *found.groups()])
        lexed = lexemes(line)
        made = shape(lexed[0]) if lexed is not None else None
        if lexed is None or made is None:
            return None
        likewise = numbered(lexed[0])
        if likewise is not None:
            if len(self.keys) >= _MANY:
                self.keys.clear()
            self.keys[key] = (lexed[1][0], likewise, made)
        return made(lexed[1])

    def line(self, at: int) -> tuple[Fields, int]:
        """Return the fields on the line from an offset on, or else as many as the driver reads."""
        end = self.text.find("\n", at)
        if 0 <= end - at <= _LONGEST:
            fields = self.fields(self.text[at:end])
            if fields is not None:
                return fields, end + 1
        self.driven = True
        fields, end = driver.fields(self.text, at)
        if not fields:
            raise _UnusualError
        return fields, end
