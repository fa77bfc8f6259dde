"""Bounds on placements, held against every placement of small problems."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.bounds.placement import (
    PlacementProblem,
    cheapest,
    cost_ps,
    filled_bytes,
    optimum,
    relaxed,
)
from mirc.bounds.prices import priced
from mirc.passes.allotting import allot

TIERS = 3


@st.composite
def problems(draw: st.DrawFn) -> PlacementProblem:
    phases = draw(st.integers(1, 2))
    sizes = draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
    uses = draw(
        st.lists(
            st.lists(st.integers(0, 9), min_size=len(sizes), max_size=len(sizes)),
            min_size=phases,
            max_size=phases,
        )
    )
    rooms = draw(st.lists(st.integers(0, 12), min_size=TIERS - 1, max_size=TIERS - 1))
    size = np.array(sizes, dtype=np.int64)
    one = size[:, None] * np.array([1.0, 3.0, 10.0]) + np.array([0.0, 1.0, 2.0])
    return PlacementProblem(
        size_bytes=size,
        room_bytes=np.array([*rooms, sum(sizes)], dtype=np.int64),
        access_ps=np.array(uses)[:, :, None] * one,
        enter_ps=one,
    )


def best(problem: PlacementProblem) -> float:
    """The least cost of all placements that fit."""
    shape = (problem.phases, problem.objects)
    every = (
        np.array(drawn).reshape(shape)
        for drawn in product(range(TIERS), repeat=int(np.prod(shape)))
    )
    return min(
        cost_ps(problem, tier)
        for tier in every
        if (filled_bytes(problem, tier) <= problem.room_bytes).all()
    )


@settings(max_examples=15, deadline=None)
@given(problems())
def test_no_placement_costs_less_than_the_relaxation_or_the_prices_say(
    problem: PlacementProblem,
) -> None:
    least = best(problem)
    assert priced(problem).bound_ps <= least + 1e-6
    assert relaxed(problem).bound <= least + 1e-6
    assert optimum(problem, 10.0).objective == pytest.approx(least)


@settings(max_examples=15, deadline=None)
@given(problems())
def test_the_placement_found_fits_and_is_the_best_of_a_small_problem(
    problem: PlacementProblem,
) -> None:
    found = allot(problem)
    assert (filled_bytes(problem, found.tier) <= problem.room_bytes).all()
    assert found.cost_ps == pytest.approx(cost_ps(problem, found.tier))
    assert found.cost_ps == pytest.approx(best(problem))


def fair(objects: int, phases: int) -> PlacementProblem:
    """Three tiers a factor of ten apart, room for a fifth and two fifths of all bytes."""
    draw = np.random.default_rng(3)
    size = draw.integers(1 << 20, 1 << 24, objects)
    one = size[:, None] * np.array([1.0, 10.0, 100.0])
    uses = draw.integers(0, 9, (phases, objects))
    return PlacementProblem(
        size_bytes=size,
        room_bytes=np.array([size.sum() // 5, 2 * size.sum() // 5, size.sum()]),
        access_ps=uses[:, :, None] * one,
        enter_ps=one,
    )


def test_prices_prove_what_the_linear_program_does() -> None:
    for phases in (1, 3):
        problem = fair(60, phases)
        least = relaxed(problem).bound
        assert 0.9999 * least <= priced(problem).bound_ps <= least * (1 + 1e-9)


def test_a_placement_of_many_objects_is_within_a_percent_of_its_bound() -> None:
    found = allot(fair(400, 1))
    assert found.bound_ps <= found.cost_ps <= 1.01 * found.bound_ps


def test_a_placement_is_found_again() -> None:
    problem = fair(12, 2)
    assert (allot(problem).tier == allot(problem).tier).all()


def test_at_no_price_each_object_lies_where_it_is_cheapest_by_itself() -> None:
    problem = fair(12, 2)
    tier, cost = cheapest(problem, np.zeros((2, 3)))
    assert tier.tolist() == [[0] * 12] * 2  # the fastest tier, and no move
    assert cost.sum() == cost_ps(problem, tier)
