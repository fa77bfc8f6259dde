"""What a file's hints were worth into the tables of a report, and into JSON objects."""

from typing import Any

import attrs

from mirc.report.tables import aligned
from mirc.report.units import change_text, percent_text, size_text, time_text
from mirc.simulate.hints import Ablation, HintCurve
from mirc.simulate.metrics import over

_TO_CHANGE = 1e-6
"""Shares below this are shown as nothing: less than the last decimal of the JSON form."""


def curve_table(curve: HintCurve) -> str:
    """Return one row a share, beside what no hint changes, and where intent stops being worth it.

    Times are totals. `over the better` compares intent with the better of LRU and a static
    placement that believes the same.
    """
    truth = curve.points[0]
    rows = [
        [
            percent_text(point.share),
            time_text(point.intent_ps),
            change_text(over(point.intent_ps, truth.intent_ps)),
            size_text(point.intent_bytes),
            time_text(point.static_ps),
            time_text(curve.lru_ps),
            change_text(over(point.intent_ps, min(point.static_ps, curve.lru_ps))),
        ]
        for point in curve.points
    ]
    header = [
        "hints wrong",
        "intent",
        "vs all true",
        "bytes in",
        "static, told the same",
        "lru",
        "intent over the better",
    ]
    until = curve.worth_until
    said = (
        "intent is slower than lru even with all hints true"
        if until is None
        else f"intent is no slower than lru up to {100 * until:.0f} % of hints wrong"
    )
    return f"{aligned(header, rows)}{said} (seed {curve.seed})\n"


def ablation_table(found: Ablation) -> str:
    """Return one row for each part of the file whose lack changes the run, then all others."""
    telling = [row for row in found.rows if _tells(row.slower) or _tells(row.moved)]
    rows = [["nothing", "", time_text(found.total_ps), "", size_text(found.near_bytes), ""]]
    rows += [
        [
            row.what,
            f"{row.lines:,}",
            time_text(row.total_ps),
            change_text(row.slower),
            size_text(row.near_bytes),
            change_text(row.moved),
        ]
        for row in telling
    ]
    header = ["intent without", "lines", "total", "slower by", "bytes in", "more by"]
    silent = ", ".join(row.what for row in found.rows if row not in telling)
    return aligned(header, rows) + (
        f"without these nothing changes here: {silent}\n" * bool(silent)
    )


def curve_object(curve: HintCurve) -> dict[str, Any]:
    """Return a curve as plain data."""
    return {**attrs.asdict(curve), "worth_until": curve.worth_until}


def ablation_object(found: Ablation) -> dict[str, Any]:
    """Return an ablation as plain data."""
    return attrs.asdict(found)


def _tells(share: float) -> bool:
    return abs(share) >= _TO_CHANGE
