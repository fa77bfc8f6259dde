"""Tiles used at fixed steps of a phase into those that stream, and when their transfers begin."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

import attrs

LOOKAHEADS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Tried sizes of the part of the ring that fills while a step runs, in tiles."""

GOOD_ENOUGH = 1.002
"""A ring is large enough when the run takes at most this times its bound."""

SMALLEST_SHARE = 64
"""Tiles below this part of the largest one stay: a launch costs more than their room is worth."""


@attrs.frozen(slots=True)
class Tile:
    """``size_bytes`` that step ``step`` reads whole; ``index`` is the caller's name for it."""

    index: int
    step: int
    size_bytes: int


@attrs.frozen(kw_only=True)
class Streaming:
    """What streams: ``starts[index]`` is the step during which a tile's room is free.

    ``ring_bytes`` of the capacity hold the streamed tiles, ``cap_bytes`` of them the most that one
    step reads at once. ``run_ps`` is one run in the steady state. ``fits`` is false where not even
    streaming everything fits.
    """

    starts: dict[int, int]
    ring_bytes: int
    cap_bytes: int
    run_ps: int
    fits: bool = True


@attrs.frozen(kw_only=True)
class Problem:
    """One phase: ``room[t]`` bytes for tiles at step ``t``, ``begin_ps`` the roofline clock.

    ``begin_ps`` has one entry more than there are steps. ``transfers_ps(index)`` are the tile's
    transfer times over each link on its way, by link. ``forced`` tiles stream in any case.
    """

    tiles: tuple[Tile, ...]
    room: tuple[int, ...]
    begin_ps: tuple[int, ...]
    transfers_ps: Callable[[int], tuple[tuple[str, int], ...]]
    repeats: bool
    forced: frozenset[int] = frozenset()


def stream(problem: Problem) -> Streaming:
    """Choose the fewest bytes to stream that keep the link, or compute, busy.

    A pinned set and a ring share the least room of the phase. The streamed set is spread evenly
    over the run's roofline time, so that neither link nor compute waits for the other in bursts; it
    takes as little of any one step as suffices, since all that one step streams must be there
    together. Of the rings tried, the smallest that comes within 0.2 % of max(compute, bytes over
    the link), else the one with the shortest run, is taken. Cost: O(rings x (tiles log + steps)).
    """
    steps = _by_step(problem)
    best: Streaming | None = None
    for lookahead in LOOKAHEADS:
        found = _with_ring(problem, steps, lookahead)
        if found is None:
            break
        option, bound = found
        if best is None or option.run_ps * GOOD_ENOUGH < best.run_ps:
            best = option
        if best.run_ps <= GOOD_ENOUGH * bound:
            break
    return best if best is not None else _everything(problem)


def fetch_starts(tiles: Sequence[Tile], room: Sequence[int], *, repeats: bool) -> tuple[int, ...]:
    """Return for each tile (in order of use) the earliest step from which its room is free.

    Rooms are given in order of use. At step t, a tile and all that are used from t on before it
    must fit into ``room[t]``; going back from the tile's own step, the first t where they do not
    ends the stretch. In a repeating phase the stretch may reach back into the run before, and the
    step returned is then larger than the tile's own.
    """
    count = len(room)
    until = list(accumulate(tile.size_bytes for tile in tiles))
    released = [0] * (count + 1)  # bytes of tiles whose step comes before t
    for tile in tiles:
        released[tile.step + 1] += tile.size_bytes
    released = list(accumulate(released))
    total = until[-1] if until else 0
    starts = []
    for tile, end in zip(tiles, until, strict=True):
        start = tile.step
        earliest = tile.step - count + 1 if repeats else 0
        while start > earliest:
            before = start - 1
            if before >= 0:
                ahead = end - released[before]
            else:  # in the run before: its last tiles are still to be used
                ahead = end + total - released[before + count]
            if ahead > room[before]:
                break
            start = before
        starts.append(start % count)
    return tuple(starts)


def run_time_ps(problem: Problem, tiles: Sequence[Tile], starts: Sequence[int]) -> int:
    """Return the picoseconds of one run in the steady state, links first in first out.

    A step begins when the step before it has ended and its tiles have arrived; a transfer begins
    when its room is free (the step of its start is reached) and the link before it is done.
    """
    count = len(problem.room)
    wraps = [start > tile.step for tile, start in zip(tiles, starts, strict=True)]
    early = sum(wraps)  # tiles of the next run whose transfers begin in this one
    order = list(range(len(tiles)))
    free: dict[str, int] = {}
    arrived: dict[int, int] = {}
    now = 0
    lap_end = [0]
    for lap in range(3 if problem.repeats else 1):
        # In the first lap the early ones were not begun by a lap before: they start at once.
        queue = (
            [(0 if wraps[i] else starts[i], i) for i in order]
            if lap == 0
            else [(starts[i], i) for i in order if not wraps[i]]
        )
        if problem.repeats:
            queue += [(starts[i], i) for i in order[:early]]
        place = 0
        used = 0
        for step in range(count):
            while place < len(queue) and queue[place][0] <= step:
                index = queue[place][1]
                ready = now
                for link, spent in problem.transfers_ps(tiles[index].index):
                    ready = max(ready, free.get(link, 0)) + spent
                    free[link] = ready
                arrived[index] = ready
                place += 1
            while used < len(tiles) and tiles[used].step == step:
                now = max(now, arrived[used])
                used += 1
            now += problem.begin_ps[step + 1] - problem.begin_ps[step]
        lap_end.append(now)
    return lap_end[-1] - lap_end[-2]


