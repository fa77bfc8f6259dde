import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.machine import Compute, Link, Machine, Memory, TierKind
from mirc.machine.load import load, names
from mirc.machine.transfers import fragment_seconds, route, transfer_ps

sizes = st.integers(1, 1 << 40)


def curved(*points: tuple[int, float], latency_ns: float = 0, launch_ns: float = 0) -> Link:
    return Link(
        name="l",
        source="a",
        target="b",
        curve=points,
        latency_ns=latency_ns,
        launch_ns=launch_ns,
    )


def links_of_presets() -> st.SearchStrategy[Link]:
    return st.sampled_from([link for name in names() for link in load(name).links])


def test_a_large_transfer_runs_at_the_last_rate() -> None:
    # 2e9 bytes at 1e9 bytes per second: 2 s
    assert transfer_ps(curved((1000, 5e8), (1_000_000, 1e9)), 2_000_000_000) == 2 * 10**12


def test_latency_and_launch_are_paid_once_whatever_the_fragments() -> None:
    # 10 fragments of 1,000 bytes at 1e9: 10 us; 100 ns and 400 ns on top, once
    link = curved((1000, 1e9), latency_ns=100, launch_ns=400)
    assert transfer_ps(link, 10_000, 1_000) == 10_500_000


def test_time_per_fragment_is_interpolated_between_points() -> None:
    # 1 us at 1,000 bytes, 2 us at 4,000: 1.5 us in the middle
    link = curved((1000, 1e9), (4000, 2e9))
    assert fragment_seconds(link, 2500) == pytest.approx(1.5e-6)


def test_below_the_first_point_a_fragment_takes_as_long_as_there() -> None:
    link = curved((1000, 1e9))
    assert fragment_seconds(link, 1) == fragment_seconds(link, 1000)


def test_the_last_fragment_may_be_shorter() -> None:
    # 2 whole fragments of 1,000 bytes and one of 500, which takes the first point's 1 us too
    assert transfer_ps(curved((1000, 1e9)), 2500, 1000) == 3_000_000


def test_no_bytes_take_no_time() -> None:
    assert transfer_ps(curved((1, 1e9), latency_ns=100), 0) == 0


@pytest.mark.parametrize(("size", "fragment"), [(-1, None), (10, 0), (10, -4)])
def test_impossible_sizes_are_refused(size: int, fragment: int | None) -> None:
    with pytest.raises(ValueError, match="cannot move"):
        transfer_ps(curved((1, 1e9)), size, fragment)


@pytest.mark.mechanism("S7-05")
def test_an_h100_copies_small_fragments_a_tenth_as_fast_as_large_ones() -> None:
    link = load("h100-sxm").link("dram", "hbm")
    assert link is not None
    size = 1 << 28
    # Measured on real cards (vllm#42212): 4-7 GB/s at 4-16 KiB, 40-44 at 28 KiB, 51 at 64 KiB
    for kib, low, high in ((4, 4, 7), (16, 4, 7), (28, 40, 44), (64, 50, 52)):
        rate = size / transfer_ps(link, size, kib << 10) * 1e3
        assert low <= rate + 0.1, kib
        assert rate - 0.1 <= high, kib


@given(links_of_presets(), sizes, st.integers(1, 1 << 30))
def test_cutting_a_transfer_never_makes_it_quicker(link: Link, size: int, fragment: int) -> None:
    whole = transfer_ps(link, size)
    assert transfer_ps(link, size, fragment) >= whole - 1


@given(links_of_presets(), sizes)
def test_no_transfer_beats_the_peak_rate(link: Link, size: int) -> None:
    assert transfer_ps(link, size) >= size / link.peak_bytes_per_s * 1e12 * (1 - 1e-12)


def ring(*edges: tuple[str, str, float]) -> Machine:
    names_ = sorted({name for source, target, _ in edges for name in (source, target)})
    return Machine(
        name="m",
        summary="a test",
        memories=tuple(
            Memory(
                name=name,
                kind=TierKind.DRAM,
                owner="host",
                capacity_bytes=1000,
                read_bytes_per_s=1e9,
                write_bytes_per_s=1e9,
            )
            for name in names_
        ),
        links=tuple(
            Link(name=f"{i}", source=source, target=target, curve=((1, rate),))
            for i, (source, target, rate) in enumerate(edges)
        ),
        compute=Compute(
            owner="gpu",
            memory="a",
            peak_flops={"bfloat16": 1e12},
            efficiency={"matmul": 1.0, "attention": 1.0, "other": 1.0},
        ),
    )


def test_a_route_takes_the_quicker_of_a_direct_link_and_two_hops() -> None:
    # c to a: 1 s direct; 2 x 0.25 s through b
    machine = ring(("c", "a", 1e9), ("c", "b", 4e9), ("b", "a", 4e9))
    assert [link.name for link in route(machine, "c", "a", 10**9)] == ["1", "2"]


def test_of_equally_quick_routes_fewer_hops_and_earlier_links_win() -> None:
    two_hops = ring(("c", "b", 2e9), ("b", "a", 2e9), ("c", "a", 1e9), ("c", "a", 1e9))
    assert [link.name for link in route(two_hops, "c", "a", 10**9)] == ["2"]


def test_a_route_to_itself_is_empty() -> None:
    assert route(ring(("b", "a", 1.0)), "a", "a") == ()


def test_a_route_that_does_not_exist_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no links lead from a to b"):
        route(ring(("b", "a", 1.0)), "a", "b")


def test_a_route_between_unknown_memories_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        route(ring(("b", "a", 1.0)), "z", "a")


@pytest.mark.parametrize("name", names())
def test_every_lower_tier_of_a_preset_reaches_compute(name: str) -> None:
    machine = load(name)
    lower = [m.name for m in machine.memories if m.kind in ("DRAM", "CXL", "NVME")]
    for memory in lower:
        assert route(machine, memory, machine.near.name)[-1].target == machine.near.name
