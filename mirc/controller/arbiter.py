"""Candidates for wiring and a quota into the bindings that save the most seconds."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import attrs
from attrs import validators as v


class Pin(StrEnum):
    """How a chosen candidate is to be bound."""

    WIRED = "WIRED"
    """Never a victim until it is released."""
    SOFT = "SOFT"
    """Held, but taken before the array stands still, with an event first."""


@attrs.frozen(kw_only=True)
class Candidate:
    """A region that might be wired: ``reuse_count`` expected reads of all of it, this session.

    ``reading`` is what a byte costs to read from where it lies off chip rather than on chip, once,
    and ``binding`` what it costs to bring it on chip by DMA: seconds a byte. ``read_only`` bytes
    are bound immutable. ``critical`` ones are never pinned softly: a step stands still while
    they are missing.
    """

    name: str
    size_bytes: int = attrs.field(validator=v.gt(0))
    reuse_count: float = attrs.field(validator=v.ge(0))
    reading: float = attrs.field(validator=v.gt(0))
    binding: float = attrs.field(validator=v.ge(0))
    read_only: bool = True
    critical: bool = True

    def score(self, holding: float) -> float:
        """Return seconds saved over all reads, per second of binding and of quota: no unit is left.

        ``holding`` is the price of a byte of quota for the session, in seconds (C9's lambda).
        """
        saved = self.reuse_count * self.size_bytes * self.reading
        return saved / (self.size_bytes * (self.binding + holding))

    @property
    def net_s(self) -> float:
        """The seconds that binding it saves in the end: all its reads, less one DMA."""
        return self.size_bytes * (self.reuse_count * self.reading - self.binding)


@attrs.frozen(kw_only=True)
class Choice:
    """A candidate that is to be bound, and how; ``score`` is seconds saved per second spent."""

    candidate: Candidate
    pin: Pin
    score: float


@attrs.frozen(kw_only=True)
class Arbitration:
    """What to bind, best first, and what that saves: net seconds, reads less binding."""

    chosen: tuple[Choice, ...]
    saved_s: float
    bytes: int


SOFT_ABOVE = 0.9
"""Share of the quota above which what is not critical is pinned softly."""


def arbitrate(candidates: Sequence[Candidate], quota_bytes: int, *, holding: float) -> Arbitration:
    """Choose what to bind, at a model's load or when a phase begins. O(n log n).

    Greedy by descending score, and beside it by net seconds a byte; of these two and the best
    single candidate that fits, the one that saves most. So it is never below half of the
    best choice (greedy alone may be arbitrarily bad). What would save nothing is left out; equal
    candidates are taken in the order given.
    Source: essay 003 (the score); Martello and Toth, Knapsack Problems (1990), 2.4 (the guard).
    """
    worth = [c for c in candidates if c.net_s > 0 and c.size_bytes <= quota_bytes]
    if not worth:
        return Arbitration(chosen=(), saved_s=0.0, bytes=0)
    orders = (
        sorted(worth, key=lambda c: -c.score(holding)),
        sorted(worth, key=lambda c: -c.net_s / c.size_bytes),
    )
    single = max(worth, key=lambda c: c.net_s)
    choices = [_filled(order, quota_bytes) for order in orders] + [[single]]
    best = max(choices, key=lambda chosen: sum(c.net_s for c in chosen))
    return Arbitration(
        chosen=tuple(_pinned(best, quota_bytes, holding)),
        saved_s=sum(c.net_s for c in best),
        bytes=sum(c.size_bytes for c in best),
    )


def _filled(order: Iterable[Candidate], quota_bytes: int) -> list[Candidate]:
    chosen, left = [], quota_bytes
    for candidate in order:
        if candidate.size_bytes <= left:
            chosen.append(candidate)
            left -= candidate.size_bytes
    return chosen


def _pinned(chosen: Sequence[Candidate], quota_bytes: int, holding: float) -> list[Choice]:
    """Pin hard from the best on; near the quota, what is not critical softly."""
    found, used = [], 0
    for candidate in sorted(chosen, key=lambda c: -c.score(holding)):
        used += candidate.size_bytes
        near_quota = used > SOFT_ABOVE * quota_bytes
        pin = Pin.SOFT if near_quota and not candidate.critical else Pin.WIRED
        found.append(Choice(candidate=candidate, pin=pin, score=candidate.score(holding)))
    return found
