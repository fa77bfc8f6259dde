"""Two texts, before and after some fixes, into the harm that the fixes do."""

from collections import Counter
from collections.abc import Callable
from enum import Enum
from functools import cached_property

import attrs

from mirc.diagnostics import Diagnostic, FileFindings, Fix, Severity, Source
from mirc.grammar.recover import LIMIT
from mirc.ir.verify import MOST_FINDINGS

Judge = Callable[[Source], FileFindings]

# Characters, not seconds, so that the same file has the same outcome on every machine.
WORK = 1 << 27  # judged in one run over one file
SEARCH = 1 << 24  # of these, judged in vain
_EACH = 1 << 12  # what a judgement costs whatever the text
_FINDING = 1 << 6  # what each finding costs beside it
_SYNTAX = "MIR1"
_MEANING = ("MIR2", "MIR3")


@attrs.frozen
class Judged:
    """A text, what is to be reported in it (``found``), and what any usual rule says of it."""

    found: FileFindings
    _witness: Judge = attrs.field(eq=False)

    @cached_property
    def seen(self) -> tuple[Diagnostic, ...]:
        """What the witness finds; asked only where it matters."""
        return self._witness(self.found.source).diagnostics

    @cached_property
    def known(self) -> Counter[tuple[str, str]]:
        """How often each finding of any usual rule occurs."""
        return Counter(map(name_of, self.seen))

    @property
    def has_syntax_errors(self) -> bool:
        """Whether most rules had to be silent."""
        return any(d.rule.code.startswith(_SYNTAX) for d in self.found.diagnostics)


def name_of(finding: Diagnostic) -> tuple[str, str]:
    """Return what a finding is known by when the lines of a text change."""
    # Words stay where a line's text does not: a fix may change the line of another finding.
    return finding.rule.code, finding.subject or finding.message


class Work:
    """Judges texts, and knows when enough has been judged."""

    def __init__(self, judge: Judge, witness: Judge) -> None:
        self._judge = judge
        self._witness = witness
        self._left = WORK
        self._vain = SEARCH

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be judged."""
        return self._left <= 0 or self._vain <= 0

    def judged(self, source: Source) -> Judged:
        """Judge a text."""
        found = self._judge(source)
        self._left -= _cost(found)
        if self._witness is self._judge:
            return Judged(found, lambda _: found)
        return Judged(found, self._witness)

    def failed(self, after: Judged) -> None:
        """Note that a text was judged in vain."""
        self._vain -= _cost(after.found)


def _cost(found: FileFindings) -> int:
    return len(found.source.text) + len(found.diagnostics) * _FINDING + _EACH


@attrs.frozen
class Harm:
    """Why fixes are not made, and where (offsets in the text after them, sorted)."""

    why: str
    places: tuple[int, ...] = ()


class Stage(Enum):
    """A kind of fixes, which are made together."""

    SYNTAX = "syntax"
    MEANING = "meaning"
    REST = "rest"

    def of(self, found: FileFindings) -> tuple[Fix, ...]:
        """Return the fixes of this kind."""
        return tuple(d.fix for d in found.diagnostics if d.fix is not None and _stage(d) is self)

    def harm(self, before: Judged, after: Judged) -> Harm | None:
        """Return the harm that fixes of this kind have done, if any."""
        if self is Stage.SYNTAX:
            return _as_many_syntax_errors(before, after)
        if self is Stage.REST or after.has_syntax_errors:
            return _anything_new(before, after)
        return _more_errors(before, after)


def stages(found: FileFindings) -> tuple[Stage, ...]:
    """Return the kinds of fixes that can be made in a text, in order."""
    if any(_stage(d) is Stage.SYNTAX for d in found.diagnostics):
        return (Stage.SYNTAX,)
    return (Stage.MEANING, Stage.REST)


def _stage(finding: Diagnostic) -> Stage:
    if finding.rule.code.startswith(_SYNTAX):
        return Stage.SYNTAX
    error = finding.rule.severity is Severity.ERROR
    return Stage.MEANING if error and finding.rule.code.startswith(_MEANING) else Stage.REST


def _anything_new(before: Judged, after: Judged) -> Harm | None:
    if new := after.known - before.known:
        return _bringing(new, after.seen)
    if len(after.found.diagnostics) < len(before.found.diagnostics):
        return None
    return Harm("would not remove the finding")


def _as_many_syntax_errors(before: Judged, after: Judged) -> Harm | None:
    was, now = _errors(before, after, before.found.diagnostics, after.found.diagnostics, _SYNTAX)
    return None if now < was else Harm("would leave as many syntax errors")


def _more_errors(before: Judged, after: Judged) -> Harm | None:
    was, now = _errors(before, after, before.seen, after.seen, _MEANING)
    if now < was:
        return None
    if now > was:
        return _bringing(after.known - before.known, after.seen)
    reported = (Counter(map(name_of, each.found.diagnostics)) for each in (before, after))
    return None if next(reported) - next(reported) else Harm("would not remove the finding")


def _errors(
    before: Judged,
    after: Judged,
    seen_before: tuple[Diagnostic, ...],
    seen_after: tuple[Diagnostic, ...],
    codes: str | tuple[str, ...],
) -> tuple[int, int]:
    """Return how many errors there were and are, up to the place where the first count ended.

    Of a file with very many errors only the first are reported; once those are put right, the
    next ones are, and they are not new.
    """
    was = [d.span.start for d in seen_before if _is_error(d, codes)]
    now = [d.span.start for d in seen_after if _is_error(d, codes)]
    most = LIMIT if codes == _SYNTAX else MOST_FINDINGS
    if len(was) < most:
        return len(was), len(now)
    # What follows the last of them is the same text: only the fixes before it have changed.
    unseen = len(before.found.source.text) - was[-1]
    end = len(after.found.source.text) - unseen
    return len(was), sum(start <= end for start in now)


def _is_error(finding: Diagnostic, codes: str | tuple[str, ...]) -> bool:
    return finding.rule.severity is Severity.ERROR and finding.rule.code.startswith(codes)


def _bringing(new: Counter[tuple[str, str]], seen: tuple[Diagnostic, ...]) -> Harm:
    brought = [d for d in seen if name_of(d) in new]
    if not brought:
        return Harm("would bring more errors")
    rule = brought[0].rule
    return Harm(f"would bring {rule.code} {rule.name}", tuple(d.span.start for d in brought))
