"""A text with errors into where reading may go on: the next field, block or declaration."""

import re
from collections.abc import Iterator

from mirc.grammar.automaton import CHARACTER, END, Automaton, Word
from mirc.grammar.words import end_of_noise

VIEW = 2_000  # characters of a line that are looked at around a place

_EQUALS = re.compile(r"[ \t]*[=:]")


class Landmarks:
    """What stands out in a text, found without reading it word by word."""

    def __init__(self, text: str, automaton: Automaton) -> None:
        self.text = text
        words = {automaton.words[kind]: kind for kind in automaton.keywords}
        self._top = frozenset(automaton.words[kind] for kind in automaton.top_keywords)
        self._only_on_top = self._top - {automaton.words[k] for k in automaton.body_keywords}
        self._pattern = re.compile(
            r'"(?:[^"\\\n]|\\[^\n])*+"|"[^\n]*|//[^\n]*'
            r"|(?P<brace>[{}])"
            rf"|(?<![\w.\]])(?P<keyword>{'|'.join(sorted(words))})(?![\w.\[])"
            r"|(?<![\w.\]])(?P<key>[A-Za-z_][\w.]*+)(?=[ \t]*[=:])"
        )

    def next_item(self, word: Word, *, inside: bool) -> int:
        """Return where the next field, block, closing brace or declaration begins after a word.

        ``inside`` says whether fields may stand there.
        """
        if word.kind == END:
            return word.start
        braces = 0
        for mark in self._marks(self._behind(word)):
            kind, start = mark.lastgroup, mark.start()
            fresh = kind == "keyword" and self.first_on_line(start)
            if fresh and self._opens_declaration(mark):
                return start
            if braces == 0 and inside and (fresh or kind == "key" or mark[0] == "}"):
                return start
            if braces == 0 and fresh and mark[0] in self._top:
                return start
            if kind == "brace":
                braces = max(0, braces + (1 if mark[0] == "{" else -1))
        return len(self.text)

    def block_end(self, word: Word) -> int:
        """Return where the block ends in whose head a word stands, with all its braces."""
        braces = 0
        for mark in self._marks(word.start):
            fresh = mark.lastgroup == "keyword" and self.first_on_line(mark.start())
            if fresh and mark.start() > word.start and self._opens_declaration(mark):
                return mark.start()
            if mark.lastgroup == "brace":
                braces += 1 if mark[0] == "{" else -1
                if braces < 0:
                    return mark.start()
                if braces == 0:
                    return mark.end()
        return len(self.text)

    def first_on_line(self, offset: int) -> bool:
        """Whether only blanks stand before an offset on its line."""
        start = self.text.rfind("\n", max(0, offset - VIEW), offset) + 1
        return not self.text[start:offset].strip() if start or offset <= VIEW else False

    def _marks(self, offset: int) -> Iterator[re.Match[str]]:
        return (mark for mark in self._pattern.finditer(self.text, offset) if mark.lastgroup)

    def _behind(self, word: Word) -> int:
        return end_of_noise(self.text, word.start) if word.kind == CHARACTER else word.end

    def _opens_declaration(self, mark: re.Match[str]) -> bool:
        return mark[0] in self._only_on_top and not _EQUALS.match(self.text, mark.end())
