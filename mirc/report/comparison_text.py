"""Declared against observed into the tables and sentences of ``mirc compare``."""

from collections.abc import Iterator, Sequence

from mirc.diagnostics.words import counted
from mirc.observe.compare import Compared, Group, NeverRead, Report, Scored, Timed, Why
from mirc.observe.deadlines import Deadlines
from mirc.observe.estimates import Estimate
from mirc.observe.facts import OtherSize
from mirc.observe.score import Score
from mirc.report.tables import aligned
from mirc.report.units import percent_text, size_text

MOST_NAMED = 5
"""Estimates of a field, and objects, that are named one by one; the rest are counted."""

_NONE = "-"


def as_text(report: Report) -> str:
    """Return the report: per log its scores, what was wrong, and what was never read."""
    return "\n".join(_log(report.title, log) for log in report.logs)


def _log(title: str, log: Compared) -> str:
    runs = ", ".join(f"{count:,} of {phase}" for phase, count in log.runs) or "none"
    plan = f"plan `{log.plan}`" if log.plan else "no plan"
    heading = f"{title} on {log.machine} under {log.policy}\n  runs: {runs}; {plan}\n"
    heading += "".join(f"  {line}\n" for line in _beside(log))
    parts = [heading, *map(_forecasts, log.scored), _times(log.timed), _confidences(log)]
    parts.append(_deadlines(log.deadlines))
    parts += ["".join(f"{line}\n" for line in sentences(log))]
    return "\n".join(part for part in parts if part)


def _beside(log: Compared) -> Iterator[str]:
    """Say what stands beside the tables: the mismatch in all, facts, memory."""
    if log.mismatch is not None:
        yield (
            f"mismatch: {percent_text(log.mismatch.share)} of {log.mismatch.chances:,} chances "
            f"missed, Brier {log.mismatch.brier_excess:.4f} above the least"
        )
    if log.facts.sizes:
        other = len(log.facts.other_sizes)
        yield f"sizes: {other:,} of {log.facts.sizes:,} are other than declared"
    if log.facts.undeclared:
        unknown = counted(len(log.facts.undeclared), "object")
        yield f"seen and not declared: {unknown}"
    if log.memory is not None:
        seen = log.memory
        yield (
            f"memory: at most {size_text(seen.peak_bytes)} at once; {seen.found:,} of "
            f"{seen.declared:,} objects have a block of their size, {size_text(seen.found_bytes)}"
        )


def sentences(log: Compared) -> list[str]:
    """Return what was wrong and what was never read, the worst first, and what has no score."""
    lines: list[str] = []
    for field in dict.fromkeys(one.field for one in log.wrong):
        lines += _named(field, [_said(one) for one in log.wrong if one.field == field])
    lines += _named("size_bytes", [_sized(one) for one in log.facts.other_sizes])
    if not log.wrong and any(scored.total for scored in log.scored):
        lines.append("every written estimate held")
    for why in Why:
        lines += _never(why, [one for one in log.never_read if one.why is why])
    lines += [f"not scored: `{label}`, {count:,} times" for label, count in log.unscored]
    return lines


def _forecasts(scored: Scored) -> str:
    groups = [group for group in (*scored.classes, scored.total, scored.defaults) if group]
    if not groups:
        return ""
    header = [
        scored.field,
        "estimates",
        "held",
        "trials",
        "declared",
        "observed",
        "Brier",
        "least",
        "ECE",
    ]
    return aligned(header, [_row(group) for group in groups])


def _row(group: Group) -> list[str]:
    found = group.score
    held = percent_text(group.held / group.estimates)
    return [group.name, f"{group.estimates:,}", held, f"{found.trials:,}", *_score(found)]


def _score(found: Score) -> list[str]:
    least = f"{found.least_brier:.4f}"
    return [
        percent_text(found.forecast),
        percent_text(found.observed),
        f"{found.brier:.4f}",
        least,
        f"{found.calibration_error:.4f}",
    ]


def _times(timed: Sequence[Timed]) -> str:
    if not timed:
        return ""
    header = ["time", "estimates", "uses", "within factor 2", "earlier", "later"]
    rows = [
        [
            f"{one.field} in {one.phase}",
            f"{one.estimates:,}",
            f"{one.chances:,}",
            *(percent_text(part / one.chances) for part in (one.held, one.earlier, one.later)),
        ]
        for one in timed
    ]
    return aligned(header, rows)


def _confidences(log: Compared) -> str:
    """One row for each field whose estimates say how sure they are."""
    found = [(scored.field, scored.confidence) for scored in log.scored]
    found += [(f"{timed.field} in {timed.phase}", timed.confidence) for timed in log.timed]
    rows = [[name, f"{one.trials:,}", *_score(one)] for name, one in found if one is not None]
    if not rows:
        return ""
    header = ["confidence", "chances", "declared", "held", "Brier", "least", "ECE"]
    return aligned(header, rows)


def _deadlines(found: Sequence[Deadlines]) -> str:
    if not found:
        return ""
    header = ["deadline", "objects", "uses", "waited for", "longest (us)", "bounded", "missed"]
    rows = [
        [
            one.klass,
            f"{one.objects:,}",
            f"{one.uses:,}",
            percent_text(one.waited / one.uses),
            f"{one.longest_us:.6g}",
            f"{one.bounded:,}",
            percent_text(one.missed / one.bounded) if one.bounded else _NONE,
        ]
        for one in found
    ]
    return aligned(header, rows)


def _said(one: Estimate) -> str:
    seen = f"{one.observed:.6g}"
    where = f"`{one.object}` in {one.phase}"
    text = f"{one.field} of {where}: declared {one.declared}, observed {seen}"
    if one.forecast is not None:
        return f"{text} ({one.forecast.events:,} of {one.forecast.trials:,})"
    return f"{text} (right in {one.held:,} of {one.chances:,})"


def _sized(one: OtherSize) -> str:
    declared, seen = one.declared_bytes, one.observed_bytes
    return f"size_bytes of `{one.object}`: declared {declared:_}, observed {seen:_}"


def _never(why: Why, found: Sequence[NeverRead]) -> Iterator[str]:
    if not found:
        return
    classes: dict[str, int] = {}
    for one in found:
        classes[one.klass] = classes.get(one.klass, 0) + 1
    counted = ", ".join(f"{count:,} {klass}" for klass, count in sorted(classes.items()))
    names = ", ".join(f"`{one.object}`" for one in found[:MOST_NAMED])
    more = ", ..." if len(found) > MOST_NAMED else ""
    yield f"never read ({why.value}): {counted}: {names}{more}"


def _named(field: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"wrong: {line}" for line in lines[:MOST_NAMED])
    if len(lines) > MOST_NAMED:
        yield f"and {len(lines) - MOST_NAMED:,} more of {field} did not always hold"
