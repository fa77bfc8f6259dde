"""Deciding what to bind by BIND, RELEASE and quota alone, on arrays that are built differently."""

import pytest

from mirc.machine import Organisation
from mirc.sram import (
    DRIVER,
    BindFlags,
    Device,
    Driver,
    Fault,
    Geometry,
    Handle,
    Quota,
    Range,
    ReleaseMode,
    Residency,
)

LINE = 8
DIRECT = Organisation.DIRECT_MAPPED
ORGANISATIONS = [
    Organisation.SET_ASSOCIATIVE,
    pytest.param(DIRECT, marks=pytest.mark.mechanism("S3-03")),
    Organisation.SOFTWARE_MANAGED,
]
PARTS = [Range("hbm", first * LINE, size * LINE) for first, size in ((0, 3), (3, 4), (7, 2))]


def device(organisation: Organisation) -> Device:
    """16 lines, of which 8 may be wired and 6 by the tenant."""
    direct = organisation is DIRECT
    geometry = Geometry(
        line_bytes=LINE,
        ways=1 if direct else 4,
        sets=16 if direct else 4,
        wired_bytes=8 * LINE,
        organisation=organisation,
    )
    return Device(geometry, {"a": 6 * LINE, "b": 9 * LINE}, {"hbm": 100 * LINE})


def bind_in_order(array: Residency) -> list[Handle | Fault]:
    """Bind what still fits, part after part: as plain an arbiter as there is."""
    return [
        array.bind(DRIVER, part, "a", BindFlags.IMMUTABLE)
        for part in PARTS
        if part.size_bytes <= array.left_bytes("a")
    ]


@pytest.mark.mechanism("S3-17")
@pytest.mark.parametrize("organisation", ORGANISATIONS)
def test_the_same_decisions_come_about_on_every_organisation(organisation: Organisation) -> None:
    # Of 3, 4 and 2 lines the first and the last fit into 6.
    array = device(organisation)
    assert bind_in_order(array) == [Handle(1), Handle(2)]
    assert array.quota("a") == Quota(limit_bytes=6 * LINE, used_bytes=5 * LINE)
    assert array.left_bytes("a") == LINE
    assert array.left_bytes("b") == 3 * LINE  # the reserve leaves less than b's quota


@pytest.mark.mechanism("S3-17", "S3-06")
@pytest.mark.parametrize("organisation", ORGANISATIONS)
def test_a_driver_serves_as_the_device_does_and_asking_is_no_command(
    organisation: Organisation,
) -> None:
    bare, driver = device(organisation), Driver(device(organisation))
    assert bind_in_order(bare) == bind_in_order(driver)
    for array in (bare, driver):
        assert array.release(DRIVER, Handle(1), ReleaseMode.INVALIDATE) is None
        assert array.quota("a").used_bytes == 2 * LINE
        assert array.left_bytes("a") == 4 * LINE
    assert len(driver.log) == 3
    assert driver.device.state_hash() == bare.state_hash()
