"""A text into the end of what is surely right in it, by regular expressions made from the grammar.

Sound, not complete: whatever they take, the grammar takes too, token for token, because every
group is atomic and tries the terminals in the lexer's order. Which block stands in which comes from
the tables; the shape of a field, a value and ``extern`` is said here again. A test holds all that
against Lark.
"""

import re
from functools import cache

from lark import Lark

from mirc.grammar.tables import BODIES, WORDS

_LEVELS = 3  # lists and calls within each other; what nests deeper is read word by word
_BLANKS = r"(?:[ \t\r\n]+|//[^\n]*)*+"


class Clean:
    """The patterns of one grammar: whole declarations, and whole blocks within a block."""

    def __init__(self, lark: Lark) -> None:
        patterns = {t.name: t.pattern.to_regexp() for t in lark.terminals}
        words = [text for text in patterns.values() if text.isalpha()]
        self._name = rf"(?!(?:{'|'.join(words)})(?![A-Za-z0-9_.\[]))(?>{patterns['NAME']})"
        self._patterns = patterns
        value = self._value(_LEVELS)
        confidence = rf"(?:{_BLANKS}@{_BLANKS}(?>{patterns['FLOAT']}|{patterns['INT']}))?+"
        self._field = rf"{self._name}{_BLANKS}={_BLANKS}{value}{confidence}{_BLANKS}"
        head = rf"extern{_END}{_BLANKS}object{_END}{_BLANKS}(?>{self._name}|{patterns['STRING']})"
        declaration = rf"(?:{'|'.join((*BODIES[0], 'extern'))}){_END}"
        extern = rf"{head}{_BLANKS}(?>{self._body()}|(?={declaration}|\Z))"
        declarations = (*self._blocks_in(0), extern)
        # The last of a run is left: what follows it may show that its brace was wrong.
        self._declarations = _many(rf"(?>{'|'.join(declarations)})(?={declaration})")
        self._elements = _many(rf"{value}{_BLANKS},{_BLANKS}")
        self._fields = re.compile(rf"(?:{self._field}(?={self._name}{_BLANKS}=))*+", re.ASCII)
        self._inside = {
            WORDS[word]: self._run(self._blocks_in(body))
            for word, (body, _) in BODIES[0].items()
            if BODIES[body]
        }

    def declarations_end(self, text: str, offset: int) -> int:
        """Return where the last begins of a run of right declarations from an offset on."""
        return _end(self._declarations, text, offset)

    def blocks_end(self, keyword: str, text: str, offset: int) -> int:
        """Return where the last begins of a run of fields and whole blocks within a block."""
        pattern = self._inside.get(keyword)
        return offset if pattern is None else _end(pattern, text, offset)

    def elements_end(self, text: str, offset: int) -> int:
        """Return where the run of values with their commas ends, after a comma in a list."""
        return _end(self._elements, text, offset)

    def fields_end(self, text: str, offset: int) -> int:
        """Return where the last field begins of a run that begins at an offset."""
        return _end(self._fields, text, offset)

    def _value(self, levels: int) -> str:
        terminals = [self._patterns[kind] for kind in ("SIZE", "TIME", "FLOAT", "INT", "STRING")]
        name, brackets = self._name, ""
        if levels:
            inner = rf"{self._value(levels - 1)}{_BLANKS}"
            items = rf"{_BLANKS}(?:{inner}(?:,{_BLANKS}|(?=[\])])))*+"
            name += rf"(?:{_BLANKS}\({items}\))?+"
            brackets = rf"|\[{items}\]"
        flags = rf"(?:true|false){_END}"
        return rf"(?>{name}|{flags}|{'|'.join(terminals)}{brackets})"

    def _body(self, *blocks: str) -> str:
        return rf"\{{{_BLANKS}(?>{'|'.join((*blocks, self._field))})*+\}}"

    def _blocks_in(self, body: int) -> tuple[str, ...]:
        """Return the patterns of the blocks that may stand in a body: those without any as one."""
        opened = {word: self._blocks_in(inside) for word, (inside, _) in BODIES[body].items()}
        plain = "|".join(word for word, blocks in opened.items() if not blocks)
        nested = (self._block(word, *blocks) for word, blocks in opened.items() if blocks)
        return (*((self._block(plain),) if plain else ()), *nested)

    def _block(self, keywords: str, *blocks: str) -> str:
        name = rf"(?>{self._name}|{self._patterns['STRING']})"
        head = rf"(?:{keywords}){_END}{_BLANKS}{name}{_BLANKS}"
        return rf"{head}{self._body(*blocks)}{_BLANKS}"

    def _run(self, blocks: tuple[str, ...]) -> re.Pattern[str]:
        another = rf"(?=(?:{'|'.join(_INNER)}){_END}|{self._name}{_BLANKS}=)"
        return _many(rf"(?:{self._field})*+(?>{'|'.join(blocks)}){another}")


# Keywords that begin no declaration: where one follows, the block around it goes on.
_INNER = sorted({word for body in BODIES for word in body} - BODIES[0].keys())
_END = r"(?![A-Za-z0-9_.\[])"  # of a keyword


def _many(*alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{_BLANKS}(?>{'|'.join(alternatives)}))*+", re.ASCII)


def _end(pattern: re.Pattern[str], text: str, offset: int) -> int:
    match = pattern.match(text, offset)
    return match.end() if match is not None else offset


@cache
def clean(lark: Lark) -> Clean:
    """Return the patterns of a grammar, made once."""
    return Clean(lark)
