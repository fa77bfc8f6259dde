"""A name at a cursor into the places where it is declared and used."""

from collections.abc import Iterable

from mirc.diagnostics import Span
from mirc.lsp.symbols import Symbols, symbol_at


def definition(symbols: Symbols, offset: int) -> tuple[Span, ...]:
    """Return where the name at an offset is declared; all parts of a family, nothing if nowhere."""
    symbol = symbol_at(symbols.analysis.cursor(offset))
    if symbol is None:
        return ()
    return tuple(
        symbols.analysis.name_span(block)
        for meant in symbols.meant(symbol)
        for block in symbols.declarations.get(meant, ())
    )


def references(symbols: Symbols, offset: int, *, declarations: bool) -> tuple[Span, ...]:
    """Return every place that names what the name at an offset means.

    Of a part, also where its family is named; of a family, also where its parts are.
    """
    symbol = symbol_at(symbols.analysis.cursor(offset))
    if symbol is None:
        return ()
    uses = symbols.concerning(symbol)
    return in_order(symbols.span(use) for use in uses if declarations or not use.declares)


def highlights(symbols: Symbols, offset: int) -> tuple[tuple[Span, bool], ...]:
    """Return every place of the very name at an offset, and whether it declares it."""
    symbol = symbol_at(symbols.analysis.cursor(offset))
    if symbol is None:
        return ()
    found = {symbols.span(use): use.declares for use in symbols.uses.get(symbol, ())}
    return tuple(sorted(found.items()))


def in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in the order of the text, each once."""
    return tuple(sorted(dict.fromkeys(spans)))
