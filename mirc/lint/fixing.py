"""A source into one whose fixable findings are gone, held against what was wrong before."""

from collections import Counter
from collections.abc import Callable

import attrs

from mirc.diagnostics import FileFindings, Fix, Source
from mirc.diagnostics.apply import applied, compatible

Judge = Callable[[Source], FileFindings]

ROUNDS = 20  # a fix may uncover the next finding; a chain longer than this ends unfixed
TRIES = 64  # groups of fixes judged in one round
_SYNTAX = "MIR1"


@attrs.frozen
class Fixed:
    """A text after its fixes, what is still found in it, and how many findings were fixed."""

    findings: FileFindings
    count: int

    @property
    def source(self) -> Source:
        """The text after the fixes."""
        return self.findings.source


def fixed(source: Source, judge: Judge, witness: Judge | None = None) -> Fixed:
    """Apply the fixes of what ``judge`` finds until nothing changes, at most ``ROUNDS`` times.

    Every step is judged again before it counts: one that removes nothing, or after which
    ``witness``, who knows all rules (``judge`` if there is none), finds anything new is not made.
    In a file with syntax errors most rules are silent; there a step counts if it leaves fewer.
    """
    witness = witness or judge
    now = _Judged.of(source, judge, witness)
    count = 0
    for _ in range(ROUNDS):
        fixes = compatible(d.fix for d in now.found.diagnostics if d.fix is not None)
        better = _most(now, fixes, judge, witness) if fixes else None
        if better is None:
            break
        now, made = better
        count += made
    return Fixed(now.found, count)


@attrs.frozen
class _Judged:
    """A text, what is to be reported in it, and how often each finding of any rule occurs."""

    found: FileFindings
    known: Counter[tuple[str, str]]

    @classmethod
    def of(cls, source: Source, judge: Judge, witness: Judge) -> "_Judged":
        found = judge(source)
        seen = found if witness is judge else witness(source)
        # Words stay where a line's text does not: a fix may change the line of another finding.
        known = Counter((d.rule.code, d.subject or d.message) for d in seen.diagnostics)
        return cls(found, known)

    @property
    def syntax_errors(self) -> int:
        return sum(d.rule.code.startswith(_SYNTAX) for d in self.found.diagnostics)

    def is_better_than(self, before: "_Judged") -> bool:
        if before.syntax_errors or self.syntax_errors:
            return self.syntax_errors < before.syntax_errors
        fewer = len(self.found.diagnostics) < len(before.found.diagnostics)
        return fewer and not self.known - before.known


def _most(
    now: _Judged, fixes: tuple[Fix, ...], judge: Judge, witness: Judge
) -> tuple[_Judged, int] | None:
    """Return the outcome of the first group of fixes that is good, and how many it holds.

    All of them are tried first, then halves, then quarters: one bad fix among many costs few
    judgements, and the good ones beside it are made in this round or in the next.
    """
    groups = [fixes]
    for tried, group in enumerate(groups):  # grows as it is read
        if tried == TRIES:
            break
        source = now.found.source
        after = _Judged.of(Source(source.name, applied(source.text, group)), judge, witness)
        if after.is_better_than(now):
            return after, len(group)
        if len(group) > 1:
            middle = len(group) // 2
            groups += [group[:middle], group[middle:]]
    return None