def _by_step(problem: Problem) -> list[list[Tile]]:
    """Return each step's tiles that may stream: forced ones first, then the smallest."""
    largest = max((tile.size_bytes for tile in problem.tiles), default=0)
    steps: list[list[Tile]] = [[] for _ in problem.room]
    for tile in problem.tiles:
        if tile.index in problem.forced or tile.size_bytes * SMALLEST_SHARE >= largest:
            steps[tile.step].append(tile)
    for tiles in steps:
        tiles.sort(key=lambda t: (t.index not in problem.forced, t.size_bytes, t.index))
    return steps


def _with_ring(
    problem: Problem, steps: list[list[Tile]], lookahead: int
) -> tuple[Streaming, int] | None:
    total = sum(tile.size_bytes for tile in problem.tiles)
    capacity = min(problem.room)
    cap = _least_cap(problem, steps, total - capacity, lookahead)
    if cap is None:
        return None
    eligible = [_prefix(tiles, cap) for tiles in steps]
    unit = max((t.size_bytes for tiles in eligible for t in tiles), default=0)
    ring = cap + lookahead * unit
    chosen = _spread(eligible, problem.begin_ps, total - capacity + ring, problem.forced)
    pinned = total - sum(tile.size_bytes for tile in chosen)
    rooms = [room - pinned for room in problem.room]
    starts = fetch_starts(chosen, rooms, repeats=problem.repeats)
    run_ps = run_time_ps(problem, chosen, starts)
    busy: dict[str, int] = {}
    for tile in chosen:
        for link, spent in problem.transfers_ps(tile.index):
            busy[link] = busy.get(link, 0) + spent
    option = Streaming(
        starts={tile.index: start for tile, start in zip(chosen, starts, strict=True)},
        ring_bytes=capacity - pinned,
        cap_bytes=cap,
        run_ps=run_ps,
    )
    return option, max(problem.begin_ps[-1], *busy.values(), 0)


def _least_cap(
    problem: Problem, steps: list[list[Tile]], missing: int, lookahead: int
) -> int | None:
    """Return the least that a step may stream at once so that all of it makes enough room."""
    prefixes = [list(accumulate(tile.size_bytes for tile in tiles)) for tiles in steps]
    largest = [list(accumulate((tile.size_bytes for tile in tiles), max)) for tiles in steps]
    least = max(
        sum(tile.size_bytes for tile in tiles if tile.index in problem.forced) for tiles in steps
    )
    caps = sorted({size for sums in prefixes for size in sums if size >= least})

    def gain(cap: int) -> int:
        counts = (bisect_right(sums, cap) for sums in prefixes)
        return sum(sums[n - 1] for sums, n in zip(prefixes, counts, strict=True) if n)

    def enough(cap: int) -> bool:
        counts = [bisect_right(sums, cap) for sums in prefixes]
        unit = max((sizes[n - 1] for sizes, n in zip(largest, counts, strict=True) if n), default=0)
        ring = cap + lookahead * unit
        return ring <= min(problem.room) and gain(cap) >= missing + ring

    # From one cap to the next some step takes all of the difference, so the gain rises by no less:
    # gain less cap never falls, and what lies left of this point cannot be enough.
    low = bisect_left(caps, True, key=lambda cap: gain(cap) >= missing + cap)  # noqa: FBT003
    return next((cap for cap in caps[low:] if enough(cap)), None)


def _prefix(tiles: list[Tile], cap: int) -> list[Tile]:
    sums = list(accumulate(tile.size_bytes for tile in tiles))
    return tiles[: bisect_right(sums, cap)]


def _spread(
    eligible: list[list[Tile]], begin_ps: Sequence[int], wanted: int, forced: frozenset[int]
) -> list[Tile]:
    """Pick at least ``wanted`` bytes, as evenly in roofline time as tiles allow.

    Error diffusion: a step's next tile is picked once the bytes due by the step's end exceed those
    picked by half a tile. What rounds and full steps leave missing is spread again over the rest;
    what is too much in the end is given back, the largest tile first.
    """
    picked = {tile.index: tile for tiles in eligible for tile in tiles if tile.index in forced}
    period = max(1, begin_ps[-1])
    got = sum(tile.size_bytes for tile in picked.values())
    while got < wanted:
        rest = [[t for t in tiles if t.index not in picked] for tiles in eligible]
        missing = wanted - got
        fresh = 0
        for step, tiles in enumerate(rest):
            due = missing * begin_ps[step + 1] / period
            for tile in tiles:
                if due - fresh >= tile.size_bytes / 2:
                    picked[tile.index] = tile
                    fresh += tile.size_bytes
        if not fresh:  # less than half a tile is missing
            tile = min((t for tiles in rest for t in tiles), key=lambda t: (t.size_bytes, t.index))
            picked[tile.index] = tile
            fresh = tile.size_bytes
        got += fresh
    for tile in sorted(picked.values(), key=lambda t: (-t.size_bytes, t.index)):
        if tile.index not in forced and got - tile.size_bytes >= wanted:
            del picked[tile.index]
            got -= tile.size_bytes
    return sorted(picked.values(), key=lambda t: (t.step, t.index))


def _everything(problem: Problem) -> Streaming:
    """Stream every tile for its own step alone: the least room there is, and still too much."""
    per_step = [0] * len(problem.room)
    for tile in problem.tiles:
        per_step[tile.step] += tile.size_bytes
    tiles = sorted(problem.tiles, key=lambda t: (t.step, t.index))
    starts = fetch_starts(tiles, problem.room, repeats=problem.repeats)
    fits = all(need <= room for need, room in zip(per_step, problem.room, strict=True))
    return Streaming(
        starts={tile.index: start for tile, start in zip(tiles, starts, strict=True)},
        ring_bytes=min(problem.room),
        cap_bytes=max(per_step),
        run_ps=run_time_ps(problem, tiles, starts),
        fits=fits,
    )
