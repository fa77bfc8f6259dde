from mirc.diagnostics.errors import CouldNotRun
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.model import Diagnostic, Related, Rule, Severity, Source, Span

__all__ = [
    "CouldNotRun",
    "Diagnostic",
    "FileFindings",
    "Findings",
    "Related",
    "Rule",
    "Severity",
    "Source",
    "Span",
]
