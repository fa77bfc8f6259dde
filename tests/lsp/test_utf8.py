"""A client that counts columns in bytes, and asks for findings instead of being sent them."""

import sys
from collections.abc import AsyncIterator

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "mirc", "lsp"])
TEXT = 'mir 1.0\nmodule m { producer = "é→🙂" model = 3 }\n'


@pytest_lsp.fixture(config=SERVER, scope="module", loop_scope="module")  # type: ignore[untyped-decorator]
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(
                general=types.GeneralClientCapabilities(
                    position_encodings=[
                        types.PositionEncodingKind.Utf8,
                        types.PositionEncodingKind.Utf16,
                    ]
                ),
                text_document=types.TextDocumentClientCapabilities(
                    diagnostic=types.DiagnosticClientCapabilities()
                ),
            )
        )
    )
    yield
    await lsp_client.shutdown_session()


async def test_columns_count_in_bytes_where_that_was_agreed_on(client: LanguageClient) -> None:
    address = "file:///nowhere/utf8.mir"
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(address, "memory-intent", 1, TEXT))
    )
    report = await client.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(address))
    )
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    (found,) = report.items
    line = TEXT.splitlines()[1].encode()
    assert line[found.range.start.character : found.range.end.character] == b"3"
    assert client.diagnostics == {}
