"""What a file declares of how long blocks are wanted, as rules set by hand and priors take it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

import attrs

from mirc.controller.keeping import Hint


class Wanted(StrEnum):
    """The fields that say it, each of which can be left out."""

    PRIORITY = "retention_priority"
    TIME = "retain_us"


@attrs.frozen
class Retention:
    """A priority, 0 to 100, and the microseconds that it holds after the last use; None: unsaid."""

    priority: int | None = None
    retain_us: float | None = None


Declared: TypeAlias = Mapping[tuple[int, Hint], Retention]
"""By cache group and what signals say of a block: it goes on, it is over, nothing."""

_FOUR_TIMES = 25  # priorities between what is used so often and what is used four times as often
_USUAL = 35


def expected_of(declared: Declared) -> dict[Hint, float]:
    """Return how many times as often as others what has a priority is thought to be used.

    A priority of 60, which by hand stands for one who waits, is what signals alone would mean.
    """
    found: dict[Hint, float] = {}
    for (_, live), said in declared.items():
        if said.priority is not None:
            times = 4.0 ** ((said.priority - _USUAL) / _FOUR_TIMES)
            found[live] = max(times, found.get(live, 0.0))
    return found
