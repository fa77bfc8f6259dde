"""A source into one whose fixable findings are gone, held against what was wrong before."""

import attrs

from mirc.diagnostics import FileFindings, Fix, Source
from mirc.diagnostics.apply import applied, compatible
from mirc.lint.judging import Judge, Judged, Stage, Work, stages

__all__ = ["ROUNDS", "Fixed", "Judge", "fixed"]

ROUNDS = 100  # a fix may uncover the next finding; a chain longer than this ends unfixed


@attrs.frozen
class Fixed:
    """A text after its fixes, what is still found in it, and how many findings were fixed.

    ``refused`` says, one line each, which fixes were not made and why; ``stopped`` whether some
    were not even tried, for too much would have had to be judged.
    """

    findings: FileFindings
    count: int
    refused: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def source(self) -> Source:
        """The text after the fixes."""
        return self.findings.source


def fixed(source: Source, judge: Judge, witness: Judge | None = None) -> Fixed:
    """Apply the fixes of what ``judge`` finds until nothing changes, at most ``ROUNDS`` times.

    All fixes of a round are made at once and judged once; only if they do harm is the culprit
    looked for. Three kinds are made one after the other, and what counts as harm differs:

    - syntax errors, for while there are any most rules are silent: there must be fewer then;
    - errors of names and types, which hide what rules say of the same line: errors must not
      become more, so what had only been hidden may show;
    - all others: nothing new may be found by ``witness``, who knows all rules (``judge`` if there
      is none).
    """
    work = Work(judge, witness or judge)
    now = work.judged(source)
    count = 0
    for _ in range(ROUNDS):
        step = _step(now, work)
        if not step.made:
            return Fixed(now.found, count, step.refused, work.is_done)
        now = step.after
        count += step.made
    return Fixed(now.found, count, (), stopped=True)


@attrs.frozen
class _Step:
    after: Judged
    made: int
    refused: tuple[str, ...] = ()


def _step(now: Judged, work: Work) -> _Step:
    """Make what can be made of the first kind of fixes of which anything can."""
    refused: list[str] = []
    for stage in stages(now.found):
        made = _most(now, compatible(stage.of(now.found)), stage, work, refused)
        if made.made:
            return made
    if now.has_syntax_errors:
        possible = {id(fix) for stage in stages(now.found) for fix in stage.of(now.found)}
        waiting = (d.fix for d in now.found.diagnostics if d.fix is not None)
        refused += [
            _words(now.found.source, fix, "waits until the syntax errors are put right")
            for fix in waiting
            if id(fix) not in possible
        ]
    return _Step(now, 0, tuple(refused))


def _most(
    now: Judged, fixes: tuple[Fix, ...], stage: Stage, work: Work, refused: list[str]
) -> _Step:
    """Make all fixes that do no harm; note the others in ``refused``.

    A group that does harm is cut into those fixes far from what is new and those near it, else
    into halves: one bad fix among many costs few judgements.
    """
    source = now.found.source
    best: Judged = now
    made: tuple[Fix, ...] = ()
    groups = [fixes] if fixes else []
    for group in groups:  # grows as it is read
        if work.is_done:
            break
        together = made + group
        after = work.judged(Source(source.name, applied(source.text, together)))
        harm = stage.harm(best, after)
        if harm is None:
            best, made = after, together
            continue
        work.failed(after)
        if len(group) == 1:
            refused.append(_words(source, group[0], harm.why))
        else:
            groups += _cut(group, together, harm.places)
    return _Step(best, len(made), tuple(refused))


def _cut(
    group: tuple[Fix, ...], made: tuple[Fix, ...], places: tuple[int, ...]
) -> list[tuple[Fix, ...]]:
    """Cut a group in two: the fixes away from what is new, and those beside it."""
    near = _beside(made, places)
    rest = tuple(fix for fix in group if id(fix) not in near)
    if rest and len(rest) < len(group):
        return [rest, tuple(fix for fix in group if id(fix) in near)]
    middle = len(group) // 2
    return [group[:middle], group[middle:]]


def _beside(made: tuple[Fix, ...], places: tuple[int, ...]) -> set[int]:
    """Return the ids of the fixes next to places (sorted offsets in the text after them)."""
    edits = sorted(
        (
            (edit.span.start, len(edit.text) - (edit.span.end - edit.span.start), id(fix))
            for fix in made
            for edit in fix.edits
        ),
    )
    near: set[int] = set()
    index = grown = 0
    for place in places:
        while index < len(edits) and edits[index][0] + grown <= place:
            grown += edits[index][1]
            index += 1
        near.update(fix for _, _, fix in edits[max(0, index - 1) : index + 1])
    return near


def _words(source: Source, fix: Fix, why: str) -> str:
    edit = fix.edits[0]
    line, column = source.position(edit.span.start)
    old = source.text[edit.span.start : edit.span.end]
    what = fix.message
    if len(fix.edits) == 1 and old and edit.text and "\n" not in old + edit.text:
        what = f"`{old}` -> `{edit.text}`"
    return f"{source.name}:{line}:{column}: not made: {what} {why}"
