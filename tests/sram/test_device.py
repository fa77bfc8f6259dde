import pytest

from mirc.sram import (
    DRIVER,
    Access,
    BindFlags,
    Caller,
    Device,
    Fault,
    Geometry,
    Handle,
    Quota,
    Range,
    ReleaseMode,
    Traffic,
)

LINE = 64
SMALL = Geometry(line_bytes=LINE, ways=4, sets=2, wired_bytes=6 * LINE)
A_S = Caller(privileged=True, tenant="a")


def device(geometry: Geometry = SMALL, **quotas: int) -> Device:
    """2 sets x 4 ways; even lines fall into set 0, odd ones into set 1."""
    return Device(geometry, quotas or {"a": 6 * LINE, "b": 2 * LINE})


def line(number: int, count: int = 1) -> Range:
    return Range(number * LINE, count * LINE)


def bound(found: Handle | Fault) -> Handle:
    assert isinstance(found, Handle)
    return found


def wired_lines(sram: Device) -> list[int]:
    return sorted(entry.tag * 2 + index for index, entry in sram.lines() if entry.wired)


def test_a_wired_line_is_never_a_victim_however_often_others_are_used() -> None:
    # 3 of the 4 ways of set 0 are wired: the 4th takes every fill of set 0.
    sram = device()
    for number in (0, 2, 4):
        bound(sram.bind(DRIVER, line(number), "a", BindFlags.PREFETCH))
    for number in range(6, 206, 2):
        assert sram.read(number * LINE, LINE) == Access(hits=0, misses=1)
    for number in (0, 2, 4):
        assert sram.read(number * LINE, LINE) == Access(hits=1, misses=0)


def test_without_wiring_the_least_recently_used_line_is_replaced() -> None:
    sram = device()
    for number in (0, 2, 4, 6, 0, 8):  # 0 is used again, so 8 takes the place of 2
        sram.read(number * LINE, 1)
    assert sram.read(0, LINE).hits == 1
    assert sram.read(2 * LINE, LINE).hits == 0


def test_a_binding_lasts_from_one_launch_to_the_next_until_it_is_released() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "a", BindFlags.PREFETCH))
    for launch in range(3):  # each streams 8 lines through both sets
        sram.read((8 + 8 * launch) * LINE, 8 * LINE)
        assert sram.read(0, LINE).hits == 1
    assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is None
    sram.read(8 * LINE, 8 * LINE)
    assert sram.read(0, LINE).hits == 0


def test_prefetch_loads_now_and_its_absence_on_first_use() -> None:
    sram = device()
    bound(sram.bind(DRIVER, line(0), "a", BindFlags.PREFETCH))
    bound(sram.bind(DRIVER, line(1), "a"))
    assert sram.traffic == Traffic(loaded_bytes=LINE, written_bytes=0)
    assert sram.read(0, 2 * LINE) == Access(hits=1, misses=1)
    assert sram.read(0, 2 * LINE) == Access(hits=2, misses=0)
    assert sram.traffic.loaded_bytes == 2 * LINE


def test_what_is_cached_is_wired_where_it_is() -> None:
    sram = device()
    sram.write(0, LINE)
    handle = bound(sram.bind(DRIVER, line(0), "a", BindFlags.PREFETCH))
    assert sram.traffic == Traffic(loaded_bytes=LINE, written_bytes=0)  # the write's own miss
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    assert sram.traffic.written_bytes == LINE  # still dirty when it was wired


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (Range(1, LINE), Fault.ALIGN_ERROR),
        (Range(0, LINE + 1), Fault.ALIGN_ERROR),
        (Range(0, 0), Fault.ALIGN_ERROR),
        (Range(-LINE, LINE), Fault.ALIGN_ERROR),
        (line(10, 3), Fault.QUOTA_EXCEEDED),  # b has 2 lines
        (line(10, 2), None),  # and 2 are no more than that
        (line(0), Fault.TARGET_INVALID),  # bound already, by a
        (Range(0, 10**18 * LINE), Fault.QUOTA_EXCEEDED),  # at once: no line is looked at
    ],
)
def test_each_bind_has_its_outcome_and_a_fault_leaves_no_trace(
    target: Range, fault: Fault | None
) -> None:
    sram = device()
    bound(sram.bind(DRIVER, line(0, 2), "a"))
    sram.write(4 * LINE, LINE)
    before = ([*sram.lines()], sram.quota("a"), sram.quota("b"), sram.wired_bytes, sram.traffic)
    found = sram.bind(DRIVER, target, "b", BindFlags.PREFETCH)
    after = ([*sram.lines()], sram.quota("a"), sram.quota("b"), sram.wired_bytes, sram.traffic)
    if fault is None:
        assert isinstance(found, Handle)
    else:
        assert found is fault
        assert after == before


def test_one_way_of_each_set_stays_unwired() -> None:
    # Set 0 gets lines 0, 2, 4 and then, with 6, its 4th; set 1 is empty.
    sram = device()
    for number in (0, 2, 4):
        bound(sram.bind(DRIVER, line(number), "a"))
    assert sram.bind(DRIVER, line(5, 2), "a") is Fault.NO_SPACE  # 5 would fit, 6 not: neither
    assert wired_lines(sram) == [0, 2, 4]
    bound(sram.bind(DRIVER, line(5), "a"))


