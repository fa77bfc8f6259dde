import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.bounds.streaming import (
    Touches,
    crossings,
    drawn_bound_ps,
    step_bound_ps,
    streamed_bytes,
    transfer_floor_ps,
)

GB = 1_000_000_000


def _rooms(room: int, readings: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.full(readings, room, dtype=np.int64)


def test_a_cycle_larger_than_its_room_refetches_what_does_not_fit() -> None:
    # 4 GB read 64 times with room for 3: 4 + 63 x 1 GB
    assert streamed_bytes(4 * GB, _rooms(3 * GB, 64)) == 67 * GB


def test_a_cycle_that_fits_comes_in_once() -> None:
    assert streamed_bytes(4 * GB, _rooms(5 * GB, 64)) == 4 * GB


def test_without_room_everything_comes_in_every_time() -> None:
    assert streamed_bytes(4 * GB, _rooms(-1, 3)) == 12 * GB
    assert streamed_bytes(4 * GB, _rooms(GB, 0)) == 0


def test_every_reading_has_its_own_room_and_the_first_needs_none() -> None:
    # 4 GB, then 4 - 3, then nothing where 5 GB fit, then 4 - 1
    rooms = np.array([0, 3 * GB, 5 * GB, GB], dtype=np.int64)
    assert streamed_bytes(4 * GB, rooms) == (4 + 1 + 0 + 3) * GB


def test_a_step_is_bound_by_the_slower_of_computing_and_moving() -> None:
    # 55 GB over 55 GB/s take a second
    assert step_bound_ps(10**9, 55 * GB, 55e9) == 10**12
    assert step_bound_ps(2 * 10**12, 55 * GB, 55e9) == 2 * 10**12
    assert transfer_floor_ps(0, 55e9) == 0


def _touches(
    steps: list[list[tuple[int, bool]]], sizes: list[int], transients: list[int] | None = None
) -> Touches:
    flat = [(step, thing, made) for step, uses in enumerate(steps) for thing, made in uses]
    return Touches(
        step=np.array([row[0] for row in flat], dtype=np.int64),
        object=np.array([row[1] for row in flat], dtype=np.int64),
        created=np.array([row[2] for row in flat], dtype=np.bool_),
        size_bytes=np.array(sizes, dtype=np.int64),
        transient_bytes=np.array(transients or [0] * len(steps), dtype=np.int64),
    )


def _windows(
    touches: Touches, usable: int, cuts: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return crossings(touches, cuts).inward_bytes(usable, cuts)


def _cut(*places: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(places, dtype=np.int64)


def test_cuts_after_each_cycle_give_the_closed_form() -> None:
    # four objects of 10 read in turn, three times, room for 25: 40, then 40 - 25 twice
    steps = [[(thing, False)] for thing in (0, 1, 2, 3)] * 3
    windows = _windows(_touches(steps, [10] * 4), 25, _cut(3, 7))
    assert windows.tolist() == [40, 15, 15]
    assert windows.sum() == streamed_bytes(40, _rooms(25, 3))


def test_without_cuts_everything_comes_in_once() -> None:
    steps = [[(0, False)], [(1, True)], [(0, False), (1, False)]]
    assert _windows(_touches(steps, [10, 7]), 0, _cut()).tolist() == [10]


def test_what_the_cut_itself_holds_leaves_less_room() -> None:
    # At the cut after step 0: 5 of transients and object 1 (7 bytes), which is not used again.
    steps = [[(0, False), (1, True)], [(0, False), (2, False)]]
    windows = _windows(_touches(steps, [10, 7, 3], [5, 0]), 20, _cut(0))
    # room 20 - 5 - 7 = 8; objects 0 and 2 are 13 bytes: 5 must come in
    assert windows.tolist() == [10, 5]


@st.composite
def _runs(draw: st.DrawFn) -> tuple[Touches, int, list[int]]:
    sizes = draw(st.lists(st.integers(1, 20), min_size=1, max_size=8))
    made = draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes)))
    things = st.sets(st.integers(0, len(sizes) - 1), max_size=3)
    seen: set[int] = set()
    steps = []
    for used in draw(st.lists(things, min_size=1, max_size=20)):
        steps.append([(thing, made[thing] and thing not in seen) for thing in sorted(used)])
        seen |= used
    transients = draw(st.lists(st.integers(0, 9), min_size=len(steps), max_size=len(steps)))
    least = max(
        sum(sizes[thing] for thing, _ in uses) + extra
        for uses, extra in zip(steps, transients, strict=True)
    )
    usable = least + draw(st.integers(0, 30))
    cuts = sorted(draw(st.sets(st.integers(0, len(steps) - 1), max_size=4)))
    return _touches(steps, sizes, transients), usable, cuts


def _moved_by_chance(touches: Touches, usable: int, chance: random.Random) -> int:
    """Run a cache that evicts at random, and what it likes in advance; count what comes in."""
    near: set[int] = set()
    size = touches.size_bytes.tolist()
    moved = 0
    for step, transient in enumerate(touches.transient_bytes.tolist()):
        at = touches.step == step
        uses = dict(zip(touches.object[at].tolist(), touches.created[at].tolist(), strict=True))
        for thing, created in uses.items():
            moved += 0 if created or thing in near else size[thing]
        near |= uses.keys()
        while sum(size[thing] for thing in near) + transient > usable:
            near.remove(chance.choice(sorted(near - uses.keys())))
    return moved


@given(_runs(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_no_cache_moves_less_than_the_bound(
    run: tuple[Touches, int, list[int]], chance: random.Random
) -> None:
    touches, usable, cuts = run
    bound = int(_windows(touches, usable, _cut(*cuts)).sum())
    assert _moved_by_chance(touches, usable, chance) >= bound


def test_without_guesses_compute_and_waiting_follow_each_other() -> None:
    # 8 GB/s: 4 GB are half a second, whatever was fetched ahead
    assert drawn_bound_ps(10**12, 0, lambda _: 4 * GB, 8e9) == 1_500_000_000_000
    assert drawn_bound_ps(10**12, 10**12, lambda _: 4 * GB, 8e9) == 500_000_000_000


@given(
    st.integers(0, 10**9),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_no_amount_of_guessing_beats_the_bound_of_what_is_drawn(
    compute_ps: int, hidden: float, chance: float, below: int, ahead: int
) -> None:
    rate = 1e9

    def missing(fetched: int) -> int:
        return int(chance * max(0, below - fetched))

    hidden_ps = int(hidden * compute_ps)
    late = missing(ahead) / rate * 1e12
    possible = max(compute_ps - hidden_ps + late, ahead / rate * 1e12 + late)
    assert drawn_bound_ps(compute_ps, hidden_ps, missing, rate) <= possible + 2_000
