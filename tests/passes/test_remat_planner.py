"""The planner of recompute and spill against the exact optimum and against either means alone."""

import random

import attrs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.fx.experimental.proxy_tensor import make_fx

from mirc.bounds.remat import Kind, Op, Problem, Value, keep_all, peak_bytes
from mirc.frontend.remat_joint import joint_problem
from mirc.passes.remat_edits import Means
from mirc.passes.remat_planner import plan
from tests.bounds.remat_drawn import least_room, squeezed, training
from tests.bounds.remat_exact import optimum

WITHIN = 1.05
QUICK = 4_000
RECOMPUTE = frozenset({Means.RECOMPUTE})
SPILL = frozenset({Means.SPILL})


def rng_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


def drawn(seed: int) -> Problem:
    rng = rng_of(seed)
    layers = rng.randint(3, 12)
    share = rng.choice((0.1, 0.25, 0.4, 0.6))
    return squeezed(training(rng, layers, skips=seed % 2 == 1), share)


@pytest.mark.parametrize("seed", [2, 3, 6, 14, 22, 28, 31, 47])
def test_a_plan_is_within_5_percent_of_the_exact_optimum(seed: int) -> None:
    problem = drawn(seed)
    assert len(problem.ops) <= 24
    exact = optimum(problem)
    found = plan(problem, work=QUICK)
    assert found.fits == (exact.cost < float("inf"))
    if found.fits:
        assert exact.bound * (1 - 1e-3) <= found.cost <= WITHIN * exact.cost


@pytest.mark.parametrize("seed", [5, 9])
def test_a_plan_of_one_means_is_within_5_percent_of_its_own_optimum(seed: int) -> None:
    problem = drawn(seed)
    for means, exact in (
        (RECOMPUTE, optimum(problem, spill=False)),
        (SPILL, optimum(problem, recompute=False)),
    ):
        found = plan(problem, means, work=QUICK)
        if found.fits:
            assert found.cost <= WITHIN * exact.cost


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_plan_is_never_above_recompute_only_or_spill_only_and_holds_its_budget(
    seed: int,
) -> None:
    problem = drawn(seed)
    both = plan(problem, work=QUICK)
    assert both.peak_bytes == peak_bytes(problem, both.moves)
    assert both.fits == (both.peak_bytes <= problem.budget_bytes)
    firsts = [place for kind, place in both.moves if kind is Kind.RUN]
    assert list(dict.fromkeys(firsts)) == list(range(len(problem.ops)))  # each ran, in order
    for means in (RECOMPUTE, SPILL):
        alone = plan(problem, means, work=QUICK)
        if alone.fits:
            assert both.fits
            assert both.cost <= alone.cost
    assert plan(problem, RECOMPUTE, work=QUICK).spilled == frozenset()
    assert plan(problem, SPILL, work=QUICK).recomputed(problem) == frozenset()


def test_two_plans_of_one_problem_are_the_same() -> None:
    assert plan(drawn(7)) == plan(drawn(7))


def test_with_room_for_all_nothing_moves() -> None:
    problem = training(rng_of(1), 5)
    found = plan(problem)
    assert found.moves == keep_all(problem)
    assert found.cost == problem.base_cost


def test_below_what_one_operation_needs_no_plan_fits() -> None:
    problem = training(rng_of(1), 5)
    tight = attrs.evolve(problem, budget_bytes=least_room(problem) - 1)
    found = plan(tight, work=QUICK)
    assert not found.fits
    assert found.peak_bytes > tight.budget_bytes


def test_cheap_bytes_are_made_again_and_dear_ones_spilled() -> None:
    # x costs 1 to make again and y 100; both cost 10 to send out and back, and 8 bytes may stay
    problem = Problem(
        ops=(
            Op(cost=1.0, writes=(0,)),
            Op(cost=100.0, writes=(1,)),
            Op(cost=1.0, writes=(2,)),
            Op(cost=1.0, reads=(0,)),
            Op(cost=1.0, reads=(1,)),
        ),
        values=tuple(Value(size_bytes=8, out_cost=5.0, in_cost=5.0) for _ in range(3)),
        budget_bytes=8,
    )
    found = plan(problem)
    assert found.fits
    assert found.recomputed(problem) == {0}
    assert found.spilled == {1}
    assert found.cost == problem.base_cost + 1 + 10


def traced(kind: str) -> Problem:
    """Trace a small training step: operations of one result each, as autograd runs them."""

    def residual(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, ...]:
        h = x + torch.tanh(x @ a)
        loss = (h + torch.sigmoid(h @ b)).square().mean()
        return loss, *torch.autograd.grad(loss, (a, b))

    def chain(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, ...]:
        loss = torch.tanh(torch.relu(x @ a) @ b).sum()
        return loss, *torch.autograd.grad(loss, (a, b))

    step = residual if kind == "residual" else chain
    x = torch.randn(64, 16)
    weights = [torch.randn(16, 16, requires_grad=True) for _ in range(2)]
    graph = make_fx(step, tracing_mode="fake")(x, *weights).graph
    joint = joint_problem(
        graph, 1, lambda flops, moved: 1e-3 * flops + 1e-2 * moved, copy_cost=0.05
    )
    return attrs.evolve(
        joint.problem, budget_bytes=peak_bytes(joint.problem, keep_all(joint.problem))
    )


def one_result_each(problem: Problem) -> Problem:
    """Drop the boundary, the only operation without a result, so that op k makes value k."""
    ops = tuple(op for op in problem.ops if op.writes)
    return attrs.evolve(problem, ops=ops)


@pytest.mark.parametrize("kind", ["residual", "chain"])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_real_training_step_is_planned_within_5_percent_of_its_optimum(
    kind: str, share: float
) -> None:
    problem = one_result_each(traced(kind))
    assert 10 <= len(problem.ops) <= 24
    kept = sum(problem.values[v].size_bytes for v in problem.kept)
    tight = squeezed(problem, share)
    exact = optimum(tight)
    found = plan(tight, work=QUICK)
    assert kept < problem.budget_bytes
    assert found.fits == (exact.cost < float("inf"))
    assert exact.cost < float("inf")
    assert found.cost <= WITHIN * exact.cost
