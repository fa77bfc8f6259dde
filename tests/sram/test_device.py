"""BIND, RELEASE, invalidation and accesses, by hand on two sets of four ways."""

import sys
from types import FrameType

import attrs
import pytest

from mirc.machine import Organisation, Replacement
from mirc.sram import (
    DRIVER,
    Access,
    BindFlags,
    Caller,
    Counters,
    Device,
    Event,
    EventKind,
    Fault,
    Geometry,
    Handle,
    Line,
    Probe,
    Quota,
    Range,
    ReleaseMode,
    Traffic,
    Trap,
)

LINE = 64
SMALL = Geometry(line_bytes=LINE, ways=4, sets=2, wired_bytes=6 * LINE)
DIRECT = Geometry(
    line_bytes=LINE,
    ways=1,
    sets=4,
    wired_bytes=3 * LINE,
    organisation=Organisation.DIRECT_MAPPED,
)
MANAGED = attrs.evolve(SMALL, organisation=Organisation.SOFTWARE_MANAGED)
A_S = Caller(privileged=True, tenant="a")
KERNEL = Caller(privileged=False, tenant="a")
SOFT, IMMUTABLE, PREFETCH = BindFlags.SOFT_PIN, BindFlags.IMMUTABLE, BindFlags.PREFETCH
MEMORIES = {"hbm": 1000 * LINE, "cxl": 100 * LINE}


def device(geometry: Geometry = SMALL, **quotas: int) -> Device:
    """2 sets x 4 ways; even lines fall into set 0, odd ones into set 1."""
    return Device(geometry, quotas or {"a": 8 * LINE, "b": 2 * LINE}, MEMORIES)


def line(number: int, count: int = 1) -> Range:
    return Range("hbm", number * LINE, count * LINE)


def bound(found: Handle | Fault) -> Handle:
    assert isinstance(found, Handle)
    return found


def entries(sram: Device) -> dict[int, Line]:
    return {entry.number: entry for _, _, entry in sram.lines()}


def wired_lines(sram: Device) -> list[int]:
    return sorted(number for number, entry in entries(sram).items() if entry.wired)


def hits(sram: Device, number: int) -> int:
    found = sram.read(line(number))
    assert isinstance(found, Access)
    return found.hits


# ── what wiring is ──────────────────────────────────────────


@pytest.mark.mechanism("S3-02", "S3-22")
@pytest.mark.parametrize("replacement", Replacement)
def test_a_wired_line_is_never_a_victim_however_often_others_are_used(
    replacement: Replacement,
) -> None:
    # 3 of the 4 ways of set 0 are wired: the 4th takes every fill of set 0.
    sram = device(attrs.evolve(SMALL, replacement=replacement))
    for number in (0, 2, 4):
        bound(sram.bind(DRIVER, line(number), "a", PREFETCH))
    for number in range(6, 206, 2):
        assert sram.read(line(number)) == Access(hits=0, misses=1)
    assert [hits(sram, number) for number in (0, 2, 4)] == [1, 1, 1]
    assert sram.counters.evicted_lines == 99  # the first found an empty way


@pytest.mark.mechanism("S3-01")
def test_every_bound_line_says_that_it_is_wired_for_whom_and_since_which_generation() -> None:
    sram = device()
    sram.invalidate(DRIVER, "b")
    handle = bound(sram.bind(DRIVER, line(4, 2), "b"))
    sram.read(line(7))
    found = {
        number: (entry.wired, entry.tenant, entry.generation, entry.handle)
        for number, entry in entries(sram).items()
    }
    wired = (True, "b", 1, handle)
    assert found == {4: wired, 5: wired, 7: (False, "", 0, Handle(0))}
    assert [(index, way, entry.number) for index, way, entry in sram.lines()] == [
        (0, 0, 4),
        (1, 0, 5),
        (1, 1, 7),
    ]


def test_what_is_seen_of_a_line_is_a_copy() -> None:
    sram = device()
    sram.read(line(0))
    entries(sram)[0].valid = False
    assert hits(sram, 0) == 1
    sram.counters.loaded_lines = 9
    assert sram.counters == Counters(loaded_lines=1)


@pytest.mark.mechanism("S3-13", "S3-22", "S3-02", "S3-06")
def test_a_binding_lasts_from_one_launch_to_the_next_until_it_is_released() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "a", PREFETCH))
    for launch in range(3):  # each streams 8 lines through both sets
        sram.read(line(8 + 8 * launch, 8))
        assert hits(sram, 0) == 1
    assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is None
    assert hits(sram, 0) == 1  # an ordinary line by now,
    sram.read(line(8, 8))
    assert hits(sram, 0) == 0  # which a stream takes away


