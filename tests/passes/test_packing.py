"""The packing of use gaps, replayed step by step by code that shares nothing with it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.passes.packing import Packed, pack


def replayed(uses: list[list[int]], sizes: list[int], room: list[int], plan: Packed) -> int:
    """Return the bytes that come in; assert that what lies near always fits."""
    near: set[int] = set()
    moved = 0
    for step, have in enumerate(room):
        now = {index for index, steps in enumerate(uses) if step in steps}
        moved += sum(sizes[index] for index in now - near)
        near |= now
        assert sum(sizes[index] for index in near) <= have
        near = {
            index
            for index in near
            if step not in plan.dropped[index] and any(later > step for later in uses[index])
        }
    return moved


@st.composite
def traces(draw: st.DrawFn) -> tuple[list[list[int]], list[int], list[int]]:
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
    uses = [sorted(draw(st.sets(st.integers(0, 9), max_size=6))) for _ in sizes]
    spare = draw(st.lists(st.integers(0, 20), min_size=10, max_size=10))
    room = [
        extra + sum(size for size, steps in zip(sizes, uses, strict=True) if step in steps)
        for step, extra in enumerate(spare)
    ]
    return uses, sizes, room


@settings(max_examples=150, deadline=None)
@given(traces())
def test_what_a_plan_moves_is_what_its_replay_moves(
    trace: tuple[list[list[int]], list[int], list[int]],
) -> None:
    uses, sizes, room = trace
    plan = pack(uses, sizes, room)
    assert plan.fits
    assert replayed(uses, sizes, room, plan) == plan.moved_bytes >= plan.bound_bytes


def test_with_equal_sizes_the_plan_is_the_bound() -> None:
    # three objects in turn, room for two: of six uses, the first three and every other move
    plan = pack([[0, 3, 6], [1, 4, 7], [2, 5, 8]], [5] * 3, [10] * 9)
    assert plan.moved_bytes == plan.bound_bytes == 5 * (9 - 3)


def test_a_step_that_uses_more_than_its_room_is_said() -> None:
    assert not pack([[0], [0]], [5, 6], [10]).fits
