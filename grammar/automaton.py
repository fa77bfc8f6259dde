"""Lark's own tables as an automaton that is fed word by word and can be asked and rewound."""

import re
from typing import TYPE_CHECKING, Any

import attrs
from lark import Lark, Token, UnexpectedCharacters
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

if TYPE_CHECKING:
    from collections.abc import Iterator

END = "$END"
CHARACTER = "CHARACTER"  # what no terminal matches
OPENERS = {"LBRACE": "RBRACE", "LSQB": "RSQB", "LPAR": "RPAR"}
CLOSERS = frozenset(OPENERS.values())


@attrs.frozen(slots=True)
class Word:
    """A token: its terminal, its text and its offsets (end exclusive)."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        """Whether it is a number of any kind, with or without a unit."""
        return self.kind != "NAME" and (self.text.lstrip("-")[:1]).isdigit()


@attrs.frozen(slots=True)
class Anchor:
    """Where the field or declaration being read begins, and how high the stack stood there."""

    offset: int
    height: int
    lost: bool = False  # it was read by a guess: what it says must not be believed


@attrs.frozen(slots=True)
class Opened:
    """A bracket that waits for its partner; ``owner`` is the word before it, if any."""

    word: Word
    item: Anchor | None
    owner: str = ""
    keyword: str = ""  # the terminal that began the block


@attrs.frozen(slots=True)
class Closed:
    """How things stood before the ``}`` that closed the last declaration."""

    brace: Word
    opened: Opened
    stack: list[Any]


class Reader:
    """Words of a text from any offset on; a character of no terminal is a word of its own."""

    def __init__(self, lark: Lark, text: str) -> None:
        self.text = text
        self._thread = lark.parse_interactive(text, start="start").lexer_thread
        self._words = self._lexed()

    def _lexed(self) -> "Iterator[Token]":
        return self._thread.lex(None)  # type: ignore[no-untyped-call, no-any-return]

    def seek(self, offset: int) -> None:
        """Go on reading at an offset."""
        assert self._thread.state is not None  # noqa: S101 - it was made from a text
        self._thread.state.line_ctr.char_pos = offset

    def read(self) -> Word:
        """Return the next word; ``END`` for ever at the end."""
        try:
            token = next(self._words)
        except StopIteration:
            self._words = self._lexed()
            return Word(END, "", len(self.text), len(self.text))
        except UnexpectedCharacters as error:
            offset = error.pos_in_stream or 0
            self._words = self._lexed()
            self.seek(offset + 1)
            return Word(CHARACTER, self.text[offset], offset, offset + 1)
        start = token.start_pos or 0
        return Word(token.type, str(token), start, start + len(token))


class Automaton:
    """The LALR states of a parse without its values.

    ``opened`` are the brackets still open; ``recent`` the last words of the item being read.
    """

    def __init__(self, lark: Lark) -> None:
        conf = lark.parse_interactive("", start="start").parser_state.parse_conf
        self._states: dict[Any, dict[str, tuple[Any, Any]]] = conf.states
        self._end = conf.end_state
        self._stack = [conf.start_state]
        literals = [t for t in lark.terminals if isinstance(t.pattern, PatternStr)]
        self.literals = {t.name: t.pattern.value for t in literals}
        self.words = {name: word for name, word in self.literals.items() if word.isalpha()}
        self.top_keywords = self._keywords(self._states[conf.start_state])
        bodies = [row for row in self._states.values() if "RBRACE" in row and "NAME" in row]
        self.body_keywords = frozenset[str]().union(*map(self._keywords, bodies))
        self.keywords = self.top_keywords | self.body_keywords
        self.opened: list[Opened] = []
        self.recent: list[Word] = []
        self.anchor: Anchor | None = None
        self.previous: Anchor | None = None
        self.closed: Closed | None = None
        self._asked: list[Any] = []
        self.end = 0  # of the last word of the text that was taken

    def _keywords(self, row: dict[str, Any]) -> frozenset[str]:
        return frozenset(kind for kind in row if kind in self.words)

    @property
    def inner(self) -> str:
        """The innermost open bracket's terminal, or nothing."""
        return self.opened[-1].word.kind if self.opened else ""

    @property
    def depth(self) -> int:
        """How many lists and calls are open within each other."""
        return sum(opened.word.kind != "LBRACE" for opened in self.opened)

    @property
    def last(self) -> Word | None:
        """The word read last within the item being read."""
        return self.recent[-1] if self.recent else None

    def accepts(self) -> frozenset[str]:
        """Return the terminals that may stand next, exactly."""
        return self.accepts_after(self._stack)

    def accepts_after(self, stack: list[Any]) -> frozenset[str]:
        """Return the terminals that may follow a stack of states."""
        row = self._states[stack[-1]]
        return frozenset(k for k in row if k.isupper() and self._fed(stack, k) is not None)

    def takes(self, kind: str) -> bool:
        """Whether a terminal may stand next."""
        return self._fed(self._stack, kind) is not None

    def takes_two(self, first: str, second: str) -> bool:
        """Whether one terminal and then another may stand next."""
        stack = self._fed(self._stack, first)
        return stack is not None and self._fed(stack, second) is not None

    def takes_after_drop(self, kind: str) -> bool:
        """Whether a terminal might stand in place of the item being read."""
        return self._fed(self._dropped(), kind) is not None

    def closings_before(self, kind: str) -> int | None:
        """Return how many ``}`` would make a terminal welcome (1 or more), or None."""
        stack: list[Any] | None = self._dropped()
        for count, opened in enumerate(reversed(self.opened), 1):
            if opened.word.kind != "LBRACE":
                continue
            stack = self._fed(stack, "RBRACE")
            if stack is None:
                return None
            if self._fed(stack, kind) is not None:
                return count
        return None

    def feed(self, word: Word) -> bool:
        """Take a word if it may stand next; else change nothing and return False."""
        stack = self._fed(self._stack, word.kind)
        if stack is None:
            return False
        if self._begins_item(word):
            self.previous = self.anchor
            self.anchor = Anchor(word.start, len(stack) - 1)
            self.recent.clear()
        before, self._stack = self._stack, stack
        if word.kind in OPENERS:
            owner = self.recent[-1].text if self.recent else ""
            keyword = self.recent[0].kind if self.recent else ""
            self.opened.append(Opened(word, self.anchor, owner, keyword))
        elif word.kind in CLOSERS and self.opened:
            opened = self.opened.pop()
            if not self.opened:
                self.closed = Closed(word, opened, before)
        self.end = max(self.end, word.end if word.text else 0)
        self.recent = [*self.recent[-3:], word]
        if word.kind in ("LBRACE", "RBRACE"):
            self.anchor = self.previous = None
            self.recent.clear()
        return True

    def heads(self) -> bool:
        """Whether the head of a block is being read, from its keyword on."""
        return bool(self.recent) and self.recent[0].kind in self.keywords

    def reopen(self) -> None:
        """Take the last closing brace back, between two declarations."""
        assert self.closed is not None  # noqa: S101 - the caller looked
        self._stack, self.opened = list(self.closed.stack), [self.closed.opened]
        self.anchor = self.previous = self.closed = None
        self.recent.clear()

    def repeats(self) -> bool:
        """Whether things stand as when this was asked last: what came between may be left out."""
        same = self._asked == self._stack
        self._asked = self._stack
        return same

    def would_take_reopened(self, kind: str) -> bool:
        """Whether a terminal might stand in place of the last closing brace."""
        return self.closed is not None and self._fed(self.closed.stack, kind) is not None

    def is_settled(self, accepts: frozenset[str]) -> bool:
        """Whether the item before an unwelcome word was complete."""
        in_body = "RBRACE" in accepts and "NAME" in accepts
        return self.inner in ("", "LBRACE") and (in_body or END in accepts)

    def settle(self, accepts: frozenset[str]) -> None:
        """Keep the item before an unwelcome word if it was complete."""
        if self.is_settled(accepts):
            self.anchor = self.previous = None
            self.recent.clear()

    def drop_item(self) -> None:
        """Forget the field or declaration header being read."""
        self._stack = self._dropped()
        if self.anchor is not None:
            height = self.anchor.offset
            while self.opened and self.opened[-1].word.start >= height:
                self.opened.pop()
        self.anchor = None
        self.recent.clear()

    def _dropped(self) -> list[Any]:
        return list(self._stack if self.anchor is None else self._stack[: self.anchor.height])

    def _begins_item(self, word: Word) -> bool:
        if self.inner not in ("", "LBRACE"):
            return False
        row = self._states[self._stack[-1]]
        in_body = "RBRACE" in row and "NAME" in row
        on_top = END in row or len(self.top_keywords & row.keys()) > 1  # `extern` takes but one
        return (in_body or on_top) and (word.kind in self.words or word.kind in ("NAME", "HEADER"))

    def _fed(self, stack: list[Any] | None, kind: str) -> list[Any] | None:
        """Return the stack after a terminal, or None where it may not stand."""
        if stack is None:
            return None
        stack = stack[:]
        while True:
            step = self._states[stack[-1]].get(kind)
            if step is None:
                return None
            action, argument = step
            if action is Shift:
                stack.append(argument)
                return stack
            if argument.expansion:
                del stack[-len(argument.expansion) :]
            stack.append(self._states[stack[-1]][argument.origin.name][1])
            if kind == END and stack[-1] == self._end:
                return stack


_BLANKED = re.compile(r"[^\n]")


def blank(text: str) -> str:
    """Return as many blanks as there are characters, line breaks kept."""
    return _BLANKED.sub(" ", text)
