"""A study and the courses of its runs into the document of a page."""

from collections.abc import Iterator, Mapping, Sequence

from mirc.diagnostics.words import counted
from mirc.report.page.curve_plots import misses
from mirc.report.page.hint_plots import ablations, hint_curves, promises
from mirc.report.page.model import Absent, Document, Run, Section, Table
from mirc.report.page.policy_plots import inflow, label, stalls, steps, totals
from mirc.report.page.time_plots import busy_over_time, held_over_time, written_to_flash
from mirc.report.text import sentences
from mirc.report.timeline.course import Course
from mirc.report.units import change_text, percent_text, size_text, time_text
from mirc.simulate.comparison import Comparison
from mirc.simulate.curves import Curve
from mirc.simulate.metrics import over, verdict
from mirc.simulate.study import Study

_NONE = "-"
_HEADER = (
    *("policy", "p50", "p95", "p99", "first run", "total", "gap to bound", "vs intent"),
    *("into near memory", "over bound"),
)


def page_of(
    study: Study, courses: Sequence[Course], curves: Mapping[str, Sequence[Curve]]
) -> Document:
    """Return what a page shows of a study.

    ``courses`` are of its runs, in any order; ``curves`` of what they use, by machine.
    """
    comparisons = study.comparisons
    return Document(
        title=study.title,
        facts=(
            ("machines", ", ".join(each.machine for each in comparisons)),
            ("seed", str(study.seed)),
            ("configuration", study.configuration),
        ),
        runs=tuple(Run(machine=each.machine, policy=each.policy) for each in courses),
        tables=tuple(map(_table, comparisons)),
        sections=tuple(_sections(comparisons, courses, curves)),
        absent=tuple(_absent(comparisons, courses)),
    )


def _sections(
    comparisons: Sequence[Comparison],
    courses: Sequence[Course],
    curves: Mapping[str, Sequence[Curve]],
) -> Iterator[Section]:
    """Yield the plots that there is data for."""
    yield Section(
        title="Policies",
        plots=(
            totals(comparisons),
            stalls(comparisons),
            inflow(comparisons),
            steps(courses, comparisons),
        ),
    )
    over_time = [held_over_time(courses), busy_over_time(courses)]
    if any(each.written for each in courses):
        over_time.append(written_to_flash(courses))
    yield Section(title="Over time", plots=tuple(over_time))
    rooms = {each.machine: each.usable_bytes for each in comparisons}
    told = [misses(curves, rooms), *hint_curves(comparisons), *ablations(comparisons)]
    yield Section(title="What memory and hints are worth", plots=tuple(told))
    if marks := promises(comparisons):
        yield Section(title="Claims and pins", plots=(marks,))


def _absent(comparisons: Sequence[Comparison], courses: Sequence[Course]) -> Iterator[Absent]:
    """Yield what is not drawn, and why."""
    if not any(each.written for each in courses):
        yield Absent(title="NVMe writes", reason="nothing was written to a memory of kind NVME")
    if not any(comparison.hints for comparison in comparisons):
        yield Absent(title="Hint-accuracy curve", reason="simulate with --hint-curve")
    if not any(comparison.ablation for comparison in comparisons):
        yield Absent(title="Field ablation", reason="simulate with --ablate")
    if promises(comparisons) is None:
        yield Absent(
            title="Claims and pins",
            reason="under intent no claim, soft pin or dwell timer began or was lost",
        )
    yield Absent(
        title="Time to first token and goodput", reason="they are of requests: simulate --trace"
    )


def _table(comparison: Comparison) -> Table:
    plan = f"plan {comparison.plan}" if comparison.plan else "no plan: intent runs on hints alone"
    phase = " + ".join((*comparison.before, comparison.iterated))
    shown = verdict(comparison.rows)
    return Table(
        title=comparison.machine,
        lines=(
            (
                f"{counted(comparison.iterations, 'run')} of {phase}, "
                f"{counted(comparison.sequences, 'sequence')}, "
                f"{counted(comparison.tokens, 'new token')}, {plan}; {comparison.near} has "
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
            label(row),
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
