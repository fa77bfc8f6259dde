"""A training iteration that does not fit: what leaves near memory, when, and what is said of it."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.emit import emit
from mirc.grammar import print_module
from mirc.graph import Program, Role
from mirc.ir import Module, Override
from mirc.lint.check import check_source
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.passes.base import Facts
from mirc.passes.leaving import Leaving
from mirc.passes.liveness import Live
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import run
from mirc.passes.remat import iteration_bound, joint_plan
from mirc.passes.remat_edits import Means
from mirc.passes.tier_liveness import TierLive, TierLiveness
from tests.passes.programs import Builder, machine

GB = 10**9
LAYERS = 10
CHEAP, DEAR = 10**6, 10**14
CARD = load("card-24g")  # 21.6 GB usable, compute 1.65e14 FLOP/s, about 25 GB/s to the host
CHAINS = machine(1 << 40, near_bytes_per_s=1e12, flops=1e12, link_bytes_per_s=1e9)


@cache
def chain(flops: int, saved_bytes: int = 3 * GB, layers: int = LAYERS) -> Program:
    """Layers whose results backward wants in reverse, making a third of their bytes of each."""
    build = Builder()
    weights = [build.store(f"w{i}", saved_bytes // 30) for i in range(layers)]
    saved = [build.store(f"forward.l{i}.op_0", saved_bytes, Role.SAVED) for i in range(layers)]
    back = [
        build.store(f"backward.l{i}.op_0", saved_bytes // 3, Role.ACTIVATION) for i in range(layers)
    ]
    for i, x in enumerate(saved):
        build.node(f"l{i}", [weights[i], *saved[max(0, i - 1) : i]], [x], flops=flops)
    build.phase("forward")
    for i in reversed(range(layers)):
        above = [back[i + 1]] if i + 1 < layers else []
        build.node(f"l{i}", [weights[i], saved[i], *above], [back[i]], flops=2 * flops)
    build.phase("backward")
    return build.program()


@cache
def planned(flops: int, saved_bytes: int = 3 * GB) -> tuple[Program, Facts]:
    program = chain(flops, saved_bytes)
    return program, run(program, machines=(CARD,))


def left(facts: Facts) -> Leaving | None:
    (plan,) = facts[TierLive].plans
    return plan.leaving


def written(module: Module, phase: str | None) -> dict[str, Override]:
    """Return the overrides of the plan, in a phase or in all."""
    (plan,) = module.plans.values()
    where = plan if phase is None else next(each for each in plan.phases if each.name == phase)
    return {each.name: each for each in where.overrides}


def value(override: Override, key: str) -> str:
    return next((str(each.value) for each in override.fields if each.key == key), "")


def made(program: Program, overrides: dict[str, Override]) -> set[str]:
    """Return the names, among those of overrides, of what the iteration makes."""
    return {s.name for s in program.storages if s.role is not Role.PARAMETER} & overrides.keys()


def test_what_fits_stays_and_nothing_is_said_of_it() -> None:
    program, facts = planned(CHEAP, GB)  # 10 GB saved
    assert left(facts) is None
    for phase in ("forward", "backward"):
        overrides = written(emit(program, facts), phase)
        assert not any(value(overrides[name], "residency") for name in made(program, overrides))


def test_what_is_cheap_to_make_is_dropped_and_made_again() -> None:
    program, facts = planned(CHEAP)
    found = left(facts)
    assert found is not None
    assert found.plan.fits
    assert found.plan.recomputed
    overrides = written(emit(program, facts), None)
    for index in found.plan.recomputed:
        dropped = overrides[program.storages[index].name]
        assert "DROP_RECOMPUTE" in value(dropped, "spill_policy")


def test_what_is_dear_to_make_is_spilled_and_leaves_near_memory_between_its_uses() -> None:
    program, facts = planned(DEAR)
    found = left(facts)
    assert found is not None
    assert found.plan.fits
    assert found.plan.spilled
    assert not found.plan.recomputed
    assert found.plan.seconds == pytest.approx(found.plan.least_seconds)  # hidden behind compute
    for phase in ("forward", "backward"):
        overrides = written(emit(program, facts), phase)
        for index in found.plan.spilled:
            residency = value(overrides[program.storages[index].name], "residency")
            assert "HBM" in residency
            assert "DRAM" in residency
            assert value(overrides[program.storages[index].name], "prefetch_horizon_us")


@pytest.mark.parametrize("flops", [CHEAP, DEAR])
def test_the_text_of_such_a_plan_passes_the_check(flops: int) -> None:
    text = print_module(emit(*planned(flops)))
    assert [each.message for each in check_source(Source("a.mir", text), ()).diagnostics] == []


@pytest.mark.parametrize("flops", [CHEAP, DEAR])
def test_at_no_step_is_more_near_than_there_is(flops: int) -> None:
    program, facts = planned(flops)
    found = left(facts)
    assert found is not None
    usable = CARD.near.usable_bytes
    weights = sum(s.size_bytes for s in program.storages if s.role is Role.PARAMETER)
    for phase in facts[Phases].phases:
        near = found.near[phase.name]
        lives = facts[Live].phases[phase.name].lives
        for step in range(len(phase.graph.steps)):
            total = weights
            for index, life in lives.items():
                if program.storages[index].role not in (Role.SAVED, Role.ACTIVATION):
                    continue
                spans = near.get(index, ())
                if index not in found.plan.near:
                    spans = ((life.first, life.last),)
                total += program.storages[index].size_bytes * any(a <= step <= b for a, b in spans)
            assert total <= usable
        for index in near:  # and what a step touches is there
            for step in phase.table.used_in.get(index, ()):
                assert any(a <= step <= b for a, b in near[index])


def test_where_no_plan_fits_none_is_written_and_that_is_said() -> None:
    program, facts = planned(DEAR, 12 * GB)  # a layer of forward needs two
    found = left(facts)
    assert found is not None
    assert not found.plan.fits
    assert any("nothing is planned to" in line for line in facts[TierLive].sentences())
    overrides = written(emit(program, facts), "forward")
    assert not any(value(overrides[name], "residency") for name in made(program, overrides))


@pytest.mark.parametrize("flops", [CHEAP, DEAR])
def test_the_decision_is_certified(flops: int) -> None:
    program, facts = planned(flops)
    (found,) = (
        each
        for each in TierLiveness().certify(program, facts)
        if each.decision.startswith("what is spilled")
    )
    assert found.bound is not None
    assert 0 < found.bound <= found.objective * (1 + 1e-9)
    if flops == DEAR:
        assert found.gap == pytest.approx(0.0)


@settings(max_examples=15, deadline=None)
@given(
    flops=st.sampled_from([10**6, 10**9, 10**10, 3 * 10**10]),
    room=st.integers(6, 20),
    means=st.sampled_from([frozenset(Means), *(frozenset({each}) for each in Means)]),
)
def test_no_plan_is_shorter_than_the_bound_of_its_room(
    flops: int, room: int, means: frozenset[Means]
) -> None:
    program = chain(flops, 3 * 10**6, 6)
    bytes_ = room * 10**6
    found = joint_plan(program, CHAINS, "bfloat16", means=means, room_bytes=bytes_)
    bound = iteration_bound(program, CHAINS, "bfloat16", bytes_)
    assert bound >= found.least_seconds * (1 - 1e-9)
    if found.fits:
        assert bound <= found.seconds * (1 + 1e-9)


def test_without_a_tier_below_what_does_not_fit_is_made_again() -> None:
    alone = Machine(
        name="alone",
        summary="near memory only",
        memories=(CARD.near,),
        links=(),
        compute=CARD.compute,
    )
    program = chain(CHEAP)
    facts = run(program, machines=(alone,))
    found = left(facts)
    assert found is not None
    assert found.plan.fits
    assert found.plan.spilled == frozenset()
    assert found.plan.recomputed
