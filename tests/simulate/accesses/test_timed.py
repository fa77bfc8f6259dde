"""Accesses through the tiers of a machine: where they hit, what moves, and how long they wait."""

from collections import OrderedDict, deque
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.names import RULES
from mirc.kernels.tiers.state import FETCH_AHEAD, READ, WRITE
from mirc.machine import Link, Sharing
from mirc.machine.load import load, names, parse
from mirc.machine.transfers import PS_PER_NS, transfer_ps
from mirc.simulate.accesses.rig import Settings, service_ps
from mirc.simulate.accesses.timed import COMPILED, PYTHON, Timed, run
from tests.simulate.accesses.tiny import NS, accesses, machine

ROOM = 200  # of two objects of 100 bytes


def played(ids: list[int], what: list[int] | None = None, **options: int) -> Timed:
    return run(
        machine(), accesses(ids, what=what), Settings(near_bytes=ROOM, **options), path=PYTHON
    )


def moved(found: Timed) -> dict[str, tuple[int, int, int]]:
    return {link.name: link.bytes for link in found.links if any(link.bytes)}


def test_a_miss_waits_for_each_hop_from_the_farthest_memory() -> None:
    # 100 bytes over two links of a byte a nanosecond, stored between: 200 ns; then it is near.
    found = played([0, 0])
    assert found.hits == (1, 0, 1)
    assert found.span_ps == found.demand_ps == 200 * NS
    assert moved(found) == {"dram-hbm": (100, 0, 0), "nvme-dram": (100, 0, 0)}


def test_what_leaves_goes_down_one_memory_and_is_found_there() -> None:
    # near holds two of three: 0 leaves for 2 into dram, and comes back over one link
    found = played([0, 1, 2, 0])
    assert found.hits == (0, 1, 3)
    assert found.span_ps == (3 * 200 + 100) * NS
    assert moved(found)["hbm-dram"] == (0, 0, 200)  # 0, then 1


def test_a_copy_below_spares_the_way_down() -> None:
    # 0 and 1 go down once; dram keeps its copies, so that later they leave for nothing
    found = played([0, 1, 2, 0, 1, 2, 0, 1, 2])
    assert moved(found)["hbm-dram"] == (0, 0, 300)


def test_what_is_written_goes_down_again() -> None:
    once = played([0, 1, 2, 0, 1, 2])
    again = played([0, 1, 2, 0, 1, 2], what=[READ, READ, READ, WRITE, READ, READ])
    assert moved(once)["hbm-dram"] == (0, 0, 300)
    assert moved(again)["hbm-dram"] == (0, 0, 400)


def test_what_was_written_reaches_the_farthest_memory_when_no_other_has_room() -> None:
    # dram holds three of 100 bytes: with near, five of seven; two written ones have to go on
    found = played([0, 1, 2, 3, 4, 5, 6], what=[WRITE] * 7)
    assert moved(found)["dram-nvme"] == (0, 0, 200)


def test_what_is_still_leaving_is_taken_back_without_a_transfer() -> None:
    # Two at a time: 2 makes 0 leave, and the way down (100 ns) is shorter than the way in (200 ns).
    found = run(
        machine(latency_ns=500),
        accesses([0, 1, 2, 0], at_ps=[0, 0, 5_000 * NS, 5_050 * NS]),
        Settings(near_bytes=ROOM, window=4),
        path=PYTHON,
    )
    assert found.retaken == 1
    assert found.hits[2] == 3


def test_a_prefetch_that_is_early_enough_leaves_nothing_to_wait_for() -> None:
    # computing takes 1,000 ns between accesses, a fetch 200: only the first is waited for
    found = played([0, 1, 2, 3], lookahead=1, think_ps=1_000 * NS)
    assert (found.prefetched, found.on_time, found.late) == (3, 3, 0)
    assert found.span_ps == (200 + 3 * 1_000) * NS


def test_a_prefetch_on_its_way_is_waited_for_no_longer_than_it_takes() -> None:
    # 1 is asked for at 0, behind 0 on both links: it lands at 300; 50 ns of computing from 200 on
    found = played([0, 1], lookahead=1, think_ps=50 * NS)
    assert found.late == 1
    assert found.span_ps == 300 * NS
    assert found.late_ps == 50 * NS


def test_demand_goes_before_prefetches_and_these_before_what_leaves() -> None:
    # One server for all. 0 is on the link until 100; 1, fetched ahead, came before 2, demanded.
    one = machine(root="bus")
    found = run(
        one,
        accesses([0, 1, 2], what=[READ, FETCH_AHEAD, READ], at_ps=[0, 10 * NS, 20 * NS]),
        Settings(near_bytes=10**6, window=4, keep_waits=3),
        path=PYTHON,
    )
    # 0: 0-100, then its second hop is a demand before the prefetch: 2 first (100-200, it came
    # earlier), 0 200-300, 2 300-400, then 1.
    assert found.waits_ps.tolist() == [300 * NS, 0, 380 * NS]
    assert found.span_ps == 400 * NS


def test_a_fair_link_gives_each_transfer_an_equal_share() -> None:
    # Two transfers of 100 ns at once take 200 each on the first link, then both on the second.
    found = run(
        machine(sharing="fair"),
        accesses([0, 1], at_ps=[0, 0]),
        Settings(near_bytes=10**6, window=2, keep_waits=2),
        path=PYTHON,
    )
    assert found.waits_ps.tolist() == [400 * NS, 400 * NS]


