"""One arbiter binds into any on-chip memory, through BIND, RELEASE and quota alone."""

import attrs
import pytest

from mirc.controller.arbiter import Candidate, Pin, arbitrate
from mirc.controller.binder import bind_all
from mirc.machine import Organisation
from mirc.sram import (
    BindFlags,
    Caller,
    Device,
    Fault,
    Geometry,
    Handle,
    Quota,
    Range,
    ReleaseMode,
    Residency,
)

LINE = 64


@attrs.define
class Notebook:
    """A backend that only writes down what it is asked; it has room for one binding."""

    asked: list[str] = attrs.field(factory=list)
    count: int = 0

    def bind(
        self,
        caller: Caller,
        target: Range,
        tenant: str,
        flags: BindFlags = BindFlags.NONE,
        place: int | None = None,
    ) -> Handle | Fault:
        assert caller.privileged
        assert place is None
        self.asked.append(f"bind {target.address} {tenant} {flags.name}")
        self.count += 1
        return Handle(self.count) if self.count == 1 else Fault.NO_SPACE

    def release(self, caller: Caller, handle: Handle, mode: ReleaseMode) -> Fault | None:
        assert caller.privileged
        self.asked.append(f"release {handle.number} {mode}")
        return None

    def quota(self, tenant: str) -> Quota:
        del tenant
        return Quota(limit_bytes=LINE, used_bytes=0)

    def left_bytes(self, tenant: str) -> int:
        return self.quota(tenant).limit_bytes


def array(organisation: Organisation) -> Device:
    geometry = Geometry(
        line_bytes=LINE, ways=4, sets=4, wired_bytes=8 * LINE, organisation=organisation
    )
    return Device(geometry, {"t": 8 * LINE}, {"hbm": 64 * LINE})


def candidate(name: str, lines: int, reads: float, *, read_only: bool = True) -> Candidate:
    return Candidate(
        name=name,
        size_bytes=lines * LINE,
        reuse_count=reads,
        reading=2.0,
        binding=1.0,
        read_only=read_only,
    )


def lines(first: int, count: int) -> Range:
    return Range("hbm", first * LINE, count * LINE)


@pytest.mark.mechanism("S3-17")
@pytest.mark.parametrize(
    "organisation", [Organisation.SET_ASSOCIATIVE, Organisation.SOFTWARE_MANAGED]
)
def test_the_same_choice_is_bound_on_two_organisations(organisation: Organisation) -> None:
    device: Residency = array(organisation)
    ranges = {"a": lines(0, 2), "b": lines(8, 3), "c": lines(16, 8)}
    drawn = [candidate("a", 2, 9), candidate("b", 3, 8), candidate("c", 8, 2)]
    chosen = arbitrate(drawn, device.quota("t").limit_bytes, holding=1.0)
    found = bind_all(device, chosen, ranges, "t")
    assert sorted(found.bound) == ["a", "b"]
    assert not found.refused
    assert device.quota("t").used_bytes == 5 * LINE


@pytest.mark.mechanism("S3-17")
def test_any_backend_with_bind_release_and_quota_serves() -> None:
    notebook = Notebook()
    chosen = arbitrate([candidate("a", 1, 9), candidate("b", 1, 8)], 2 * LINE, holding=1.0)
    found = bind_all(notebook, chosen, {"a": lines(0, 1), "b": lines(1, 1)}, "t")
    assert notebook.asked[0].startswith("bind 0 t")
    assert list(found.bound) == ["a"]
    assert found.refused == {"b": Fault.NO_SPACE}


@pytest.mark.mechanism("S3-16", "S3-09")
def test_read_only_bytes_are_bound_immutable_and_others_are_not() -> None:
    device = array(Organisation.SET_ASSOCIATIVE)
    drawn = [candidate("w", 1, 9), candidate("kv", 1, 8, read_only=False)]
    chosen = arbitrate(drawn, 8 * LINE, holding=1.0)
    bind_all(device, chosen, {"w": lines(0, 1), "kv": lines(1, 1)}, "t")
    assert device.write(lines(0, 1)) == "BINDING_VIOLATION"
    assert device.write(lines(1, 1)) != "BINDING_VIOLATION"


@pytest.mark.mechanism("S3-16")
def test_a_soft_choice_is_bound_as_a_soft_pin() -> None:
    notebook = Notebook()
    soft = attrs.evolve(candidate("s", 1, 9), critical=False)
    chosen = arbitrate([soft], LINE, holding=1.0)
    assert chosen.chosen[0].pin is Pin.SOFT
    bind_all(notebook, chosen, {"s": lines(0, 1)}, "t")
    assert "SOFT_PIN" in notebook.asked[0]


@pytest.mark.mechanism("S3-13", "S3-06")
def test_a_new_phase_keeps_what_is_chosen_again_and_releases_the_rest_first() -> None:
    device = array(Organisation.SET_ASSOCIATIVE)
    ranges = {"a": lines(0, 4), "b": lines(4, 4), "c": lines(8, 4)}
    first = arbitrate([candidate("a", 4, 9), candidate("b", 4, 8)], 8 * LINE, holding=1.0)
    before = bind_all(device, first, ranges, "t")
    second = arbitrate([candidate("a", 4, 9), candidate("c", 4, 7)], 8 * LINE, holding=1.0)
    after = bind_all(device, second, ranges, "t", before)
    # The quota holds two of them: `c` could not be bound before `b` was released.
    assert sorted(after.bound) == ["a", "c"]
    assert after.bound["a"] == before.bound["a"]
    assert device.quota("t").used_bytes == 8 * LINE
    assert device.traffic.loaded_bytes == 12 * LINE
