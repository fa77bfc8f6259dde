"""What was made to fail in a run into lines of a report, and into its JSON object."""

from collections.abc import Sequence
from typing import Any

import attrs

from mirc.controller.stage import Happening
from mirc.report.units import time_text
from mirc.simulate.faults import FaultStage
from mirc.simulate.metrics import Figures


def fault_lines(rows: Sequence[Figures]) -> list[str]:
    """Say what failed under the first policy: before which step it did does not depend on it."""
    return [
        f"fault: before step {each.step}, at {time_text(each.time_ps)} of `{rows[0].policy}`, "
        f"{each.what} `{each.object}` {each.outcome}: {each.detail}"
        for each in _failed(rows)
    ]


def fault_objects(rows: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return the same as plain data, of every policy."""
    return [
        {
            "policy": row.policy,
            **attrs.asdict(each, filter=attrs.filters.exclude("actor", "for_whom", "covers")),
        }
        for row in rows
        for each in _failed([row])
    ]


def _failed(rows: Sequence[Figures]) -> list[Happening]:
    first = rows[0].happenings if rows else ()
    return [each for each in first if each.actor == FaultStage.name]
