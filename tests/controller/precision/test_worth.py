"""Six inputs, each of which moves the target of a unit in one direction alone."""

from collections.abc import Callable

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.precision.states import State
from mirc.controller.precision.units import Form, Unit
from mirc.controller.precision.worth import (
    Inputs,
    Prices,
    best,
    cost_ps,
    recovery_ps,
    service_ps,
    target,
)

# Small integers and halves: every sum below is exact, so equal costs are equal.
UNITS = st.builds(
    Unit,
    name=st.just("w"),
    rungs=st.sampled_from([(16,), (16, 8), (16, 8, 4)]),
    floor=st.just(2),
    sensitivity=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    compressed_bytes=st.sampled_from([None, 11]),
    home=st.sampled_from([State.S3, State.S4]),
)
INPUTS = st.builds(
    Inputs,
    uses=st.integers(0, 8),
    chosen=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    slack_ps=st.integers(0, 200),
    warm_ps=st.integers(0, 8),
    cold_ps=st.integers(8, 64),
    expand_ps=st.integers(0, 8),
    pressure=st.sampled_from([0.0, 0.5, 0.75, 0.875]),
)
PRICES = st.builds(
    Prices,
    room_ps=st.integers(0, 64),
    read_ps=st.integers(0, 4),
    doubt_ps=st.integers(0, 2000),
)
SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
few = settings(max_examples=60, deadline=None)

Measure = Callable[[Unit, Form, Inputs, Prices], float]


def falls(
    case: tuple[Unit, Inputs, Prices], name: str, values: tuple[float, float], measure: Measure
) -> bool:
    """Whether the target's measure does not rise when one input goes from low to high."""
    unit, inputs, prices = case
    low, high = sorted(values)
    found = [
        best(unit, unit.forms(), attrs.evolve(inputs, **{name: value}), prices)
        for value in (low, high)
    ]
    before, after = (measure(unit, form, inputs, prices) for form in found)
    return after <= before


def moved_ps(unit: Unit, form: Form, inputs: Inputs, prices: Prices) -> float:
    return recovery_ps(unit, form, inputs, prices)


def depth(_: Unit, form: Form, __: Inputs, ___: Prices) -> float:
    return form.rung


CASES = st.tuples(UNITS, INPUTS, PRICES)


@pytest.mark.mechanism("S1-02")
class TestEachInputAlone:
    @few
    @given(case=CASES, uses=st.tuples(st.integers(0, 8), st.integers(0, 8)))
    def test_more_uses_never_choose_a_slower_form(
        self, case: tuple[Unit, Inputs, Prices], uses: tuple[int, int]
    ) -> None:
        assert falls(case, "uses", uses, service_ps)

    @few
    @given(case=CASES, chosen=st.tuples(SHARES, SHARES))
    def test_a_likelier_expert_is_never_given_a_slower_form(
        self, case: tuple[Unit, Inputs, Prices], chosen: tuple[float, float]
    ) -> None:
        assert falls(case, "chosen", chosen, service_ps)

    @few
    @given(case=CASES, slack=st.tuples(st.integers(0, 200), st.integers(0, 200)))
    def test_a_nearer_use_never_chooses_a_longer_recovery(
        self, case: tuple[Unit, Inputs, Prices], slack: tuple[int, int]
    ) -> None:
        low, high = sorted(slack)
        assert falls(case, "slack_ps", (low, high), lambda *known: -moved_ps(*known))

    @few
    @given(case=CASES, price=st.tuples(st.integers(0, 8), st.integers(0, 8)))
    def test_dearer_transfers_never_choose_a_longer_one(
        self, case: tuple[Unit, Inputs, Prices], price: tuple[int, int]
    ) -> None:
        # a warm unit: from cold storage the other price decides
        unit, inputs, prices = case
        warm = (attrs.evolve(unit, home=State.S3), attrs.evolve(inputs, warm_ps=1), prices)
        assert falls(warm, "warm_ps", price, moved_ps)

    @few
    @given(case=CASES, pressure=st.tuples(*[st.sampled_from([0.0, 0.5, 0.75, 0.875])] * 2))
    def test_a_busier_link_never_chooses_a_longer_transfer(
        self, case: tuple[Unit, Inputs, Prices], pressure: tuple[float, float]
    ) -> None:
        assert falls(case, "pressure", pressure, moved_ps)

    @few
    @given(case=CASES, levels=st.tuples(SHARES, SHARES))
    def test_a_more_sensitive_unit_is_never_held_in_fewer_bits(
        self, case: tuple[Unit, Inputs, Prices], levels: tuple[float, float]
    ) -> None:
        unit, inputs, prices = case
        low, high = (
            best(careful, careful.forms(), inputs, prices).rung
            for careful in (attrs.evolve(unit, sensitivity=level) for level in sorted(levels))
        )
        assert high <= low

    def test_each_of_them_decides_somewhere(self) -> None:
        unit = Unit(name="w", rungs=(16, 8), floor=1, sensitivity=0.5)
        inputs = Inputs(uses=2, slack_ps=0, warm_ps=4, cold_ps=40)
        prices = Prices(room_ps=4, read_ps=1, doubt_ps=1000)

        def chosen(prices: Prices = prices, **changed: float) -> Form:
            level = changed.pop("sensitivity", 0.5)
            careful = attrs.evolve(unit, sensitivity=level)
            return best(careful, careful.forms(), attrs.evolve(inputs, **changed), prices)

        # near: 2 x 16 to read + 16 x 4 of room = 96; warm: 2 x (16 x 4 x 1.25 + 16) = 192
        assert chosen() == Form(State.S0)
        assert chosen(uses=0) == Form(State.S3)
        assert chosen(chosen=0.25) == Form(State.S3)
        assert chosen(slack_ps=100) == Form(State.S3)
        assert chosen(warm_ps=1) == Form(State.S3)
        assert chosen(warm_ps=1, pressure=0.875) == Form(State.S0)
        assert chosen(sensitivity=0) == Form(State.S1, 1)


