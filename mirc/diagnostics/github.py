"""Findings into GitHub's workflow commands, and a table for the summary of a job."""

import hashlib

from mirc.diagnostics import render
from mirc.diagnostics.addresses import relative
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.markup import plain
from mirc.diagnostics.model import Diagnostic, Severity

# GitHub shows ten annotations of each kind for one step and drops the others without a word.
SHOWN = 10
ROWS = 200  # of the summary's table; a job's summary may have 1 MiB
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def as_text(findings: Findings, *, root: str) -> str:
    """Return the worst findings as annotations, then the whole report as text.

    ``root`` is the folder that GitHub knows as the repository. Nothing in the report can be taken
    for a command: commands are stopped around it.
    """
    kept, left = _capped(findings)
    lines = [_command(file, diagnostic, root) for file, diagnostic in kept]
    report = render.full(findings)
    if left:
        report += f"{left} of these are not shown as annotations: GitHub takes {SHOWN} of a kind\n"
    # A token that nobody can have written into a file: it depends on the whole report.
    token = hashlib.sha256(report.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return "".join(
        [*(line + "\n" for line in lines), f"::stop-commands::{token}\n", report, f"::{token}::\n"]
    )


def summary(findings: Findings, *, root: str) -> str:
    """Return a Markdown table of the findings, the worst first."""
    found = findings.worst_first()
    head = f"### mirc check: {render.summary(findings)}\n\n"
    if not found:
        return head
    rows = [_row(file, diagnostic, root) for file, diagnostic in found[:ROWS]]
    more = f"\n{len(found) - ROWS} more are in the log.\n" if len(found) > ROWS else ""
    table = "| severity | rule | place | finding |\n|---|---|---|---|\n" + "".join(rows)
    return f"{head}{table}{more}\n"


def _capped(findings: Findings) -> tuple[list[tuple[FileFindings, Diagnostic]], int]:
    met = dict.fromkeys(Severity, 0)
    kept = []
    for file, diagnostic in findings.worst_first():
        met[diagnostic.rule.severity] += 1
        if met[diagnostic.rule.severity] <= SHOWN:
            kept.append((file, diagnostic))
    return kept, sum(met.values()) - len(kept)


def _command(file: FileFindings, diagnostic: Diagnostic, root: str) -> str:
    start, end = (
        file.source.position(min(offset, len(file.source.text)))
        for offset in (diagnostic.span.start, diagnostic.span.end)
    )
    properties = {
        "file": relative(file.source.name, root),
        "line": str(start[0]),
        "endLine": str(end[0]),
    }
    if start[0] == end[0]:  # GitHub takes columns only within one line
        properties |= {"col": str(start[1]), "endColumn": str(end[1])}
    properties["title"] = f"{diagnostic.rule.code} {diagnostic.rule.name}"
    words = diagnostic.message + (f"\nhelp: {diagnostic.hint}" if diagnostic.hint else "")
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[diagnostic.rule.severity]} {written}::{_data(words)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _row(file: FileFindings, diagnostic: Diagnostic, root: str) -> str:
    rule = diagnostic.rule
    line, column = file.source.position(min(diagnostic.span.start, len(file.source.text)))
    place = f"{relative(file.source.name, root)}:{line}:{column}"
    cells = (rule.severity.value, f"{rule.code} {rule.name}", place, diagnostic.message)
    return "| " + " | ".join(map(plain, cells)) + " |\n"
