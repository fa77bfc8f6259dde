"""A source's findings into the same text with an ignore for each."""

import re
from bisect import bisect_left
from collections.abc import Callable

from mirc.diagnostics import CouldNotRun, Diagnostic, Edit, FileFindings, Fix, Source, Span
from mirc.diagnostics.apply import applied
from mirc.lint.fixing import Fixed
from mirc.lint.ignores import Ignore, ignores
from mirc.lint.suppression_rules import SUPPRESSION_RULES

WIDTH = 100  # an ignore that would make a line longer stands above it
_OWN = frozenset(rule.code for rule in SUPPRESSION_RULES)  # about the text, not its meaning
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*+(?:"|$|\\)|//')


def with_ignores(source: Source, judge: Callable[[Source], FileFindings], reason: str) -> Fixed:
    """Write an ignore beside every finding (syntax errors aside), and judge the outcome.

    It stands behind the line where that stays short and has no comment, else above it. An ignore
    that already stands there, works and gives the same reason is given the further rules. Raises
    ``CouldNotRun`` where a reason is no single line.
    """
    if not reason.strip() or "\n" in reason or "\r" in reason:
        raise CouldNotRun("the reason of `--add-ignore` is not one line", "say why in a few words")
    before = judge(source)
    by_line: dict[int, list[Diagnostic]] = {}
    for diagnostic in before.diagnostics:
        if not (diagnostic.rule.is_syntax or diagnostic.rule.code in _OWN):
            line, _ = source.position(min(diagnostic.span.start, len(source.text)))
            by_line.setdefault(line, []).append(diagnostic)
    if not by_line:
        return Fixed(before, 0)
    faulty = [d.span for d in before.diagnostics if d.rule.code in _OWN]
    there = {
        ignore.line: ignore
        for ignore in ignores(source)
        if ignore.problem is None
        and ignore.reason == reason.strip()
        and not _touched(ignore.span, faulty)
    }
    fixes = [
        _ignore(source, line, found, there.get(line), reason.strip())
        for line, found in by_line.items()
    ]
    after = judge(Source(source.name, applied(source.text, fixes)))
    return Fixed(after, len(before.diagnostics) - len(after.diagnostics))


def _ignore(
    source: Source, line: int, found: list[Diagnostic], there: Ignore | None, reason: str
) -> Fix:
    codes = ", ".join(sorted({diagnostic.rule.code for diagnostic in found}))
    if there is not None:
        end = there.names[-1][1].end
        return Fix("ignore", (Edit(Span(end, end), f", {codes}"),))
    comment = f"// mirc: ignore[{codes}] {reason}"
    text = source.line(line)
    start = source.line_starts[line - 1]
    end = start + len(text.rstrip(" \t"))
    # Within a list that goes on below, fmt would take the comment for one of an element.
    ends = text.count("[") <= text.count("]")
    if ends and len(text.rstrip(" \t")) + 2 + len(comment) <= WIDTH and not _has_comment(text):
        return Fix("ignore", (Edit(Span(end, end), f"  {comment}"),))
    indent = text[: len(text) - len(text.lstrip(" \t"))]
    return Fix("ignore", (Edit(Span(start, start), f"{indent}{comment}\n"),))


def _touched(span: Span, others: list[Span]) -> bool:
    """Whether any of the others, which are in order, lies within a span."""
    at = bisect_left(others, span)
    return at < len(others) and others[at].start < span.end


def _has_comment(line: str) -> bool:
    return any(match[0] == "//" for match in _STRING_OR_COMMENT.finditer(line))
