"""A sequence with a few repeats of each block into the same sequence with all of them."""

from collections.abc import Sequence
from typing import Any

import attrs

REPEATS = 4
"""How many repeats of a block a short sequence has: first, two between, last."""
BETWEEN = 2
"""The repeat that those further inside are copies of; the one before it says what changes."""


class NotAffineError(Exception):
    """What was captured at a few repeats does not say what more of them would give."""


@attrs.frozen(slots=True)
class Spot:
    """The repeat of a block, counted from 0, that an element of a short sequence belongs to."""

    run: int
    unit: int


@attrs.frozen(slots=True)
class Place:
    """Where an element lies: the pass over a run's blocks, the repeat, the position in it."""

    number: int
    run: int
    unit: int
    offset: int


@attrs.frozen(slots=True)
class Copy:
    """An element of a long sequence: whose copy it is, and the repeat that it belongs to."""

    source: int
    unit: int


@attrs.define(slots=True)
class _Block:
    """Elements in order: of one pass over a block's repeats, or (``run`` -1) of none."""

    run: int
    units: dict[int, list[int]]


class Stretch:
    """A short sequence, laid out with ``counts[run]`` repeats of each block.

    ``spots`` say which repeat each element belongs to. Elements of no block that stand between
    two repeats go with the first of them. A sequence may pass over one block several times
    (parameters, then operations of one phase, then of the next). Of a pass, the first, second and
    last repeat stand for themselves, every repeat between them is a copy of the third.

    Raises NotAffineError where a pass leaves repeats out or the repeats between differ in ``keys``.
    O(elements of the long sequence).
    """

    def __init__(
        self, spots: Sequence[Spot | None], keys: Sequence[Any], counts: Sequence[int]
    ) -> None:
        self.spots = spots
        self.counts = counts
        self.copies: list[Copy] = []
        self.places: dict[int, Place] = {}
        self.before: dict[int, int] = {}
        self._sources: dict[tuple[int, int, int], int] = {}
        self._starts: list[dict[int, int]] = []
        self._fixed: dict[int, int] = {}
        for block in _blocks(spots):
            if _repeats(block, keys):
                self._lay_out(block)
            else:
                self._keep(block)

    def at(self, source: int, unit: int) -> int:
        """Give the position of the copy of ``source`` in repeat ``unit`` (if it has copies)."""
        place = self.places.get(source)
        if place is None:
            return self._fixed[source]
        return self._starts[place.number][unit] + place.offset

    def like(self, source: int, unit: int) -> int | None:
        """Give the element that stands where ``source`` does in another repeat of the short one."""
        place = self.places.get(source)
        return None if place is None else self._sources.get((place.number, unit, place.offset))

    def last(self, run: int) -> int:
        """Give the number of a run's last repeat."""
        return self.counts[run] - 1

    def _keep(self, block: _Block) -> None:
        for source in (one for unit in block.units.values() for one in unit):
            spot = self.spots[source]
            self._fixed[source] = len(self.copies)
            unit = -1 if spot is None else self.last(spot.run) if spot.unit else 0
            self.copies.append(Copy(source, unit))

    def _lay_out(self, block: _Block) -> None:
        number = len(self._starts)
        starts: dict[int, int] = {}
        self._starts.append(starts)
        for unit, sources in block.units.items():
            for offset, source in enumerate(sources):
                self.places[source] = Place(number, block.run, unit, offset)
                self._sources[number, unit, offset] = source
        self.before.update(zip(block.units[BETWEEN], block.units[BETWEEN - 1], strict=True))
        last = self.last(block.run)
        for unit in range(last + 1):
            template = REPEATS - 1 if unit == last else min(unit, BETWEEN)
            starts[unit] = len(self.copies)
            self.copies += [Copy(source, unit) for source in block.units.get(template, ())]


def _blocks(spots: Sequence[Spot | None]) -> list[_Block]:
    """Cut a sequence into passes over one block each, and what stands between them."""
    blocks: list[_Block] = []
    waiting: list[int] = []
    now: _Block | None = None
    unit = -1
    for source, spot in enumerate(spots):
        if spot is None:
            waiting.append(source)
            continue
        if now is not None and now.run == spot.run and spot.unit in (unit, unit + 1):
            now.units[unit] += waiting  # between two repeats: it goes with the first of them
        else:
            blocks.append(_Block(-1, {0: waiting}))
            now = _Block(spot.run, {})
            blocks.append(now)
        waiting = []
        unit = spot.unit
        now.units.setdefault(unit, []).append(source)
    blocks.append(_Block(-1, {0: waiting}))
    return blocks


def _repeats(block: _Block, keys: Sequence[Any]) -> bool:
    """Say whether a pass goes over all repeats; raise NotAffineError where only over some."""
    between = [unit for unit in block.units if 0 < unit < REPEATS - 1]
    if block.run < 0 or not between:
        return False
    if len(between) < REPEATS - BETWEEN:
        raise NotAffineError("a block's repeats do not all do the same")
    one, other = ([keys[source] for source in block.units[unit]] for unit in between)
    if one != other:
        raise NotAffineError("two repeats of a block differ")
    return True


def followed(
    stretch: Stretch, spot: Spot | None, copy: Copy, refers: Sequence[int], before: Sequence[int]
) -> tuple[int, ...]:
    """Give what a copy of an element refers to in the long sequence of ``stretch``.

    The element stands in repeat ``spot`` and refers to ``refers`` in the short sequence; if it
    stands in the third repeat, its like in the second refers to ``before`` (else empty). A
    reference within a run moves with the element if it did so from the second repeat to the
    third, and stays if it did not. Raises NotAffineError where neither is so.
    """
    if not before:
        return tuple(_held(stretch, spot, source) for source in refers)
    if spot is None or len(before) != len(refers):
        raise NotAffineError(REFERS)
    return tuple(
        _moved(stretch, spot.run, copy.unit, pair) for pair in zip(refers, before, strict=True)
    )


REFERS = "two repeats of a block refer to different things"


def _held(stretch: Stretch, spot: Spot | None, source: int) -> int:
    """Follow a reference of an element that stands for itself."""
    place = stretch.places.get(source)
    if place is None or place.unit == 0:
        return stretch.at(source, 0)
    last = stretch.last(place.run)
    if place.unit == REPEATS - 1:
        return stretch.at(source, last)
    if spot is not None and spot.run == place.run:
        if spot.unit == 1 == place.unit:
            return stretch.at(source, 1)
        if spot.unit == REPEATS - 1 and place.unit == BETWEEN:
            return stretch.at(source, last - 1)
    raise NotAffineError("an operation refers to one repeat of a block from outside of it")


def _moved(stretch: Stretch, run: int, unit: int, pair: tuple[int, int]) -> int:
    """Follow a reference of a copy of the third repeat."""
    source, earlier = pair
    place, before = stretch.places.get(source), stretch.places.get(earlier)
    if source == earlier:
        if place is None or place.unit in (0, REPEATS - 1):
            return _held(stretch, None, source)
    elif place is not None and before is not None and place.run == run:
        step = place.unit - BETWEEN
        along = place.number == before.number and place.unit == before.unit + 1
        alike = before.unit == 0 or place.offset == before.offset
        if along and alike and step in (0, -1):
            return stretch.at(source, unit + step)
    raise NotAffineError(REFERS)
