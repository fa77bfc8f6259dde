"""Commands as 32-byte records: which byte says what, and what is no record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.sram import (
    COMMAND_BYTES,
    DRIVER,
    Access,
    Bind,
    BindFlags,
    Caller,
    Command,
    Device,
    Driver,
    Fault,
    Geometry,
    Handle,
    Invalidate,
    MalformedCommandError,
    Names,
    Probe,
    Probed,
    Queue,
    Range,
    Read,
    Release,
    ReleaseMode,
    Trap,
    Write,
    decode,
    encode,
    replay,
)

NAMES = Names(tenants=("a", "b"), memories=("hbm", "cxl"))
B_S = Caller(privileged=True, tenant="b")

RECORDS = {
    # operation, flags, tenant, only tenant, privileged, memory, place, zero, address, size
    "01 07 0100 ffff 01 01 ffffffff 00000000 0800000000000000 1000000000000000": Bind(
        DRIVER,
        Range("cxl", 8, 16),
        "b",
        BindFlags.PREFETCH | BindFlags.IMMUTABLE | BindFlags.SOFT_PIN,
    ),
    "01 00 0000 0100 01 00 05000000 00000000 0000000000000000 4000000000000000": Bind(
        B_S, Range("hbm", 0, 64), "a", place=5
    ),
    "02 00 0000 ffff 01 00 00000000 00000000 0300000000000000 0000000000000000": Release(
        DRIVER, Handle(3), ReleaseMode.WRITEBACK
    ),
    "02 01 0000 0000 00 00 00000000 00000000 0300000000000000 0000000000000000": Release(
        Caller(privileged=False, tenant="a"), Handle(3), ReleaseMode.INVALIDATE
    ),
    "03 00 0100 0100 01 00 00000000 00000000 0000000000000000 0000000000000000": Invalidate(
        B_S, "b"
    ),
    "04 00 0000 0000 00 00 00000000 00000000 0800000000000000 0100000000000000": Read(
        Range("hbm", 8, 1)
    ),
    "05 00 0000 0000 00 01 00000000 00000000 0000000000000000 0200000000000000": Write(
        Range("cxl", 0, 2)
    ),
    "06 00 0000 0000 00 01 00000000 00000000 0000000000000000 0200000000000000": Probed(
        Range("cxl", 0, 2), Probe.READ
    ),
    "06 01 0000 0000 00 01 00000000 00000000 ffffffffffffffff 0200000000000000": Probed(
        Range("cxl", 2**64 - 1, 2), Probe.WRITE
    ),
    # numbers that nobody was given
    "03 00 0700 ffff 01 00 00000000 00000000 0000000000000000 0000000000000000": Invalidate(
        DRIVER, "#7"
    ),
    "04 00 0000 0000 00 02 00000000 00000000 0000000000000000 0100000000000000": Read(
        Range("#2", 0, 1)
    ),
}


@pytest.mark.mechanism("S3-21")
@pytest.mark.parametrize(("record", "command"), RECORDS.items())
def test_each_command_is_one_record_of_32_bytes(record: str, command: Command) -> None:
    data = bytes.fromhex(record)
    assert len(data) == COMMAND_BYTES == 32
    assert encode(command, NAMES) == data
    assert decode(data, NAMES) == command


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("00" * 32, "0 is not a valid _Operation"),
        ("07" + "00" * 31, "7 is not a valid _Operation"),
        ("04" + "00" * 30, "requires a buffer of 32 bytes"),
        ("04" + "00" * 32, "requires a buffer of 32 bytes"),
        ("0108" + "00" * 30, "invalid value 8"),  # a flag that BIND does not have
        ("0202" + "00" * 30, "index out of range"),
        ("0602" + "00" * 30, "index out of range"),
        ("0401" + "00" * 30, "sets what its operation does not use"),
        ("040000" + "01" + "00" * 28, "sets what its operation does not use"),
        ("0300000000000200" + "00" * 24, "sets what its operation does not use"),
        ("01" + "00" * 11 + "01" + "00" * 19, "sets what its operation does not use"),
    ],
)
def test_what_is_no_command_is_refused_and_says_why(record: str, reason: str) -> None:
    with pytest.raises(MalformedCommandError, match=reason) as caught:
        decode(bytes.fromhex(record), NAMES)
    assert str(caught.value).startswith(f"{record} ")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Read(Range("hbm", -1, 1)), "does not fit a record"),
        (Read(Range("hbm", 1 << 64, 1)), "does not fit a record"),
        (Read(Range("dram", 0, 1)), "`dram` has no number"),
        (Invalidate(DRIVER, "c"), "`c` has no number"),
        (Invalidate(DRIVER, "#x"), "`#x` has no number"),
        (Invalidate(DRIVER, "7"), "`7` has no number"),
        (Invalidate(DRIVER, "#65536"), "does not fit a record"),
        (Bind(DRIVER, Range("hbm", 0, 1), "a", place=1 << 32), "does not fit a record"),
    ],
)
def test_what_no_record_can_hold_is_refused(command: Command, reason: str) -> None:
    with pytest.raises(MalformedCommandError, match=reason):
        encode(command, NAMES)


@given(st.binary(min_size=COMMAND_BYTES, max_size=COMMAND_BYTES))
def test_any_32_bytes_are_one_command_s_record_or_none(data: bytes) -> None:
    data = bytes([data[0] % 8]) + data[1:]
    try:
        command = decode(data, NAMES)
    except MalformedCommandError:
        return
    assert encode(command, NAMES) == data


def fresh() -> Device:
    geometry = Geometry(line_bytes=8, ways=2, sets=2, wired_bytes=16)
    return Device(geometry, {"a": 16, "b": 16}, {"hbm": 80, "cxl": 80})


@pytest.mark.mechanism("S3-09", "S3-21")
def test_a_log_of_calls_replays_through_the_queue_to_the_same_answers_and_state() -> None:
    driver = Driver(fresh())
    answers = [
        driver.bind(DRIVER, Range("hbm", 0, 8), "a", BindFlags.IMMUTABLE, place=0),
        driver.bind(DRIVER, Range("hbm", 0, 8), "b"),
        driver.write(Range("hbm", 0, 1)),
        driver.write(Range("cxl", 0, 16)),
        driver.read(Range("cxl", 3, 1)),
        driver.probe(Range("hbm", 8, 8), Probe.WRITE),
        driver.probe(Range("hbm", 80, 8), Probe.READ),
        driver.release(DRIVER, Handle(1), ReleaseMode.INVALIDATE),
        driver.invalidate(B_S, "a"),
        driver.invalidate(B_S, "b"),
    ]
    assert answers == [
        Handle(1),
        Fault.TARGET_INVALID,
        Trap.BINDING_VIOLATION,
        Access(hits=0, misses=2),
        Access(hits=1, misses=0),
        None,
        Fault.TARGET_INVALID,
        None,
        Fault.PERMISSION_DENIED,
        None,
    ]
    assert [type(command) for command in driver.log] == [
        *(Bind, Bind, Write, Write, Read, Probed, Probed, Release, Invalidate, Invalidate)
    ]
    called, queued = fresh(), fresh()
    names = Names.of(queued)
    assert names == Names(tenants=("a", "b"), memories=("hbm", "cxl"))
    records = b"".join(encode(command, names) for command in driver.log)
    assert replay(driver.log, called) == answers
    assert Queue(queued).submit(records) == answers
    assert called.state_hash() == queued.state_hash() == driver.device.state_hash()


def test_a_queue_issues_nothing_of_what_holds_a_malformed_record() -> None:
    device = fresh()
    good = encode(Write(Range("hbm", 0, 8)), NAMES)
    with pytest.raises(MalformedCommandError):
        Queue(device).submit(good + good[:-1])
    assert device.state_hash() == fresh().state_hash()
    assert Queue(device).submit(b"") == []
    assert Queue(device).submit(good + good) == [
        Access(hits=0, misses=1),
        Access(hits=1, misses=0),
    ]
