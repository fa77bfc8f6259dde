"""Promotions, decode steps and prefixes into who is on chip, until when, and every loss's event."""

from enum import StrEnum

import attrs

from mirc.controller.sinks.choice import Sink, Stay


class Loss(StrEnum):
    """Why a promoted position left."""

    DWELL_OVER = "DWELL_OVER"
    """Its dwell had ended and its score had sunk."""
    RELEASED = "RELEASED"
    """Its last reader ended."""
    INVALIDATED = "INVALIDATED"
    """Its generation was ended: everything of the prefix at once."""
    BROKEN = "BROKEN"
    """It was taken before its dwell ended: a broken promise."""


@attrs.frozen(kw_only=True)
class Left:
    """A position of a prefix left the fast memory at a step."""

    prefix: str
    position: int
    step: int
    why: Loss


@attrs.define
class _Held:
    stay: Stay
    until_step: int
    score: float


@attrs.define
class _Region:
    """The promoted positions of one prefix, shared by ``readers`` sequences."""

    generation: int
    held: dict[int, _Held]
    readers: set[str] = attrs.field(factory=set)


class Residents:
    """The positions on chip: a region of each shared prefix, counted by its readers.

    A prefix is promoted once, for its first reader; others join. Every loss is returned as an
    event; nothing leaves without one.
    """

    def __init__(self, room: int, *, leave_below: float) -> None:
        self._room = room
        self._leave_below = leave_below
        self._regions: dict[str, _Region] = {}
        self._generations: dict[str, int] = {}

    @property
    def used(self) -> int:
        """Positions on chip, of all prefixes."""
        return sum(len(region.held) for region in self._regions.values())

    def readers(self, prefix: str) -> int:
        """How many sequences read a prefix; 0 if it is not on chip."""
        region = self._regions.get(prefix)
        return 0 if region is None else len(region.readers)

    def positions(self, prefix: str, generation: int) -> frozenset[int]:
        """Return what is on chip of a prefix; nothing for a generation that has ended."""
        region = self._regions.get(prefix)
        if region is None or region.generation != generation:
            return frozenset()
        return frozenset(region.held)

    def join(
        self, prefix: str, reader: str, sinks: tuple[Sink, ...], step: int, dwell: int
    ) -> tuple[int, tuple[int, ...]]:
        """Add a reader; return the generation and the positions that must be promoted for it.

        Those are the sinks of a prefix that is not on chip yet, as far as there is room, best
        first; for one that is, none.
        """
        region = self._regions.get(prefix)
        if region is not None:
            region.readers.add(reader)
            return region.generation, ()
        taken = sinks[: self._room - self.used]
        generation = self._generations.get(prefix, 0)
        held = {
            sink.position: _Held(stay=sink.stay, until_step=step + dwell, score=sink.score)
            for sink in taken
        }
        self._regions[prefix] = _Region(generation, held, {reader})
        return generation, tuple(held)

    def leave(self, prefix: str, reader: str, step: int) -> tuple[Left, ...]:
        """End a reader; the last one's end releases the region. Raises KeyError for a stranger."""
        region = self._regions[prefix]
        region.readers.remove(reader)
        if region.readers:
            return ()
        return self._empty(prefix, step, Loss.RELEASED)

    def invalidate(self, prefix: str, step: int) -> tuple[Left, ...]:
        """End a prefix's generation: its tags no longer hit, whoever holds the old number."""
        self._generations[prefix] = self._generations.get(prefix, 0) + 1
        return self._empty(prefix, step, Loss.INVALIDATED) if prefix in self._regions else ()

    def stepped(self, prefix: str, scores: dict[int, float], step: int) -> tuple[Left, ...]:
        """Take new scores after a decode step; timed ones leave if low once their dwell is over."""
        region = self._regions[prefix]
        for position, score in scores.items():
            if position in region.held:
                region.held[position].score = score
        gone = [
            position
            for position, held in region.held.items()
            if held.stay is Stay.TIMED
            and step >= held.until_step
            and held.score < self._leave_below
        ]
        for position in gone:
            del region.held[position]
        return tuple(_left(prefix, position, step, Loss.DWELL_OVER) for position in gone)

    def take(self, prefix: str, position: int, step: int) -> Left | None:
        """Take a position away under pressure; its event says whether a dwell was broken.

        None if it is pinned: that is never taken. Raises KeyError for what is not on chip.
        """
        region = self._regions[prefix]
        held = region.held[position]
        if held.stay is Stay.PINNED:
            return None
        del region.held[position]
        why = Loss.BROKEN if step < held.until_step else Loss.DWELL_OVER
        return _left(prefix, position, step, why)

    def _empty(self, prefix: str, step: int, why: Loss) -> tuple[Left, ...]:
        region = self._regions.pop(prefix)
        return tuple(_left(prefix, position, step, why) for position in region.held)


def _left(prefix: str, position: int, step: int, why: Loss) -> Left:
    return Left(prefix=prefix, position=position, step=step, why=why)
