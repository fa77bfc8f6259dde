"""What HIGH, MEDIUM, LOW and NONE mean: per field an event, its horizon, and the odds of it."""

import attrs

from mirc.ir.enums import Level


@attrs.frozen
class LevelEvent:
    """A level as an estimate that can be scored.

    The event's observed frequency is expected in ``[low, high)`` (``high`` itself counts at 1);
    ``probability`` is the single number that scoring and ranking use.
    """

    event: str
    low: float
    high: float
    probability: float


def _scale(event: str) -> dict[Level, LevelEvent]:
    return {
        Level.HIGH: LevelEvent(event, 0.5, 1.0, 0.75),
        Level.MEDIUM: LevelEvent(event, 0.1, 0.5, 0.25),
        Level.LOW: LevelEvent(event, 0.0, 0.1, 0.05),
        Level.NONE: LevelEvent(event, 0.0, 0.0, 0.0),
    }


LEVELS: dict[str, dict[Level, LevelEvent]] = {
    "reuse": _scale("the object is read again in the next run of a phase that reads it"),
    "reuse_window": _scale("the next read comes within one iteration of the schedule"),
    "route_probability": _scale("the router chooses the expert in the next step, for any token"),
    "sensitivity": _scale("one rung down the precision ladder visibly changes the output"),
}
"""One table for every reader and every scorer; the fractions are ours, chosen to be far apart."""


def probability_of(key: str, level: Level) -> float:
    """Return the single number that stands for ``level`` in the field ``key``."""
    return LEVELS[key][level].probability
