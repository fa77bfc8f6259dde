"""Files and what would make their findings go into changed files, or a diff."""

from collections.abc import Callable, Iterable, Iterator

import attrs
import click

from mirc.cli.attempts import Attempts
from mirc.cli.check_report import Report, note
from mirc.cli.output import STDOUT, write_text
from mirc.cli.replace import replace
from mirc.diagnostics import Findings, Source
from mirc.diagnostics.excerpt import safe
from mirc.diagnostics.patch import coloured, unified
from mirc.diagnostics.words import counted
from mirc.lint.fixing import Fixed
from mirc.lint.sources import STDIN

Change = Callable[[Source], Fixed]

_REFUSED_SHOWN = 20  # fixes not made that are named for one file


@attrs.frozen
class Changed:
    """One file: the name it is read by, its text before, and what came out."""

    name: str
    before: Source
    after: Fixed

    @property
    def differs(self) -> bool:
        """Whether there is anything to write."""
        return self.before.text != self.after.source.text


def changed(sources: Iterable[tuple[str, Source]], change: Change) -> Iterator[Changed]:
    """Yield each file, given with the name it is read by, and what a change makes of it."""
    for name, source in sources:
        yield Changed(name, source, change(source))


def write(outcomes: Iterable[Changed], report: Report, verb: str, attempts: Attempts) -> int:
    """Write the files that differ, report what is left, and return the exit code.

    The new text of standard input is printed, changed or not; the report then goes to standard
    error, unless it has a file of its own. A file that cannot be written is no part of it.
    """
    done: list[Changed] = []
    for outcome in outcomes:
        with attempts.one():
            if outcome.name == STDIN:
                write_text(STDOUT, outcome.after.source.text)
            elif outcome.differs:
                replace(outcome.name, outcome.before, outcome.after.source.text)
            done.append(outcome)
    if not done:
        return attempts.exit_code(0)
    findings = Findings(tuple(outcome.after.findings for outcome in done))
    if report.file == STDOUT and any(outcome.name == STDIN for outcome in done):
        click.echo(attrs.evolve(report, coloured=False).text(findings), nl=False, err=True)
    else:
        report.write(findings)
    _note_refused(done)
    note(_sentence(done, verb), findings)
    return attempts.exit_code(findings.exit_code)


def show(outcomes: Iterable[Changed], report: Report, attempts: Attempts) -> int:
    """Print what would change as a unified diff, and return 1 if there is anything."""
    done = tuple(outcomes)
    if not done:
        return attempts.exit_code(0)
    diffs = [
        unified(outcome.before.name, outcome.before.text, outcome.after.source.text)
        for outcome in done
    ]
    paint = coloured if report.coloured and report.file == STDOUT else str
    write_text(report.file, paint("".join(diffs)))
    _note_refused(done)
    note(_sentence(list(done), "would fix"))
    return attempts.exit_code(int(any(diffs)))


def _note_refused(done: Iterable[Changed]) -> None:
    """Say which fixes were not made, and why."""
    for outcome in done:
        refused = outcome.after.refused
        for line in refused[:_REFUSED_SHOWN]:
            note(safe(line))
        if len(refused) > _REFUSED_SHOWN:
            more = len(refused) - _REFUSED_SHOWN
            note(f"{safe(outcome.before.name)}: {counted(more, 'more fix', 'more fixes')} not made")
        if outcome.after.stopped:
            note(
                f"{safe(outcome.before.name)}: stopped before all fixes were tried: there is too "
                "much to judge"
            )


def _sentence(done: list[Changed], verb: str) -> str:
    count = sum(outcome.after.count for outcome in done)
    files = sum(outcome.differs for outcome in done)
    if not files:
        return "nothing to change"
    return f"{verb} {counted(count, 'finding')} in {counted(files, 'file')}"
