"""Findings into text: in full with source lines and carets, or one line each."""

from collections.abc import Iterator

import attrs

from mirc.diagnostics.excerpt import excerpt, safe
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.model import Diagnostic, Severity, Source, Span
from mirc.diagnostics.words import counted

_RESET = "\x1b[0m"


@attrs.frozen
class Palette:
    """The escape sequences around the parts of a report; empty ones leave the text plain."""

    error: str = ""
    warning: str = ""
    hint: str = ""
    place: str = ""
    strong: str = ""

    def of(self, severity: Severity) -> str:
        """Return the sequence of a severity."""
        return {
            Severity.ERROR: self.error,
            Severity.WARNING: self.warning,
            Severity.HINT: self.hint,
        }[severity]


PLAIN = Palette()
COLOUR = Palette(
    error="\x1b[1;31m",
    warning="\x1b[1;33m",
    hint="\x1b[1;36m",
    place="\x1b[34m",
    strong="\x1b[1m",
)


def full(findings: Findings, palette: Palette = PLAIN) -> str:
    """Return every finding with its source lines, a blank line after each, then the summary."""
    blocks = [
        "\n".join(_block(file.source, diagnostic, palette)) + "\n\n"
        for file in findings.files
        for diagnostic in file.diagnostics
    ]
    return "".join(blocks) + summary(findings) + "\n"


def concise(findings: Findings, palette: Palette = PLAIN) -> str:
    """Return ``file:line:column: severity[CODE name]: sentence`` for each, then the summary."""
    lines = [line for file in findings.files for line in _lines(file, palette)]
    return "".join(line + "\n" for line in (*lines, summary(findings)))


def summary(findings: Findings) -> str:
    """Return how many findings there are: ``2 errors, 1 hint in 3 files``.

    A line more for each file that has more than is reported.
    """
    counts = findings.counts
    parts = [counted(counts[severity], severity.value) for severity in Severity if counts[severity]]
    total = f"{', '.join(parts) or 'nothing found'} in {counted(len(findings.files), 'file')}"
    cut = [
        f"{safe(file.source.name)} may have more: it was read up to {file.reported:,} findings"
        for file in findings.files
        if file.reported is not None
    ]
    return "\n".join([total, *cut])


def _paint(text: str, sequence: str) -> str:
    return f"{sequence}{text}{_RESET}" if sequence else text


def _lines(file: FileFindings, palette: Palette) -> Iterator[str]:
    for diagnostic in file.diagnostics:
        yield f"{_place(file.source, diagnostic.span)}: {_head(diagnostic, palette)}"


def _place(source: Source, span: Span) -> str:
    line, column = source.position(min(span.start, len(source.text)))
    return f"{safe(source.name)}:{line}:{column}"


def _head(diagnostic: Diagnostic, palette: Palette) -> str:
    rule = diagnostic.rule
    label = _paint(f"{rule.severity.value}[{rule.code} {rule.name}]", palette.of(rule.severity))
    return f"{label}: {safe(diagnostic.message)}"


def _block(source: Source, diagnostic: Diagnostic, palette: Palette) -> Iterator[str]:
    spans = (diagnostic.span, *(related.span for related in diagnostic.related))
    gutter = max(len(str(excerpt(source, span).number)) for span in spans)
    colour = palette.of(diagnostic.rule.severity)
    yield _head(diagnostic, palette)
    yield from _shown(source, diagnostic.span, gutter, colour, palette)
    for related in diagnostic.related:
        yield _paint("note", palette.strong) + ": " + safe(related.message)
        yield from _shown(source, related.span, gutter, palette.place, palette)
    if diagnostic.hint:
        yield _paint("help", palette.strong) + ": " + safe(diagnostic.hint)
    if diagnostic.fix is not None:
        yield (
            _paint("fix", palette.strong)
            + ": "
            + safe(diagnostic.fix.message)
            + " (run with --fix)"
        )


def _shown(source: Source, span: Span, gutter: int, colour: str, palette: Palette) -> Iterator[str]:
    cut = excerpt(source, span)
    bar = _paint("|", palette.place)
    yield " " * gutter + _paint("-->", palette.place) + " " + _place(source, span)
    if not cut.text:
        return
    yield _paint(f"{cut.number:>{gutter}}", palette.place) + f" {bar} {cut.text}"
    yield " " * gutter + f" {bar} " + " " * cut.caret_start + _paint("^" * cut.caret_width, colour)
