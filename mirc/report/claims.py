"""What became of a file's claims in a run into lines of a report, and into its JSON objects."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from mirc.controller.stage import Happening
from mirc.diagnostics.words import counted
from mirc.report.units import time_text
from mirc.simulate.claims import ClaimStage
from mirc.simulate.metrics import Figures

_SAID = ("requested",)  # what goes without saying


def claim_lines(rows: Sequence[Figures]) -> list[str]:
    """Say of each claim, under intent, what became of it: what is alike is counted."""
    return [
        f"claim `{name}`: {'; '.join(_turns(events))}" for name, events in _by_claim(rows).items()
    ]


def claim_objects(rows: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return the same as plain data, event by event."""
    return [
        {
            "claim": name,
            "events": [
                attrs.asdict(each, filter=attrs.filters.exclude("actor", "outcome", "covers"))
                for each in events
            ],
        }
        for name, events in _by_claim(rows).items()
    ]


def _by_claim(rows: Sequence[Figures]) -> dict[str, list[Happening]]:
    found: dict[str, list[Happening]] = {}
    for row in rows:
        for each in row.happenings:
            if row.policy == "intent" and each.actor == ClaimStage.name:
                found.setdefault(each.outcome, []).append(each)
    return found


def _turns(events: Sequence[Happening]) -> Iterator[str]:
    """Tell each kind of event at its first, with how many more there were."""
    counts: dict[str, int] = {}
    for each in events:
        counts[each.what] = counts.get(each.what, 0) + 1
    for what, count in counts.items():
        if what in _SAID:
            continue
        first = next(each for each in events if each.what == what)
        named = f" `{first.object}`" if first.object else ""
        whom = f" for `{first.for_whom}`" if first.for_whom else ""
        detail = f" ({first.detail})" if first.detail else ""
        more = f", and {counted(count - 1, 'more time', 'more times')}" if count > 1 else ""
        when = f"before step {first.step}, at {time_text(first.time_ps)}"
        yield f"{what}{named}{whom}{detail} {when}{more}"
