"""Pieces that several steps use: which gaps between uses they stay through."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.emit import emit
from mirc.grammar import print_module
from mirc.graph import Program, Role
from mirc.passes.pipeline import run
from mirc.passes.placing import Mode
from mirc.passes.tier_check import overfull_steps
from mirc.passes.tier_liveness import TierLive, TierLiveness
from mirc.passes.visits import covered_bytes, visits
from tests.passes.programs import Builder, machine

STEPS = 8
USES = st.sets(st.integers(0, STEPS - 1), min_size=1).map(lambda steps: tuple(sorted(steps)))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(USES, st.integers(1, 9)), min_size=1, max_size=5),
    st.lists(st.integers(0, 20), min_size=STEPS, max_size=STEPS),
    st.booleans(),
)
def test_each_use_lies_in_one_stretch_and_what_is_near_fits(
    drawn: list[tuple[tuple[int, ...], int]],
    spare: list[int],
    repeats: bool,  # noqa: FBT001 - drawn
) -> None:
    uses, sizes = [steps for steps, _ in drawn], [size for _, size in drawn]
    room = [
        extra + sum(size for steps, size in drawn if step in steps)
        for step, extra in enumerate(spare)
    ]
    found = visits(uses, sizes, room, repeats=repeats)
    near = covered_bytes(found, sizes, STEPS)
    assert all(used <= have for used, have in zip(near, room, strict=True))
    for steps, spans in zip(uses, found, strict=True):
        each = covered_bytes([spans], [1], STEPS)
        assert max(each) == 1  # stretches of one piece never overlap
        assert all(each[step] for step in steps)
        assert repeats or all(first <= last for first, last in spans)


def test_the_shortest_gap_is_kept_and_a_stretch_may_wrap() -> None:
    # used at 0, 1 and 4 of 8 steps; room for it at its uses and between 1 and 4, not after 4
    assert visits([(0, 1, 4)], [5], [5, 5, 5, 5, 5, 0, 0, 0], repeats=True) == (((0, 4),),)
    assert visits([(0, 1, 4)], [5], [5, 5, 0, 0, 5, 5, 5, 5], repeats=True) == (((4, 1),),)
    assert visits([(0, 1, 4)], [5], [5] * 8, repeats=True) == ((),)


def shared(size: int = 10) -> Program:
    """Four weights that take turns, three times over, in every decode step."""
    build = Builder()
    cache = build.store("kv", 4, Role.CACHE, per_token=0)
    weights = [build.store(f"w.{index}", size) for index in range(4)]
    for turn in range(3):
        for index, weight in enumerate(weights):
            build.node(f"turn.{turn}.{index}", [weight, cache], [cache])
    build.phase("decode_step", past=3)
    return build.program()


def test_weights_that_take_turns_visit_where_they_cannot_all_stay() -> None:
    # room 28 less the cache's 4: two of four weights at a time
    program, target = shared(), machine(28)
    facts = run(program, machines=(target,))
    tiers = facts[TierLive]
    (plan,) = tiers.plans
    placement = plan.phases["decode_step"].placement
    assert placement.fits
    assert overfull_steps(plan, tiers.pieces, "decode_step") == []
    modes = [residence.mode for residence in placement.residences]
    # one place beside the step's own: of each run's twelve gaps of three steps four fit in turn
    assert modes == [Mode.VISITS] * 4
    assert placement.planned_bytes == (12 - 4) * 10
    text = print_module(emit(program, facts))
    assert "[HBM(turn.0.0, turn.1.0), HBM(turn.2.0, turn.2.0), DRAM]" in text
    assert "[HBM(turn.2.1, turn.0.1), HBM(turn.1.1, turn.1.1), DRAM]" in text


def test_no_certificate_of_visits_finds_less_than_any_plan_moves() -> None:
    program, target = shared(), machine(28)
    facts = run(program, machines=(target,), only=("tier-liveness",))
    found = list(TierLiveness().certify(program, facts))
    # 48 uses in four runs, 80 bytes a run; one stretch wraps, and its half in the first run is one
    # fetch more. None does better: room for one piece beside the step's own, through 15 of 44 gaps.
    assert (found[0].objective, found[0].bound) == (4 * 80 + 10, 330)
    assert all(c.bound is not None and c.objective >= c.bound for c in found)
