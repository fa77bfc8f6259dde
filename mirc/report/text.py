"""A comparison of policies into the tables and sentences of ``mirc simulate``."""

from collections.abc import Iterator, Sequence

from mirc.diagnostics.words import counted
from mirc.report.claims import claim_lines
from mirc.report.corrections import correction_lines
from mirc.report.faults import fault_lines
from mirc.report.hints import ablation_table, curve_table
from mirc.report.misses import misses_table
from mirc.report.precision import precision_text
from mirc.report.promises import promise_lines
from mirc.report.sinks import sinks_text
from mirc.report.tables import aligned
from mirc.report.units import change_text, percent_text, size_text, time_text
from mirc.report.waste import waste_table
from mirc.report.wired import wired_text
from mirc.simulate.comparison import Comparison
from mirc.simulate.limits import Limits
from mirc.simulate.metrics import Figures, over, verdict
from mirc.simulate.study import Study

_NONE = "-"


def as_text(study: Study) -> str:
    """Return the report: per machine its tables, what intent was worth, and what was assumed."""
    return "\n".join(_machine(study, comparison) for comparison in study.comparisons)


def _machine(study: Study, comparison: Comparison) -> str:
    parts = [
        _lines(_heading(study, comparison)),
        _times(comparison),
        _bytes(comparison),
        _waits(comparison),
        waste_table([(_label(row), row) for row in comparison.rows]),
        "" if comparison.hints is None else curve_table(comparison.hints),
        "" if comparison.ablation is None else ablation_table(comparison.ablation),
        misses_table(comparison.misses, comparison.usable_bytes) if comparison.misses else "",
        _lines(sentences(comparison)),
    ]
    return "\n".join(part for part in parts if part)


def _heading(study: Study, comparison: Comparison) -> list[str]:
    bounds = comparison.bounds
    plan = f"plan `{comparison.plan}`" if comparison.plan else "no plan"
    return [
        f"{study.title} on {comparison.machine}",
        (
            f"  {counted(comparison.iterations, 'run')} of {_iteration(comparison)}, "
            f"{counted(comparison.sequences, 'sequence')}, "
            f"{counted(comparison.tokens, 'new token')}, seed {study.seed}, {plan}"
        ),
        f"  {comparison.near} has {size_text(comparison.usable_bytes)} usable{_streaming(bounds)}",
        f"  path: {'; '.join(_paths(comparison))}",
    ]


def _paths(comparison: Comparison) -> Iterator[str]:
    """Say which code ran, with which stages, under which policies."""
    found: dict[str, list[str]] = {}
    for row in comparison.runs:
        found.setdefault(row.path, []).append(row.policy)
    for path, policies in found.items():
        yield path if len(found) == 1 else f"{path} ({', '.join(policies)})"


def _streaming(bounds: Limits) -> str:
    """Say what is read of weights that only stream; of weights that a run changes, nothing."""
    if not bounds.weights_bytes:
        return ""
    return (
        f"; a run reads W = {size_text(bounds.weights_bytes)} of weights and leaves "
        f"C = {size_text(bounds.room_bytes)} for them on average"
    )


def _iteration(comparison: Comparison) -> str:
    """Name what is iterated: a phase, or the phases of a round of training."""
    return " + ".join((*comparison.before, comparison.iterated))


def sentences(comparison: Comparison) -> list[str]:
    """Return what intent and wiring were worth, contracts that broke, and what was assumed."""
    lines = [*verdict(comparison.rows)]
    if comparison.wired is not None:
        lines.append(wired_text(comparison.wired, comparison.machine, comparison.tokens))
    if comparison.sinks is not None:
        lines.append(sinks_text(comparison.sinks, comparison.machine))
    if comparison.joint is not None:
        plain = next((row for row in comparison.rows if row.policy == "intent"), None)
        lines += precision_text(comparison.joint, plain, comparison.near)
    lines += claim_lines(comparison.rows)
    lines += promise_lines(comparison.rows)
    lines += fault_lines(comparison.rows)
    lines += correction_lines(comparison.rows)
    lines += [f"broken contract: {line}" for line in comparison.broken]
    if comparison.plan is None and any(row.policy == "intent" for row in comparison.rows):
        lines.append(
            f"assumed: the file has no plan for {comparison.machine}, so intent runs on hints alone"
        )
    lines += [f"assumed: {line}" for line in comparison.assumptions]
    return lines


def _times(comparison: Comparison) -> str:
    bounds = comparison.bounds
    intent = next((row for row in comparison.rows if row.policy == "intent"), None)
    rows = [
        [
            _label(row),
            time_text(row.p50_ps),
            time_text(row.p95_ps),
            time_text(row.p99_ps),
            time_text(row.first_ps),
            time_text(row.total_ps),
            percent_text(row.gap_to_bound),
            _against(row, intent),
        ]
        for row in comparison.rows
    ]
    total = time_text(bounds.total_ps)
    rows.append(["bound", time_text(bounds.iteration_ps), *[_NONE] * 3, total, _NONE, _NONE])
    rows.append(["infinite near memory", time_text(bounds.compute_ps), *[_NONE] * 6])
    header = ["step time", "p50", "p95", "p99", "first run", "total", "gap to bound", "vs intent"]
    return aligned(header, rows)


def _bytes(comparison: Comparison) -> str:
    """One column for each link that something crossed, then what came into near memory."""
    used = list(
        dict.fromkeys(
            link.name for row in comparison.rows for link in row.links if link.total_bytes
        )
    )
    rows = []
    for row in comparison.rows:
        per_token = {link.name: size_text(link.bytes_per_token) for link in row.links}
        cells = [per_token.get(name, _NONE) for name in used]
        into = size_text(row.near_bytes)
        rows.append([_label(row), *cells, into, percent_text(row.excess_bytes)])
    bounds = comparison.bounds
    for name, size in (
        ("bound", bounds.near_bytes),
        ("W+(S-1)(W-C)", bounds.closed_form_bytes),
        ("infinite near memory", bounds.once_bytes),
    ):
        if size is not None:
            rows.append([name, *[_NONE] * len(used), size_text(size), _NONE])
    links = [f"{name} a token" for name in used]
    header = ["bytes", *links, f"into {comparison.near}, whole run", "over bound"]
    return aligned(header, rows)


def _waits(comparison: Comparison) -> str:
    """Stalls, where accesses found their bytes, and what became of prefetches."""
    places = list(
        dict.fromkeys(name for row in comparison.rows for name, hits in row.hits.items() if hits)
    )
    remade = any(row.troubles.remade for row in comparison.rows)
    rows = []
    for row in comparison.rows:
        served = sum(row.hits.values())
        found = [percent_text(row.hits.get(name, 0) / served if served else 0) for name in places]
        fetched = row.prefetches
        rows.append(
            [
                _label(row),
                time_text(row.stall_demand_ps),
                time_text(row.stall_late_ps),
                time_text(row.stall_queue_ps),
                *([time_text(row.stall_remake_ps)] if remade else []),
                f"{row.waiting_steps:,}",
                *found,
                f"{fetched.on_time:,} / {fetched.late:,} / {fetched.unused:,}",
            ]
        )
    waited = ["demand", "late", "queue", *(["remaking"] if remade else [])]
    header = ["stalls", *waited, "steps", *(f"in {name}" for name in places)]
    return aligned([*header, "prefetched on time / late / unused"], rows)


def _label(row: Figures) -> str:
    return f"{row.policy} (oracle)" if row.oracle else row.policy


def _against(row: Figures, intent: Figures | None) -> str:
    if intent is None or row is intent:
        return _NONE
    return change_text(over(row.total_ps, intent.total_ps))


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