def test_without_wiring_the_least_recently_used_line_is_replaced() -> None:
    sram = device()
    for number in (0, 2, 4, 6, 0, 8):  # 0 is used again, so 8 takes the place of 2
        sram.read(line(number))
    assert sorted(entries(sram)) == [0, 4, 6, 8]
    assert sram.counters == Counters(loaded_lines=5, evicted_lines=1)


def test_prefetch_loads_now_and_its_absence_on_first_use() -> None:
    sram = device()
    bound(sram.bind(DRIVER, line(0), "a", PREFETCH))
    bound(sram.bind(DRIVER, line(1), "a"))
    assert sram.traffic == Traffic(loaded_bytes=LINE, written_bytes=0)
    assert [entries(sram)[number].valid for number in (0, 1)] == [True, False]
    assert sram.read(line(0, 2)) == Access(hits=1, misses=1, bypassed=0)
    assert sram.read(line(0, 2)) == Access(hits=2, misses=0, bypassed=0)
    assert sram.traffic.loaded_bytes == 2 * LINE


def test_what_is_cached_is_wired_where_it_is() -> None:
    sram = device()
    sram.write(line(0))
    handle = bound(sram.bind(DRIVER, line(0), "a", PREFETCH))
    assert sram.traffic == Traffic(loaded_bytes=LINE, written_bytes=0)  # the write's own miss
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    assert sram.traffic.written_bytes == LINE  # still dirty when it was wired


def test_what_is_cached_is_bound_before_the_rest_takes_a_way() -> None:
    # Set 0 is full of 0, 2, 4, 6, in the order of their uses. 0 and 8 are bound: 8 takes 2's way.
    sram = device()
    for number in (0, 2, 4, 6):
        sram.write(line(number))
    bound(sram.bind(DRIVER, line(8), "a"))  # takes 0's
    bound(sram.bind(DRIVER, line(1, 2), "a"))
    assert sorted(entries(sram)) == [1, 2, 4, 6, 8]
    assert sram.counters.written_lines == 1


# ── what BIND answers ───────────────────────────────────────


@pytest.mark.mechanism("S3-04")
@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (Range("hbm", 1, LINE), Fault.ALIGN_ERROR),
        (Range("hbm", 0, LINE + 1), Fault.ALIGN_ERROR),
        (Range("hbm", 0, 0), Fault.TARGET_INVALID),
        (Range("hbm", -LINE, LINE), Fault.TARGET_INVALID),
        (Range("hbm", 1000 * LINE, LINE), Fault.TARGET_INVALID),  # the first byte outside
        (Range("hbm", 999 * LINE, LINE), None),  # the last line
        (Range("dram", 0, LINE), Fault.TARGET_INVALID),  # no such memory
        (Range("cxl", 0, LINE), None),  # another than what is bound
        pytest.param(  # b has 2 lines
            line(10, 3), Fault.QUOTA_EXCEEDED, marks=pytest.mark.mechanism("S3-08")
        ),
        (line(10, 2), None),  # and 2 are no more than that
        (line(2), Fault.TARGET_INVALID),  # bound already, by a
        (line(1, 2), Fault.TARGET_INVALID),  # the second of them
        (line(3, 2), Fault.TARGET_INVALID),  # the first
        (line(1), None),  # right before what is bound
        (line(4), None),  # right behind
        (line(0, 900), Fault.TARGET_INVALID),  # overlaps; what is there is asked before the quota
    ],
)
@pytest.mark.parametrize("flags", [PREFETCH, PREFETCH | SOFT | IMMUTABLE])
def test_each_bind_has_its_outcome_and_a_fault_leaves_no_trace(
    target: Range, fault: Fault | None, flags: BindFlags
) -> None:
    sram = device()
    bound(sram.bind(DRIVER, line(2, 2), "a"))
    sram.write(line(5))
    before = sram.state_hash()
    found = sram.bind(DRIVER, target, "b", flags)
    if fault is None:
        assert found == Handle(2)
        assert sram.held_bytes(bound(found)) == target.size_bytes
        assert sram.quota("b").used_bytes == target.size_bytes
    else:
        assert found is fault
        assert sram.state_hash() == before


