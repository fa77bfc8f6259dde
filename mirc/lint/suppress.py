"""Findings and a text's ignores into what is left, and what is to be said about the ignores."""

from collections.abc import Collection, Iterator

from mirc.diagnostics import Diagnostic, Edit, Fix, Source, Span
from mirc.lint.ignores import Ignore, ignores
from mirc.lint.registry import RULE_BY_CODE
from mirc.lint.repair import whole_line
from mirc.lint.selection import explain_unknown, matching, only_syntax
from mirc.lint.suppression_rules import (
    BAD_IGNORE,
    IGNORE_WITHOUT_REASON,
    SUPPRESSION_RULES,
    UNUSED_IGNORE,
)

_OWN = frozenset(rule.code for rule in SUPPRESSION_RULES)
_SYNTAX = "MIR1"
_ADVISED = 20  # misspelt names for which the right one is looked up


def suppressed(
    source: Source, diagnostics: tuple[Diagnostic, ...], ran: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Return the findings that no ignore takes away, and those about the ignores.

    ``ran`` are the codes of the rules that have said all they had to say: an ignore that hides
    nothing is unused only if all its rules are among them.
    """
    found = ignores(source)
    if not found:
        return diagnostics
    active = _Active(source, found)
    kept = tuple(diagnostic for diagnostic in diagnostics if not active.hides(diagnostic))
    own = tuple(d for ignore in found for d in _about(source, ignore, active, ran))
    return kept + tuple(diagnostic for diagnostic in own if not active.hides(diagnostic))


class _Active:
    """Which rules are hidden where; notes which names in the ignores have hidden something."""

    def __init__(self, source: Source, found: tuple[Ignore, ...]) -> None:
        self.source = source
        self.used: set[Span] = set()  # places of names; only asked, never listed
        self.advised = 0
        self._places: dict[tuple[int | None, str], Span] = {}
        for ignore in found:
            if ignore.problem is None:
                for name, place in ignore.names:
                    for code in matching(name):
                        self._places.setdefault((ignore.line, code), place)

    def hides(self, diagnostic: Diagnostic) -> bool:
        """Whether any ignore names the finding's rule on its line or for the file."""
        code = diagnostic.rule.code
        if code.startswith(_SYNTAX):
            return False
        line, _ = self.source.position(min(diagnostic.span.start, len(self.source.text)))
        place = self._places.get((line, code)) or self._places.get((None, code))
        if place is not None:
            self.used.add(place)
        return place is not None

    def advice(self, name: str) -> str | None:
        """Return what may have been meant; a long list of slips is not worth the search."""
        self.advised += 1
        return explain_unknown(name) if self.advised <= _ADVISED else None


def _about(
    source: Source, ignore: Ignore, active: _Active, ran: Collection[str]
) -> Iterator[Diagnostic]:
    if ignore.problem is not None:
        yield _bad(ignore.span, *ignore.problem)
        return
    unused = []
    for name, place in ignore.names:
        codes = matching(name)
        if not codes:
            problem = f"this ignore names `{name}`, which is no rule"
            yield _bad(place, problem, active.advice(name))
        elif only_syntax(name):
            problem = f"this ignore names `{name}`, and nothing hides a syntax error"
            yield _bad(place, problem, "put the error right")
        elif place not in active.used and _is_judged(codes, ran):
            unused.append((name, place))
    if unused:
        yield _unused(source, ignore, unused)
    if not ignore.reason:
        names = ", ".join(name for name, _ in ignore.names)
        yield Diagnostic(
            IGNORE_WITHOUT_REASON,
            ignore.span,
            IGNORE_WITHOUT_REASON.message.format(names=names),
            (IGNORE_WITHOUT_REASON.hint or "").format(names=names),
            subject=f"ignore {names}",
        )


def _is_judged(codes: frozenset[str], ran: Collection[str]) -> bool:
    """Whether silence means that there is nothing to hide.

    What a rule says on a machine depends on the machine: another run may need the ignore.
    """
    asked = [RULE_BY_CODE[code] for code in codes if code in ran or RULE_BY_CODE[code].default]
    return bool(asked) and all(
        rule.code in ran and rule.machine is None and rule.code not in _OWN for rule in asked
    )


def _bad(span: Span, problem: str, advice: str | None) -> Diagnostic:
    return Diagnostic(BAD_IGNORE, span, problem, advice, subject=f"ignore {problem}")


def _unused(source: Source, ignore: Ignore, unused: list[tuple[str, Span]]) -> Diagnostic:
    names = ", ".join(name for name, _ in unused)
    whole = len(unused) == len(ignore.names)
    return Diagnostic(
        UNUSED_IGNORE,
        ignore.span if whole else unused[0][1],
        UNUSED_IGNORE.message.format(names=names),
        UNUSED_IGNORE.hint,
        fix=_without(source.text, ignore, unused),
        subject=f"ignore {names}",
    )


def _without(text: str, ignore: Ignore, unused: list[tuple[str, Span]]) -> Fix:
    if len(unused) == len(ignore.names):
        return Fix("remove the ignore", (Edit(whole_line(text, ignore.span), ""),))
    gone = [place for _, place in unused]
    left = ", ".join(name for name, place in ignore.names if place not in gone)
    inside = Span(ignore.names[0][1].start, ignore.names[-1][1].end)
    return Fix(f"remove `{', '.join(name for name, _ in unused)}`", (Edit(inside, left),))
