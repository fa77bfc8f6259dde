"""Findings of a text into the changes that an editor offers for them."""

import attrs

from mirc.diagnostics import Diagnostic, Edit, FileFindings, Source, Span
from mirc.diagnostics.apply import compatible
from mirc.lint.fixing import Judge, fixed
from mirc.lsp.changes import edits_between


@attrs.frozen
class Action:
    """A change with its title, and the findings that it removes."""

    title: str
    edits: tuple[Edit, ...]
    removes: tuple[Diagnostic, ...]


def quick_fixes(findings: FileFindings, span: Span) -> tuple[Action, ...]:
    """Return the fix of each finding that touches a span, and of all that break the same rule."""
    actions = []
    for diagnostic in findings.diagnostics:
        fix = diagnostic.fix
        touches = diagnostic.span.start <= span.end and span.start <= diagnostic.span.end
        if fix is None or not touches:
            continue
        actions.append(Action(fix.message, fix.edits, (diagnostic,)))
        alike = [d for d in findings.diagnostics if d.rule == diagnostic.rule and d.fix is not None]
        together = compatible(d.fix for d in alike if d.fix is not None)
        if len(together) > 1:
            title = f"fix all {len(together)} of {diagnostic.rule.code} {diagnostic.rule.name}"
            edits = tuple(edit for each in together for edit in each.edits)
            actions.append(Action(title, edits, tuple(alike)))
    return tuple(dict.fromkeys(actions))


def fix_all(source: Source, judge: Judge) -> Action | None:
    """Return one change that makes every fix, and those that they uncover; None without any."""
    outcome = fixed(source, judge)
    if not outcome.count:
        return None
    count = f"{outcome.count} finding{'s' * (outcome.count != 1)}"
    return Action(f"fix {count}", edits_between(source.text, outcome.source.text), ())