@pytest.mark.mechanism("S3-05", "S3-11")
def test_one_way_of_each_set_stays_unwired() -> None:
    # Set 0 gets lines 0, 2, 4 and then, with 6, its 4th; set 1 is empty.
    sram = device()
    for number in (0, 2, 4):
        bound(sram.bind(DRIVER, line(number), "a"))
    before = sram.state_hash()
    assert sram.bind(DRIVER, line(5, 2), "a") is Fault.NO_SPACE  # 5 would fit, 6 not: neither
    assert sram.state_hash() == before
    assert wired_lines(sram) == [0, 2, 4]
    bound(sram.bind(DRIVER, line(5), "a"))


@pytest.mark.mechanism("S3-11")
def test_all_tenants_together_wire_no_more_than_the_reserve_leaves() -> None:
    sram = device(a=100 * LINE, b=100 * LINE)
    bound(sram.bind(DRIVER, line(0, 4), "a"))
    assert sram.wired_bytes == 4 * LINE
    assert sram.left_bytes("b") == 2 * LINE  # of 6
    assert sram.bind(DRIVER, line(4, 3), "b") is Fault.NO_SPACE
    bound(sram.bind(DRIVER, line(4, 2), "b"))
    assert sram.left_bytes("a") == 0


@pytest.mark.mechanism("S3-08", "S3-22")
def test_a_tenant_never_binds_more_than_its_quota_soft_or_wired() -> None:
    sram = device(a=3 * LINE, b=9 * LINE)
    bound(sram.bind(DRIVER, line(0, 2), "a", SOFT))
    assert sram.quota("a") == Quota(limit_bytes=3 * LINE, used_bytes=2 * LINE)
    assert sram.left_bytes("a") == LINE
    assert sram.bind(DRIVER, line(2, 2), "a") is Fault.QUOTA_EXCEEDED
    assert sram.bind(DRIVER, line(2, 2), "a", SOFT) is Fault.QUOTA_EXCEEDED
    bound(sram.bind(DRIVER, line(2), "a"))
    assert sram.quota("a").used_bytes == 3 * LINE
    assert sram.wired_bytes == LINE
    bound(sram.bind(DRIVER, line(3), "b"))


def test_a_tenant_without_a_quota_binds_nothing() -> None:
    sram = device()
    assert sram.bind(DRIVER, line(0), "c") is Fault.QUOTA_EXCEEDED
    assert sram.quota("c") == Quota(limit_bytes=0, used_bytes=0)
    assert sram.left_bytes("c") == 0
    assert sram.invalidate(DRIVER, "c") is Fault.TARGET_INVALID


def test_where_the_address_decides_bind_may_only_name_its_set() -> None:
    sram = device()
    assert sram.bind(DRIVER, line(3, 2), "a", place=0) is Fault.TARGET_INVALID
    bound(sram.bind(DRIVER, line(3, 2), "a", place=1))


# ── other organisations ─────────────────────────────────────


@pytest.mark.mechanism("S3-03", "S3-02")
def test_what_maps_to_a_wired_line_of_a_direct_mapped_array_goes_past_it() -> None:
    sram = device(DIRECT)
    bound(sram.bind(DRIVER, line(0), "a", PREFETCH))
    assert sram.read(line(4)) == Access(hits=0, misses=1, bypassed=1)
    assert sram.write(line(4)) == Access(hits=0, misses=1, bypassed=1)
    assert sram.contents(line(4)) == (1,)
    assert sram.read(line(0)) == Access(hits=1, misses=0, bypassed=0)
    assert sram.read(line(5)) == Access(hits=0, misses=1, bypassed=0)
    assert sram.counters == Counters(loaded_lines=3, written_lines=1, bypassed_lines=2)


@pytest.mark.mechanism("S3-03", "S3-11", "S3-02")
def test_a_direct_mapped_array_is_wired_up_to_the_reserve() -> None:
    sram = device(DIRECT)
    bound(sram.bind(DRIVER, line(0, 3), "a"))
    assert sram.bind(DRIVER, line(3), "a") is Fault.NO_SPACE  # 3 of 4 may be wired
    full = device(attrs.evolve(DIRECT, wired_bytes=4 * LINE))
    bound(full.bind(DRIVER, line(0, 4), "a"))
    assert full.read(line(4, 4)) == Access(hits=0, misses=4, bypassed=4)  # and nothing hangs
    assert full.bind(DRIVER, line(4), "a") is Fault.NO_SPACE