@pytest.mark.mechanism("S1-06")
@few
@given(case=CASES, swing=st.lists(st.integers(0, 8), max_size=12))
def test_a_score_that_swings_within_the_gap_changes_nothing(
    case: tuple[Unit, Inputs, Prices], swing: list[int]
) -> None:
    unit, inputs, prices = case
    now = best(unit, unit.forms(), inputs, prices)
    asked = [attrs.evolve(inputs, uses=uses) for uses in swing]
    gap = max(
        (
            cost_ps(unit, now, each, prices)
            - cost_ps(unit, best(unit, unit.forms(), each, prices), each, prices)
            for each in asked
        ),
        default=0,
    )
    wide = attrs.evolve(prices, gap_ps=gap, gap=0.0)
    assert all(target(unit, now, unit.forms(), each, wide) == (now, 0.0) for each in asked)


@pytest.mark.mechanism("S1-06")
def test_a_score_beyond_the_gap_changes_the_form_once() -> None:
    unit = Unit(name="w", rungs=(16,))
    prices = Prices(room_ps=4, gap_ps=20, gap=0.0)
    inputs = Inputs(warm_ps=4, cold_ps=40)
    flips, now = 0, Form(State.S0)
    # near: 64; warm: uses x 80. Below 64 - 20 it leaves, above 64 + 20 it comes back.
    for uses in (1, 0.6, 1, 0.6, 0.5, 0.6, 1, 1.04, 1.06, 0.6):
        wanted, _ = target(unit, now, unit.forms(), attrs.evolve(inputs, uses=uses), prices)
        flips += wanted != now
        now = wanted
    assert flips == 2, "at 0.5 and at 1.06"


@pytest.mark.mechanism("S1-05")
def test_what_is_regenerated_does_not_wait_for_a_link() -> None:
    unit = Unit(name="a", rungs=(16,), home=None, recompute_ps=500)
    busy = Inputs(warm_ps=4, cold_ps=40, pressure=0.875)
    prices = Prices(margin=0.0)
    assert recovery_ps(unit, Form(State.S6), busy, prices) == 500
    # 16 x 4 on an idle link, 8 times that on this one: it flips at 500 / 64 = 7.8 times
    assert recovery_ps(unit, Form(State.S3), busy, prices) == 512
    assert best(unit, (Form(State.S3), Form(State.S6)), busy, prices) == Form(State.S6)
    idle = attrs.evolve(busy, pressure=0.75)
    assert best(unit, (Form(State.S3), Form(State.S6)), idle, prices) == Form(State.S3)
