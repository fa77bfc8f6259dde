"""The grammar file as a Lark parser whose reductions build declarations."""

from functools import cache
from importlib.resources import files

from lark import Lark
from lark.common import LexerConf
from lark.lexer import BasicLexer

from mirc.grammar.builder import Builder


class _ProvenLexer(BasicLexer):
    """Lark's basic lexer without its start-up search for colliding terminals.

    That search costs as much as all the rest of ``mirc check`` wherever interegular is installed;
    a test makes it once, with ``strict=True``.
    """

    __future_interface__ = 2

    def __init__(self, conf: LexerConf) -> None:
        conf.skip_validation = True
        super().__init__(conf)


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
    return Lark(
        text,
        parser="lalr",
        lexer=_ProvenLexer,
        transformer=Builder(),
        maybe_placeholders=False,
        start=start,
    )
