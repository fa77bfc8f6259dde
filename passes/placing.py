"""One phase's pieces and room into what stays near, what streams, what comes on demand."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cached_property

import attrs

from mirc.passes.pieces import Demand, Piece, Wanted, use_of
from mirc.passes.streaming import Problem, Streaming, Tile, stream
from mirc.passes.visits import Span, covered_bytes, visits
from mirc.passes.waiting import Hops, waited_ps

Transfers = Callable[[int], Hops]


class Mode(StrEnum):
    """How a piece is resident in one phase."""

    STAYS = "stays"
    """In near memory always."""
    STREAMS = "streams"
    """In near memory from the fetch's step to the last use, below it otherwise."""
    VISITS = "visits"
    """In near memory for several stretches of steps, one for a use or for uses close together."""
    ON_DEMAND = "on_demand"
    """Below; what is used of it is fetched when it is known."""
    BELOW = "below"
    """Below: this phase does not use it."""


@attrs.frozen(slots=True)
class Residence:
    """A mode; for what streams, the steps from fetch to last use (inclusive, may wrap).

    What visits has several such ``spans``.
    """

    mode: Mode
    first: int = -1
    last: int = -1
    spans: tuple[Span, ...] = ()

    @property
    def stretches(self) -> tuple[Span, ...]:
        """The stretches of steps near, of what comes and goes."""
        return ((self.first, self.last),) if self.mode is Mode.STREAMS else self.spans


STAYS = Residence(Mode.STAYS)
ON_DEMAND = Residence(Mode.ON_DEMAND)
BELOW = Residence(Mode.BELOW)


@attrs.frozen(kw_only=True)
class Stage:
    """Where a phase plays: ``room[t]`` near bytes for pieces, the clock, the links.

    ``begin_ps`` has an entry more than there are steps; ``tokens`` are those of one run.
    ``outside`` are pieces that do not stay in a phase that runs more often: they do not stay here.
    ``held`` stay in a phase that runs as often: they stay here if the others can come and go.
    """

    room: tuple[int, ...]
    begin_ps: tuple[int, ...]
    transfers_ps: Transfers
    repeats: bool
    tokens: int
    outside: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()

    @cached_property
    def capacity(self) -> int:
        """The least room of the phase."""
        return min(self.room)


@attrs.frozen(kw_only=True)
class Placement:
    """Residences by piece, and what they cost.

    ``wanted_bytes`` are the bytes that a run is expected to use, ``planned_bytes`` those that move
    in a run once the first is over, ``bound_bytes`` the least that any plan must move,
    ``ring_bytes`` the near room in which streamed pieces follow one another, ``run_ps`` the time
    of a run: streams overlap with compute, visits too as far as the busiest link lets them, what is
    fetched on demand is waited for.
    """

    residences: tuple[Residence, ...]
    wanted_bytes: int
    planned_bytes: int
    bound_bytes: int
    ring_bytes: int
    run_ps: int
    fits: bool