@pytest.mark.mechanism("S3-03", "S3-04", "S3-11")
def test_software_chooses_the_region_that_holds_a_binding() -> None:
    # 2 regions of 4 lines, 3 of which may be wired; unbound, lines 0 .. 3 belong into region 0.
    sram = device(MANAGED)
    bound(sram.bind(DRIVER, line(0, 3), "a", PREFETCH, place=1))
    assert [(index, entry.number) for index, _, entry in sram.lines()] == [(1, 0), (1, 1), (1, 2)]
    assert sram.bind(DRIVER, line(8), "a", place=1) is Fault.NO_SPACE
    assert sram.bind(DRIVER, line(8), "a", place=2) is Fault.TARGET_INVALID
    assert sram.bind(DRIVER, line(8), "a", place=-1) is Fault.TARGET_INVALID
    bound(sram.bind(DRIVER, line(8), "a", place=0))
    assert sram.read(line(0, 3)) == Access(hits=3, misses=0)


@pytest.mark.mechanism("S3-03", "S3-11")
def test_a_binding_that_may_lie_anywhere_takes_the_first_regions_with_room() -> None:
    sram = device(MANAGED)
    bound(sram.bind(DRIVER, line(0, 2), "a", place=0))
    bound(sram.bind(DRIVER, line(20, 3), "a"))
    assert {entry.number: index for index, _, entry in sram.lines()} == {
        0: 0,
        1: 0,
        20: 0,
        21: 1,
        22: 1,
    }
    assert sram.bind(DRIVER, line(30, 2), "a") is Fault.NO_SPACE  # 1 is left of the 6


@pytest.mark.mechanism("S3-03", "S3-06")
def test_what_is_cached_in_another_region_moves_with_its_bytes() -> None:
    sram = device(MANAGED)
    sram.write(line(0))
    assert [index for index, _, _ in sram.lines()] == [0]
    handle = bound(sram.bind(DRIVER, line(0), "a", PREFETCH, place=1))
    assert [index for index, _, _ in sram.lines()] == [1]
    assert sram.counters == Counters(loaded_lines=1)  # the write's own; nothing was lost or read
    assert sram.contents(line(0)) == (1,)
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    assert sram.traffic.written_bytes == LINE
    assert hits(sram, 0) == 1  # an ordinary line, still in the region that it was bound to


# ── who may ─────────────────────────────────────────────────


@pytest.mark.mechanism("S3-07", "S3-22")
def test_only_privileged_callers_bind_release_and_invalidate() -> None:
    sram = device()
    assert sram.bind(KERNEL, line(0), "a") is Fault.PERMISSION_DENIED
    assert sram.bind(KERNEL, Range("hbm", 1, 1), "a") is Fault.PERMISSION_DENIED  # asked first
    handle = bound(sram.bind(A_S, line(0), "a"))
    before = sram.state_hash()
    assert sram.release(KERNEL, handle, ReleaseMode.INVALIDATE) is Fault.PERMISSION_DENIED
    assert sram.release(KERNEL, Handle(9), ReleaseMode.WRITEBACK) is Fault.PERMISSION_DENIED
    assert sram.invalidate(KERNEL, "a") is Fault.PERMISSION_DENIED
    assert sram.invalidate(KERNEL, "c") is Fault.PERMISSION_DENIED
    assert sram.bind(Caller(privileged=False), line(1), "a") is Fault.PERMISSION_DENIED
    assert sram.state_hash() == before


@pytest.mark.mechanism("S3-06")
def test_a_tenants_runtime_acts_for_no_other() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "b"))
    assert sram.bind(A_S, line(1), "b") is Fault.PERMISSION_DENIED
    assert sram.release(A_S, handle, ReleaseMode.WRITEBACK) is Fault.PERMISSION_DENIED
    assert sram.invalidate(A_S, "b") is Fault.PERMISSION_DENIED
    assert sram.release(A_S, Handle(7), ReleaseMode.WRITEBACK) is Fault.INVALID_HANDLE
    assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is None


# ── RELEASE ─────────────────────────────────────────────────


