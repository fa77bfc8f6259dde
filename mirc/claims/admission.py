"""What a newcomer needs and what a pool holds into one decision: what it takes, or who blocks it.

Every controller of this repository asks here, in bytes or in blocks. A full pool is healthy: a
newcomer is admitted if what must be held, hard claims and the least that active work needs leave it
its room, whatever else lies there now. Room is made by what is free, then by dropping clean and
recomputable bytes, then by spilling what may be spilled, then by breaking soft promises, each with
its event. What must be held and hard claims are never broken: the newcomer is refused, by name.
Source: Resident KV Claims (arXiv 2605.24259), where resident and active bytes meet in one pool.
"""

from enum import StrEnum
from typing import NamedTuple

import attrs
from attrs import validators as v

Named = tuple[tuple[str, int], ...]


class Reason(StrEnum):
    """Why a newcomer is admitted or not."""

    FITS = "FITS"
    """What is free holds it."""
    ROOM_MADE = "ROOM_MADE"
    """Something is dropped, spilled or broken for it."""
    NOT_NOW = "NOT_NOW"
    """It may have its room, but what lies there cannot be moved yet: it waits."""
    CLAIMED = "CLAIMED"
    """Hard claims are in its way."""
    MUST_HOLD = "MUST_HOLD"
    """What cannot leave is in its way: wired, in use, in flight, or at its floor."""
    ACTIVE_NEEDS = "ACTIVE_NEEDS"
    """It would leave active work less than the least that it needs."""
    TOO_LARGE = "TOO_LARGE"
    """The empty pool would not hold it."""


def _amount(default: int = 0) -> int:
    field: int = attrs.field(default=default, validator=[v.instance_of(int), v.ge(0)])
    return field


@attrs.frozen(kw_only=True)
class Pool:
    """One memory as admission sees it; every amount in the same unit, none negative.

    ``must_hold`` cannot leave; ``claimed`` is what hard claims are owed, there already or not;
    ``min_active`` is what active work must still find beside the newcomer (0 if the newcomer is
    that work). ``free`` to ``soft`` may be taken, in this order. ``holding`` and ``claiming`` name
    who stands behind the first two, and how much each: a refusal names them.
    """

    capacity: int = _amount()
    must_hold: int = _amount()
    claimed: int = _amount()
    min_active: int = _amount()
    free: int = _amount()
    clean: int = _amount()
    recomputable: int = _amount()
    spillable: int = _amount()
    soft: int = _amount()
    holding: Named = ()
    claiming: Named = ()


class Take(NamedTuple):
    """From what a newcomer's room is taken, in the unit of its pool."""

    free: int = 0
    clean: int = 0
    recomputable: int = 0
    spilled: int = 0
    soft_broken: int = 0


NOTHING = Take()


@attrs.frozen(kw_only=True)
class Admission:
    """The decision on one newcomer.

    ``short`` is how much is missing if it is refused; ``refused_by`` the fewest names whose leaving
    would make up for it, largest first, so far as the pool names them.
    """

    reason: Reason
    take: Take = NOTHING
    short: int = 0
    refused_by: tuple[str, ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether the newcomer has its room."""
        return self.reason in (Reason.FITS, Reason.ROOM_MADE)

    @property
    def feasible(self) -> bool:
        """Whether it may have its room, if not now then once something has moved."""
        return self.admitted or self.reason is Reason.NOT_NOW


def admit(need: int, pool: Pool) -> Admission:
    """Decide whether ``need`` more of a pool may be taken, and from what.

    Total and deterministic: the order in which holders are named does not matter. O(1) if admitted,
    else O(h log h) for h names. Raises ``ValueError`` if ``need`` is negative.
    """
    if need < 0:
        raise ValueError(f"a newcomer needs {need}, which is less than nothing")
    short = need - pool.capacity
    for reason, owed, named in (
        (Reason.TOO_LARGE, 0, ()),
        (Reason.ACTIVE_NEEDS, pool.min_active, ()),
        (Reason.MUST_HOLD, pool.must_hold, pool.holding),
        (Reason.CLAIMED, pool.claimed, pool.claiming),
    ):
        short += owed
        if short > 0:
            return Admission(reason=reason, short=short, refused_by=_fewest(named, short))
    taken: list[int] = []
    left = need
    for there in (pool.free, pool.clean, pool.recomputable, pool.spillable, pool.soft):
        taken.append(min(left, there))
        left -= taken[-1]
    if left > 0:
        return Admission(reason=Reason.NOT_NOW, short=left)
    return Admission(
        reason=Reason.FITS if taken[0] == need else Reason.ROOM_MADE, take=Take(*taken)
    )


def _fewest(named: Named, short: int) -> tuple[str, ...]:
    """Return the fewest names that together hold ``short``, largest first, or all of them."""
    found = []
    for name, amount in sorted(named, key=lambda each: (-each[1], each[0])):
        if short <= 0:
            break
        found.append(name)
        short -= amount
    return tuple(found)
