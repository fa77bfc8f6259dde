"""Who is lowered when room is short, and what cannot be helped."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.claims.admission import Reason
from mirc.controller.precision.plan import admitted, fit, to_floor
from mirc.controller.precision.units import Unit


def unit(name: str, sensitivity: float, *rungs: int, floor: int = 9) -> Unit:
    return Unit(name=name, rungs=rungs, floor=floor, sensitivity=sensitivity)


HEAD, LARGE, SMALL = (
    unit("head", 0.25, 160, 80),
    unit("large", 0.05, 160, 80, 40),
    unit("small", 0.05, 80, 40, 20),
)
UNITS = st.lists(
    st.builds(
        Unit,
        name=st.just("w"),
        rungs=st.sampled_from([(16,), (16, 8), (32, 16, 8)]),
        floor=st.integers(0, 2),
        sensitivity=st.sampled_from([0.05, 0.25, 0.75]),
    ),
    max_size=12,
)


def test_what_fits_is_left_as_it_is() -> None:
    assert fit((HEAD, LARGE, SMALL), 400).rungs == (0, 0, 0)


def test_the_least_sensitive_are_lowered_first_and_no_further_than_needed() -> None:
    # 400 in all: the large matrix frees 80, then the small one 40, then both go down once more
    assert fit((HEAD, LARGE, SMALL), 320).rungs == (0, 1, 0)
    assert fit((HEAD, LARGE, SMALL), 290).rungs == (0, 1, 1)
    assert fit((HEAD, LARGE, SMALL), 250).rungs == (0, 2, 1)
    assert fit((HEAD, LARGE, SMALL), 210).rungs == (1, 2, 2)


def test_what_does_not_fit_at_the_floors_is_said() -> None:
    found = fit((HEAD, LARGE, SMALL), 100)
    assert found.rungs == to_floor((HEAD, LARGE, SMALL)).rungs == (1, 2, 2)
    assert (found.near_bytes, found.short_bytes) == (140, 40)


@pytest.mark.mechanism("S1-09")
@settings(max_examples=80, deadline=None)
@given(units=UNITS, room=st.integers(0, 300))
def test_no_pressure_crosses_a_floor_or_spares_the_less_sensitive(
    units: list[Unit], room: int
) -> None:
    found = fit(units, room)
    assert found.near_bytes == sum(u.rungs[r] for u, r in zip(units, found.rungs, strict=True))
    for each, rung in zip(units, found.rungs, strict=True):
        assert rung <= each.floor
        if rung:  # all that is less sensitive is at its floor
            lesser = [
                (other.lowest, low)
                for other, low in zip(units, found.rungs, strict=True)
                if other.sensitivity < each.sensitivity
            ]
            assert all(lowest == low for lowest, low in lesser)
    if found.short_bytes:
        assert found.rungs == to_floor(units).rungs
    elif found.lowered:
        assert found.near_bytes + found.lowered[-1].freed_bytes > room


@pytest.mark.mechanism("S1-10")
def test_floors_that_exceed_the_capacity_are_refused_by_name() -> None:
    assert admitted((HEAD, LARGE, SMALL), 140).admitted
    refused = admitted((HEAD, LARGE, SMALL), 139)
    assert (refused.reason, refused.short) == (Reason.MUST_HOLD, 1)
    assert refused.refused_by == ("head",)
    # 140 at the floors beside 20 of active work
    assert not admitted((HEAD, LARGE, SMALL), 150, active_bytes=20).admitted
