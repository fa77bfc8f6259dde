"""What a plan's pieces move over several runs, replayed step by step, beside the least there is."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.graph import Program, Role
from mirc.machine import Machine
from mirc.passes.pieces import Demand, use_of
from mirc.passes.pipeline import run
from mirc.passes.placing import Mode, Residence
from mirc.passes.tier_liveness import TierLive, TierLiveness
from mirc.passes.tier_moves import Moves, least_moved, least_warm_bytes, moved_bytes
from tests.passes.programs import Builder, machine


@st.composite
def walks(draw: st.DrawFn) -> tuple[Program, Machine]:
    """Weights of any size that steps use in any order, once or again and again."""
    build = Builder()
    sizes = draw(st.lists(st.integers(1, 60), min_size=1, max_size=8))
    weights = [build.store(f"w.{i}", size) for i, size in enumerate(sizes)]
    cache = build.store("kv", 3, Role.CACHE, per_token=0)
    names = draw(st.sampled_from([("decode_step",), ("forward",), ("prefill", "decode_step")]))
    for name in names:
        order = draw(st.lists(st.sampled_from(weights), min_size=1, max_size=20))
        for step, weight in enumerate(order):
            beside = [draw(st.sampled_from(weights))] if draw(st.booleans()) else []
            held = [cache] if name != "forward" else []
            build.node(f"{name}.{step}", [weight, *beside, *held], held, flops=10**6)
        build.phase(name, past=3 if name == "decode_step" else 0)
    near = int(sum(sizes) * draw(st.floats(0.1, 1.2))) + 3
    lower = draw(st.sampled_from([1 << 50, sum(sizes)]))
    return build.program(), machine(near, lower_bytes=lower, link_bytes_per_s=1e8, flops=1e12)


@settings(max_examples=150, deadline=None)
@given(walks())
def test_what_is_certified_is_what_a_replay_of_the_plan_moves_and_no_less_than_its_bound(
    case: tuple[Program, Machine],
) -> None:
    program, target = case
    facts = run(program, machines=(target,), only=("tier-liveness",))
    tiers = facts[TierLive]
    (plan,) = tiers.plans
    found = {c.decision: c for c in TierLiveness().certify(program, facts)}
    for certificate in found.values():
        assert certificate.gap is None or certificate.gap >= -1e-9, certificate
    for name, phase in plan.phases.items():
        for laps in (1, 4):
            decision = f"which pieces stay near in {laps} runs of {name} on toy"
            if decision not in found:
                continue
            assert laps == (4 if phase.phase.repeats else 1)
            moved = 0
            for piece, residence in zip(tiers.pieces, phase.placement.residences, strict=True):
                use = use_of(phase.wanted, piece)
                if use.demand is Demand.FIXED:
                    steps = len(phase.working_bytes)
                    moved += piece.size_bytes * copies_used(residence, use.steps, steps, laps)
            assert found[decision].objective == moved


def copies_used(residence: Residence, uses: Sequence[int], steps: int, laps: int) -> int:
    """Walk through the runs, from one before the first on, and count the copies that are used."""
    begins = {first for first, _ in residence.stretches}
    copy, used = 0, set[int]()
    for now in range(-steps, laps * steps):
        copy += now % steps in begins
        if now >= 0 and now % steps in uses:
            used.add(copy)
    return len(used)


def test_a_model_that_walks_its_layers_again_and_again_moves_them_again() -> None:
    # 20 layers of 16 bytes, four times over in one run, and room for two of them beside the step's
    build = Builder()
    layers = [build.store(f"layers.{i}", 16) for i in range(20)]
    for turn in range(4):
        for i, layer in enumerate(layers):
            build.node(f"turn.{turn}.{i}", [layer])
    build.phase("forward")
    program = build.program()
    facts = run(program, machines=(machine(48),), only=("tier-liveness",))
    moved, time, _ = TierLiveness().certify(program, facts)
    # 80 uses; a gap is 19 steps long, and two are kept through it at any time: 3 x 2 and 2 more
    assert moved.bound == 80 * 16 - 8 * 16
    assert moved.objective >= moved.bound
    assert "several times in a run" in moved.note
    # what was near before the run saves three of its uses, and the link does the others
    assert time.bound is not None
    assert time.bound >= (80 - 8 - 3) * 16 / 1e3
    assert time.objective >= time.bound
    assert "packing the gaps between their uses" in time.note


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sets(st.integers(0, 3), min_size=1)),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.integers(0, 18), min_size=4, max_size=4),
    st.integers(1, 2),
)
def test_no_choice_of_what_to_keep_moves_less_than_the_bounds(
    drawn: list[tuple[int, set[int]]], spare: list[int], laps: int
) -> None:
    room = tuple(
        extra + sum(size for size, uses in drawn if step in uses)
        for step, extra in enumerate(spare)
    )
    moves = Moves(
        sizes=tuple(size for size, _ in drawn),
        uses=tuple(tuple(sorted(uses)) for _, uses in drawn),
        room=room,
        laps=laps,
    )
    assert least_moved(moves).size_bytes <= best(moves, warm=False)
    assert least_warm_bytes(moves, 0) * laps <= best(moves, warm=True)


def best(moves: Moves, *, warm: bool) -> int:
    """Return the least bytes, by trying every set of pieces to have near after every step."""
    count = len(moves.sizes)
    size = [
        sum(each for i, each in enumerate(moves.sizes) if kept >> i & 1)
        for kept in range(1 << count)
    ]
    cost = dict.fromkeys(range(1 << count), 0) if warm else {0: 0}
    for now in range(moves.laps * len(moves.room)):
        step = now % len(moves.room)
        needed = sum(1 << i for i, uses in enumerate(moves.uses) if step in uses)
        after: dict[int, int] = {}
        for kept, paid in cost.items():
            for stay in range(1 << count):
                there = stay | needed
                if stay & ~(kept | needed) or size[there] > moves.room[step]:
                    continue
                total = paid + size[needed & ~kept]
                after[stay] = min(after.get(stay, total), total)
        cost = after
    return min(cost.values())


def test_a_stretch_that_wraps_is_fetched_once_more_where_it_is_used_on_both_sides() -> None:
    moves = Moves(sizes=(5,), uses=((0, 4),), room=(9,) * 6, laps=4)
    around = Residence(Mode.VISITS, spans=((3, 0),))
    apart = Residence(Mode.VISITS, spans=((5, 0), (4, 4)))
    assert moved_bytes(moves, [around]) == 5 * 5
    assert moved_bytes(moves, [apart]) == 8 * 5
    assert moved_bytes(moves, [Residence(Mode.STAYS)]) == 5


@pytest.mark.parametrize(("sizes", "least"), [((6, 6), 18), ((6, 5), 16)])
def test_whole_pieces_are_bound_closer_than_divisible_ones(
    sizes: tuple[int, int], least: int
) -> None:
    # two pieces used at both ends of four steps, with room for one and a half between
    moves = Moves(sizes=sizes, uses=((0, 3), (0, 3)), room=(12, 9, 9, 12), laps=1)
    found = least_moved(moves)
    assert found.size_bytes == least
    assert found.solver == ("HiGHS" if sizes == (6, 5) else "farthest next use, byte by byte")
