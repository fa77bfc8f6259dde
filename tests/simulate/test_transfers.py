"""Links, copies and lives, each with its sum; the link carries 1 byte/us, in chunks of 10."""

import pytest

from mirc.kernels.events import Kind
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from mirc.simulate.policies import Settings
from tests.simulate.scenes import Step, machine, rows, workload

US = 1_000_000
CHUNKS = Settings(chunk_bytes=10)


def times(outcome: Outcome, kind: Kind, o: int) -> list[int]:
    assert outcome.events is not None
    chosen = (outcome.events["kind"] == kind) & (outcome.events["object"] == o)
    return [int(time) // US for time in outcome.events["time_ps"][chosen]]


def test_a_demand_overtakes_a_prefetch_within_a_chunk() -> None:
    # Step 0 uses nothing for 35 us, while b (100 bytes, planned) is on its way. Step 1 demands a
    # (20 bytes): the chunk that ends at 40 us goes through, a crosses until 60, and b,
    # of which 60 us are left, lands at 120.
    load = workload(
        [20, 100],
        [False, False],
        [
            Step(compute_ps=35 * US),
            Step(reads=[0], compute_ps=0, position=1),
            Step(reads=[1], compute_ps=0, position=2),
        ],
    )
    known = rows(load, first_us={0: {1: 50.0}}, period_us=100.0)
    outcome = simulate(
        load, known, machine(200, in_rate=1e6), "intent", record_events=True, settings=CHUNKS
    )
    assert times(outcome, Kind.START, 1) == [0]
    assert times(outcome, Kind.LAND, 0) == [60]
    assert times(outcome, Kind.LAND, 1) == [120]
    # Step 1 waited 5 us for the chunk of another and 20 for its own bytes; step 2 for a prefetch.
    assert outcome.stall_queue_ps[1] // US == 5
    assert outcome.stall_demand_ps[1] // US == 20
    assert outcome.stall_late_ps[2] // US == 60
    assert (outcome.prefetches.issued, outcome.prefetches.late) == (1, 1)


def test_a_clean_copy_is_dropped_for_nothing() -> None:
    load = workload(
        [60, 60], [False, False], [Step(reads=[0]), Step(reads=[1], position=1), Step(reads=[0])]
    )
    outcome = simulate(load, rows(load), machine(100, in_rate=1e6), "lru", record_events=True)
    assert [link.total_bytes for link in outcome.links] == [180, 0]
    assert len(times(outcome, Kind.DROP, 0)) == 1


def test_a_changed_copy_is_written_once_and_then_dropped_for_nothing() -> None:
    # a is made (dirty), leaves for b: 60 us out before b's 60 us in. It comes back (60), unchanged,
    # and leaves for b again without a write.
    load = workload(
        [60, 60],
        [True, False],
        [
            Step(creates=[0], compute_ps=0),
            Step(reads=[1], compute_ps=0, position=1),
            Step(reads=[0], compute_ps=0, position=2),
            Step(reads=[1], compute_ps=0, position=3),
        ],
    )
    where = machine(100, in_rate=1e6, out_rate=1e6)
    outcome = simulate(load, rows(load), where, "lru", record_events=True)
    assert (outcome.step_ps // US).tolist() == [0, 120, 60, 60]
    assert outcome.links[1].writeback_bytes == 60
    assert outcome.stall_queue_ps[1] // US == 60  # for the room
    assert len(times(outcome, Kind.WRITE_BACK, 0)) == 1
    assert len(times(outcome, Kind.DROP, 0)) == 1


def test_what_retires_leaves_nothing_to_write() -> None:
    load = workload(
        [60, 60], [True, False], [Step(creates=[0], retires=[0]), Step(reads=[1], position=1)]
    )
    outcome = simulate(load, rows(load), machine(100, in_rate=1e6), "lru", record_events=True)
    assert outcome.links[1].total_bytes == 0
    assert len(times(outcome, Kind.RETIRE, 0)) == 1
    assert outcome.peak_bytes["hbm"] == 60


def test_links_of_one_root_take_turns() -> None:
    # a leaves (60 us), b comes (60 us), and c, which needs no room, waits for both: with one root
    # the second waits for the first, with two wires they overlap.
    steps = [
        Step(creates=[0], compute_ps=0),
        Step(reads=[1, 2], compute_ps=0, position=1),
    ]
    spent = []
    for root in ("pcie", None):
        load = workload([60, 30, 60], [True, False, False], steps)
        where = machine(100, in_rate=1e6, out_rate=1e6, root=root)
        spent.append(int(simulate(load, rows(load), where, "lru").end_ps) // US)
    # One root: b has begun to come while a must leave for c: 30, then 60 out, then 60 in.
    assert spent == [150, 120]


def test_over_deep_prefetch_under_lru_is_worse_than_none() -> None:
    # 16 objects of 100, room for 4. Without prefetch each is fetched once a lap (100 us + 5 us).
    # Looking far ahead under LRU, what was fetched and not yet used is the oldest, and is thrown
    # out for what is used later: it is fetched again.
    count, laps = 16, 4
    load = workload(
        [100] * count,
        [False] * count,
        [
            Step(reads=[o], compute_ps=60 * US, position=o)
            for _ in range(laps)
            for o in range(count)
        ],
    )
    known = rows(load, first_us={0: {o: 60.0 * o for o in range(count)}}, period_us=60.0 * count)
    where = machine(400, in_rate=4e6)
    none = simulate(load, known, where, "lru")
    shallow, deep = (
        simulate(
            load,
            known,
            where,
            "lru-prefetch",
            settings=Settings(horizon_transfers=50, ring_objects=ring, depth=8),
        )
        for ring in (1, 50)
    )
    assert shallow.end_ps < none.end_ps
    assert deep.links[0].total_bytes > 1.5 * none.links[0].total_bytes
    assert deep.prefetches.unused > shallow.prefetches.unused


@pytest.mark.parametrize("policy", ["static", "intent"])
def test_a_run_that_fits_moves_every_byte_once(policy: str) -> None:
    load = workload([60, 40], [False, False], [Step(reads=[0]), Step(reads=[1], position=1)] * 5)
    known = rows(load, first_us={0: {0: 0.0, 1: 1.0}}, period_us=2.0)
    outcome = simulate(load, known, machine(100, in_rate=1e6), policy)
    assert outcome.links[0].total_bytes == 100
    assert outcome.hits == {"hbm": 8, "dram": 2}
