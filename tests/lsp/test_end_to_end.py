"""The server as an editor meets it: a process, driven over its pipes by a client."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "mirc", "lsp", "--stdio"])
TEXT = """mir 1.0

object layers.0.w {
  class           = WEIGHT_TILE
  size_bytes      = 134_217_728
  preferred_tiers = [HBM]
}

phase decode {
  step s0 { reads = [layers.0.w] }
  override layers.0.w { preferred_tiers = [DRAM] }
}
"""


@pytest_lsp.fixture(config=SERVER, scope="module", loop_scope="module")  # type: ignore[untyped-decorator]
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities("visual_studio_code@1.65.2"), workspace_folders=[]
        )
    )
    yield
    await lsp_client.shutdown_session()
    server = lsp_client._server  # noqa: SLF001 - its exit code is what is tested
    assert server is not None
    assert server.returncode == 0


async def judged(client: LanguageClient) -> None:
    """Wait for the next findings; a server that is gone must not stop the suite."""
    seen = client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    await asyncio.wait_for(seen, timeout=20)


async def opened(client: LanguageClient, name: str, text: str) -> str:
    """Open a text that is on no disk; return its address once its findings are there."""
    address = f"file:///nowhere/{name}.mir"
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(
            types.TextDocumentItem(address, "memory-intent", version=1, text=text)
        )
    )
    await judged(client)
    return address


async def changed(client: LanguageClient, address: str, text: str, version: int = 2) -> None:
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, address),
            [types.TextDocumentContentChangeWholeDocument(text)],
        )
    )
    await judged(client)


def place(text: str, marked: str) -> types.Position:
    """Return the place of the ``|`` in a part of the text, in UTF-16 units."""
    offset = text.index(marked.replace("|", "")) + marked.index("|")
    before = text[:offset]
    column = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
    return types.Position(before.count("\n"), column)


def cut(text: str, span: types.Range) -> str:
    """Return the characters of a range, read in UTF-16 units."""
    lines = [line.encode("utf-16-le") for line in text.splitlines(keepends=True)] + [b""]
    if span.start.line == span.end.line:
        part = lines[span.start.line][2 * span.start.character : 2 * span.end.character]
    else:
        part = lines[span.start.line][2 * span.start.character :]
        part += b"".join(lines[span.start.line + 1 : span.end.line])
        part += lines[span.end.line][: 2 * span.end.character]
    return part.decode("utf-16-le")


def edited(text: str, edits: list[types.TextEdit]) -> str:
    """Apply edits from the last to the first."""
    units = text.encode("utf-16-le")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode("utf-16-le")))
    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[::-1]:
        start = starts[edit.range.start.line] + 2 * edit.range.start.character
        end = starts[edit.range.end.line] + 2 * edit.range.end.character
        units = units[:start] + edit.new_text.encode("utf-16-le") + units[end:]
    return units.decode("utf-16-le")


def position_params(address: str, where: types.Position) -> dict[str, object]:
    return {"text_document": types.TextDocumentIdentifier(address), "position": where}


async def test_a_finding_is_shown_where_it_is_and_goes_when_it_is_corrected(
    client: LanguageClient,
) -> None:
    wrong = TEXT.replace("[layers.0.w]", "[layers.1.w]")
    address = await opened(client, "finding", wrong)
    (found,) = [d for d in client.diagnostics[address] if d.severity == 1]
    assert cut(wrong, found.range) == "layers.1.w"
    assert str(found.code).startswith("MIR")
    await changed(client, address, TEXT)
    assert [d for d in client.diagnostics[address] if d.severity == 1] == []


async def test_a_closed_text_has_no_findings(client: LanguageClient) -> None:
    address = await opened(client, "closed", "mir 1.0\nobject w { class = NOTHING }\n")
    assert client.diagnostics[address]
    client.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(address))
    )
    await judged(client)
    assert list(client.diagnostics[address]) == []
    hover = types.HoverParams(types.TextDocumentIdentifier(address), types.Position(1, 1))
    assert await client.text_document_hover_async(hover) is None


async def test_hover_explains_a_key_and_a_word(client: LanguageClient) -> None:
    address = await opened(client, "hover", TEXT)
    for marked, said in (("pre|ferred_tiers = [HBM]", "tier"), ("WEIGHT|_TILE", "read-only")):
        where = place(TEXT, marked)
        hover = await client.text_document_hover_async(
            types.HoverParams(types.TextDocumentIdentifier(address), where)
        )
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert said in hover.contents.value


async def test_completion_after_equals_offers_the_words_of_the_key(client: LanguageClient) -> None:
    text = "mir 1.0\n\nobject w {\n  deadline_class = \n}\n"
    address = await opened(client, "completion", text)
    found = await client.text_document_completion_async(
        types.CompletionParams(types.TextDocumentIdentifier(address), place(text, "class = |"))
    )
    assert isinstance(found, types.CompletionList)
    assert "HARD" in [item.label for item in found.items]
    item = next(item for item in found.items if item.label == "HARD")
    assert isinstance(item.text_edit, types.TextEdit)
    assert "deadline_class = HARD\n" in edited(text, [item.text_edit])


async def test_definition_references_and_highlights_find_every_place(
    client: LanguageClient,
) -> None:
    address = await opened(client, "references", TEXT)
    document = types.TextDocumentIdentifier(address)
    where = place(TEXT, "[lay|ers.0.w]")
    (defined,) = await client.text_document_definition_async(  # type: ignore[misc]
        types.DefinitionParams(document, where)
    )
    assert isinstance(defined, types.Location)
    assert (defined.range.start.line, cut(TEXT, defined.range)) == (2, "layers.0.w")
    used = await client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(include_declaration=True), document, where)
    )
    assert [each.range.start.line for each in used or []] == [2, 9, 10]
    lit = await client.text_document_document_highlight_async(
        types.DocumentHighlightParams(document, where)
    )
    assert len(lit or []) == 3


async def test_a_rename_reaches_every_use_and_leaves_no_finding(client: LanguageClient) -> None:
    address = await opened(client, "rename", TEXT)
    document = types.TextDocumentIdentifier(address)
    where = place(TEXT, "override lay|ers.0.w")
    ready = await client.text_document_prepare_rename_async(
        types.PrepareRenameParams(document, where)
    )
    assert isinstance(ready, types.PrepareRenamePlaceholder)
    assert ready.placeholder == "layers.0.w"
    change = await client.text_document_rename_async(types.RenameParams(document, where, "a name"))
    assert change is not None
    assert change.changes is not None
    after = edited(TEXT, list(change.changes[address]))
    assert after == TEXT.replace("layers.0.w", '"a name"')
    await changed(client, address, after)
    assert [d for d in client.diagnostics[address] if d.severity == 1] == []


async def test_a_refused_rename_says_why_and_the_server_goes_on(client: LanguageClient) -> None:
    address = await opened(client, "refused", TEXT)
    document = types.TextDocumentIdentifier(address)
    with pytest.raises(Exception, match="at least one character"):
        await client.text_document_rename_async(
            types.RenameParams(document, place(TEXT, "object lay|ers"), "  ")
        )
    assert await client.text_document_folding_range_async(types.FoldingRangeParams(document))


async def test_what_an_editor_must_not_send_does_not_end_the_session(
    client: LanguageClient,
) -> None:
    never_opened = types.VersionedTextDocumentIdentifier(7, "file:///nowhere/never.mir")
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            never_opened, [types.TextDocumentContentChangeWholeDocument("x")]
        )
    )
    address = await opened(client, "far", TEXT)
    for where in (types.Position(10**6, 0), types.Position(3, 10**6)):
        far = types.HoverParams(types.TextDocumentIdentifier(address), where)
        assert await client.text_document_hover_async(far) is None or where.line == 3


async def test_while_a_long_text_is_typed_the_last_version_is_what_is_judged(
    client: LanguageClient,
) -> None:
    # Long enough that judging waits for the typing to rest, on all but the fastest machines.
    body = "".join(f"object w{i} {{ class = INPUT size_bytes = {i} }}\n" for i in range(1_500))
    address = await opened(client, "long", f"mir 1.0\n{body}")
    for version, last in ((2, "class = INPU"), (3, "class = INPUT siz = 3")):
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, address),
                [
                    types.TextDocumentContentChangeWholeDocument(
                        f"mir 1.0\n{body}object v {{ {last} }}"
                    )
                ],
            )
        )
    seen: list[types.PublishDiagnosticsParams] = []
    while not seen or seen[-1].version != 3:
        waited = client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        seen.append(await asyncio.wait_for(waited, timeout=20))
    assert "siz" in " ".join(d.message for d in seen[-1].diagnostics)


async def test_the_outline_nests_steps_in_phases(client: LanguageClient) -> None:
    address = await opened(client, "outline", TEXT)
    found = await client.text_document_document_symbol_async(
        types.DocumentSymbolParams(types.TextDocumentIdentifier(address))
    )
    assert found is not None
    assert [each.name for each in found] == ["layers.0.w", "decode"]
    phase = found[1]
    assert isinstance(phase, types.DocumentSymbol)
    assert [each.name for each in phase.children or []] == ["s0", "layers.0.w"]


async def test_a_fix_applied_removes_its_finding(client: LanguageClient) -> None:
    text = TEXT.replace("class           = WEIGHT_TILE", "class           : WEIGHT_TILE")
    address = await opened(client, "fix", text)
    (found,) = client.diagnostics[address]
    acts = await client.text_document_code_action_async(
        types.CodeActionParams(
            types.TextDocumentIdentifier(address),
            found.range,
            types.CodeActionContext([found], only=[types.CodeActionKind.QuickFix]),
        )
    )
    assert acts
    act = acts[0]
    assert isinstance(act, types.CodeAction)
    assert act.edit is not None
    assert act.edit.changes is not None
    after = edited(text, list(act.edit.changes[address]))
    assert after == TEXT
    await changed(client, address, after)
    assert found.code not in [d.code for d in client.diagnostics[address]]


async def test_all_fixes_at_once_are_offered_to_those_who_ask(client: LanguageClient) -> None:
    text = TEXT.replace("class           =", "class           :").replace("reads =", "reads :")
    address = await opened(client, "fix-all", text)
    (act,) = (
        await client.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier(address),
                types.Range(types.Position(0, 0), types.Position(0, 0)),
                types.CodeActionContext([], only=[types.CodeActionKind.SourceFixAll]),
            )
        )
        or []
    )
    assert isinstance(act, types.CodeAction)
    assert act.edit is not None
    assert act.edit.changes is not None
    assert edited(text, list(act.edit.changes[address])) == TEXT


async def test_a_light_bulb_is_offered_quick_fixes_alone(client: LanguageClient) -> None:
    text = TEXT.replace("class           =", "class           :").replace("reads =", "reads :")
    address = await opened(client, "bulb", text)
    acts = await client.text_document_code_action_async(
        types.CodeActionParams(
            types.TextDocumentIdentifier(address),
            types.Range(types.Position(0, 0), types.Position(len(text.splitlines()), 0)),
            types.CodeActionContext([]),
        )
    )
    kinds = [act.kind for act in acts or [] if isinstance(act, types.CodeAction)]
    assert kinds
    assert set(kinds) == {types.CodeActionKind.QuickFix}


async def test_a_client_that_asks_for_findings_gets_those_that_were_sent(
    client: LanguageClient,
) -> None:
    address = await opened(client, "pull", TEXT.replace("[layers.0.w]", "[layers.1.w]"))
    report = await client.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(address))
    )
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert [d.message for d in report.items] == [d.message for d in client.diagnostics[address]]


async def test_formatting_aligns_and_is_done_once(client: LanguageClient) -> None:
    text = 'mir 1.0\n\nobject w {\n  class = INPUT\n  size_bytes   =1KiB // "é"\n}\n'
    address = await opened(client, "format", text)
    params = types.DocumentFormattingParams(
        types.TextDocumentIdentifier(address), types.FormattingOptions(2, insert_spaces=True)
    )
    after = edited(text, list(await client.text_document_formatting_async(params) or []))
    assert "  class      = INPUT\n  size_bytes = 1KiB" in after
    await changed(client, address, after)
    assert not await client.text_document_formatting_async(params)


async def test_an_override_shows_what_it_takes_the_place_of(client: LanguageClient) -> None:
    address = await opened(client, "hints", TEXT)
    found = await client.text_document_inlay_hint_async(
        types.InlayHintParams(
            types.TextDocumentIdentifier(address),
            types.Range(types.Position(0, 0), types.Position(99, 0)),
        )
    )
    labels = [hint.label for hint in found or []]
    assert "was [HBM]" in labels
    assert "= 128MiB" in labels


@pytest.mark.parametrize("before", ["é", "→", "🙂", "a\u0301"])  # 1, 1, 2 and 2 units of UTF-16
async def test_columns_count_in_utf_16_units(client: LanguageClient, before: str) -> None:
    text = f'mir 1.0\n\nmodule m {{ producer = "{before}" model = 3 }} // {before}\n'
    address = await opened(client, "columns", text)
    (found,) = client.diagnostics[address]
    assert cut(text, found.range) == "3"
    hover = await client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(address), place(text, "mod|el = 3"))
    )
    assert hover is not None
    assert hover.range is not None
    assert cut(text, hover.range) == "model"


async def test_settings_beside_a_file_hold_for_it_unsaved(
    client: LanguageClient, tmp_path: Path
) -> None:
    (tmp_path / "mirc.toml").write_text('ignore = ["ALL"]\n', "utf-8")
    address = (tmp_path / "unsaved.mir").as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(
            types.TextDocumentItem(
                address, "memory-intent", 1, "mir 1.0\nobject w { class = INPUT }\n"
            )
        )
    )
    await judged(client)
    assert list(client.diagnostics[address]) == []
