"""What the features return into the protocol's types."""

from collections.abc import Iterable

from lsprotocol import types

from mirc.diagnostics import Diagnostic, Edit, Severity, Span
from mirc.lsp.complete import Completion, Item, ItemKind
from mirc.lsp.outline import Entry, Fold
from mirc.lsp.positions import Lines, Place

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.HINT: types.DiagnosticSeverity.Information,
}
_ITEMS = {
    ItemKind.KEYWORD: types.CompletionItemKind.Keyword,
    ItemKind.KEY: types.CompletionItemKind.Property,
    ItemKind.WORD: types.CompletionItemKind.EnumMember,
    ItemKind.CALL: types.CompletionItemKind.Function,
    ItemKind.NAME: types.CompletionItemKind.Reference,
    ItemKind.UNIT: types.CompletionItemKind.Unit,
}
_SYMBOLS = {
    "module": types.SymbolKind.Module,
    "object": types.SymbolKind.Variable,
    "extern object": types.SymbolKind.Interface,
    "template": types.SymbolKind.Class,
    "coalition": types.SymbolKind.Array,
    "tenant": types.SymbolKind.Namespace,
    "claim": types.SymbolKind.Key,
    "phase": types.SymbolKind.Function,
    "step": types.SymbolKind.Method,
    "override": types.SymbolKind.Property,
    "signal": types.SymbolKind.Event,
    "plan": types.SymbolKind.Package,
}


def offset_of(lines: Lines, position: types.Position) -> int:
    """Return the offset of an editor's position."""
    return lines.offset(Place(position.line, position.character))


def span_of(lines: Lines, span: types.Range) -> Span:
    """Return the offsets of an editor's range."""
    return Span(offset_of(lines, span.start), offset_of(lines, span.end))


def position(lines: Lines, offset: int) -> types.Position:
    """Return an offset as a position."""
    place = lines.place(offset)
    return types.Position(place.line, place.column)


def extent(lines: Lines, span: Span) -> types.Range:
    """Return a span as a range."""
    return types.Range(position(lines, span.start), position(lines, span.end))


def text_edits(lines: Lines, edits: Iterable[Edit]) -> list[types.TextEdit]:
    """Return edits as the editor makes them."""
    return [types.TextEdit(extent(lines, edit.span), edit.text) for edit in edits]


def diagnostic(lines: Lines, address: str, found: Diagnostic) -> types.Diagnostic:
    """Return a finding, its hint below its sentence."""
    unused = found.rule.name.startswith("unused-")
    return types.Diagnostic(
        range=extent(lines, found.span),
        message=found.message + (f"\nhelp: {found.hint}" if found.hint else ""),
        severity=_SEVERITIES[found.rule.severity],
        code=found.rule.code,
        source="mirc",
        tags=[types.DiagnosticTag.Unnecessary] if unused else None,
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(address, extent(lines, related.span)), related.message
            )
            for related in found.related
        ]
        or None,
        data=found.rule.name,
    )


def completion_list(lines: Lines, found: Completion, *, snippets: bool) -> types.CompletionList:
    """Return items with the edits that write them."""
    span = extent(lines, found.span)
    quoted = lines.text[found.span.start : found.span.start + 1] == '"'
    items = [_item(item, span, snippets=snippets, quoted=quoted) for item in found.items]
    return types.CompletionList(is_incomplete=found.more, items=items)


def _item(item: Item, span: types.Range, *, snippets: bool, quoted: bool) -> types.CompletionItem:
    snippet = item.snippet if snippets else None
    return types.CompletionItem(
        label=item.label,
        kind=_ITEMS[item.kind],
        detail=item.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, item.about)
        if item.about
        else None,
        sort_text=f"{item.order}",
        filter_text=f'"{item.label}"' if quoted else None,
        insert_text_format=types.InsertTextFormat.Snippet
        if snippet
        else types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(span, snippet or item.text),
    )


def document_symbol(lines: Lines, entry: Entry) -> types.DocumentSymbol:
    """Return a block of the outline and the blocks in it."""
    return types.DocumentSymbol(
        name=entry.name or entry.noun,  # an empty name is an error to editors
        kind=_SYMBOLS[entry.noun],
        range=extent(lines, entry.span),
        selection_range=extent(lines, entry.name_span),
        detail=entry.detail or None,
        children=[document_symbol(lines, inner) for inner in entry.inner] or None,
    )


def folding_range(fold: Fold) -> types.FoldingRange:
    """Return lines that fold."""
    kind = types.FoldingRangeKind.Comment if fold.comment else types.FoldingRangeKind.Region
    return types.FoldingRange(start_line=fold.first, end_line=fold.last, kind=kind)
