"""Files and what would make their findings go into changed files, or a diff."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import attrs
import click

from mirc.cli.check_report import Report, note
from mirc.cli.output import STDOUT, write_text
from mirc.diagnostics import CouldNotRun, Findings, Source
from mirc.diagnostics.patch import unified
from mirc.lint.fixing import Fixed
from mirc.lint.sources import STDIN, read

Change = Callable[[Source], Fixed]


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


def changed(names: Iterable[str], change: Change, stdin_name: str) -> Iterator[Changed]:
    """Yield each file with what a change makes of it."""
    for name in names:
        source = read(name, stdin_name)
        yield Changed(name, source, change(source))


def write(outcomes: Iterable[Changed], report: Report, verb: str) -> int:
    """Write the files that differ, report what is left, and return the exit code.

    The new text of standard input is printed, changed or not; the report then goes to standard
    error, unless it has a file of its own.
    """
    done: list[Changed] = []
    for outcome in outcomes:
        if outcome.name == STDIN:
            click.echo(outcome.after.source.text, nl=False)
        elif outcome.differs:
            _replace(outcome)
        done.append(outcome)
    findings = Findings(tuple(outcome.after.findings for outcome in done))
    if report.file == STDOUT and any(outcome.name == STDIN for outcome in done):
        click.echo(attrs.evolve(report, coloured=False).text(findings), nl=False, err=True)
    else:
        report.write(findings)
    note(_sentence(done, verb), findings)
    return findings.exit_code


def show(outcomes: Iterable[Changed], report: Report) -> int:
    """Print what would change as a unified diff, and return 1 if there is anything."""
    done = tuple(outcomes)
    diffs = [
        unified(outcome.before.name, outcome.before.text, outcome.after.source.text)
        for outcome in done
    ]
    write_text(report.file, "".join(diffs))
    note(_sentence(list(done), "would fix"))
    return int(any(diffs))


def _sentence(done: list[Changed], verb: str) -> str:
    count = sum(outcome.after.count for outcome in done)
    files = sum(outcome.differs for outcome in done)
    if not files:
        return "nothing to change"
    return f"{verb} {_counted(count, 'finding')} in {_counted(files, 'file')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _replace(outcome: Changed) -> None:
    """Write a file anew, its byte order mark kept, unless someone else has changed it since."""
    if read(outcome.name).text != outcome.before.text:
        raise CouldNotRun(
            f"`{outcome.name}` was changed while it was checked", "run the command again"
        )
    with Path(outcome.name).open("rb") as file:
        mark = "\ufeff" if file.read(3) == b"\xef\xbb\xbf" else ""
    write_text(outcome.name, mark + outcome.after.source.text)
