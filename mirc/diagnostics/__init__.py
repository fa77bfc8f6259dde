from mirc.diagnostics.errors import CouldNotRun
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.model import (
    Diagnostic,
    Edit,
    Fix,
    Related,
    Rule,
    Severity,
    Source,
    Span,
)

__all__ = [
    "CouldNotRun",
    "Diagnostic",
    "Edit",
    "FileFindings",
    "Findings",
    "Fix",
    "Related",
    "Rule",
    "Severity",
    "Source",
    "Span",
]
