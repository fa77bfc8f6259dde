"""What was made to fail in a run into lines of a report, and into its JSON object."""

from collections.abc import Sequence
from typing import Any

import attrs

from mirc.controller.stage import Happening
from mirc.report.units import time_text
from mirc.simulate.faults import NEVER_STRUCK, FaultStage
from mirc.simulate.metrics import Figures


def fault_lines(rows: Sequence[Figures]) -> list[str]:
    """Say what failed under the first policy: before which step it did does not depend on it.

    Whether damage found a transfer does: where it never did, each policy has its line.
    """
    return [
        f"fault: before step {each.step}, at {time_text(each.time_ps)} of `{row.policy}`, "
        f"{each.what} `{each.object}` {each.outcome}: {each.detail}"
        for number, row in enumerate(rows)
        for each in _failed([row])
        if not number or each.outcome == NEVER_STRUCK
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
