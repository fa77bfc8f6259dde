"""Texts as an editor has them open into their analyses and findings, one of each version."""

import attrs

from mirc.diagnostics import CouldNotRun, FileFindings, Source
from mirc.lint.check import check_source
from mirc.lint.project import Project
from mirc.lsp.analysis import Analysis
from mirc.lsp.positions import Encoding
from mirc.lsp.symbols import Symbols


@attrs.define
class Opened:
    """One version of one open text, and what has been found out about it so far."""

    symbols: Symbols
    version: int | None
    findings: FileFindings | None = None

    @property
    def analysis(self) -> Analysis:
        """The text, as it was read."""
        return self.symbols.analysis


@attrs.define
class Texts:
    """The open texts by address. Settings are those of each text's folder, saved or not."""

    encoding: Encoding = Encoding.UTF16
    project: Project = attrs.field(factory=Project)
    troubles: list[CouldNotRun] = attrs.field(factory=list)
    _opened: dict[str, Opened] = attrs.field(factory=dict)

    def put(self, address: str, name: str, text: str, version: int | None) -> None:
        """Take a text in, or its next version; ``name`` is its path, or what stands for one."""
        # A surrogate without its other half has no place in a file: editors cannot save it either.
        self._opened[address] = Opened(
            Symbols(Analysis(Source(name, text), self.encoding)), version
        )

    def get(self, address: str) -> Opened | None:
        """Return the present version; None for what is not open."""
        return self._opened.get(address)

    def remove(self, address: str) -> None:
        """Forget a text."""
        self._opened.pop(address, None)

    def addresses(self) -> tuple[str, ...]:
        """Return what is open, in the order in which it was opened."""
        return tuple(self._opened)

    def findings(self, opened: Opened) -> FileFindings:
        """Return what check says of a text, from memory if it was asked before."""
        if opened.findings is None:
            opened.findings = self.judge(opened.analysis.source)
        return opened.findings

    def judge(self, source: Source) -> FileFindings:
        """Return what check says of a text; settings that cannot be read are kept as a trouble."""
        try:
            return self.project.check(source)
        except CouldNotRun as trouble:
            self.troubles.append(trouble)
            return check_source(source)

    def forget(self) -> None:
        """Read settings anew, and judge every text again."""
        self.project.forget()
        for opened in self._opened.values():
            opened.findings = None
