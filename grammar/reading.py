"""One reading of a text with errors: what was found, what was mended, where it goes on."""

import re

import attrs
from lark import Lark

from mirc.diagnostics import Diagnostic, Fix, Related, Rule, Source, Span
from mirc.grammar import syntax_rules
from mirc.grammar.automaton import Anchor, Automaton, Opened, Reader, Word, blank
from mirc.grammar.clean import clean
from mirc.grammar.landmarks import VIEW, Landmarks
from mirc.grammar.limits import MAX_DEPTH
from mirc.grammar.mending import insertion, overlaid
from mirc.grammar.words import BLOCK_AHEAD
from mirc.ir.names import UNREADABLE

LONG = 200_000  # characters from which on the patterns of what is right are worth making

_FIRST_IN_BODY = re.compile(r"[^\n]*\n(?:[ \t]*\n)*([ \t]*)")
_FOLLOWED_BY_EQUALS = re.compile(r"[ \t]*[=:]")
_GAPS = re.compile(r"//[^\n]*\n?|[ \t]+|\n")
_ANOTHER_FIELD = re.compile(r"[\w.][ \t]*=[ \t]*[\"\w\[]|[{}\n]")
_WORDS = re.compile(r"[A-Za-z_0-9][\w.]*(?:\[[0-9:]+\])?")

# After one of these the rest of a line is read by a guess: what else is wrong may only seem so.
_UNSURE = (
    syntax_rules.UNEXPECTED,
    syntax_rules.BAD_CHARACTER,
    syntax_rules.OPEN_STRING,
    syntax_rules.WRONG_QUOTES,
    syntax_rules.MISSING_COMMA,
    syntax_rules.MISSING_EQUALS,
    syntax_rules.MISSING_NAME,
    syntax_rules.BARE_LIST,
    syntax_rules.MISMATCHED_BRACKET,
    syntax_rules.UNOPENED_BRACKET,
    syntax_rules.STRAY_BRACKET,
    syntax_rules.BRACES_FOR_LIST,
    syntax_rules.UNKNOWN_BLOCK,
    syntax_rules.EXTRA_COMMA,
    syntax_rules.RESERVED_WORD,
)


@attrs.frozen(slots=True)
class Misfit:
    """A ``}`` on a line of its own whose indent is not that of the block which it closed."""

    opened: Opened
    brace: Word
    after: int  # the end of the word before the brace


