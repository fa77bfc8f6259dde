"""Sources into findings: syntax, then names and types, then every lint rule."""

from mirc.diagnostics import Diagnostic, FileFindings, Findings, Source, Span
from mirc.grammar.bind import bind
from mirc.grammar.memory import collection_paused
from mirc.grammar.parse import parse
from mirc.grammar.syntax_rules import EMPTY_FILE
from mirc.ir.rules import MISSING_KEY
from mirc.lint.context import Context
from mirc.lint.registry import RULES
from mirc.machine import Machine
from mirc.machine.load import names


def check(sources: tuple[Source, ...], machines: tuple[Machine, ...] = ()) -> Findings:
    """Return all findings of all sources; placement is judged on ``machines`` if any are given."""
    return Findings(tuple(check_source(source, machines) for source in sources))


def check_source(source: Source, machines: tuple[Machine, ...] = ()) -> FileFindings:
    """Return all findings of one source.

    Lint rules judge only what parses: in a file with syntax errors half a declaration may be
    missing, and what is said about the rest would be wrong.
    """
    document = parse(source)
    bound = bind(document, frozenset(names()))
    if document.diagnostics:
        # A key that seems to be missing may stand in a part that could not be read.
        certain = tuple(d for d in bound.diagnostics if d.rule is not MISSING_KEY)
        return FileFindings(source, certain)
    if not document.blocks:
        return FileFindings(source, (_empty(source),))
    context = Context(bound.module, machines)
    with collection_paused():
        judged = tuple(found for rule in RULES for found in rule.check(context))
    return FileFindings(source, bound.diagnostics + judged)


def _empty(source: Source) -> Diagnostic:
    what = "declares nothing" if source.text.strip() else "is empty"
    return Diagnostic(
        EMPTY_FILE, Span(0, 0), f"the file {what}", "begin with `mir 1.0` and declare an `object`"
    )
