"""What ``mirc check`` was asked for into what it does, and an exit code."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from mirc.cli.attempts import Attempts
from mirc.cli.check_report import Report, note
from mirc.cli.output import spare_inputs
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.model import Source
from mirc.lint.project import Project
from mirc.lint.sources import files, read

if TYPE_CHECKING:
    from mirc.cli.check_change import Changed

_MANY = 20  # files from which on it may take long enough to show how far it is


@attrs.frozen
class Run:
    """One run over some paths. What a run seldom does is imported by the method that does it."""

    paths: tuple[str, ...]
    project: Project
    report: Report
    stdin_name: str
    attempts: Attempts = attrs.field(factory=Attempts, init=False)

    def plainly(self) -> int:
        """Report what is wrong; return the exit code."""
        findings = Findings(tuple(self._checked(self.project.check)))
        if findings.files:
            self.report.write(findings)
        note("", findings)
        return self.attempts.exit_code(findings.exit_code)

    def fix(self) -> int:
        """Put right what can be and report what is left; return the exit code."""
        from mirc.cli.check_change import write  # noqa: PLC0415

        return write(self._fixed(), self.report, "fixed", self.attempts)

    def diff(self) -> int:
        """Print what ``fix`` would change; return 1 if there is anything, else 0."""
        from mirc.cli.check_change import show  # noqa: PLC0415

        return show(self._fixed(), self.report, self.attempts)

    def add_ignores(self, reason: str) -> int:
        """Write ignores for what is found and report what is left; return the exit code."""
        from mirc.cli.check_change import changed, write  # noqa: PLC0415
        from mirc.lint.add_ignores import with_ignores  # noqa: PLC0415

        judge = self.project.check
        outcomes = changed(self._own(), lambda source: with_ignores(source, judge, reason))
        return write(outcomes, self.report, "ignored", self.attempts)

    def write_baseline(self, path: str) -> int:
        """Write what is found as a baseline and report what cannot stand in one.

        Returns 1 if there are syntax errors, else 0. Nothing is written if a file cannot be read:
        its old findings would come back as new.
        """
        from mirc.cli.output import check_writable, write_text  # noqa: PLC0415
        from mirc.lint import baseline  # noqa: PLC0415

        check_writable(path)
        found = Findings(tuple(self._checked(self.project.check_all, path)))
        if self.attempts.failed:
            return self.attempts.exit_code(0)
        write_text(path, baseline.as_text(found, path))
        left = baseline.outside(found)
        if left.exit_code:
            self.report.write(left)
        total = sum(found.counts.values()) - sum(left.counts.values())
        note(f"wrote {total} finding{'s' * (total != 1)} into {path}")
        return left.exit_code

    def watch(self) -> int:
        """Report after every change, until interrupted."""
        from mirc.cli.check_watch import watch  # noqa: PLC0415

        def text() -> str:
            self.project.forget()
            return self.report.text(Findings(tuple(self._checked(self.project.check))))

        watch(self.paths, text)
        return 0

    def _fixed(self) -> Iterator["Changed"]:
        from mirc.cli.check_change import changed  # noqa: PLC0415
        from mirc.lint.fixing import fixed  # noqa: PLC0415

        judge, witness = self.project.check, self.project.witness
        return changed(self._own(), lambda source: fixed(source, judge, witness))

    def _own(self) -> Iterator[tuple[str, Source]]:
        """Read the files that may be written."""
        from mirc.cli.replace import replaceable  # noqa: PLC0415

        return self._read(replaceable(self.paths))

    def _checked(
        self, judge: Callable[[Source], FileFindings], *written: str
    ) -> Iterator[FileFindings]:
        return (judge(source) for _, source in self._read(files(self.paths), *written))

    def _read(self, names: tuple[str, ...], *written: str) -> Iterator[tuple[str, Source]]:
        """Read files that can be read; raises ``CouldNotRun`` if an output would replace one."""
        spare_inputs((self.report.file, *written), names)
        for name in self._shown(names):
            source = None
            with self.attempts.one():
                source = read(name, self.stdin_name)
            if source is not None:
                yield name, source

    def _shown(self, names: tuple[str, ...]) -> Iterator[str]:
        if len(names) < _MANY:
            return iter(names)
        # Start-up: a few files are checked before anyone would see how far it is.
        from mirc.cli.progress import shown  # noqa: PLC0415

        return shown(names, len(names))
