"""Findings and a text's ignores into what is left, and what is to be said about the ignores."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

import attrs

from mirc.diagnostics import Diagnostic, Edit, Fix, Source, Span
from mirc.ir.module import Block
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
_ADVISED = 20  # misspelt names for which the right one is looked up


def suppressed(
    source: Source,
    diagnostics: tuple[Diagnostic, ...],
    ran: Collection[str],
    blocks: tuple[Block, ...],
) -> tuple[Diagnostic, ...]:
    """Return the findings that no ignore takes away, and those about the ignores.

    An ignore speaks of a line, of the file, or, if its line is the one on which a declaration
    begins or ends, of all of that declaration; ``blocks`` are the declarations.

    ``ran`` are the codes of the rules that have said all they had to say: an ignore that hides
    nothing is unused only if all its rules are among them.
    """
    found = ignores(source)
    if not found:
        return diagnostics
    active = _Active(source, found, blocks)
    kept = tuple(diagnostic for diagnostic in diagnostics if not active.hides(diagnostic))
    own = tuple(d for ignore in found for d in _about(source, ignore, active, ran))
    return kept + tuple(diagnostic for diagnostic in own if not active.hides(diagnostic))


class _Active:
    """Which rules are hidden where; notes which names in the ignores have hidden something."""

    def __init__(
        self, source: Source, found: tuple[Ignore, ...], blocks: tuple[Block, ...]
    ) -> None:
        self.source = source
        self.used: set[Span] = set()  # places of names; only asked, never listed
        self.advised = 0
        self._places: dict[tuple[int | None, str], Span] = {}
        for ignore in found:
            if ignore.problem is None:
                names: dict[str, Span] = {}
                for name, place in ignore.names:
                    if names.setdefault(name, place) is place:
                        for code in matching(name):
                            self._places.setdefault((ignore.line, code), place)
        self._declared = _Declared.of(source, blocks, {ignore.line for ignore in found})

    def hides(self, diagnostic: Diagnostic) -> bool:
        """Whether any ignore names the finding's rule on its line, its declaration or the file."""
        if diagnostic.rule.is_syntax:
            return False
        offset = min(diagnostic.span.start, len(self.source.text))
        line, _ = self.source.position(offset)
        for each in chain((line,), self._declared.around(offset), (None,)):
            place = self._places.get((each, diagnostic.rule.code))
            if place is not None:
                self.used.add(place)
                return True
        return False

    def advice(self, name: str) -> str | None:
        """Return what may have been meant; a long list of slips is not worth the search."""
        self.advised += 1
        return explain_unknown(name) if self.advised <= _ADVISED else None


@attrs.frozen
class _Declared:
    """Where those declarations are on whose first or last line an ignore stands.

    Each is (start, end, first line, last line, index of the one around it or -1), by start.
    """

    places: tuple[tuple[int, int, int, int, int], ...]

    @classmethod
    def of(
        cls, source: Source, blocks: tuple[Block, ...], ignored: Collection[int | None]
    ) -> "_Declared":
        places: list[tuple[int, int, int, int, int]] = []
        around = -1
        for span in _extents(blocks):
            first, last = source.position(span.start)[0], source.position(span.end - 1)[0]
            if first in ignored or last in ignored:
                while around >= 0 and places[around][1] <= span.start:
                    around = places[around][4]
                places.append((span.start, span.end, first, last, around))
                around = len(places) - 1
        return cls(tuple(places))

    def around(self, offset: int) -> Iterator[int]:
        """Yield the first and last lines of the declarations around an offset, inner ones first."""
        at = bisect_right(self.places, offset, key=lambda place: place[0]) - 1
        while at >= 0:
            _, end, first, last, outer = self.places[at]
            if offset < end:
                yield first
                yield last
            at = outer


def _extents(blocks: Iterable[Block]) -> Iterator[Span]:
    """Yield where blocks stand and those within them, each before what it holds, in order."""
    for block in blocks:
        if block.extent is not None:
            yield block.extent
        inner = (*getattr(block, "overrides", ()), *getattr(block, "phases", ()))
        if inner:
            yield from sorted(_extents(inner))


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
    gone = {place for _, place in unused}  # only asked, never listed
    left = ", ".join(name for name, place in ignore.names if place not in gone)
    inside = Span(ignore.names[0][1].start, ignore.names[-1][1].end)
    return Fix(f"remove `{', '.join(name for name, _ in unused)}`", (Edit(inside, left),))
