"""Miss-ratio curves into a table, and into JSON objects."""

from collections.abc import Sequence
from typing import Any

import attrs

from mirc.report.tables import aligned
from mirc.report.units import percent_text, size_text
from mirc.simulate.curves import Curve

_EVERY = 4  # of the capacities that are counted; the page draws all


def misses_table(curves: Sequence[Curve], room_bytes: int) -> str:
    """Return one row a capacity and one column a class: the share of its accesses that LRU misses.

    Each class is shown as if it had the memory to itself; the row of ``room_bytes`` is marked.
    """
    capacities = curves[0].capacities_bytes
    shown = [
        at
        for at, size in enumerate(capacities)
        if at % _EVERY == 0 or size == room_bytes or at == len(capacities) - 1
    ]
    rows = [
        [
            size_text(capacities[at]) + " (this machine)" * (capacities[at] == room_bytes),
            *(percent_text(each.miss_ratios[at]) for each in curves),
        ]
        for at in shown
    ]
    rows.append(["all of it", *(size_text(each.footprint_bytes) for each in curves)])
    return aligned(["lru misses in", *(each.name for each in curves)], rows)


def misses_objects(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Return curves as plain data."""
    return [attrs.asdict(each) for each in curves]
