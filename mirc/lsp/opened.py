"""Texts as an editor has them open into their analyses and findings, one of each version."""

import attrs

from mirc.diagnostics import CouldNotRun, FileFindings, Source
from mirc.lint.check import check_source
from mirc.lint.fixing import Judge
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
    _told: dict[str, str] = attrs.field(factory=dict)  # what troubles each text, by its name

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
        opened = self._opened.pop(address, None)
        if opened is not None:
            self._told.pop(opened.analysis.source.name, None)

    def addresses(self) -> tuple[str, ...]:
        """Return what is open, in the order in which it was opened."""
        return tuple(self._opened)

    def findings(self, opened: Opened) -> FileFindings:
        """Return what check says of a text, from memory if it was asked before."""
        if opened.findings is None:
            opened.findings = self.judge(opened.analysis.source)
        return opened.findings

    def judge(self, source: Source) -> FileFindings:
        """Return what check says of a text.

        Settings that cannot be read are a trouble, kept once until it ends or becomes another.
        """
        return self._judged(source, self.project.check)

    def witness(self, source: Source) -> FileFindings:
        """Return what every usual rule says of a text, wanted or not; troubles as in ``judge``."""
        return self._judged(source, self.project.witness)

    def _judged(self, source: Source, judge: Judge) -> FileFindings:
        try:
            found = judge(source)
        except CouldNotRun as trouble:
            if trouble.message not in self._told.values():
                self.troubles.append(trouble)
            self._told[source.name] = trouble.message
            return check_source(source)
        self._told.pop(source.name, None)
        return found

    def forget(self) -> None:
        """Read settings anew, and judge every text again."""
        self.project.forget()
        for opened in self._opened.values():
            opened.findings = None
