"""Messages of an editor into texts, findings and answers."""

import asyncio
import time
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from mirc.lsp import convert
from mirc.lsp.opened import Opened, Texts
from mirc.lsp.positions import Encoding

MOST = 1_000  # findings shown of one text
_QUICK = 0.03  # seconds; what is judged within them is judged at every key press
_PATIENCE = 3.0  # times the last judging took: how long typing must rest before the next
_LONGEST = 2.0  # seconds that are ever waited


class Server(LanguageServer):
    """The state of one session: what is open, and what is to be judged when typing rests."""

    def __init__(self, version: str) -> None:
        # Whole texts: with partial ones both sides must agree on what ends a line, and they do not.
        super().__init__("mirc", version, types.TextDocumentSyncKind.Full)
        self.texts = Texts()
        self.was_shut_down = False
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._took: dict[str, float] = {}

    def begin(self) -> None:
        """Take over what the client and this server have agreed on."""
        agreed = types.PositionEncodingKind(self.workspace.position_encoding or Encoding.UTF16)
        self.texts.encoding = Encoding(agreed.value)

    @property
    def _pushes(self) -> bool:
        """Whether findings are sent unasked; a client that asks would show them twice."""
        document = self.client_capabilities.text_document
        return document is None or document.diagnostic is None

    @property
    def snippets(self) -> bool:
        """Whether the client can fill in snippets."""
        document = self.client_capabilities.text_document
        completion = document.completion if document is not None else None
        item = completion.completion_item if completion is not None else None
        return bool(item is not None and item.snippet_support)

    def take(self, address: str, text: str, version: int | None) -> None:
        """Take in a version of a text, and see that it is judged."""
        self.texts.put(address, to_fs_path(address) or address, text, version)
        self.judge_soon(address)

    def forget(self, address: str) -> None:
        """Let go of a closed text and clear its findings."""
        self._cancel(address)
        self._took.pop(address, None)
        self.texts.remove(address)
        if self._pushes:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(address, []))

    def judge_soon(self, address: str) -> None:
        """Judge a text now if that is quick, else when typing rests; asking clients are left to."""
        if not self._pushes:
            return
        self._cancel(address)
        took = self._took.get(address, 0.0)
        if took < _QUICK:
            self._judge(address)
            return
        delay = min(_LONGEST, took * _PATIENCE)
        loop = asyncio.get_running_loop()
        self._waiting[address] = loop.call_later(delay, self._judge, address)

    def judge_all(self) -> None:
        """Judge every open text again: settings have changed."""
        self.texts.forget()
        for address in self.texts.addresses():
            self.judge_soon(address)
        workspace = self.client_capabilities.workspace
        diagnostics = workspace.diagnostics if workspace is not None else None
        if not self._pushes and diagnostics is not None and diagnostics.refresh_support:
            self.workspace_diagnostic_refresh(None)

    def diagnostics(self, address: str, opened: Opened) -> list[types.Diagnostic]:
        """Return the findings of a text, the first thousand."""
        lines = opened.analysis.lines
        found = self.texts.findings(opened).diagnostics[:MOST]
        for trouble in self.texts.troubles:
            message = f"mirc: {trouble.message}"
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
        self.texts.troubles.clear()
        return [convert.diagnostic(lines, address, each) for each in found]

    def _judge(self, address: str) -> None:
        self._waiting.pop(address, None)
        opened = self.texts.get(address)
        if opened is None:
            return
        begun = time.perf_counter()
        try:
            found = self.diagnostics(address, opened)
        except Exception as error:  # noqa: BLE001 - of a bug in a rule, the editor must not suffer
            self._report(error)
            return
        self._took[address] = time.perf_counter() - begun
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(address, found, opened.version)
        )

    def _report(self, error: Exception) -> None:
        message = f"this is a bug in mirc: {type(error).__name__}: {error}"[:500]
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong in a handler; the session goes on. A refusal is an answer."""
        del source
        if isinstance(error, JsonRpcInternalError) or not isinstance(error, JsonRpcException):
            self._report(error)

    def _cancel(self, address: str) -> None:
        waiting = self._waiting.pop(address, None)
        if waiting is not None:
            waiting.cancel()
