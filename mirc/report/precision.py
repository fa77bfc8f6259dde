"""What became of the precision of a run's weights into lines of a report, and a JSON object."""

from typing import Any

import attrs

from mirc.report.units import change_text, percent_text, size_text, time_text
from mirc.simulate.joint import Joint
from mirc.simulate.metrics import Figures, over


def precision_text(joint: Joint, plain: Figures | None, near: str) -> list[str]:
    """Return the lines: what it was worth, what is held in which type, what was in the way.

    ``plain`` is the run under intent in full precision, ``near`` names the near memory.
    """
    found, row = joint.precision, joint.figures
    versus = ""
    if plain is not None:
        p50, total = over(row.p50_ps, plain.p50_ps), over(row.total_ps, plain.total_ps)
        versus = f"; against intent in full precision {change_text(p50)} in p50, "
        versus += f"{change_text(total)} in all"
    lines = [
        (
            f"precision ({found.aim}): p50 {time_text(row.p50_ps)}, p95 {time_text(row.p95_ps)}, "
            f"first run {time_text(row.first_ps)}, total {time_text(row.total_ps)}{versus}"
        ),
        (
            f"  weights {size_text(found.full_bytes)} held as {_held(joint)}: "
            f"{size_text(found.near_bytes)} in {near} if all are there; "
            f"{size_text(found.copies_bytes)} of copies below, beside their masters"
        ),
        (
            f"  {found.converted:,} narrowed in {time_text(found.converting_ps)}, "
            f"{found.widened:,} widened again, {found.refused:,} without room below for a copy, "
            f"{found.unpaid:,} used too rarely to pay for one, "
            f"{found.vetoed:,} held by their floors"
        ),
    ]
    if found.short_bytes:
        lines.append(f"  {size_text(found.short_bytes)} did not fit even so, and streamed")
    lines += [
        f"  {percent_text(size / found.full_bytes)} of the weights lost bits at a declared "
        f"sensitivity of {level:g} a rung"
        for level, size in found.lowered_bytes
    ]
    lines.append("  what that does to the output was not measured, and no accuracy is claimed")
    return lines


def _held(joint: Joint) -> str:
    parts = [
        f"{dtype} {size_text(size)} ({units:,})" for dtype, units, size in joint.precision.held
    ]
    return ", ".join(parts)


def precision_object(joint: Joint) -> dict[str, Any]:
    """Return the same as plain data."""
    row = joint.figures
    return {
        **attrs.asdict(
            joint.precision, filter=attrs.filters.exclude("held", "lowered_bytes", "aim")
        ),
        "aim": str(joint.precision.aim),
        "path": row.path,
        "held": [
            {"dtype": dtype, "units": units, "bytes": size}
            for dtype, units, size in joint.precision.held
        ],
        "lowered_bytes": [
            {"sensitivity": level, "bytes": size} for level, size in joint.precision.lowered_bytes
        ],
        "p50_ps": row.p50_ps,
        "p95_ps": row.p95_ps,
        "p99_ps": row.p99_ps,
        "first_ps": row.first_ps,
        "total_ps": row.total_ps,
        "near_bytes_in": row.near_bytes,
        "links": [attrs.asdict(link) for link in row.links],
        "transitions": [
            {
                "time_ps": each.time_ps,
                "step": each.step,
                "object": each.object,
                "what": each.what,
                "outcome": each.outcome,
                "detail": each.detail,
            }
            for each in row.happenings
            if each.actor == "precision"
        ],
    }
