"""Findings into the form that was asked for, and to where it was asked for."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import attrs
import click

import mirc
from mirc.cli.output import STDOUT, write_text
from mirc.diagnostics.findings import Findings

TEXT_FORMS = ("full", "concise")
# Each form for machines: its module in mirc.diagnostics, imported only when it is asked for, and
# what that wants to know beside the findings.
_MACHINE_FORMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "json": ("json_form", ("version",)),
    "sarif": ("sarif", ("rules", "version", "root")),
    "github": ("github", ("root",)),
    "gitlab": ("gitlab", ("root",)),
    "junit": ("junit", ("root",)),
}
FORMS = (*TEXT_FORMS, *_MACHINE_FORMS)


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
        module, wanted = _MACHINE_FORMS[self.form]
        form = import_module(f"mirc.diagnostics.{module}")
        return str(form.as_text(findings, **{name: _KNOWN[name]() for name in wanted}))


def note(message: str, findings: Findings | None = None) -> None:
    """Say something beside the report, on standard error; and what a baseline no longer needs."""
    if message:
        click.echo(message, err=True)
    for file in findings.files if findings is not None else ():
        for entry in file.stale:
            click.echo(f"note: no longer in {file.source.name}: {entry}", err=True)
    if findings is not None and any(file.stale for file in findings.files):
        click.echo("help: shrink the baseline with `mirc check --write-baseline`", err=True)


def _rules() -> Any:
    from mirc.lint.registry import ALL_RULES  # noqa: PLC0415 - start-up

    return ALL_RULES


def _root() -> str:
    from mirc.cli.check_root import repository  # noqa: PLC0415 - start-up

    return repository()


_KNOWN: dict[str, Callable[[], Any]] = {
    "version": lambda: mirc.__version__,
    "rules": _rules,
    "root": _root,
}


def _append_summary(findings: Findings, path: str) -> None:
    from mirc.diagnostics import github  # noqa: PLC0415 - only in a job at GitHub

    table = github.summary(findings, root=_root())
    with open(path, "ab") as file:  # noqa: PTH123 - other steps append to it as well
        file.write(table.encode("utf-8", "backslashreplace"))
