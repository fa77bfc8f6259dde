"""A .mir text into Pygments tokens, for documentation and terminals."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.lexer import words as any_of
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from mirc.grammar.vocabulary import BLOCKS, PROTECTION, calls, keys, terminal, words

_NAME = terminal("NAME")
_BEFORE = r"(?<![A-Za-z0-9_.])"
_AFTER = r"(?![A-Za-z0-9_.\[])"
_parts: Callable[..., Any] = bygroups  # Pygments' own has no types
_BLANK = r"([ \t\r\n]*)"
_FIRST_LINE = re.compile(r"\ufeff?(?:\s|//[^\n]*\n)*mir[ \t]+1\.[0-9]")


class MirLexer(RegexLexer):
    """For Memory Intent IR; ``.mir`` files of LLVM begin otherwise."""

    name = "Memory Intent IR"
    aliases: ClassVar = ["memory-intent", "mir"]
    filenames: ClassVar = ["*.mir"]
    mimetypes: ClassVar = ["text/x-memory-intent"]
    flags = re.MULTILINE
    tokens: ClassVar = {
        "root": [
            (r"\ufeff", Whitespace),
            (r"[ \t\r\n]+", Whitespace),
            (r"//[^\n]*", Comment.Single),
            (r"(mir)([ \t]+)([0-9]+\.[0-9]+)" + _AFTER, _parts(Keyword, Whitespace, Number)),
            (
                rf"{_BEFORE}(override){_AFTER}{_BLANK}({_NAME})",
                _parts(Keyword.Declaration, Whitespace, Name),
            ),
            (
                rf"{_BEFORE}(?!extern)({'|'.join(BLOCKS)}){_AFTER}{_BLANK}({_NAME})",
                _parts(Keyword.Declaration, Whitespace, Name.Class),
            ),
            (any_of(BLOCKS, _BEFORE, _AFTER), Keyword.Declaration),
            (any_of(keys(), _BEFORE, r"(?=[ \t\r\n]*=)"), Name.Attribute),
            (rf"{_NAME}(?=[ \t\r\n]*=)", Name.Property),
            (any_of(calls(), _BEFORE, r"(?=[ \t\r\n]*\()"), Name.Builtin),
            (rf"{_NAME}(?=[ \t\r\n]*\()", Name.Function),
            (any_of(("true", "false"), _BEFORE, _AFTER), Keyword.Constant),
            (any_of(words(), _BEFORE, _AFTER), Name.Constant),
            (_BEFORE + PROTECTION + _AFTER, Name.Constant),
            (terminal("STRING"), String.Double),
            (_NAME, Name),
            (terminal("TIME"), Number),
            (terminal("SIZE"), Number),
            (terminal("FLOAT"), Number.Float),
            (terminal("INT"), Number.Integer),
            (r"[=@]", Operator),
            (r"[][(){},]", Punctuation),
        ]
    }

    @staticmethod
    def analyse_text(text: str) -> float:
        """Say how sure it is that a text is of this language, from 0 to 1."""
        return 1.0 if _FIRST_LINE.match(text) else 0.0
