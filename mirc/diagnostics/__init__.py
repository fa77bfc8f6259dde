from mirc.diagnostics.errors import CouldNotRun
from mirc.diagnostics.model import Diagnostic, Related, Rule, Severity, Source, Span

__all__ = ["CouldNotRun", "Diagnostic", "Related", "Rule", "Severity", "Source", "Span"]