@pytest.mark.mechanism("S3-06", "S3-22")
@pytest.mark.parametrize("mode", ReleaseMode)
def test_a_handle_is_good_for_one_release(mode: ReleaseMode) -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0, 2), "a"))
    assert sram.held_bytes(handle) == 2 * LINE
    assert sram.release(DRIVER, handle, mode) is None
    assert sram.quota("a") == Quota(limit_bytes=8 * LINE, used_bytes=0)
    assert (sram.wired_bytes, sram.held_bytes(handle)) == (0, 0)
    assert entries(sram) == {}  # never used, so there is nothing to keep
    assert sram.release(DRIVER, handle, mode) is Fault.INVALID_HANDLE
    assert sram.release(DRIVER, Handle(0), mode) is Fault.INVALID_HANDLE
    assert bound(sram.bind(DRIVER, line(0, 2), "a")) == Handle(2)  # never the same again


@pytest.mark.mechanism("S3-06")
def test_dirty_bytes_are_written_back_once() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0, 2), "a", PREFETCH))
    sram.write(Range("hbm", 0, 1))  # one of the two lines
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    assert sram.traffic.written_bytes == LINE
    assert not entries(sram)[0].wired
    sram.read(line(2, 16))  # replaces it: clean by now
    assert sram.traffic.written_bytes == LINE
    assert sram.contents(line(0, 2)) == (1, 0)


def test_a_released_line_was_just_used() -> None:
    # 0 is bound, 2, 4, 6 are used later; 0 is released last, so 8 takes the way of 2.
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "a", PREFETCH))
    for number in (2, 4, 6):
        sram.read(line(number))
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    sram.read(line(8))
    assert sorted(entries(sram)) == [0, 4, 6, 8]


def test_a_replaced_dirty_line_is_written_back() -> None:
    sram = device()
    sram.write(line(0))
    sram.read(line(2, 8))  # 4 more lines into each set
    assert sram.traffic.written_bytes == LINE
    assert sram.contents(line(0)) == (1,)


@pytest.mark.mechanism("S3-06")
def test_invalidate_on_release_loses_what_was_written() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "a"))
    sram.write(line(0))
    assert sram.contents(line(0)) == (1,)
    assert sram.release(DRIVER, handle, ReleaseMode.INVALIDATE) is None
    assert sram.traffic.written_bytes == 0
    assert sram.contents(line(0)) == (0,)
    assert hits(sram, 0) == 0


# ── IMMUTABLE ───────────────────────────────────────────────


@pytest.mark.mechanism("S3-09")
@pytest.mark.parametrize("target", [line(1), line(0, 2), line(2, 3), Range("hbm", 3 * LINE - 1, 1)])
def test_a_write_to_an_immutable_range_traps_and_changes_no_byte(target: Range) -> None:
    sram = device()
    sram.write(line(0, 5))
    handle = bound(sram.bind(DRIVER, line(1, 2), "a", IMMUTABLE))
    tags, traffic = [attrs.astuple(entry) for *_, entry in sram.lines()], sram.traffic
    sram.take_events()
    assert sram.write(target) is Trap.BINDING_VIOLATION
    assert sram.probe(target, Probe.WRITE) is Trap.BINDING_VIOLATION
    assert [attrs.astuple(entry) for *_, entry in sram.lines()] == tags
    assert sram.contents(line(0, 5)) == (1, 1, 1, 1, 1)
    assert sram.traffic == traffic
    assert sram.counters.violations == 2
    assert sram.take_events() == tuple(
        Event(
            number=number,
            kind=EventKind.BINDING_VIOLATION,
            tenant="a",
            handle=handle,
            target=target,
        )
        for number in range(2)
    )


@pytest.mark.mechanism("S3-09", "S3-06")
def test_around_and_after_an_immutable_range_writes_go_through() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(1, 2), "a", IMMUTABLE))
    bound(sram.bind(DRIVER, line(3), "a"))
    assert isinstance(sram.write(line(0)), Access)
    assert isinstance(sram.write(line(3)), Access)  # bound, and not immutable
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    assert isinstance(sram.write(line(1, 2)), Access)
    again = bound(sram.bind(DRIVER, line(1, 2), "a", IMMUTABLE))
    assert sram.write(line(1)) is Trap.BINDING_VIOLATION
    assert sram.held_bytes(again) == 2 * LINE
    sram.invalidate(DRIVER, "a")
    assert isinstance(sram.write(line(1, 2)), Access)
    assert sram.counters.violations == 1


