"""A text into the end of what is surely right in it, by regular expressions made from the grammar.

Sound, not complete: whatever they take, the grammar takes too, token for token, because every
group is atomic and tries the terminals in the lexer's order. A test holds them against Lark.
"""

import re
from functools import cache

from lark import Lark

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
        step, override = self._block("step"), self._block("override")
        plan_phase = self._block("phase", override)
        simple = "module|object|template|coalition|tenant|claim"
        head = rf"extern{_END}{_BLANKS}object{_END}{_BLANKS}(?>{self._name}|{patterns['STRING']})"
        extern = (
            rf"{head}{_BLANKS}(?>{self._body()}"
            rf"|(?=(?:{simple}|extern|phase|on|plan){_END}|\Z))"
        )
        declarations = (
            self._block(simple),
            self._block("phase", step, override),
            self._block("on", override),
            self._block("plan", override, plan_phase),
            extern,
        )
        # The last of a run is left: what follows it may show that its brace was wrong.
        another = rf"(?=(?:{simple}|extern|phase|on|plan){_END})"
        self._declarations = _many(rf"(?>{'|'.join(declarations)}){another}")
        self._elements = _many(rf"{value}{_BLANKS},{_BLANKS}")
        self._fields = re.compile(rf"(?:{self._field}(?={self._name}{_BLANKS}=))*+", re.ASCII)
        self._inside = {
            "PHASE": self._blocks(step, override),
            "ON": self._blocks(override),
            "PLAN": self._blocks(override, plan_phase),
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

    def _block(self, keywords: str, *blocks: str) -> str:
        name = rf"(?>{self._name}|{self._patterns['STRING']})"
        head = rf"(?:{keywords}){_END}{_BLANKS}{name}{_BLANKS}"
        return rf"{head}{self._body(*blocks)}{_BLANKS}"

    def _blocks(self, *blocks: str) -> re.Pattern[str]:
        another = rf"(?=(?:step|override){_END}|{self._name}{_BLANKS}=)"
        return _many(rf"(?:{self._field})*+(?>{'|'.join(blocks)}){another}")


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
