"""What promoting sinks takes and saves into a line of a report, and into its JSON object."""

from typing import Any

from mirc.diagnostics.words import counted
from mirc.report.units import percent_text, size_text, time_text
from mirc.simulate.sinks import Promoted

MOST_NAMED = 5
"""Positions that are in no cache are named up to that many."""


def sinks_text(found: Promoted, machine: str) -> str:
    """Return the line: what is on chip, when, what exact attention saves, and the placebo."""
    positions = counted(found.positions, "position")
    gone = ", ".join(f"{position:_}" for position in found.absent[:MOST_NAMED])
    absent = f" ({gone}: in no cache of this run)" if gone else ""
    if found.memory is None or not found.transfers:
        where = "has no SRAM beside its near memory" if found.memory is None else "has no room"
        none = f"none of {positions} of each sequence promoted, since {machine} {where}"
        return f"sinks: {none if found.positions else 'none promoted'}{absent}"
    late = (
        f"the last of it {time_text(found.late_ps)} after its first use"
        if found.late_ps
        else "all of it before its first use"
    )
    refused = f" ({size_text(found.refused_bytes)} found no room)" if found.refused_bytes else ""
    mass = "" if found.mass is None else f", which the file says hold {percent_text(found.mass)}"
    return (
        f"sinks: {positions} of each sequence{absent} in {counted(found.caches, 'cache')}{mass}, "
        f"{size_text(found.promoted_bytes)} promoted into {found.memory}, {late}{refused}; "
        f"exact attention reads {size_text(found.saved_bytes)} of "
        f"{size_text(found.cache_bytes)} there: saves {_share(found.saved_bytes, found)} of the "
        f"cache's bytes, and as many random positions {_share(found.placebo_bytes, found)}"
    )


def sinks_object(found: Promoted) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "memory": found.memory,
        "positions": found.positions,
        "caches": found.caches,
        "mode": "exact",
        "mass": found.mass,
        "promoted_bytes": found.promoted_bytes,
        "refused_bytes": found.refused_bytes,
        "cache_bytes": found.cache_bytes,
        "saved_bytes": found.saved_bytes,
        "placebo_bytes": found.placebo_bytes,
        "late_us": found.late_ps / 1e6,
        "absent": list(found.absent),
    }


def _share(part: int, found: Promoted) -> str:
    """Return a share with the digits that it needs: it is mostly far below one per cent."""
    return f"{100 * part / found.cache_bytes:.3g} %" if found.cache_bytes else "0 %"
