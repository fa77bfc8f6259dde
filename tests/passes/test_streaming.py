from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.bounds.peak import Interval, live_bytes
from mirc.passes.streaming import Problem, Tile, fetch_starts, run_time_ps, stream


def link(speed: int) -> Callable[[int], tuple[tuple[str, int], ...]]:
    return lambda index: (("in", speed + 0 * index),)


def problem(tiles: list[Tile], capacity: int, *, transfer_ps: int, step_ps: int = 10) -> Problem:
    steps = 1 + max(tile.step for tile in tiles)
    return Problem(
        tiles=tuple(tiles),
        room=(capacity,) * steps,
        begin_ps=tuple(step_ps * i for i in range(steps + 1)),
        transfers_ps=link(transfer_ps),
        repeats=True,
    )


def even(count: int) -> list[Tile]:
    return [Tile(step, step, 1) for step in range(count)]


def test_the_streamed_set_is_spread_evenly_and_the_ring_is_two_tiles() -> None:
    # 12 tiles of 1, room for 8: W - C = 4, and a ring of 2 (one in use, one on its way) makes 6.
    # A transfer takes 20, so 6 take the 120 that 12 steps of 10 compute: neither waits.
    found = stream(problem(even(12), 8, transfer_ps=20))
    assert len(found.starts) == 4 + 2
    gaps = {b - a for a, b in zip(sorted(found.starts), sorted(found.starts)[1:], strict=False)}
    assert gaps == {2}
    assert found.ring_bytes == 2
    assert found.run_ps == 120


def test_on_a_slow_link_the_run_takes_the_bytes_over_the_bandwidth() -> None:
    found = stream(problem(even(12), 8, transfer_ps=1_000))
    assert found.run_ps <= 1.002 * len(found.starts) * 1_000


def test_one_step_streams_no_more_at_once_than_is_needed() -> None:
    # the last step reads 8 tiles; 8 others stand alone: with room for 12 of 16, those suffice
    tiles = [*even(8), *(Tile(8 + i, 8, 1) for i in range(8))]
    found = stream(problem(tiles, 12, transfer_ps=1))
    assert found.cap_bytes == 1
    assert sum(index >= 8 for index in found.starts) <= 1


def test_a_fetch_may_begin_in_the_run_before() -> None:
    # room for 2 of the 3 streamed tiles: while the one at step 3 is in use, the next run's first
    # is on its way
    tiles = [Tile(0, 0, 1), Tile(1, 2, 1), Tile(2, 3, 1)]
    assert fetch_starts(tiles, [2] * 4, repeats=True) == (3, 0, 1)
    assert fetch_starts(tiles, [2] * 4, repeats=False) == (0, 0, 1)


def test_a_steady_run_is_as_long_as_its_slower_half() -> None:
    tiles = [Tile(0, 0, 1), Tile(1, 2, 1)]
    task = problem([*tiles, Tile(9, 3, 1)], 9, transfer_ps=15)
    assert run_time_ps(task, tiles, (2, 0)) == 40  # 2 transfers of 15 beside 4 steps of 10
    slow = problem([*tiles, Tile(9, 3, 1)], 9, transfer_ps=50)
    assert run_time_ps(slow, tiles, (1, 0)) >= 100


TILES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 8)), min_size=2, max_size=20)


@settings(max_examples=150)
@given(TILES, st.integers(1, 60), st.integers(1, 100), st.booleans())
def test_at_every_step_the_pinned_and_the_visiting_tiles_fit(
    drawn: list[tuple[int, int]],
    capacity: int,
    transfer_ps: int,
    repeats: bool,  # noqa: FBT001 - drawn
) -> None:
    tiles = sorted(
        (Tile(i, step, size) for i, (step, size) in enumerate(drawn)), key=lambda t: t.step
    )
    room = tuple(capacity + step % 3 for step in range(10))
    found = stream(
        Problem(
            tiles=tuple(tiles),
            room=room,
            begin_ps=tuple(range(0, 110, 10)),
            transfers_ps=link(transfer_ps),
            repeats=repeats,
        )
    )
    intervals = [
        Interval(found.starts[t.index], t.step, t.size_bytes)
        if t.index in found.starts
        else Interval(0, 9, t.size_bytes)
        for t in tiles
    ]
    totals = live_bytes(intervals, 10)
    if found.fits:
        assert all(used <= left for used, left in zip(totals, room, strict=True))
    else:  # only where one step alone reads more than there is room for
        needs = [sum(t.size_bytes for t in tiles if t.step == step) for step in range(10)]
        assert any(need > left for need, left in zip(needs, room, strict=True))
