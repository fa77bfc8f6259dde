"""The grammar file as a Lark parser whose reductions build declarations."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from lark import Lark, lexer

from mirc.grammar.builder import Builder


@cache
def lark() -> Lark:
    """Return the parser of whole texts: LALR, basic lexer, building ``mirc.ir`` declarations."""
    return _made("start")


@cache
def line_lark() -> Lark:
    """Return the parser of one physical line."""
    return _made("line")


def _made(start: str) -> Lark:
    text = files("mirc.grammar").joinpath("mir.lark").read_text(encoding="utf-8")
    with _terminals_proven():
        return Lark(
            text,
            parser="lalr",
            lexer="basic",
            transformer=Builder(),
            maybe_placeholders=False,
            start=start,
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
