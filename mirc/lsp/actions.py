"""Findings of a text into the changes that an editor offers for them."""

import attrs

from mirc.diagnostics import Diagnostic, Edit, FileFindings, Rule, Source, Span
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
    """Return the fix of each finding that touches a span, then one of all for each of their rules.

    Time does not depend on how many findings of a rule there are times how many touch the span.
    """
    actions = []
    rules: dict[str, Rule] = {}
    for diagnostic in findings.diagnostics:
        fix = diagnostic.fix
        touches = diagnostic.span.start <= span.end and span.start <= diagnostic.span.end
        if fix is not None and touches:
            actions.append(Action(fix.message, fix.edits, (diagnostic,)))
            rules.setdefault(diagnostic.rule.code, diagnostic.rule)
    every = (_of_rule(findings, rule) for rule in rules.values())
    return (*actions, *(action for action in every if action is not None))


def _of_rule(findings: FileFindings, rule: Rule) -> Action | None:
    """Return the fixes of all that break a rule as one; None where only one can be made."""
    alike = [d for d in findings.diagnostics if d.rule.code == rule.code and d.fix is not None]
    together = compatible(d.fix for d in alike if d.fix is not None)
    if len(together) < 2:
        return None
    title = f"fix all {len(together)} of {rule.code} {rule.name}"
    return Action(title, tuple(edit for each in together for edit in each.edits), tuple(alike))


def fix_all(source: Source, judge: Judge, witness: Judge) -> Action | None:
    """Return what ``mirc check --fix`` would do as one change; None where that is nothing.

    ``witness`` knows all rules: a fix after which it finds something new is not made.
    """
    outcome = fixed(source, judge, witness)
    if not outcome.count:
        return None
    count = f"{outcome.count} finding{'s' * (outcome.count != 1)}"
    return Action(f"fix {count}", edits_between(source.text, outcome.source.text), ())
