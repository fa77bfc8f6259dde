"""Offsets of what a plan keeps near, beside a count of its bytes that shares nothing with them."""

import pytest

from mirc.answers.tier_offsets import tier_offsets
from mirc.graph import Program, Role
from mirc.ir import Call, Name
from mirc.passes.pipeline import run
from mirc.passes.tier_check import near_bytes
from mirc.passes.tier_liveness import TierLive
from tests.passes.programs import Builder, decoder, machine

GB = 10**9


@pytest.mark.parametrize("near", [60 * GB, 300 * GB])
def test_the_bound_is_the_most_that_the_plan_has_near_at_once(near: int) -> None:
    program = decoder(layers=40)
    facts = run(program, machines=(machine(near),))
    (plan,) = facts[TierLive].plans
    certificates = {found.decision: found for found in tier_offsets(program, facts)}
    found = certificates["offsets in HBM of toy during decode_step"]
    counted = near_bytes(plan, facts[TierLive].pieces, "decode_step")
    assert found.bound == max(counted)
    assert found.gap is not None
    assert 0 <= found.gap <= 0.01
    masters = certificates["offsets of masters in DRAM of toy"]
    assert masters.bound == plan.masters.bytes_in["DRAM"]  # type: ignore[index]
    assert masters.gap == pytest.approx(0, abs=1e-6)


def test_what_visits_several_times_lies_there_each_time_from_fetch_to_use() -> None:
    build = Builder()
    shared = [build.store(f"shared.{i}", 40_000) for i in range(4)]
    for step in range(12):
        build.node(f"l.{step}", [shared[step % 4], build.store(f"l.{step}.w", 10_000)])
    build.phase("decode_step")
    program = build.program()
    schedule = (Call("REPEAT", (64, Name("decode_step"))),)
    facts = run(program, machines=(machine(150_000),), schedule=schedule)
    (plan,) = facts[TierLive].plans
    assert any(r.spans for r in plan.phases["decode_step"].placement.residences)
    found = next(iter(tier_offsets(program, facts)))
    assert found.bound == max(near_bytes(plan, facts[TierLive].pieces, "decode_step"))
    assert found.gap is not None
    assert found.gap >= 0


def test_a_plan_whose_pieces_cannot_lie_side_by_side_in_the_room_says_so() -> None:
    build = Builder()
    for layer in range(10):
        build.node(f"l.{layer}", [build.store(f"l.{layer}.w", 10)])
    build.phase("decode_step")
    program = build.program()
    schedule = (Call("REPEAT", (64, Name("decode_step"))),)
    facts = run(program, machines=(machine(90),), schedule=schedule)
    # 7 of 10 bytes that stay and two of a ring: each begins at a multiple of 256 bytes
    found = next(iter(tier_offsets(program, facts)))
    assert found.objective > 8 * 256
    assert found.note.endswith("usable bytes: some must be moved, or be pieces")


def trained(layers: int) -> Program:
    """Build a training iteration: what forward saves, gradients, and states that an update uses."""
    build = Builder()
    weights = [build.store(f"w{i}", 1_000) for i in range(layers)]
    saved = [build.store(f"forward.l{i}.op_0", 30_000, Role.SAVED) for i in range(layers)]
    gradients = [build.store(f"backward.l{i}.op_0", 1_000, Role.GRADIENT) for i in range(layers)]
    moments = [build.store(f"w{i}.moment", 2_000, Role.OPTIMIZER) for i in range(layers)]
    for i, x in enumerate(saved):
        build.node(f"l{i}", [weights[i], *saved[max(0, i - 1) : i]], [x], flops=10**14)
    build.phase("forward")
    for i in reversed(range(layers)):
        build.node(f"l{i}", [weights[i], saved[i]], [gradients[i]], flops=2 * 10**14)
    build.phase("backward")
    for i in range(layers):
        build.node(f"l{i}", [weights[i], gradients[i], moments[i]], [weights[i], moments[i]])
    build.phase("optimizer_update")
    return build.program()


@pytest.mark.parametrize("near", [10**6, 200_000])
def test_each_byte_of_a_training_iteration_is_counted_once(near: int) -> None:
    program = trained(layers=10)
    facts = run(program, machines=(machine(near),))
    (plan,) = facts[TierLive].plans
    assert (plan.leaving is not None) == (near < 10**6)
    found = {each.decision: each for each in tier_offsets(program, facts)}
    for phase in plan.phases:
        counted = near_bytes(plan, facts[TierLive].pieces, phase)
        assert found[f"offsets in HBM of toy during {phase}"].bound == max(counted)
