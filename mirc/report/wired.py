"""What was wired into one line of a report, and into its JSON object."""

from typing import Any

import attrs

from mirc.report.units import percent_text, size_text
from mirc.simulate.wiring import Wired, Wiring

MOST_NAMED = 5
"""Objects that were not wired whole are named up to that many; the rest are counted."""


def wired_text(wired: Wired, machine: str, tokens: int) -> str:
    """Return the line: what is bound of what was asked, what refused the rest, what it saves."""
    wiring = wired.wiring
    asked = size_text(wiring.asked_bytes)
    if wiring.memory is None:
        return f"wired: nothing of {asked}, since {machine} has no SRAM beside its near memory"
    without = size_text(wired.near_bytes / tokens)
    with_it = size_text((wired.near_bytes - wired.sram_bytes) / tokens)
    return (
        f"wired: {size_text(wiring.bound_bytes)} of {asked} in {wiring.memory}{_refused(wiring)}; "
        f"near-memory bytes per token {without} without wiring, {with_it} with it: saves "
        f"{percent_text(_saved(wired))} of the bytes; binding reads "
        f"{size_text(wiring.loaded_bytes)} once, before the run and not counted in it"
    )


def wired_object(wired: Wired, tokens: int) -> dict[str, Any]:
    """Return the same as plain data."""
    wiring = wired.wiring
    return {
        "memory": wiring.memory,
        "asked_bytes": wiring.asked_bytes,
        "bound_bytes": wiring.bound_bytes,
        "loaded_bytes": wiring.loaded_bytes,
        "objects": [attrs.asdict(wish) for wish in wiring.wishes],
        "near_bytes_per_token": wired.near_bytes / tokens,
        "near_bytes_per_token_wired": (wired.near_bytes - wired.sram_bytes) / tokens,
        "saved_share": _saved(wired),
    }


def _saved(wired: Wired) -> float:
    return wired.sram_bytes / wired.near_bytes if wired.near_bytes else 0.0


def _refused(wiring: Wiring) -> str:
    reasons = [f"`{wish.name}`: {wish.refusal}" for wish in wiring.wishes if wish.refusal]
    if len(reasons) > MOST_NAMED:
        reasons[MOST_NAMED:] = [f"{len(reasons) - MOST_NAMED} more"]
    return f" ({', '.join(reasons)})" if reasons else ""