class Reading:
    """One reading of one text: the automaton, the reader, what was found and what was mended."""

    def __init__(self, lark: Lark, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.reader = Reader(lark, source.text)
        self.automaton = Automaton(lark)
        self.landmarks = Landmarks(source.text, self.automaton)
        self.found: dict[tuple[int, int], Diagnostic] = {}
        self.edits: list[tuple[int, int, str]] = []
        self.suffix = ""
        self.lost: list[str] = []
        self.mendable = True
        self.misfits: list[Misfit] = []
        self._lark = lark
        self._unsure: tuple[int, Rule, int] | None = None

    def feed(self, word: Word) -> bool:
        """Let the automaton take a word; blank the item before it if that was a guess."""
        automaton = self.automaton
        anchor, opened = automaton.anchor, automaton.opened[-1] if automaton.opened else None
        after = automaton.end
        if not automaton.feed(word):
            return False
        if word.kind in ("LSQB", "LPAR") and automaton.depth > MAX_DEPTH:
            self.report(syntax_rules.NESTED_TOO_DEEPLY, Span(word.start, word.end), limit=MAX_DEPTH)
            self.abandon(word)
        elif word.kind == "RBRACE" and opened and opened.item and opened.item.lost:
            self.erase(opened.item.offset, word.end)
        elif anchor and anchor.lost and automaton.anchor != anchor and word.kind != "LBRACE":
            self.erase(anchor.offset, word.start)
        if word.kind == "RBRACE" and opened and word.text:
            self._note_misfit(Misfit(opened, word, after))
        return True

    def _note_misfit(self, misfit: Misfit) -> None:
        if not self.automaton.opened:
            self.misfits.clear()
        elif self.first_on_line(misfit.brace.start) and self.indent(
            misfit.brace.start
        ) < self.indent(misfit.opened.word.start):
            self.misfits.append(misfit)

    def pass_over(self, word: Word) -> None:
        """Go on behind what is surely right after a word that was taken, in a long text."""
        if len(self.text) < LONG:
            return
        patterns, opened = clean(self._lark), self.automaton.opened
        end = word.end
        if word.kind == "COMMA" and self.automaton.repeats():
            end = patterns.elements_end(self.text, end)
        elif word.kind == "RBRACE" and not opened:
            end = patterns.declarations_end(self.text, end)
        elif word.kind == "RBRACE" and len(opened) == 1:
            end = patterns.blocks_end(opened[0].keyword, self.text, end)
        if end > word.end:
            self.automaton.closed = None
            self.again(end)

    def passes_fields(self, word: Word) -> bool:
        """Go on at the last of the fields that a key, not taken yet, begins, in a long text."""
        if len(self.text) < LONG or word.kind != "NAME" or self.automaton.inner != "LBRACE":
            return False
        recent, anchor = self.automaton.recent, self.automaton.anchor
        if anchor is None or anchor.lost:  # of a guess all is given up, to the next key
            return False
        whole = recent[-1].kind not in ("EQUAL", "AT") and recent[0].kind != "LBRACE"
        if len(recent) < 3 or not whole or not self.before_equals(word):
            return False
        end = clean(self._lark).fields_end(self.text, word.start)
        if end > word.start:
            self.again(end)
        return end > word.start

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
        *,
        message: str | None = None,
        hint: str | None = None,
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
        **words: object,
    ) -> None:
        """Note a finding in the rule's words or others; one a place.

        After one that makes the rest of its line a guess, no other is noted on that line as long
        as the same field or head is read.
        """
        line = self.source.position(span.start)[0]
        if (line, span.start) in self.found or self._doubted(rule, line):
            return
        before = [start for there, start in self.found if there == line]
        if rule is syntax_rules.UNEXPECTED and before:
            return
        if rule is syntax_rules.MISSING_VALUE and max(before, default=-1) > span.start:
            return
        message = message or rule.message.format(**words)
        hint = hint or (rule.hint and rule.hint.format(**words))
        self.found[line, span.start] = Diagnostic(rule, span, message, hint, related, fix)
        if self.automaton.heads() and rule is not syntax_rules.MISSING_BRACE:
            self.lost.append(UNREADABLE)
        if rule in _UNSURE:
            self._unsure = (line, rule, self.automaton.end)

    def _doubted(self, rule: Rule, line: int) -> bool:
        if self._unsure is None or self._unsure[0] != line or self._unsure[1] is rule:
            return False
        between = self.text[self._unsure[2] : self.automaton.end]
        return _ANOTHER_FIELD.search(between) is None

    def give_up(self, word: Word) -> None:
        """Say that the text from a word on was not read."""
        self.mendable = False
        rule = syntax_rules.TOO_MANY
        message = rule.message.format(count=len(self.found))
        self.found[-1, word.start] = Diagnostic(
            rule, Span(word.start, word.start), message, rule.hint
        )

    # ---- what is mended -----------------------------------------------------------------------

    def erase(self, start: int, end: int) -> None:
        """Blank a part of the corrected text."""
        if start < end:
            self.edits.append((start, end, blank(self.text[start:end])))
            self.lost += _WORDS.findall(self.text, start, end)

    def replace(self, start: int, text: str) -> None:
        """Write over as many characters of the corrected text."""
        self.edits.append((start, start + len(text), text))

    def insert_before(self, offset: int, text: str) -> None:
        """Write into blanks between the last word and an offset, outside comments.

        If there are too few, give mending up.
        """
        gaps = list(_GAPS.finditer(self.text, self.automaton.end, offset))
        for wide in (r"[ \t]+", r"\n"):
            for gap in gaps:
                if len(gap[0]) >= len(text) and re.fullmatch(wide, gap[0]):
                    self.replace(gap.start(), text)
                    return
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
        """Return the corrected text, or None if there is none to be trusted.

        Where two corrections overlap, the later one stands.
        """
        if not self.mendable or not self.found:
            return None
        return overlaid(self.text, self.edits) + self.suffix

    # ---- where it goes on ---------------------------------------------------------------------

    def first_on_line(self, offset: int) -> bool:
        """Whether only blanks stand before an offset on its line."""
        return self.landmarks.first_on_line(offset)

    def starts_block(self, word: Word) -> bool:
        """Whether a word is the keyword of a block, and not a key or value that happens to be."""
        if word.kind not in self.automaton.keywords or self.before_equals(word):
            return False
        return self.first_on_line(word.start) or BLOCK_AHEAD.match(self.text, word.end) is not None

    def indent(self, offset: int) -> int:
        """Return how many blanks the line of an offset begins with, up to ``VIEW``."""
        start = self.text.rfind("\n", max(0, offset - VIEW), offset) + 1
        head = self.text[start : min(offset, start + VIEW)]
        return len(head) - len(head.lstrip())

    def before_equals(self, word: Word) -> bool:
        """Whether a word is followed by ``=`` on its line: a key."""
        return _FOLLOWED_BY_EQUALS.match(self.text, word.end) is not None

    def rest_of_line(self, offset: int) -> str:
        """Return what follows on the line, up to ``VIEW``, without a comment."""
        end = self.text.find("\n", offset, offset + VIEW)
        rest = self.text[offset : end if end >= 0 else offset + VIEW]
        return rest.split("//", 1)[0].strip()

    def line_end(self, offset: int) -> int:
        """Return the offset of the line break after an offset, or of the end."""
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if end > offset and self.text[end - 1] == "\r" else end

    def closing_fix(self, closers: str) -> Fix:
        """Return the fix that closes blocks after the last word taken, each on a line of its own.

        Where the last word's line goes on with more than a comment, they stand on that line.
        """
        end = self.automaton.end
        if self.rest_of_line(end):
            return insertion(end, " " + " ".join(closers))
        braces = [opened for opened in self.automaton.opened if opened.word.kind == "LBRACE"]
        lines = [
            "\n" + " " * self.indent(opened.word.start) + closer
            for opened, closer in zip(reversed(braces), closers, strict=False)
        ]
        return insertion(self.line_end(end), "".join(lines))

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
        stop = self.landmarks.next_item(word, inside=bool(self.automaton.opened))
        self.erase(min(anchor.offset, word.start), stop)
        self.again(stop)

    def skip_block(self, word: Word) -> None:
        """Leave out a block with all its braces, from a word in its header on."""
        start = self.automaton.anchor.offset if self.automaton.anchor else word.start
        self.automaton.drop_item()
        stop = self.landmarks.block_end(word)
        self.erase(start, stop)
        self.again(stop)