@pytest.mark.mechanism("S3-09")
def test_an_immutable_copy_costs_no_coherence_messages() -> None:
    sram = device()
    bound(sram.bind(DRIVER, line(0, 2), "a", IMMUTABLE | PREFETCH))
    bound(sram.bind(DRIVER, line(2), "a", PREFETCH))
    bound(sram.bind(DRIVER, line(3), "a"))  # reserved: there is no copy yet
    sram.read(line(4))
    for _ in range(3):
        assert sram.probe(line(0, 6), Probe.READ) is None
    assert sram.counters == Counters(
        loaded_lines=4, coherence_messages=6, suppressed_messages=6
    )  # of each three: lines 2 and 4; lines 0 and 1


@pytest.mark.mechanism("S3-09")
def test_what_was_written_before_an_immutable_bind_is_written_back_by_it() -> None:
    sram = device()
    sram.write(line(0))
    handle = bound(sram.bind(DRIVER, line(0), "a", IMMUTABLE))
    assert sram.traffic.written_bytes == LINE
    sram.release(DRIVER, handle, ReleaseMode.INVALIDATE)
    assert sram.contents(line(0)) == (1,)


def test_another_agent_s_read_writes_back_and_its_write_takes_the_copy() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "a", PREFETCH))
    sram.write(line(0, 2))
    assert sram.probe(line(0, 2), Probe.READ) is None
    assert sram.counters.written_lines == 2
    assert sram.probe(line(0, 2), Probe.WRITE) is None
    assert sram.contents(line(0, 2)) == (2, 2)
    assert {n: entry.valid for n, entry in entries(sram).items()} == {0: False}  # bound: stays
    assert sram.held_bytes(handle) == LINE
    assert sram.read(line(0, 2)) == Access(hits=0, misses=2)
    assert sram.counters == Counters(loaded_lines=4, written_lines=2, coherence_messages=4)


# ── SOFT_PIN ────────────────────────────────────────────────


@pytest.mark.mechanism("S3-10", "S3-11", "S3-02")
@pytest.mark.parametrize("replacement", Replacement)
def test_a_soft_line_goes_last_and_says_so_before_it_is_gone(replacement: Replacement) -> None:
    # Set 0: 0 and 2 wired, 4 soft and dirty: the 4th way takes all fills. Then 6 is wired too, and
    # 8 and on find nothing but 4.
    sram = device(attrs.evolve(SMALL, replacement=replacement))
    bound(sram.bind(DRIVER, line(0), "a"))
    bound(sram.bind(DRIVER, line(2), "a"))
    handle = bound(sram.bind(DRIVER, line(4), "a", SOFT))
    sram.write(line(4))
    for number in range(10, 50, 2):
        sram.read(line(number))
    assert sram.held_bytes(handle) == LINE
    assert sram.take_events() == ()
    bound(sram.bind(DRIVER, line(6), "a"))  # takes the way that is not bound
    assert sram.held_bytes(handle) == LINE
    assert sram.quota("a").used_bytes == 4 * LINE
    sram.read(line(8))
    assert sram.held_bytes(handle) == 0
    assert sram.quota("a").used_bytes == 3 * LINE
    assert sram.traffic.written_bytes == LINE
    assert sram.counters.lost_lines == 1
    assert sram.take_events() == (
        Event(
            number=0,
            kind=EventKind.RESIDENCY_LOSS,
            tenant="a",
            handle=handle,
            target=line(4),
        ),
        Event(number=1, kind=EventKind.EVICTED, tenant="a", handle=handle, target=line(4)),
    )
    assert sram.take_events() == ()


@pytest.mark.mechanism("S3-10", "S3-11", "S3-02")
def test_wiring_displaces_soft_lines_and_soft_ones_displace_no_bound_line() -> None:
    # Set 0 full of soft lines; wiring three displaces three, the fourth would take the open way.
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0, 8), "a", SOFT | PREFETCH))
    assert sram.wired_bytes == 0
    assert sram.bind(DRIVER, line(8), "b", SOFT) is Fault.NO_SPACE
    bound(sram.bind(DRIVER, line(8), "b"))
    assert sram.held_bytes(handle) == 7 * LINE
    assert [event.kind for event in sram.take_events()] == [
        EventKind.RESIDENCY_LOSS,
        EventKind.EVICTED,
    ]
    assert sram.bind(DRIVER, line(0), "b") is Fault.TARGET_INVALID  # lost, but its binding holds
    assert sram.read(line(10)) == Access(hits=0, misses=1)  # near capacity, and not stuck
    assert sram.held_bytes(handle) == 6 * LINE
    assert sram.quota("a").used_bytes == 6 * LINE


