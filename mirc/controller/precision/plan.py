"""Units and the room that near memory has for them into the rungs that they should be held at."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush

import attrs

from mirc.claims.admission import Admission, Pool, admit
from mirc.controller.precision.units import Unit


@attrs.frozen
class Lowering:
    """One rung down of one unit, in the order in which pressure asks for it."""

    unit: int
    rung: int
    freed_bytes: int


@attrs.frozen(kw_only=True)
class Fitted:
    """The rung of each unit; ``near_bytes`` is what all of them would take near.

    ``short_bytes`` is what does not fit even so: it streams, or, where nothing may, is refused.
    """

    rungs: tuple[int, ...]
    near_bytes: int
    short_bytes: int
    lowered: tuple[Lowering, ...]


def fit(units: Sequence[Unit], room_bytes: int) -> Fitted:
    """Lower units, one rung at a time, until they fit or all are at their floors: O(r log n).

    The least sensitive first; of those the ones that have lost the least rungs, then the ones whose
    next rung frees the most. No more is lowered than the room asks for: what one rung costs in
    quality is not known here, so none is spent for nothing.
    """
    rungs = [0] * len(units)
    need = sum(unit.size_bytes for unit in units)
    heap = [entry for index, unit in enumerate(units) for entry in _next(unit, index, 0)]
    heapify(heap)
    lowered = []
    while need > room_bytes and heap:
        *_, index = heappop(heap)
        rungs[index] += 1
        unit, rung = units[index], rungs[index]
        freed = unit.rungs[rung - 1] - unit.rungs[rung]
        need -= freed
        lowered.append(Lowering(index, rung, freed))
        for entry in _next(unit, index, rung):
            heappush(heap, entry)
    return Fitted(
        rungs=tuple(rungs),
        near_bytes=need,
        short_bytes=max(0, need - room_bytes),
        lowered=tuple(lowered),
    )


def to_floor(units: Sequence[Unit]) -> Fitted:
    """Lower every unit as far as it may be, whatever the room: least bytes to read."""
    rungs = tuple(unit.lowest for unit in units)
    lowered = tuple(
        Lowering(index, rung, unit.rungs[rung - 1] - unit.rungs[rung])
        for index, unit in enumerate(units)
        for rung in range(1, unit.lowest + 1)
    )
    near = sum(unit.rungs[rung] for unit, rung in zip(units, rungs, strict=True))
    return Fitted(rungs=rungs, near_bytes=near, short_bytes=0, lowered=lowered)


def admitted(units: Sequence[Unit], capacity_bytes: int, active_bytes: int = 0) -> Admission:
    """Decide whether units that must all stay near fit at their floors, beside active work.

    Where they do not, that is a refusal with the largest of them named: a floor never yields.
    """
    floors = [(unit.name, unit.rungs[unit.lowest]) for unit in units]
    held = sum(size for _, size in floors)
    pool = Pool(
        capacity=capacity_bytes,
        must_hold=held,
        free=max(0, capacity_bytes - held),
        holding=tuple(floors),
    )
    return admit(active_bytes, pool)


def _next(unit: Unit, index: int, rung: int) -> Iterator[tuple[float, int, int, int]]:
    """Yield the next lowering of a unit as (sensitivity, rungs lost, less bytes first, index)."""
    if rung < unit.lowest:
        freed = unit.rungs[rung] - unit.rungs[rung + 1]
        yield (unit.sensitivity, rung, -freed, index)
