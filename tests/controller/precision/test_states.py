"""The seven states, and the verdict on every pair of them."""

from itertools import product

import pytest

from mirc.controller.precision.states import NEAR, TABLE, Means, State, edge
from mirc.controller.precision.units import Form, Unit

pytestmark = pytest.mark.mechanism("S1-03")


def test_every_pair_of_states_has_one_verdict_and_an_illegal_one_says_why() -> None:
    assert set(TABLE) == set(product(State, State))
    assert all(found.legal != bool(found.why) for found in TABLE.values())
    assert sum(found.legal for found in TABLE.values()) == 32


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_be_reached_from_cold_storage_or_from_nothing(state: State) -> None:
    reached, todo = set(), [State.S4, State.S6]
    while todo:
        here = todo.pop()
        reached.add(here)
        todo += [then for then in State if edge(here, then).legal and then not in reached]
    assert state in reached


@pytest.mark.parametrize("stored", [State.S3, State.S4])
def test_stored_bytes_enter_near_memory_through_flight_alone(stored: State) -> None:
    assert not any(edge(stored, near).legal for near in NEAR)
    assert edge(stored, State.S5).means is Means.DEPART


def test_bits_that_were_rounded_away_never_come_back_in_place() -> None:
    assert not edge(State.S1, State.S0).legal
    assert not edge(State.S1, State.S2).legal
    assert "master" in edge(State.S1, State.S0).why


def test_what_is_nowhere_is_regenerated_and_never_moved() -> None:
    legal = [then for then in State if edge(State.S6, then).legal]
    assert legal == [State.S0, State.S6]
    assert edge(State.S6, State.S0).means is Means.REGENERATE


@pytest.mark.mechanism("S1-18")
def test_a_form_decides_the_bytes_that_are_held() -> None:
    unit = Unit(name="w", rungs=(16, 8, 4), floor=2, compressed_bytes=11)
    forms = [Form(State.S0), Form(State.S1, 1), Form(State.S1, 2), Form(State.S2)]
    # S0 to S1 halves, then quarters
    assert [unit.near_bytes(form) for form in forms] == [16, 8, 4, 11]


@pytest.mark.mechanism("S1-01")
def test_a_unit_needs_a_master_or_a_way_to_make_it() -> None:
    with pytest.raises(ValueError, match="needs a master"):
        Unit(name="w", rungs=(16,), home=None)
    with pytest.raises(ValueError, match="widest first"):
        Unit(name="w", rungs=(4, 8))
    with pytest.raises(ValueError, match="narrower"):
        Form(State.S1)
