"""The grammar file as a Lark parser whose reductions build declarations."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from lark import Lark, lexer

from mirc.grammar.builder import Builder

# Repeated groups keep what they matched: a number of a million digits costs no memory, and no
# terminal here matches more or less for it. (The grammar's own checks cannot read `)*+`.)
_TERMINAL = re.compile(r"^[A-Z.0-9-]+: /.*/$", re.MULTILINE)


@cache
def lark(start: tuple[str, ...] = ("start",)) -> Lark:
    """Return the parser of whole texts: LALR, basic lexer, building ``mirc.ir`` declarations.

    Importing Lark costs more than all the rest of a small check, so only errors and the writer of
    ``tables.py`` come here.
    """
    text = files("mirc.grammar").joinpath("mir.lark").read_text(encoding="utf-8")
    text = _TERMINAL.sub(lambda match: match[0].replace(")*", ")*+"), text)
    with _terminals_proven():
        return Lark(
            text,
            parser="lalr",
            lexer="basic",
            transformer=Builder(),
            maybe_placeholders=False,
            start=list(start),
        )


@contextmanager
def _terminals_proven() -> Iterator[None]:
    """Let Lark not search for colliding terminals, neither in ours nor in its own grammar.

    Wherever interegular is installed that search costs as much as all the rest of ``mirc check``;
    a test makes it once, with ``strict=True``.
    """
    found = lexer.has_interegular
    lexer.has_interegular = False
    try:
        yield
    finally:
        lexer.has_interegular = found