def place(pieces: Sequence[Piece], wanted: dict[int, Wanted], stage: Stage) -> Placement:
    """Decide which pieces stay: certain ones before likely ones, spread evenly where not all can.

    Cost: that of ``stream``.
    """
    total = sum(piece.size_bytes for piece in pieces)
    if total <= stage.capacity:
        return _placement(pieces, wanted, stage, (STAYS,) * len(pieces), None)
    residences = [_at_first(use_of(wanted, piece)) for piece in pieces]
    tiles = [
        Tile(index, use.first, piece.size_bytes)
        for index, piece in enumerate(pieces)
        if (use := use_of(wanted, piece)).demand is Demand.FIXED and use.first == use.last
    ]
    below = [i for i, residence in enumerate(residences) if residence is ON_DEMAND]
    by_chance = [i for i in below if use_of(wanted, pieces[i]).demand is Demand.CHANCE]
    rows = [i for i in below if use_of(wanted, pieces[i]).demand is Demand.ROWS]
    need = _chance_room(pieces, wanted, by_chance, stage)
    beside = [left - drawn for left, drawn in zip(stage.room, need, strict=True)]
    apart = _apart(pieces, wanted, tiles, beside, stage)
    for index, spans in apart.items():
        if spans:
            residences[index] = Residence(Mode.VISITS, spans=spans)
    sizes = [pieces[index].size_bytes for index in apart]
    taken = covered_bytes(tuple(apart.values()), sizes, len(stage.room))
    room = tuple(left - near for left, near in zip(beside, taken, strict=True))
    certain = sum(tile.size_bytes for tile in tiles)
    forced = frozenset(tile.index for tile in tiles if tile.index in stage.outside)
    if certain > min(room) or forced:
        streaming = _streamed(tiles, room, stage, forced)
        for tile in tiles:
            start = streaming.starts.get(tile.index)
            if start is not None:
                residences[tile.index] = Residence(Mode.STREAMS, start, tile.step)
        return _placement(pieces, wanted, stage, residences, streaming)
    least = min(left - near for left, near in zip(stage.room, taken, strict=True))
    if certain + sum(pieces[i].size_bytes for i in by_chance) <= least:
        left = least - certain  # all experts fit: nothing is drawn from below
    else:
        left = min(room) - certain
    for index in (*_paired(pieces, wanted, by_chance), *rows):
        if index not in stage.outside and pieces[index].size_bytes <= left:
            residences[index] = STAYS
            left -= pieces[index].size_bytes
    return _placement(pieces, wanted, stage, residences, None)


def _streamed(
    tiles: Sequence[Tile], room: Sequence[int], stage: Stage, forced: frozenset[int]
) -> Streaming:
    """Choose what streams among what is not held, or among all where that is not enough."""
    held = stage.held - forced
    moving = tuple(tile for tile in tiles if tile.index not in held)
    kept = sum(tile.size_bytes for tile in tiles if tile.index in held)
    problem = Problem(
        tiles=moving,
        room=tuple(left - kept for left in room),
        begin_ps=stage.begin_ps,
        transfers_ps=stage.transfers_ps,
        repeats=stage.repeats,
        forced=forced,
    )
    streaming = stream(problem)
    if streaming.fits or not kept:
        return streaming
    return stream(attrs.evolve(problem, tiles=tuple(tiles), room=tuple(room)))


def least_bytes(pieces: Sequence[Piece], wanted: dict[int, Wanted], capacity: int) -> int:
    """Return the least bytes that a run is expected to move, whatever stays in ``capacity``.

    The likeliest bytes are best kept: a fractional knapsack, which for certain pieces is W - C.
    """
    shares: dict[float, int] = {}
    for piece in pieces:
        use = use_of(wanted, piece)
        if use.demand in (Demand.FIXED, Demand.CHANCE):
            chance = use.chance(piece)
            shares[chance] = shares.get(chance, 0) + piece.size_bytes
    left = max(0, capacity)
    moved = 0.0
    for probability in sorted(shares, reverse=True):
        size = shares[probability]
        kept = min(left, size)
        left -= kept
        moved += probability * (size - kept)
    return int(moved)


def _apart(
    pieces: Sequence[Piece],
    wanted: dict[int, Wanted],
    tiles: Sequence[Tile],
    room: Sequence[int],
    stage: Stage,
) -> dict[int, tuple[Span, ...]]:
    """Return the pieces that several steps use: none of their stretches, if all can stay.

    They come before pieces of one step, whose gap is a whole run: only what a step's own tiles
    need, and the largest tile on its way, is left free of them.
    """
    uses = {
        index: use.steps
        for index, piece in enumerate(pieces)
        if (use := use_of(wanted, piece)).demand is Demand.FIXED and use.first != use.last
    }
    least = list(room)
    for tile in tiles:
        least[tile.step] -= tile.size_bytes
    if sum(pieces[index].size_bytes for index in uses) <= min(least):
        return dict.fromkeys(uses, ())
    ahead = max((tile.size_bytes for tile in tiles), default=0)
    found = visits(
        list(uses.values()),
        [pieces[index].size_bytes for index in uses],
        [left - ahead for left in least],
        repeats=stage.repeats,
    )
    return dict(zip(uses, found, strict=True))


