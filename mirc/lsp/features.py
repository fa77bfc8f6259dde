"""Requests of the protocol into calls of the features, and their answers back."""

from collections.abc import Callable
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

import mirc
from mirc.diagnostics import Edit
from mirc.grammar.format import formatted
from mirc.grammar.load import MirRejected
from mirc.lsp import actions, complete, convert, hints, hover, navigate, outline, rename
from mirc.lsp.changes import edits_between
from mirc.lsp.opened import Opened
from mirc.lsp.server import Server

Handler = TypeVar("Handler", bound=Callable[..., Any])
_FIX_ALL = "source.fixAll.mirc"
_FEATURES: list[tuple[str, Any, Callable[..., Any]]] = []


def _feature(method: str, options: Any = None) -> Callable[[Handler], Handler]:
    """Note a handler; each server registers all of them."""

    def noted(handler: Handler) -> Handler:
        _FEATURES.append((method, options, handler))
        return handler

    return noted


def server() -> Server:
    """Return a server that knows every feature; ``start_io`` runs it."""
    made = Server(mirc.__version__)
    for method, options, handler in _FEATURES:
        made.feature(method, options)(handler)
    return made


@_feature(types.INITIALIZED)
def initialized(ls: Server, _: types.InitializedParams) -> None:
    """Begin the session."""
    ls.begin()


@_feature(types.SHUTDOWN)
def shutdown(ls: Server, _: None) -> None:
    """Note that the client said goodbye."""
    ls.was_shut_down = True


@_feature(types.TEXT_DOCUMENT_DID_OPEN)
def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Take a text in."""
    document = params.text_document
    ls.begin()
    ls.take(document.uri, document.text, document.version)


@_feature(types.TEXT_DOCUMENT_DID_CHANGE)
def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Take the next version of a text in."""
    uri = params.text_document.uri
    ls.take(uri, ls.workspace.get_text_document(uri).source, params.text_document.version)


@_feature(types.TEXT_DOCUMENT_DID_SAVE)
def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    """Judge a saved text again: settings beside it may be new."""
    del params
    ls.judge_all()


