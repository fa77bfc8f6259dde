"""A study and the courses of its runs into the document of a page."""

from collections.abc import Iterator, Sequence

from mirc.report.page import schedule_plots
from mirc.report.page.model import Document, Run, Table
from mirc.report.text import sentences
from mirc.report.timeline.course import Course
from mirc.report.units import change_text, percent_text, size_text, time_text
from mirc.simulate.comparison import Comparison
from mirc.simulate.metrics import over, verdict
from mirc.simulate.study import Study

_NONE = "-"
_HEADER = (
    *("policy", "p50", "p95", "p99", "first run", "total", "gap to bound", "vs intent"),
    *("into near memory", "over bound"),
)


def page_of(study: Study, courses: Sequence[Course]) -> Document:
    """Return what a page shows; ``courses`` are of the study's runs, in any order."""
    return Document(
        title=study.title,
        facts=(
            ("machines", ", ".join(each.machine for each in study.comparisons)),
            ("seed", str(study.seed)),
            ("configuration", study.configuration),
        ),
        runs=tuple(Run(machine=each.machine, policy=each.policy) for each in courses),
        tables=tuple(map(_table, study.comparisons)),
        sections=tuple(schedule_plots.sections(study.comparisons, courses)),
        absent=tuple(schedule_plots.absent(study.comparisons, courses)),
    )


def _table(comparison: Comparison) -> Table:
    plan = f"plan {comparison.plan}" if comparison.plan else "no plan: intent runs on hints alone"
    shown = verdict(comparison.rows)
    phase = " + ".join((*comparison.before, comparison.iterated))
    return Table(
        title=comparison.machine,
        lines=(
            (
                f"{comparison.iterations:,} x {phase}, {comparison.sequences:,} sequences, "
                f"{comparison.tokens:,} new tokens, {plan}; {comparison.near} has "
                f"{size_text(comparison.usable_bytes)} usable"
            ),
            *(f"{line[:1].upper()}{line[1:]}." for line in shown),
        ),
        header=_HEADER,
        rows=tuple(_rows(comparison)),
        sentences=tuple(line for line in sentences(comparison) if line not in shown),
    )


def _rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    bounds = comparison.bounds
    intent = next((row for row in comparison.rows if row.policy == "intent"), None)
    for row in comparison.runs:
        against = _NONE
        if intent is not None and row is not intent:
            against = change_text(over(row.total_ps, intent.total_ps))
        yield (
            schedule_plots.label(row),
            time_text(row.p50_ps),
            time_text(row.p95_ps),
            time_text(row.p99_ps),
            time_text(row.first_ps),
            time_text(row.total_ps),
            percent_text(row.gap_to_bound),
            against,
            size_text(row.near_bytes),
            percent_text(row.excess_bytes),
        )
    nothing = (_NONE, _NONE, _NONE)
    total = time_text(bounds.total_ps)
    into = size_text(bounds.near_bytes)
    yield ("bound", time_text(bounds.iteration_ps), *nothing, total, _NONE, _NONE, into, _NONE)
    once = size_text(bounds.once_bytes)
    endless = ("infinite near memory", time_text(bounds.compute_ps), *nothing)
    yield (*endless, _NONE, _NONE, _NONE, once, _NONE)