def test_room_to_leave_is_waited_for_where_links_down_are_slow() -> None:
    rng = np.random.default_rng(3)
    ids = rng.permutation(200).tolist()
    free = played(ids, what=[WRITE] * 200)
    tight = played(ids, what=[WRITE] * 200, staging_bytes=0)
    assert free.accesses == tight.accesses == 200
    assert tight.span_ps >= free.span_ps
    assert tight.staged_peak_bytes <= free.staged_peak_bytes


@pytest.mark.parametrize("policy", [name for name, rule in RULES.items() if not rule.oracle])
def test_every_rule_moves_each_byte_that_its_misses_need(policy: str) -> None:
    rng = np.random.default_rng(5)
    ids = (rng.zipf(1.3, 600) % 40).astype(np.int64).tolist()
    found = run(
        machine(),
        accesses(ids),
        Settings(near_bytes=500, rule=RULES[policy].number, variant=RULES[policy].variant),
        path=PYTHON,
    )
    assert sum(found.hits) == 600
    # each miss moves 100 bytes into near memory, and from the farthest 100 into dram first
    taken = found.retaken
    assert moved(found)["dram-hbm"][0] == 100 * (found.hits[1] + found.hits[2] - taken)
    assert moved(found)["nvme-dram"][0] <= 100 * found.hits[2]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.integers(1, 6),
)
def test_the_nearest_tier_hits_as_an_ordered_dictionary_does(ids: list[int], room: int) -> None:
    cache: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for x in ids:
        if x in cache:
            hits += 1
            cache.move_to_end(x)
        else:
            if len(cache) == room:
                cache.popitem(last=False)
            cache[x] = None
    found = run(machine(), accesses(ids), Settings(near_bytes=100 * room), path=PYTHON)
    assert found.hits[0] == hits


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 200)), min_size=1, max_size=30))
def test_one_link_serves_as_a_queue_on_paper_does(jobs: list[tuple[int, int]]) -> None:
    # What comes at a time goes to the end of the queue; each is a new object of its own size.
    times = np.cumsum([gap for gap, _ in jobs]) * NS
    two = parse(
        "two",
        Path(__file__).with_name("two.toml").read_text("utf-8"),
    )
    asked = accesses(list(range(len(jobs))), at_ps=times.tolist())
    asked = attrs.evolve(asked, size_bytes=np.array([size for _, size in jobs], dtype=np.int64))
    options = Settings(near_bytes=10**6, window=64, keep_waits=len(jobs))
    found = run(two, asked, options, path=PYTHON)
    free, expected = 0, deque[int]()
    for at, (_, size) in zip(times.tolist(), jobs, strict=True):
        free = max(free, at) + size * NS
        expected.append(free - at)
    assert found.waits_ps.tolist() == list(expected)


@pytest.mark.parametrize("sharing", ["turns", "fair"])
def test_compiled_and_plain_python_agree_on_all_that_is_counted(sharing: str) -> None:
    rng = np.random.default_rng(11)
    ids = (rng.zipf(1.2, 1500) % 60).astype(np.int64).tolist()
    what = rng.choice([READ, WRITE, FETCH_AHEAD], 1500, p=[0.8, 0.15, 0.05]).tolist()
    asked = accesses(ids, what=what)
    options = Settings(
        near_bytes=700, think_ps=30 * NS, lookahead=5, window=3, staging_bytes=400, keep_waits=1500
    )
    both = [run(machine(sharing=sharing), asked, options, path=path) for path in (PYTHON, COMPILED)]
    plain, fast = ({**attrs.asdict(found), "spread": 0, "waits_ps": 0} for found in both)
    assert plain == fast
    assert (both[0].waits_ps == both[1].waits_ps).all()
    assert (both[0].spread == both[1].spread).all()


@pytest.mark.parametrize("name", names())
def test_a_link_is_occupied_as_long_as_a_transfer_takes_less_its_latency(name: str) -> None:
    sizes = np.array([1, 100, 4096, 5000, 65536, 10**6, 10**8, 123_456_789], dtype=np.int64)
    for link in load(name).links:
        for fragment in (0, 4096, 50_000):
            expected = [_alone(link, int(size), fragment) for size in sizes]
            assert service_ps(link, sizes, fragment).tolist() == expected


def _alone(link: Link, size: int, fragment: int) -> int:
    return transfer_ps(link, size, fragment or None) - round(link.latency_ns * PS_PER_NS)


def test_a_wait_of_a_share_is_at_most_a_sixteenth_too_long() -> None:
    found = played([0, 0, 0, 0])
    assert found.percentile_ps(0.5) == 0
    assert 200 * NS <= found.percentile_ps(1.0) <= 200 * NS * 17 / 16


def test_a_memory_smaller_than_an_object_is_named() -> None:
    with pytest.raises(CouldNotRun, match="`hbm` of tiny is to hold 99 bytes, less than the"):
        run(machine(), accesses([0]), Settings(near_bytes=99), path=PYTHON)


def test_objects_that_the_farthest_memory_cannot_hold_are_counted_up() -> None:
    with pytest.raises(CouldNotRun, match="objects take 400 bytes, and `nvme` of tiny"):
        run(machine(far_bytes=300), accesses([0, 1, 2, 3]), Settings(near_bytes=200), path=PYTHON)


def test_links_of_one_root_that_share_differently_are_no_machine() -> None:
    text = Path(__file__).with_name("two.toml").read_text("utf-8")
    mixed = text.replace('name = "in"', 'name = "in"\nroot = "r"\nsharing = "fair"').replace(
        'name = "out"', 'name = "out"\nroot = "r"'
    )
    with pytest.raises(CouldNotRun, match=r"`link\[1\].sharing` is turns, and `in` of the same"):
        parse("mixed", mixed)
    assert parse("two", text).links[0].sharing is Sharing.TURNS
