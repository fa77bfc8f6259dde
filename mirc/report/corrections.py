"""The hints that a run contradicted into lines of a report, and into its JSON object."""

from collections.abc import Sequence
from typing import Any

import attrs

from mirc.controller.learning import Correction
from mirc.diagnostics.words import counted
from mirc.report.units import percent_text, size_text
from mirc.simulate.census import CLASS_ORDER
from mirc.simulate.metrics import Figures


def correction_lines(rows: Sequence[Figures]) -> list[str]:
    """Say, for each policy that learns and each phase, what was corrected and what that cost."""
    return [
        _line(row.policy, phase, [each for each in row.corrections if each.phase == phase])
        for row in rows
        for phase in dict.fromkeys(each.phase for each in row.corrections)
    ]


def _line(policy: str, phase: str, found: list[Correction]) -> str:
    """Return one phase's corrections in words: the most that any of them changed."""
    misplaced = max(each.misplaced for each in found)
    unlikely = max(each.unlikely for each in found)
    what = [
        *([f"{counted(misplaced, 'use')} out of order"] if misplaced else []),
        *([f"{counted(unlikely, 'chance')} of use"] if unlikely else []),
    ]
    trusted = [
        f"{percent_text(trust)} of those of {CLASS_ORDER[number]} proved true"
        for number, trust in sorted(found[-1].trust.items())
    ]
    gave_up = sum(each.switching_bytes for each in found)
    said = (
        f"hints: {policy} corrected {' and '.join(what)} in `{phase}`, in "
        f"{counted(len(found), 'change')} that gave up {size_text(gave_up)} near"
    )
    return "; ".join((said, *trusted))


def correction_objects(rows: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return every correction of every policy as plain data, in order."""
    return [
        {
            "policy": row.policy,
            **attrs.asdict(each),
            "trust": {str(CLASS_ORDER[number]): share for number, share in each.trust.items()},
        }
        for row in rows
        for each in row.corrections
    ]