@_feature(types.TEXT_DOCUMENT_DID_CLOSE)
def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Forget a text."""
    ls.forget(params.text_document.uri)


@_feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def did_change_watched_files(ls: Server, _: types.DidChangeWatchedFilesParams) -> None:
    """Judge all texts again: settings have changed."""
    ls.judge_all()


@_feature(
    types.TEXT_DOCUMENT_DIAGNOSTIC,
    types.DiagnosticOptions(
        inter_file_dependencies=False, workspace_diagnostics=False, identifier="mirc"
    ),
)
def diagnostic(
    ls: Server, params: types.DocumentDiagnosticParams
) -> types.RelatedFullDocumentDiagnosticReport:
    """Return the findings of a text."""
    uri = params.text_document.uri
    opened = ls.texts.get(uri)
    return types.RelatedFullDocumentDiagnosticReport(
        items=ls.diagnostics(uri, opened) if opened is not None else []
    )


def _at(ls: Server, params: Any) -> tuple[Opened, int] | None:
    """Return the text and the offset that a request is about; None where nothing is open."""
    opened = ls.texts.get(params.text_document.uri)
    if opened is None:
        return None
    return opened, convert.offset_of(opened.analysis.lines, params.position)


@_feature(types.TEXT_DOCUMENT_HOVER)
def hovered(ls: Server, params: types.HoverParams) -> types.Hover | None:
    """Explain what stands at a position."""
    at = _at(ls, params)
    found = hover.hover(at[0].symbols, at[1]) if at else None
    if at is None or found is None:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, found.markdown)
    return types.Hover(content, convert.extent(at[0].analysis.lines, found.span))


@_feature(
    types.TEXT_DOCUMENT_COMPLETION,
    types.CompletionOptions(trigger_characters=["=", " ", "[", "(", ",", ".", '"', "@"]),
)
def completed(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
    """Return what may be written at a position."""
    at = _at(ls, params)
    if at is None:
        return None
    found = complete.completion(at[0].symbols, at[1])
    return convert.completion_list(at[0].analysis.lines, found, snippets=ls.snippets)


@_feature(types.TEXT_DOCUMENT_DEFINITION)
def defined(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
    """Return where the name at a position is declared."""
    at = _at(ls, params)
    spans = navigate.definition(at[0].symbols, at[1]) if at else ()
    return [_location(params.text_document.uri, at[0], span) for span in spans] if at else []


@_feature(types.TEXT_DOCUMENT_REFERENCES)
def referred(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
    """Return where the name at a position is used."""
    at = _at(ls, params)
    if at is None:
        return []
    declarations = params.context.include_declaration
    spans = navigate.references(at[0].symbols, at[1], declarations=declarations)
    return [_location(params.text_document.uri, at[0], span) for span in spans]


@_feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
def highlighted(ls: Server, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
    """Return the other places of the name at a position."""
    at = _at(ls, params)
    if at is None:
        return []
    lines = at[0].analysis.lines
    kinds = {True: types.DocumentHighlightKind.Write, False: types.DocumentHighlightKind.Read}
    return [
        types.DocumentHighlight(convert.extent(lines, span), kinds[declares])
        for span, declares in navigate.highlights(at[0].symbols, at[1])
    ]


@_feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
def rename_prepared(
    ls: Server, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    """Return which characters at a position a rename replaces."""
    at = _at(ls, params)
    found = rename.renamable(at[0].symbols, at[1]) if at else None
    if at is None or found is None:
        return None
    return types.PrepareRenamePlaceholder(
        convert.extent(at[0].analysis.lines, found.span), found.text
    )


@_feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
def renamed(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """Return the edits that rename what stands at a position."""
    at = _at(ls, params)
    if at is None:
        return None
    try:
        edits = rename.rename(at[0].symbols, at[1], params.new_name)
    except rename.CannotRename as refusal:
        raise JsonRpcInvalidParams(str(refusal)) from None
    return _workspace_edit(params.text_document.uri, at[0], edits)


@_feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def symbols(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """Return the outline."""
    opened = ls.texts.get(params.text_document.uri)
    if opened is None:
        return []
    lines = opened.analysis.lines
    return [convert.document_symbol(lines, entry) for entry in outline.outline(opened.analysis)]


@_feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
def folded(ls: Server, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """Return what can be folded."""
    opened = ls.texts.get(params.text_document.uri)
    if opened is None:
        return []
    return [convert.folding_range(fold) for fold in outline.folds(opened.analysis)]


@_feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, _FIX_ALL]),
)
def acted(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the fixes of what was found in a range, or of the whole text.

    That of the whole text judges it again and again: it is made when it is asked for by its kind,
    never for the light bulb, which every move of the cursor asks for.
    """
    uri = params.text_document.uri
    opened = ls.texts.get(uri)
    if opened is None:
        return []
    found = []
    lines = opened.analysis.lines
    findings = ls.texts.findings(opened)
    if not params.context.only or _asked(params, types.CodeActionKind.QuickFix):
        found += [
            _action(uri, opened, action, types.CodeActionKind.QuickFix)
            for action in actions.quick_fixes(findings, convert.span_of(lines, params.range))
        ]
    if _asked(params, _FIX_ALL) and any(d.fix for d in findings.diagnostics):
        every = actions.fix_all(opened.analysis.source, ls.texts.judge, ls.texts.witness)
        if every is not None:
            found.append(_action(uri, opened, every, _FIX_ALL))
    return found


def _asked(params: types.CodeActionParams, kind: str) -> bool:
    """Whether a kind of action was asked for, by itself or by a kind that it belongs to."""
    # Known kinds are members of an enum, whose text is not their value.
    asked = [str.__str__(each) for each in params.context.only or ()]
    return any(f"{str.__str__(kind)}.".startswith(f"{each}.") for each in asked)


def _action(uri: str, opened: Opened, action: actions.Action, kind: str) -> types.CodeAction:
    lines = opened.analysis.lines
    return types.CodeAction(
        title=action.title,
        kind=kind,
        diagnostics=[convert.diagnostic(lines, uri, each) for each in action.removes] or None,
        is_preferred=len(action.removes) == 1,
        edit=_workspace_edit(uri, opened, action.edits),
    )


@_feature(types.TEXT_DOCUMENT_FORMATTING)
def formatting(ls: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    """Return the edits that lay the text out; none where its syntax is wrong."""
    opened = ls.texts.get(params.text_document.uri)
    if opened is None:
        return None
    source = opened.analysis.source
    try:
        edits = edits_between(source.text, formatted(source))
    except MirRejected:
        return None
    return convert.text_edits(opened.analysis.lines, edits)


@_feature(types.TEXT_DOCUMENT_INLAY_HINT)
def hinted(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Return what the lines in view leave unsaid."""
    opened = ls.texts.get(params.text_document.uri)
    if opened is None:
        return []
    lines = opened.analysis.lines
    return [
        types.InlayHint(
            convert.position(lines, hint.offset),
            hint.label,
            tooltip=hint.about,
            padding_left=True,
        )
        for hint in hints.hints(opened.analysis, convert.span_of(lines, params.range))
    ]


def _location(uri: str, opened: Opened, span: Any) -> types.Location:
    return types.Location(uri, convert.extent(opened.analysis.lines, span))


def _workspace_edit(uri: str, opened: Opened, edits: tuple[Edit, ...]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(changes={uri: convert.text_edits(opened.analysis.lines, edits)})