@pytest.mark.mechanism("S3-10", "S3-11")
def test_the_line_that_is_lost_is_named_in_its_own_memory() -> None:
    sram = device(attrs.evolve(SMALL, sets=1), a=4 * LINE)
    sram.bind(DRIVER, Range("cxl", 10 * LINE, 4 * LINE), "a", SOFT)
    for number in range(3):
        sram.read(line(number))
    lost = [e.target for e in sram.take_events() if e.kind is EventKind.RESIDENCY_LOSS]
    # The first read takes the least recently used soft line; each later one that ordinary line.
    assert lost == [Range("cxl", 10 * LINE, LINE)]


def test_what_a_soft_binding_lost_is_no_part_of_its_release() -> None:
    sram = device(attrs.evolve(SMALL, sets=1))
    handle = bound(sram.bind(DRIVER, line(0, 4), "a", SOFT))
    sram.read(line(9))  # takes the way of 0,
    sram.write(line(0))  # which comes back as an ordinary line
    assert sram.release(DRIVER, handle, ReleaseMode.INVALIDATE) is None
    assert {number: entry.dirty for number, entry in entries(sram).items()} == {0: True}
    assert sram.quota("a").used_bytes == 0


def test_an_ordinary_eviction_is_silent_and_counted() -> None:
    sram = device()
    sram.read(line(0, 20))
    assert sram.take_events() == ()
    assert sram.counters.evicted_lines == 12


@pytest.mark.mechanism("S3-10", "S3-19", "S3-11", "S3-02")
def test_hint_soft_pin_and_contract_differ_in_what_their_loss_says() -> None:
    # The same stream passes a line that was only used, a soft one and a wired one.
    sram = device(attrs.evolve(SMALL, sets=1))
    sram.read(line(0))
    soft = bound(sram.bind(DRIVER, line(1), "a", SOFT | PREFETCH))
    wired = bound(sram.bind(DRIVER, line(2, 2), "a", PREFETCH))
    sram.read(line(4))
    assert (hits(sram, 0), sram.counters.evicted_lines) == (0, 2)  # by 4, then 4 by 0: no event
    assert sram.take_events() == ()
    bound(sram.bind(DRIVER, line(5), "a"))
    sram.read(line(6))
    assert [event.kind for event in sram.take_events()] == [
        EventKind.RESIDENCY_LOSS,
        EventKind.EVICTED,
    ]
    assert sram.held_bytes(soft) == 0
    assert sram.held_bytes(wired) == 2 * LINE


# ── generations ─────────────────────────────────────────────


@pytest.mark.mechanism("S3-12")
def test_a_tenants_end_frees_its_lines_quota_and_handles_and_no_others() -> None:
    sram = device()
    gone = bound(sram.bind(DRIVER, line(0, 4), "a", PREFETCH))
    kept = bound(sram.bind(DRIVER, line(4, 2), "b", PREFETCH))
    sram.write(line(0))
    assert sram.invalidate(DRIVER, "a") is None
    assert sram.quota("a").used_bytes == 0
    assert sram.wired_bytes == 2 * LINE
    assert sram.release(DRIVER, gone, ReleaseMode.WRITEBACK) is Fault.INVALID_HANDLE
    assert sram.held_bytes(gone) == 0
    assert wired_lines(sram) == [4, 5]
    assert sram.contents(line(0)) == (0,)
    assert hits(sram, 0) == 0  # empty, and the dirty bytes are lost
    assert sram.traffic.written_bytes == 0
    bound(sram.bind(DRIVER, line(6, 4), "a"))  # the new generation may bind at once
    assert sram.release(DRIVER, kept, ReleaseMode.WRITEBACK) is None


@pytest.mark.mechanism("S3-12")
def test_soft_lines_end_with_their_tenant_too() -> None:
    sram = device()
    bound(sram.bind(DRIVER, line(0, 4), "a", SOFT | IMMUTABLE))
    assert sram.invalidate(A_S, "a") is None
    assert sram.quota("a").used_bytes == 0
    assert entries(sram) == {}
    assert isinstance(sram.write(line(0)), Access)
    bound(sram.bind(DRIVER, line(0, 4), "a"))  # where its old binding was