def test_the_wired_budget_holds_for_all_tenants_together() -> None:
    sram = device(a=100 * LINE, b=100 * LINE)
    bound(sram.bind(DRIVER, line(0, 4), "a"))
    assert sram.left_bytes("b") == 2 * LINE  # of 6
    assert sram.bind(DRIVER, line(4, 3), "b") is Fault.NO_SPACE
    bound(sram.bind(DRIVER, line(4, 2), "b"))


def test_an_array_of_one_way_cannot_be_wired() -> None:
    direct = Geometry(line_bytes=LINE, ways=1, sets=8, wired_bytes=8 * LINE)
    assert device(direct).bind(DRIVER, line(0), "a") is Fault.NO_SPACE


def test_only_privileged_callers_bind_release_and_invalidate() -> None:
    sram, kernel = device(), Caller(privileged=False, tenant="a")
    assert sram.bind(kernel, line(0), "a") is Fault.PERMISSION_DENIED
    handle = bound(sram.bind(A_S, line(0), "a"))
    assert sram.release(kernel, handle, ReleaseMode.INVALIDATE) is Fault.PERMISSION_DENIED
    assert sram.invalidate(kernel, "a") is Fault.PERMISSION_DENIED
    assert sram.quota("a").used_bytes == LINE


def test_a_tenants_runtime_acts_for_no_other() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "b"))
    assert sram.bind(A_S, line(1), "b") is Fault.PERMISSION_DENIED
    assert sram.release(A_S, handle, ReleaseMode.WRITEBACK) is Fault.PERMISSION_DENIED
    assert sram.invalidate(A_S, "b") is Fault.PERMISSION_DENIED
    assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is None


def test_a_tenant_without_a_quota_wires_nothing() -> None:
    sram = device()
    assert sram.bind(DRIVER, line(0), "c") is Fault.QUOTA_EXCEEDED
    assert sram.quota("c") == Quota(limit_bytes=0, used_bytes=0)
    assert sram.left_bytes("c") == 0
    assert sram.invalidate(DRIVER, "c") is Fault.TARGET_INVALID


def test_a_handle_is_good_for_one_release() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0, 2), "a"))
    assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is None
    assert sram.quota("a") == Quota(limit_bytes=6 * LINE, used_bytes=0)
    assert sram.release(DRIVER, handle, ReleaseMode.WRITEBACK) is Fault.INVALID_HANDLE
    assert sram.release(DRIVER, Handle("c", 1), ReleaseMode.WRITEBACK) is Fault.INVALID_HANDLE


def test_dirty_bytes_are_written_back_once() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0, 2), "a", BindFlags.PREFETCH))
    sram.write(0, 1)  # one of the two lines
    sram.release(DRIVER, handle, ReleaseMode.WRITEBACK)
    assert sram.traffic.written_bytes == LINE
    sram.read(2 * LINE, 16 * LINE)  # replaces it: clean by now
    assert sram.traffic.written_bytes == LINE


def test_a_replaced_dirty_line_is_written_back() -> None:
    sram = device()
    sram.write(0, LINE)
    sram.read(2 * LINE, 8 * LINE)  # 4 more lines into each set
    assert sram.traffic.written_bytes == LINE


def test_invalidate_on_release_loses_what_was_written() -> None:
    sram = device()
    handle = bound(sram.bind(DRIVER, line(0), "a"))
    sram.write(0, LINE)
    assert sram.release(DRIVER, handle, ReleaseMode.INVALIDATE) is None
    assert sram.traffic.written_bytes == 0
    assert sram.read(0, LINE).misses == 1


def test_a_tenants_end_frees_its_lines_quota_and_handles_and_no_others() -> None:
    sram = device()
    gone = bound(sram.bind(DRIVER, line(0, 4), "a", BindFlags.PREFETCH))
    kept = bound(sram.bind(DRIVER, line(4, 2), "b", BindFlags.PREFETCH))
    sram.write(0, LINE)
    assert sram.invalidate(DRIVER, "a") is None
    assert sram.quota("a").used_bytes == 0
    assert sram.wired_bytes == 2 * LINE
    assert sram.release(DRIVER, gone, ReleaseMode.WRITEBACK) is Fault.INVALID_HANDLE
    assert wired_lines(sram) == [4, 5]
    assert sram.read(0, LINE).misses == 1  # empty, and the dirty bytes are lost
    assert sram.traffic.written_bytes == 0
    bound(sram.bind(DRIVER, line(6, 4), "a"))  # the new generation may bind at once
    assert sram.release(DRIVER, kept, ReleaseMode.WRITEBACK) is None


@pytest.mark.parametrize(("address", "size"), [(0, 0), (-1, 1)])
def test_an_access_has_bytes(address: int, size: int) -> None:
    with pytest.raises(ValueError, match="are no range"):
        device().read(address, size)
    with pytest.raises(ValueError, match="are no range"):
        device().write(address, size)
