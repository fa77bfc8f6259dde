"""A name at a cursor and a new name into the edits that rename it wherever it is meant."""

import re

import attrs

from mirc.diagnostics import Edit, Span
from mirc.grammar.literals import print_name, print_string, read_string
from mirc.ir.types import RefKind
from mirc.lsp.cursor import Cursor, span_of
from mirc.lsp.symbols import Symbol, Symbols, Use, symbol_at

_QUOTED = re.compile(r'"(?:[^"\\\r\n]|\\(?:["\\nrt]|u[0-9A-Fa-f]{4}))*"')
_LONGEST = 1_000  # characters


class CannotRename(Exception):  # noqa: N818 - read as a sentence: raise CannotRename
    """Why a name cannot be changed, in a sentence for the person who asked."""


@attrs.frozen(slots=True)
class Renamable:
    """The characters of a name that a rename replaces, and what they spell."""

    span: Span
    text: str


def renamable(symbols: Symbols, offset: int) -> Renamable | None:
    """Return what at an offset can be renamed: of a part ``P[3]`` the family's name ``P``."""
    cursor = symbols.analysis.cursor(offset)
    symbol = _symbol(symbols, cursor)
    if symbol is None or cursor.word is None:
        return None
    span = span_of(cursor.word)
    left_out = len(symbol.name) - len(symbol.family)
    return Renamable(Span(span.start, span.end - left_out), symbol.family)


def rename(symbols: Symbols, offset: int, new: str) -> tuple[Edit, ...]:
    """Return the edits that give the name at an offset a new one everywhere.

    All parts of a family are renamed together, and keep their brackets, unless the new name has
    other brackets: then that one part is. What does not lex bare is quoted. Raises
    ``CannotRename``.
    """
    symbol = _symbol(symbols, symbols.analysis.cursor(offset))
    if symbol is None:
        raise CannotRename("there is no name to rename here")
    if symbols.analysis.document.diagnostics:
        raise CannotRename("correct the syntax errors first: uses could be overlooked")
    wanted = Symbol(symbol.kind, _read(new))
    names = _renamed(symbols, symbol, wanted)
    _refuse_taken(symbols, symbol, names)
    edits = [
        Edit(symbols.span(use), _spelled(symbols, use, name))
        for old, name in names.items()
        for use in symbols.uses[old]
    ]
    return tuple(sorted(dict.fromkeys(edits), key=lambda edit: edit.span))


def _symbol(symbols: Symbols, cursor: Cursor) -> Symbol | None:
    symbol = symbol_at(cursor)
    if symbol is None or not _declared(symbols, symbol):
        return None
    return symbol


def _declared(symbols: Symbols, symbol: Symbol) -> bool:
    return any(meant in symbols.declarations for meant in symbols.meant(symbol))


def _read(new: str) -> str:
    text = new.strip()
    if _QUOTED.fullmatch(text):
        text = read_string(text)
    if not text:
        raise CannotRename("a name needs at least one character")
    if len(text) > _LONGEST:
        raise CannotRename(f"a name has at most {_LONGEST:,} characters here")
    return text


def _renamed(symbols: Symbols, symbol: Symbol, wanted: Symbol) -> dict[Symbol, str]:
    """Return the new name of each name that changes."""
    brackets = wanted.name[len(wanted.family) :]
    if symbol.kind is not RefKind.DATA or (
        brackets and brackets != symbol.name[len(symbol.family) :]
    ):
        if symbol not in symbols.declarations:
            raise CannotRename(f"`{symbol.name}` is a family: give a name without brackets")
        relatives = symbols.relatives.get(symbol.family, ())
        whole = next((s for s in relatives if s not in symbols.declarations), None)
        if wanted.family != symbol.family and whole is not None:
            raise CannotRename(
                f"it would leave the family `{whole.name}`, which is used as a whole"
            )
        return {symbol: wanted.name}
    return {
        other: wanted.family + other.name[len(symbol.family) :]
        for other in symbols.relatives[symbol.family]
    }


def _refuse_taken(symbols: Symbols, symbol: Symbol, names: dict[Symbol, str]) -> None:
    for old, name in names.items():
        other = Symbol(symbol.kind, name)
        if other in symbols.declarations and other not in names and other != old:
            raise CannotRename(f"`{name}` is declared already")
    if symbol.kind is RefKind.DATA:
        family = Symbol(symbol.kind, next(iter(names.values()))).family
        if family != symbol.family and family in symbols.relatives:
            raise CannotRename(
                f"`{family}` is a name already, and its parts would become one with it"
            )


def _spelled(symbols: Symbols, use: Use, name: str) -> str:
    """Write a name as the author wrote it, with quotes or without, where both can be."""
    span = symbols.span(use)
    quoted = symbols.analysis.document.text[span.start] == '"'
    return print_string(name) if quoted else print_name(name)
