"""What stands at a cursor into Markdown that explains it."""

import re

import attrs

from mirc.diagnostics import Span
from mirc.explain import Explanation, Meaning, Subject, as_markdown, word
from mirc.grammar.literals import read_scalar
from mirc.grammar.shown import shown
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.types import Int, RefKind, Word
from mirc.lsp.cursor import Cursor, Expects
from mirc.lsp.described import described
from mirc.lsp.expected import types_at
from mirc.lsp.symbols import Symbols, symbol_at
from mirc.lsp.words import Shape

_RULE = re.compile(r"[A-Za-z][A-Za-z0-9-]+")
_VALUES = (Subject.CLASS, Subject.WORD, Subject.CALL, Subject.UNIT)
_WHOLE = re.compile(r"[0-9](?:_?[0-9])*")


@attrs.frozen
class Hover:
    """Markdown, and the characters it is about."""

    span: Span
    markdown: str


def hover(symbols: Symbols, offset: int) -> Hover | None:
    """Explain the key, keyword, word, quantity, rule or name at an offset."""
    cursor = symbols.analysis.cursor(offset)
    at = cursor.word
    if at is None:
        return None
    if at.shape is Shape.COMMENT:
        return _in_comment(at.text, at.span.start, offset)
    markdown = _said(symbols, cursor, at.text)
    return Hover(at.span, markdown) if markdown else None


def _in_comment(text: str, start: int, offset: int) -> Hover | None:
    """Explain a rule that an ignore names."""
    if "mirc:" not in text:
        return None
    for found in _RULE.finditer(text):
        if start + found.start() <= offset <= start + found.end():
            markdown = _meanings(found[0], (Subject.RULE,))
            span = Span(start + found.start(), start + found.end())
            return Hover(span, markdown) if markdown else None
    return None


def _said(symbols: Symbols, cursor: Cursor, text: str) -> str | None:
    if cursor.word is not None and cursor.word.declares:
        return _meanings(text, (Subject.KEYWORD,))
    symbol = symbol_at(cursor)
    if symbol is not None and symbol.kind is not RefKind.MACHINE:
        found = described(symbols, symbol, cursor.frames)
        if found is not None:
            return found
    match cursor.expects:
        case Expects.KEY:
            return _meanings(text, (Subject.KEY,))
        case Expects.NAME if cursor.keyword == "on":
            return _meanings(text, (Subject.SIGNAL,))
        case Expects.VALUE:
            return _value(cursor, cursor.word.name if cursor.word is not None else text)
        case _:
            return None


def _value(cursor: Cursor, text: str) -> str | None:
    spec = FIELD_BY_KEY.get(cursor.key or "")
    if spec is None:
        return None
    kinds = types_at(spec.type, cursor.path)
    if _WHOLE.fullmatch(text):
        unit = next((kind for kind in kinds if kind.unit), None)
        number = read_scalar("INT", text)
        if unit is None or not isinstance(number, int):
            return None
        said = shown(attrs.evolve(spec, type=unit), number)
        return f"`{text}` {spec.unit or ''} = `{said}`" if said != text else None
    if all(isinstance(kind, Int) for kind in kinds):
        return None
    nouns = [kind.noun for kind in kinds if isinstance(kind, Word)]
    return _meanings(text, _VALUES, nouns)


def _meanings(
    text: str, subjects: tuple[Subject, ...], nouns: list[str] | None = None
) -> str | None:
    """Explain what a word means here: of several lists that have it, the one that counts."""
    found = word(text)
    if found is None:
        return None
    fitting = [m for m in found.meanings if m.subject in subjects]
    close = [m for m in fitting if nouns and m.noun in nouns]
    kept: tuple[Meaning, ...] = tuple(close or fitting)
    return as_markdown(Explanation(found.word, kept)) if kept else None
