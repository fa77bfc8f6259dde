"""One reading of a text with errors: what was found, what was mended, where it goes on."""

import re

import attrs
from lark import Lark

from mirc.diagnostics import Diagnostic, Related, Rule, Source, Span
from mirc.grammar import syntax_rules
from mirc.grammar.automaton import CHARACTER, END, Anchor, Automaton, Reader, Word, blank
from mirc.grammar.words import end_of_noise

EDITABLE = 4_000_000  # characters up to which a corrected text is made
MAX_DEPTH = 32  # brackets within brackets

_FIRST_IN_BODY = re.compile(r"[^\n]*\n(?:[ \t]*\n)*([ \t]*)")
_FOLLOWED_BY_EQUALS = re.compile(r"[ \t]*[=:]")
_WORDS = re.compile(r"[A-Za-z_0-9][\w.]*(?:\[[0-9:]+\])?")


class Reading:
    """One reading of one text: the automaton, the reader, what was found and what was mended."""

    def __init__(self, lark: Lark, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.reader = Reader(lark, source.text)
        self.automaton = Automaton(lark)
        self.found: dict[tuple[int, int], Diagnostic] = {}
        self.edits: list[tuple[int, int, str]] = []
        self.suffix = ""
        self.lost: list[str] = []
        self.mendable = len(source.text) <= EDITABLE

    def feed(self, word: Word) -> bool:
        """Let the automaton take a word; blank the item before it if that was a guess."""
        automaton = self.automaton
        anchor, opened = automaton.anchor, automaton.opened[-1] if automaton.opened else None
        if not automaton.feed(word):
            return False
        if word.kind in ("LSQB", "LPAR") and automaton.depth > MAX_DEPTH:
            self.report(
                syntax_rules.NESTED_TOO_DEEPLY,
                Span(word.start, word.end),
                f"brackets nest more than {MAX_DEPTH} deep",
                "flatten the value",
            )
            self.abandon(word)
        elif word.kind == "RBRACE" and opened and opened.item and opened.item.lost:
            self.erase(opened.item.offset, word.end)
        elif anchor and anchor.lost and automaton.anchor != anchor and word.kind != "LBRACE":
            self.erase(anchor.offset, word.start)
        return True

    def outdented(self, word: Word) -> bool:
        """Whether a block that may stand inside or on top is written as one on top.

        A ``phase`` may stand in a ``plan``; where the plan's ``}`` is missing, only the indent
        tells that it was not meant to.
        """
        automaton = self.automaton
        both = automaton.top_keywords & automaton.body_keywords
        if (
            word.kind not in both
            or len(automaton.opened) != 1
            or not self.first_on_line(word.start)
        ):
            return False
        opener = automaton.opened[0].word
        body = _FIRST_IN_BODY.match(self.text, opener.end)
        outer = self.indent(opener.start)
        return body is not None and len(body[1]) > outer >= self.indent(word.start)

    # ---- what is said -------------------------------------------------------------------------

    def report(
        self,
        rule: Rule,
        span: Span,
        message: str,
        hint: str | None = None,
        related: tuple[Related, ...] = (),
    ) -> None:
        """Note a finding; one a place, and after any on a line no merely unexpected word."""
        line = self.source.position(span.start)[0]
        if (line, span.start) in self.found:
            return
        before = [start for there, start in self.found if there == line]
        if rule is syntax_rules.UNEXPECTED and before:
            return
        if rule is syntax_rules.MISSING_VALUE and max(before, default=-1) > span.start:
            return
        self.found[line, span.start] = Diagnostic(rule, span, message, hint, related)

    def give_up(self, word: Word) -> None:
        """Say that the text from a word on was not read."""
        self.mendable = False
        self.found[-1, word.start] = Diagnostic(
            syntax_rules.TOO_MANY,
            Span(word.start, word.start),
            f"too many syntax errors: after {len(self.found)} the rest of the file was not read",
            "correct these first",
        )

    # ---- what is mended -----------------------------------------------------------------------

    def erase(self, start: int, end: int) -> None:
        """Blank a part of the corrected text."""
        if self.mendable and start < end:
            self.edits.append((start, end, blank(self.text[start:end])))
            self.lost += _WORDS.findall(self.text, start, end)

    def replace(self, start: int, text: str) -> None:
        """Write over as many characters of the corrected text."""
        self.edits.append((start, start + len(text), text))

    def insert_before(self, offset: int, text: str) -> None:
        """Write into the blanks before an offset; if there are too few, give mending up."""
        start = offset - len(text)
        if start >= 0 and self.text[start:offset].isspace():
            self.replace(start, text)
        else:
            self.mendable = False

    def supply(self, kind: str, offset: int) -> None:
        """Feed a word that is not there."""
        self.feed(Word(kind, "", offset, offset))

    def guess(self) -> None:
        """Mark the item being read as not to be believed."""
        if self.automaton.anchor is None:
            self.mendable = False
        else:
            self.automaton.anchor = attrs.evolve(self.automaton.anchor, lost=True)

    def mended(self) -> str | None:
        """Return the corrected text, or None if there is none to be trusted."""
        if not self.mendable or not self.found:
            return None
        text = self.text
        for start, end, replacement in self.edits:
            text = text[:start] + replacement + text[end:]
        return text + self.suffix

    # ---- where it goes on ---------------------------------------------------------------------

    def first_on_line(self, offset: int) -> bool:
        """Whether only blanks stand before an offset on its line."""
        start = self.text.rfind("\n", max(0, offset - 1000), offset) + 1
        return not self.text[start:offset].strip()

    def starts_block(self, word: Word) -> bool:
        """Whether a word is the keyword of a block, and not a key that happens to be one."""
        return word.kind in self.automaton.keywords and not self.before_equals(word)

    def indent(self, offset: int) -> int:
        """Return how many blanks the line of an offset begins with, up to 1000."""
        start = self.text.rfind("\n", 0, offset) + 1
        head = self.text[start : min(offset, start + 1000)]
        return len(head) - len(head.lstrip())

    def before_equals(self, word: Word) -> bool:
        """Whether a word is followed by ``=`` on its line: a key."""
        return _FOLLOWED_BY_EQUALS.match(self.text, word.end) is not None

    def rest_of_line(self, offset: int) -> str:
        """Return what follows on the line, without a comment."""
        end = self.line_end(offset)
        return self.text[offset:end].split("//", 1)[0].strip()

    def line_end(self, offset: int) -> int:
        """Return the offset of the line break after an offset, or of the end."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def drop(self, until: int) -> None:
        """Give up the item being read; its text up to an offset is lost."""
        anchor = self.automaton.anchor
        self.automaton.drop_item()
        if anchor is not None:
            self.erase(anchor.offset, until)

    def again(self, offset: int) -> None:
        """Read on from an offset."""
        self.reader.seek(offset)

    def skip(self, word: Word) -> None:
        """Leave a word out and read on behind it."""
        self.erase(word.start, word.end)
        self.again(word.end)

    def abandon(self, word: Word) -> None:
        """Give up the item in which a word stands and read on at the next one."""
        anchor = self.automaton.anchor or Anchor(word.start, 0)
        self.automaton.drop_item()
        stop = self._next_item(word)
        self.erase(min(anchor.offset, word.start), stop)
        self.again(stop)

    def skip_block(self, word: Word) -> None:
        """Leave out a block with all its braces, from a word in its header on."""
        start = self.automaton.anchor.offset if self.automaton.anchor else word.start
        self.automaton.drop_item()
        self.again(word.start)
        depth = 0
        while True:
            word = self.reader.read()
            depth += {"LBRACE": 1, "RBRACE": -1}.get(word.kind, 0)
            if word.kind == END or depth < 0 or self._opens_declaration(word):
                stop = word.start
                break
            if word.kind == "RBRACE" and depth == 0:
                stop = word.end
                break
            self._hurry(word)
        self.erase(start, stop)
        self.again(stop)

    def _next_item(self, word: Word) -> int:
        """Return where the next field, block, closing brace or declaration begins."""
        if word.kind == END:
            return word.start
        braces = 0
        inside = bool(self.automaton.opened)
        keywords = self.automaton.keywords
        self.again(word.end)
        self._hurry(word)
        while True:
            word = self.reader.read()
            fresh = self.first_on_line(word.start)
            if word.kind == END or self._opens_declaration(word):
                return word.start
            if braces == 0 and inside:
                if word.kind == "RBRACE" or (fresh and word.kind in keywords):
                    return word.start
                if word.kind == "NAME" and self.before_equals(word):
                    return word.start
            if braces == 0 and fresh and word.kind in self.automaton.top_keywords:
                return word.start
            braces = max(0, braces + {"LBRACE": 1, "RBRACE": -1}.get(word.kind, 0))
            self._hurry(word)

    def _opens_declaration(self, word: Word) -> bool:
        only_on_top = self.automaton.top_keywords - self.automaton.body_keywords
        return (
            word.kind in only_on_top
            and self.first_on_line(word.start)
            and not self.before_equals(word)
        )

    def _hurry(self, word: Word) -> None:
        """Pass over a run of characters that mean nothing: they cost an exception each."""
        if word.kind == CHARACTER:
            self.again(end_of_noise(self.text, word.start))