def _at_first(use: Wanted) -> Residence:
    if use.demand is Demand.FIXED:
        return STAYS
    return BELOW if use.demand is Demand.IDLE else ON_DEMAND


def _chance_room(
    pieces: Sequence[Piece], wanted: dict[int, Wanted], by_chance: list[int], stage: Stage
) -> list[int]:
    """Return the room at each step for as many slices as its tokens can choose at most."""
    slices: dict[int, list[int]] = {}
    for index in by_chance:
        slices.setdefault(pieces[index].storage, []).append(pieces[index].size_bytes)
    need = [0] * len(stage.room)
    for storage, sizes in slices.items():
        use = wanted[storage]
        drawn = sum(sorted(sizes)[-min(len(sizes), use.top_k * stage.tokens) :])
        for step in use.steps:
            need[step] += drawn
    return need


def _paired(pieces: Sequence[Piece], wanted: dict[int, Wanted], by_chance: list[int]) -> list[int]:
    """Order slices, the likeliest first where they were observed.

    Those alike go by their number, so that all layers get their share and matrices stay paired.
    """

    def order(index: int) -> tuple[float, int, int]:
        piece = pieces[index]
        return -use_of(wanted, piece).chance(piece), piece.part, index

    return sorted(by_chance, key=order)


def _placement(
    pieces: Sequence[Piece],
    wanted: dict[int, Wanted],
    stage: Stage,
    residences: Sequence[Residence],
    streaming: Streaming | None,
) -> Placement:
    expected = planned = 0.0
    drawn: list[tuple[int, float, Hops]] = []
    for index, (piece, residence) in enumerate(zip(pieces, residences, strict=True)):
        use = use_of(wanted, piece)
        if use.demand in (Demand.FIXED, Demand.CHANCE):
            chance = use.chance(piece)
            expected += chance * piece.size_bytes
            if residence.mode is Mode.STREAMS:
                planned += piece.size_bytes
            elif residence.mode is Mode.VISITS:
                planned += piece.size_bytes * len(residence.spans)
            elif residence.mode is Mode.ON_DEMAND:
                planned += chance * piece.size_bytes
                drawn.append((use.first, chance, stage.transfers_ps(index)))
    fits = streaming.fits if streaming else _fits(pieces, residences, stage)
    streamed_ps = streaming.run_ps if streaming else stage.begin_ps[-1]
    return Placement(
        residences=tuple(residences),
        wanted_bytes=round(expected),
        planned_bytes=round(planned),
        bound_bytes=least_bytes(pieces, wanted, stage.capacity),
        ring_bytes=streaming.ring_bytes if streaming else 0,
        run_ps=max(streamed_ps, _busiest_ps(residences, stage)) + round(waited_ps(drawn)),
        fits=fits,
    )


def _busiest_ps(residences: Sequence[Residence], stage: Stage) -> int:
    """Return the time that visits, and streams beside them, need of their busiest link."""
    if not any(residence.mode is Mode.VISITS for residence in residences):
        return 0  # streams alone: their own account is the better one
    busy: dict[str, int] = {}
    for index, residence in enumerate(residences):
        if residence.stretches:
            for link, spent in stage.transfers_ps(index):
                busy[link] = busy.get(link, 0) + spent * len(residence.stretches)
    return max(busy.values(), default=0)


def _fits(pieces: Sequence[Piece], residences: Sequence[Residence], stage: Stage) -> bool:
    near = sum(
        p.size_bytes for p, r in zip(pieces, residences, strict=True) if r.mode is Mode.STAYS
    )
    coming = [(r.spans, p.size_bytes) for p, r in zip(pieces, residences, strict=True) if r.spans]
    visiting = covered_bytes(
        [spans for spans, _ in coming], [size for _, size in coming], len(stage.room)
    )
    return all(near + comes <= room for comes, room in zip(visiting, stage.room, strict=True))