@pytest.mark.mechanism("S3-12")
def test_what_a_generation_left_is_the_next_to_make_room() -> None:
    # Set 0: 0 cached, 2 of b, 4 and 6 of a: once b ends, 8 takes the way of 2 and evicts nothing.
    sram = device(a=4 * LINE, b=4 * LINE)
    sram.read(line(0))
    for number, tenant in ((2, "b"), (4, "a"), (6, "a")):
        bound(sram.bind(DRIVER, line(number), tenant, PREFETCH))
    sram.invalidate(DRIVER, "b")
    sram.read(line(8))
    assert {entry.number: way for _, way, entry in sram.lines()} == {0: 0, 8: 1, 4: 2, 6: 3}
    assert sram.counters.evicted_lines == 0


@pytest.mark.mechanism("S3-12")
def test_ending_a_generation_visits_no_line_until_it_comes_round() -> None:
    # 2 bits: generations 0, 1, 2, 3, and then 0 again, before which all old lines are swept.
    sram = device(attrs.evolve(SMALL, generation_bits=2))
    bound(sram.bind(DRIVER, line(0), "a"))
    other = bound(sram.bind(DRIVER, line(1), "b"))
    sram.read(line(2))
    for _ in range(3):
        assert sram.invalidate(DRIVER, "a") is None
    assert sram.take_events() == ()
    assert wired_lines(sram) == [1]
    old = bound(sram.bind(DRIVER, line(4), "a"))  # of generation 3
    assert sram.invalidate(DRIVER, "a") is None
    assert sram.take_events() == (
        Event(
            number=0,
            kind=EventKind.GENERATION_WRAP,
            tenant="a",
            handle=Handle(0),
            target=None,
        ),
    )
    # The line of the first generation 0 is no line of this one.
    assert wired_lines(sram) == [1]
    assert sorted(entries(sram)) == [1, 2]
    assert sram.quota("a").used_bytes == 0
    for handle in (Handle(1), old):
        assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is Fault.INVALID_HANDLE
    assert sram.release(DRIVER, other, ReleaseMode.WRITEBACK) is None
    again = bound(sram.bind(DRIVER, line(0), "a"))
    assert entries(sram)[0].generation == 0
    assert sram.held_bytes(again) == LINE


@pytest.mark.mechanism("S3-12")
def test_the_work_of_ending_a_generation_does_not_grow_with_its_lines() -> None:
    # Not a clock: the calls that are made, for a tenant with 1 line and for one with 512.
    def calls(lines: int) -> int:
        sram = device(attrs.evolve(SMALL, sets=512, wired_bytes=512 * LINE), a=512 * LINE)
        bound(sram.bind(DRIVER, line(0, lines), "a"))
        made: list[str] = []

        def note(_frame: FrameType, event: str, _argument: object) -> None:
            made.append(event)

        sys.setprofile(note)
        sram.invalidate(DRIVER, "a")
        sys.setprofile(None)
        assert [*sram.lines()] == []
        return len(made)

    assert calls(1) == calls(512)


# ── accesses ────────────────────────────────────────────────


@pytest.mark.parametrize("source", [Range("hbm", 0, 0), Range("hbm", -1, 1), Range("x", 0, 1)])
def test_an_access_has_bytes_that_exist(source: Range) -> None:
    sram = device()
    before = sram.state_hash()
    assert sram.read(source) is Fault.TARGET_INVALID
    assert sram.write(source) is Fault.TARGET_INVALID
    assert sram.probe(source, Probe.READ) is Fault.TARGET_INVALID
    assert sram.probe(source, Probe.WRITE) is Fault.TARGET_INVALID
    assert sram.contents(source) == ()
    assert sram.state_hash() == before


def test_each_write_is_told_from_the_one_before() -> None:
    sram = device()
    sram.write(line(0, 2))
    sram.probe(line(1, 2), Probe.WRITE)
    sram.write(line(2))
    assert sram.contents(line(0, 4)) == (1, 2, 3, 0)


def test_memories_and_tenants_are_known_in_the_order_given() -> None:
    sram = device()
    assert sram.tenants == ("a", "b")
    assert sram.memories == ("hbm", "cxl")


def test_the_state_hash_tells_any_two_states_apart_and_taking_events_is_none() -> None:
    sram, twin = device(), device()
    assert sram.state_hash() == twin.state_hash()
    for each in (sram, twin):
        each.bind(DRIVER, line(0), "a", IMMUTABLE)
        each.write(line(0))
    assert len(sram.state_hash()) == 64
    assert len(sram.take_events()) == 1
    assert sram.state_hash() == twin.state_hash()
    twin.write(line(0))  # trapped again: counted
    assert sram.state_hash() != twin.state_hash()
