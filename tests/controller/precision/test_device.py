"""The device of all units: what it may never do, whatever it is asked, and what its log says."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mirc.controller.precision.device import Device, Outcome, Row, replay
from mirc.controller.precision.states import State
from mirc.controller.precision.units import Form, Place, Unit
from mirc.controller.precision.veto import Veto
from tests.nightly import by_night

ROOMS = {Place.NEAR: 40, Place.WARM: 60, Place.COLD: 40}
UNITS = (
    Unit(name="matrix", rungs=(16, 8, 4), floor=2, sensitivity=0.05),
    Unit(name="head", rungs=(16, 8, 4), floor=1, sensitivity=0.25, compressed_bytes=11),
    Unit(name="norm", rungs=(16,), sensitivity=0.75, home=State.S4),
    Unit(name="cold", rungs=(16, 8), floor=1, home=State.S4, compressed_bytes=10),
    Unit(name="temp", rungs=(16,), home=None, recompute_ps=7),
)
SIZES = {"matrix": (16, 8, 4), "head": (16, 8, 4), "norm": (16,), "cold": (16, 8), "temp": (16,)}
FLOORS = {"matrix": 2, "head": 1, "norm": 0, "cold": 1, "temp": 0}
COMPRESSED = {"head": 11, "cold": 10}
HOMES = {"matrix": "S3", "head": "S3", "norm": "S4", "cold": "S4", "temp": ""}
PLACES = {"S0": "near", "S1": "near", "S2": "near", "S3": "warm", "S4": "cold"}
NIGHTLY = by_night(1, 20)


class Oracle:
    """The same units as strings and dictionaries, by the outcomes of the rows alone."""

    def __init__(self) -> None:
        self.form = {name: (home or "S6", 0) for name, home in HOMES.items()}
        self.flight: dict[str, tuple[tuple[str, int], tuple[str, int]]] = {}

    def take(self, row: Row) -> None:
        if row.outcome not in (Outcome.DONE, Outcome.STARTED):
            return
        end = (row.end.state.name, row.end.rung)
        if row.outcome is Outcome.STARTED:
            self.flight[row.unit] = (self.form[row.unit], end)
            self.form[row.unit] = ("S5", 0)
        else:
            self.flight.pop(row.unit, None)
            self.form[row.unit] = end

    def used(self) -> dict[str, int]:
        total = {"near": 0, "warm": 0, "cold": 0}
        for name, home in HOMES.items():
            if home:
                total[PLACES[home]] += SIZES[name][0]
            held = self.flight.get(name, (self.form[name],))
            for state, rung in held:
                if state in PLACES and not (state == home and rung == 0):
                    compressed = state == "S2"
                    total[PLACES[state]] += COMPRESSED[name] if compressed else SIZES[name][rung]
        return total


class Precision(RuleBasedStateMachine):
    """Any order of any requests, legal or not."""

    def __init__(self) -> None:
        super().__init__()
        self.device = Device(ROOMS, UNITS)
        self.oracle = Oracle()
        self.vetoed = 0

    def note(self, row: Row) -> None:
        self.oracle.take(row)
        self.vetoed += row.outcome is Outcome.VETOED
        assert (row.veto is not None) == (row.outcome is Outcome.VETOED)
        assert bool(row.why) == (row.outcome in (Outcome.VETOED, Outcome.NO_ROOM))

    names = st.sampled_from(sorted(SIZES))
    forms = st.one_of(
        st.builds(Form, st.just(State.S1), st.integers(1, 3)),
        st.builds(Form, st.sampled_from([State.S3, State.S4]), st.integers(0, 2)),
        st.sampled_from([Form(State.S0), Form(State.S2), Form(State.S5), Form(State.S6)]),
    )

    @rule(name=names, wanted=forms)
    def move(self, name: str, wanted: Form) -> None:
        self.note(self.device.move(name, wanted))

    @rule(name=names, wanted=forms)
    def depart(self, name: str, wanted: Form) -> None:
        self.note(self.device.depart(name, wanted))

    @rule(name=names)
    def fetch(self, name: str) -> None:
        self.note(self.device.depart(name, Form(State.S0)))

    @precondition(lambda self: self.oracle.flight)
    @rule(data=st.data(), lands=st.booleans())
    def end(self, data: st.DataObject, lands: bool) -> None:  # noqa: FBT001
        name = data.draw(st.sampled_from(sorted(self.oracle.flight)))
        self.note(self.device.land(name) if lands else self.device.recall(name))

    @rule(name=names)
    def land_anything(self, name: str) -> None:
        self.note(self.device.land(name))

    @invariant()
    def every_room_holds_what_the_oracle_counts(self) -> None:
        used = {str(place): size for place, size in self.device.used.items()}
        assert used == self.oracle.used()
        assert all(size <= ROOMS[Place(place)] for place, size in used.items())

    @invariant()
    def no_floor_is_crossed(self) -> None:
        for name, floor in FLOORS.items():
            assert self.device.form(name).rung <= floor
            coming = self.device.coming(name)
            assert coming is None or coming.rung <= floor

    @invariant()
    def what_is_on_its_way_is_not_read(self) -> None:
        for name, (state, _) in self.oracle.form.items():
            if state in ("S0", "S1", "S2"):
                assert self.device.read(name) > 0
            else:
                with pytest.raises(LookupError, match="not read"):
                    self.device.read(name)

    def teardown(self) -> None:
        again = replay(ROOMS, UNITS, self.device.log)
        assert again.state_hash() == self.device.state_hash()


Precision.TestCase.settings = settings(
    max_examples=30 * NIGHTLY, stateful_step_count=40 * NIGHTLY, deadline=None
)
TestPrecision = pytest.mark.mechanism("S1-03", "S1-04", "S1-06", "S1-09")(Precision.TestCase)


@pytest.fixture
def device() -> Device:
    return Device(ROOMS, UNITS)


@pytest.mark.mechanism("S1-04")
def test_a_transfer_reserves_its_destination_until_it_lands_or_is_recalled(device: Device) -> None:
    device.depart("matrix", Form(State.S0))
    assert device.form("matrix") == Form(State.S5)
    assert device.used[Place.NEAR] == 16
    device.depart("head", Form(State.S0))
    # 16 + 16 of 40 are reserved, though not a byte has arrived
    assert device.depart("norm", Form(State.S0)).outcome is Outcome.NO_ROOM
    device.recall("head")
    assert device.depart("norm", Form(State.S0)).outcome is Outcome.STARTED
    device.land("matrix")
    assert device.read("matrix") == 16


@pytest.mark.mechanism("S1-18")
def test_fewer_bits_are_fewer_bytes_held_and_read(device: Device) -> None:
    device.depart("matrix", Form(State.S0))
    device.land("matrix")
    row = device.move("matrix", Form(State.S1, 2))
    assert (device.read("matrix"), device.used[Place.NEAR], row.freed_bytes) == (4, 4, 12)


@pytest.mark.mechanism("S1-09")
def test_a_veto_is_a_row_with_its_predicted_gain_and_cost(device: Device) -> None:
    device.depart("head", Form(State.S0))
    device.land("head")
    row = device.move("head", Form(State.S1, 2), gain_ps=1e6)
    assert (row.outcome, row.veto) == (Outcome.VETOED, Veto.FLOOR)
    # it would have freed 12 of 16 bytes and gained 1 us, for two rungs at 0.25 each
    assert (row.gain_ps, row.freed_bytes, row.doubt) == (1e6, 12, 0.5)
    assert device.read("head") == 16


def test_narrow_bytes_become_wide_from_the_master_alone(device: Device) -> None:
    device.depart("matrix", Form(State.S0))
    device.land("matrix")
    device.move("matrix", Form(State.S1, 1))
    assert device.used[Place.WARM] == 32, "the masters stay below"
    assert device.move("matrix", Form(State.S0)).veto is Veto.ILLEGAL
    assert device.depart("matrix", Form(State.S0)).outcome is Outcome.STARTED
    assert device.used[Place.NEAR] == 8 + 16, "the narrow copy stays until the wide one is there"
    device.land("matrix")
    assert device.used[Place.NEAR] == 16


@pytest.mark.mechanism("S1-05")
def test_what_is_regenerated_moves_no_byte_and_costs_time(device: Device) -> None:
    assert device.form("temp") == Form(State.S6)
    device.move("temp", Form(State.S0))
    assert device.read("temp") == 16
    assert device.regenerated_ps == 7
    device.move("temp", Form(State.S6))
    assert device.used == {Place.NEAR: 0, Place.WARM: 32, Place.COLD: 32}


@pytest.mark.mechanism("S1-06")
def test_a_log_that_was_tampered_with_does_not_replay(device: Device) -> None:
    device.depart("matrix", Form(State.S0))
    device.land("matrix")
    with pytest.raises(ValueError, match="row 1 does not replay"):
        replay({**ROOMS, Place.NEAR: 15}, UNITS, device.log[1:])


def test_masters_that_do_not_fit_below_are_refused() -> None:
    with pytest.raises(ValueError, match="masters"):
        Device({**ROOMS, Place.COLD: 31}, UNITS)
    with pytest.raises(ValueError, match="twice"):
        Device(ROOMS, (*UNITS, UNITS[0]))
