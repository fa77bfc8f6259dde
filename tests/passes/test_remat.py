"""What a training program keeps, spills and computes again between forward and backward."""

import pytest

from mirc.graph import Program, Role
from mirc.passes.remat import joint_plan, trains
from mirc.passes.remat_edits import Means
from tests.passes.programs import Builder, machine

SIZE = 1_000_000
LAYERS = 6
TOY = machine(1 << 40, near_bytes_per_s=1e12, flops=1e12, link_bytes_per_s=1e9)


def training(*, flops: int, random: bool = False) -> Program:
    """Chain ``LAYERS`` layers whose results backward reads in reverse."""
    build = Builder()
    weight = build.store("w", SIZE)
    saved = [build.store(f"forward.x{i}", SIZE, Role.SAVED) for i in range(LAYERS)]
    gradients = [build.store(f"backward.g{i}", SIZE, Role.ACTIVATION) for i in range(LAYERS)]
    for i, x in enumerate(saved):
        build.node(f"f{i}", [weight, *saved[max(0, i - 1) : i]], [x], flops=flops, random=random)
    build.phase("forward")
    for i in reversed(range(LAYERS)):
        above = [gradients[i + 1]] if i + 1 < LAYERS else []
        build.node(f"b{i}", [weight, saved[i], *above], [gradients[i]], flops=2 * flops)
    build.phase("backward")
    return build.program()


def test_with_room_for_all_nothing_leaves() -> None:
    found = joint_plan(training(flops=10**6), TOY, "bfloat16")
    assert found.fits
    assert found.spilled == found.recomputed == frozenset()
    # MB at 1 TB/s: forward touches 2 and 5 times 3, backward 3 and 5 times 4
    assert found.seconds == pytest.approx(40e-6)


def test_what_is_cheap_to_make_is_computed_again() -> None:
    found = joint_plan(training(flops=10**6), TOY, "bfloat16", room_bytes=5 * SIZE)
    assert found.fits
    assert found.peak_bytes <= 5 * SIZE
    assert found.recomputed
    assert not found.spilled  # 1 ms each way against 3 us


def test_what_is_dear_to_make_is_spilled_behind_compute() -> None:
    # 10 ms a layer, 1 ms a copy: the copies hide behind compute and cost nothing
    program = training(flops=10**10)
    found = joint_plan(program, TOY, "bfloat16", room_bytes=5 * SIZE)
    free = joint_plan(program, TOY, "bfloat16")
    assert found.fits
    assert found.spilled
    assert not found.recomputed
    assert found.seconds == pytest.approx(free.seconds)


def test_random_draws_are_never_computed_again() -> None:
    found = joint_plan(training(flops=1, random=True), TOY, "bfloat16", room_bytes=5 * SIZE)
    assert found.fits
    assert found.recomputed == frozenset()
    assert found.spilled


def test_both_means_are_never_slower_than_one() -> None:
    for flops in (10**6, 10**9, 10**10):
        program = training(flops=flops)
        both, *alone = (
            joint_plan(program, TOY, "bfloat16", means=means, room_bytes=5 * SIZE)
            for means in (frozenset(Means), *(frozenset({each}) for each in Means))
        )
        assert both.fits
        assert all(both.seconds <= each.seconds * (1 + 1e-9) for each in alone if each.fits)


def test_a_program_without_backward_has_nothing_to_plan() -> None:
    build = Builder()
    build.node("f", [], [build.store("p.x", SIZE, Role.ACTIVATION)])
    build.phase("prefill")
    program = build.program()
    assert not trains(program)
    with pytest.raises(ValueError, match="no `forward` and `backward`"):
        joint_plan(program, TOY, "bfloat16")
