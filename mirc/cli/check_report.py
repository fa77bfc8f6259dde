"""Findings into the form that was asked for, and to where it was asked for."""

import os
from collections.abc import Callable

import attrs
import click

import mirc
from mirc.cli.output import STDOUT, write_text
from mirc.diagnostics.findings import Findings

TEXT_FORMS = ("full", "concise")
FORMS = (*TEXT_FORMS, "json", "sarif", "github", "gitlab", "junit")


@attrs.frozen
class Report:
    """How findings are to be printed; ``file`` ``-`` is standard output."""

    form: str = "full"
    file: str = STDOUT
    statistics: bool = False
    coloured: bool = False

    def write(self, findings: Findings) -> None:
        """Write the report, and the table of a GitHub job's summary if there is such a job."""
        write_text(self.file, self.text(findings))
        summary = os.environ.get("GITHUB_STEP_SUMMARY") if self.form == "github" else None
        if summary:
            _append_summary(findings, summary)

    def text(self, findings: Findings) -> str:
        """Return the report."""
        if self.statistics:
            from mirc.diagnostics import render, statistics  # noqa: PLC0415 - start-up

            return statistics.table(findings) + render.summary(findings) + "\n"
        if self.form in TEXT_FORMS:
            from mirc.diagnostics import render  # noqa: PLC0415 - start-up

            palette = render.COLOUR if self.coloured and self.file == STDOUT else render.PLAIN
            return (render.full if self.form == "full" else render.concise)(findings, palette)
        return _FORMS[self.form](findings)


def note(message: str, findings: Findings | None = None) -> None:
    """Say something beside the report, on standard error; and what a baseline no longer needs."""
    if message:
        click.echo(message, err=True)
    for file in findings.files if findings is not None else ():
        for entry in file.stale:
            click.echo(f"note: no longer in {file.source.name}: {entry}", err=True)
    if findings is not None and any(file.stale for file in findings.files):
        click.echo("help: shrink the baseline with `mirc check --write-baseline`", err=True)


# Each form is imported only when it is asked for: a plain check starts without them.
def _json(findings: Findings) -> str:
    from mirc.diagnostics import json_form  # noqa: PLC0415

    return json_form.as_text(findings, version=mirc.__version__)


def _sarif(findings: Findings) -> str:
    from mirc.cli.check_root import repository  # noqa: PLC0415
    from mirc.diagnostics import sarif  # noqa: PLC0415
    from mirc.lint.registry import ALL_RULES  # noqa: PLC0415

    return sarif.as_text(findings, ALL_RULES, version=mirc.__version__, root=repository())


def _github(findings: Findings) -> str:
    from mirc.cli.check_root import repository  # noqa: PLC0415
    from mirc.diagnostics import github  # noqa: PLC0415

    return github.as_text(findings, root=repository())


def _gitlab(findings: Findings) -> str:
    from mirc.cli.check_root import repository  # noqa: PLC0415
    from mirc.diagnostics import gitlab  # noqa: PLC0415

    return gitlab.as_text(findings, root=repository())


def _junit(findings: Findings) -> str:
    from mirc.cli.check_root import repository  # noqa: PLC0415
    from mirc.diagnostics import junit  # noqa: PLC0415

    return junit.as_text(findings, root=repository())


_FORMS: dict[str, Callable[[Findings], str]] = {
    "json": _json,
    "sarif": _sarif,
    "github": _github,
    "gitlab": _gitlab,
    "junit": _junit,
}


def _append_summary(findings: Findings, path: str) -> None:
    from mirc.cli.check_root import repository  # noqa: PLC0415 - only in a job at GitHub
    from mirc.diagnostics import github  # noqa: PLC0415

    table = github.summary(findings, root=repository())
    with open(path, "ab") as file:  # noqa: PTH123 - other steps append to it as well
        file.write(table.encode("utf-8", "backslashreplace"))
