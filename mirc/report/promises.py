"""What became of soft pins and dwell timers in a run into lines of a report, and its JSON."""

from collections.abc import Sequence
from typing import Any

import attrs

from mirc.controller.stage import Happening
from mirc.diagnostics.words import counted
from mirc.report.units import time_text
from mirc.simulate.metrics import Figures
from mirc.simulate.promises import BEGINS, DWELL, LOST, PIN, PromiseStage


def promise_lines(rows: Sequence[Figures]) -> list[str]:
    """Say of soft pins, and of dwelling, how many began and how many were lost, under intent."""
    return [_line(what, events) for what, events in _by_kind(rows).items()]


def promise_objects(rows: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return the same as plain data, with every loss."""
    return [
        {
            "promise": what,
            "begun": sum(each.outcome == BEGINS for each in events),
            "losses": [
                attrs.asdict(
                    each, filter=attrs.filters.exclude("actor", "what", "outcome", "covers")
                )
                for each in events
                if each.outcome == LOST
            ],
        }
        for what, events in _by_kind(rows).items()
    ]


def _by_kind(rows: Sequence[Figures]) -> dict[str, list[Happening]]:
    found: dict[str, list[Happening]] = {}
    for row in rows:
        if row.policy == "intent":
            for each in row.happenings:
                if each.actor == PromiseStage.name:
                    found.setdefault(each.what, []).append(each)
    return {what: found[what] for what in (PIN, DWELL) if what in found}


def _line(what: str, events: Sequence[Happening]) -> str:
    begun = [each for each in events if each.outcome == BEGINS]
    lost = [each for each in events if each.outcome == LOST]
    objects = counted(len({each.object for each in begun}), "object")
    text = f"{what}: began {counted(len(begun), 'time')} for {objects}"
    if not lost:
        return f"{text}, and none was lost"
    first = lost[0]
    whom = f" for `{first.for_whom}`" if first.for_whom else ""
    detail = f" ({first.detail})" if first.detail else ""
    more = f", and {counted(len(lost) - 1, 'more loss', 'more losses')}" if len(lost) > 1 else ""
    when = f"before step {first.step}, at {time_text(first.time_ps)}"
    return f"{text}; lost `{first.object}`{whom}{detail} {when}{more}"
