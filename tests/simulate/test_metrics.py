import attrs
import numpy as np
import pytest

from mirc.simulate.limits import Limits, held_bytes, limits
from mirc.simulate.metrics import Figures, figures, percentile, steady_ps, verdict
from mirc.simulate.model import LinkUse, Outcome, Prefetches, Workload
from tests.simulate.toy import GB, cycle, scenario, weights

SECOND = 1_000_000_000_000


def _limits(text: str, usable: int, steps: int = 64) -> Limits:
    return limits(scenario(text, steps=steps).workload, usable, 1e9)


def test_streaming_a_cycle_is_bound_by_its_closed_form() -> None:
    # 4 weights of 1 GB, 2 GB of room, 1 GB/s: 4 + 63 x 2 = 130 GB in 130 s, 2 s an iteration
    found = _limits(cycle(4), 2 * GB)
    assert found.weights_bytes == 4 * GB
    assert found.room_bytes == 2 * GB
    assert found.passes == 64
    assert found.closed_form_bytes == 130 * GB
    assert found.near_bytes == 130 * GB
    assert found.total_ps == 130 * SECOND
    assert found.iteration_bytes == 2 * GB
    assert found.iteration_ps == 2 * SECOND
    assert found.once_bytes == 4 * GB


def test_what_fits_is_bound_by_computing() -> None:
    # each GB takes 10 ms at 100 GB/s: 40 ms an iteration, once the 4 GB are near
    found = _limits(cycle(4), 4 * GB)
    assert found.near_bytes == 4 * GB
    assert found.iteration_bytes == 0
    assert found.iteration_ps == found.compute_ps == SECOND // 25


_STATE = (
    "template kv { class = KV_BLOCK instance = [SEQUENCE, BLOCK] block_tokens = 1\n"
    "  size_bytes = PER_TOKEN(100_000_000) }\n"
)


def test_what_is_held_besides_weights_leaves_less_room_for_them() -> None:
    text = _STATE + cycle(4).replace("reads = [w3]", "reads = [w3, kv] transient_bytes = 50MB")
    text = text.replace("phase decode {", "phase decode { context = 5")
    workload = scenario(text, steps=3).workload
    # 5 tokens of 100 MB from the last step of the first iteration on; 50 MB in that step alone
    assert held_bytes(workload).tolist()[:5] == [0, 0, 0, 550_000_000, 500_000_000]
    found = limits(workload, 2 * GB, 1e9)
    assert found.room_bytes == 1_450_000_000
    assert found.closed_form_bytes == 4 * GB + 2 * 2_550_000_000
    # Proven: cut where w3, the cache and the transients must all be there
    assert found.near_bytes == 4 * GB + 2 * 2_550_000_000


def test_the_first_cut_that_holds_the_most_is_not_taken_for_the_end() -> None:
    # 1 GB of transients in step 1 of 4, 3 GB near: at that cut 2 GB of weights may stay. The first
    # iteration has by then read 2 GB, the last reads 2 more: 2 + (4 - 2) + (2 - 2) = 4 GB, where
    # the ends of iterations prove 4 + (4 - 3) = 5 GB, and W + (S - 1)(W - C) says 6.
    text = cycle(4).replace("reads = [w1]", "reads = [w1] transient_bytes = 1GB")
    found = _limits(text, 3 * GB, steps=2)
    assert found.near_bytes == 5 * GB
    assert found.closed_form_bytes == 6 * GB


def test_a_cache_that_grows_leaves_every_iteration_its_own_room() -> None:
    # 4 GB of weights, 2 GB near, 100 MB more of cache in every run: the second holds 200 MB of it
    # and leaves 1.8 GB, the third 1.7, the fourth 1.6: 4 + 2.2 + 2.3 + 2.4 GB
    text = _STATE + cycle(4).replace("reads = [w0]", "writes = [kv] reads = [w0, kv]")
    found = _limits(text, 2 * GB, steps=4)
    assert found.closed_form_bytes == 10_900_000_000
    assert found.room_bytes == 1_700_000_000
    assert 0.95 < found.near_bytes / found.closed_form_bytes <= 1


def test_phases_that_fit_alone_are_bound_together() -> None:
    # 12 drafted weights of 100 MB eight times, then 20 others, 1.6 GB near: from the end of one
    # target to that of the next 3.2 GB are read and 1.6 of them can be there: 3.2 + 19 x 1.6 GB.
    # Run by run no draft need fetch much, and 11.2 GB are all that can be proven.
    text = weights(32, "100_000_000")
    for phase, used in (("draft", range(12)), ("target", range(12, 32))):
        steps = "".join(f"  step {phase}.s{i} {{ reads = [w{i}] }}\n" for i in used)
        text += f"phase {phase} {{\n{steps}}}\n"
    found = scenario(text, schedule="REPEAT(20, REPEAT(8, draft), target)")
    bounds = limits(found.workload, 1_600_000_000, 1e9)
    assert bounds.near_bytes == 33_600_000_000
    # What the drafts stream is not what the targets do: there is no W of all.
    assert bounds.closed_form_bytes is None


def test_a_steady_iteration_is_bound_by_the_mean_not_by_the_median() -> None:
    # After the first: 1, 1 and 7 s of computing, and nothing to move
    workload = scenario(cycle(1), steps=4).workload
    skewed = attrs.evolve(workload, compute_ps=np.array([9, 1, 1, 7]) * SECOND)
    found = limits(skewed, 4 * GB, 1e9)
    assert found.compute_ps == found.iteration_ps == 3 * SECOND


def test_after_another_phase_the_first_iteration_is_a_steady_one() -> None:
    text = cycle(1) + "phase prefill { step a { reads = [w0] } }\n"
    workload = scenario(text, schedule="prefill, REPEAT(2, decode)").workload
    found = limits(attrs.evolve(workload, compute_ps=np.array([5, 7, 9])), 2 * GB, 1e9)
    assert found.compute_ps == 8


def test_routed_iterations_are_bound_together_where_each_alone_fits() -> None:
    # 40 experts of 100 MB, 4 an iteration, 1 GB near: an iteration's 400 MB fit, but in 16 of them
    # some 33 experts are touched, 3.3 GB. There is no W that every iteration reads.
    text = "".join(
        f"object e[{i}] {{ class = EXPERT_WEIGHT size_bytes = 100_000_000 }}\n" for i in range(40)
    )
    text += "phase decode { step a { reads = [ROUTED(e, 4)] } }\n"
    found = _limits(text, GB, steps=64)
    assert found.closed_form_bytes is None
    assert found.weights_bytes == 400_000_000
    assert found.near_bytes > 2 * found.once_bytes == 8 * GB
    assert 0 < found.iteration_bytes < 400_000_000


def test_percentiles_are_nearest_ranks() -> None:
    values = np.arange(1, 11)
    assert [percentile(values, p) for p in (50, 95, 99)] == [5, 10, 10]
    assert percentile(np.array([7]), 50) == 7


def _outcome(workload: Workload, policy: str = "intent", **fields: object) -> Outcome:
    steps = workload.step_count
    zeros = np.zeros(steps, dtype=np.int64)
    times = np.arange(1, steps + 1, dtype=np.int64) * 100
    parts: dict[str, object] = {
        "oracle": False,
        "path": "python",
        "step_ps": times,
        "compute_ps": zeros + 10,
        "stall_demand_ps": zeros + 1,
        "stall_late_ps": zeros + 2,
        "stall_queue_ps": zeros + 3,
        "links": (
            LinkUse(
                name="up",
                source="dram",
                target="hbm",
                demand_bytes=3 * GB,
                prefetch_bytes=GB,
                writeback_bytes=0,
                busy_ps=4 * SECOND,
            ),
            LinkUse(
                name="down",
                source="hbm",
                target="dram",
                demand_bytes=0,
                prefetch_bytes=0,
                writeback_bytes=500,
                busy_ps=1,
            ),
        ),
        "hits": {"hbm": 3, "dram": 1},
        "hit_bytes": {"hbm": 3, "dram": 1},
        "prefetches": Prefetches(issued=3, on_time=1, late=1, unused=1),
        "peak_bytes": {"hbm": 2 * GB},
        "end_ps": int(times.sum()),
    }
    return Outcome(policy=policy, **(parts | fields))  # type: ignore[arg-type]


def test_the_first_run_is_shown_apart_from_the_steady_ones() -> None:
    workload = scenario(cycle(2), steps=3).workload
    outcome = _outcome(workload)  # 100 200 | 300 400 | 500 600
    assert steady_ps(outcome.step_ps, workload).tolist() == [700, 1100]
    row = figures(outcome, workload, limits(workload, 2 * GB, 1e9), "hbm", tokens=3)
    assert (row.first_ps, row.p50_ps, row.p95_ps, row.total_ps) == (300, 700, 1100, 2100)


def test_after_a_prefill_every_decode_run_counts() -> None:
    text = cycle(1) + "phase prefill { step a { reads = [w0] } }\n"
    workload = scenario(text, schedule="prefill, REPEAT(2, decode)").workload
    assert steady_ps(np.array([5, 7, 9]), workload).tolist() == [7, 9]


def test_figures_are_sums_shares_and_rates_of_the_outcome() -> None:
    workload = scenario(cycle(2), steps=2).workload
    row = figures(_outcome(workload), workload, limits(workload, 2 * GB, 1e9), "hbm", tokens=2)
    up, down = row.links
    assert (up.total_bytes, up.bytes_per_token) == (4 * GB, 2 * GB)
    assert (down.writeback_bytes, down.bytes_per_token) == (500, 250)
    assert row.near_bytes == 4 * GB
    assert row.near_hits == pytest.approx(0.75)
    assert (row.stall_demand_ps, row.stall_late_ps, row.stall_queue_ps) == (4, 8, 12)
    assert row.excess_bytes == pytest.approx(1.0)  # 2 GB would have done


def _row(policy: str, total: int, *, oracle: bool = False) -> Figures:
    workload = scenario(cycle(2), steps=2).workload
    outcome = _outcome(workload, policy, end_ps=total, oracle=oracle)
    return figures(outcome, workload, limits(workload, 2 * GB, 1e9), "hbm", tokens=2)


def test_within_a_hundredth_intent_gains_nothing_over_static() -> None:
    said = verdict([_row("intent", 1000), _row("static", 1005)])
    assert said == ("intent gains nothing over static here (0.5 % less time)",)


def test_a_loss_is_called_a_loss() -> None:
    said = verdict([_row("intent", 1100), _row("static", 1000), _row("mru", 1050)])
    assert said[0] == (
        "intent loses to static, the best static placement: 10.0 % more time, 0.0 % more bytes"
    )
    assert said[1].startswith("intent loses to mru, the best of the others: 4.8 % more time")


def test_oracles_are_no_opponents() -> None:
    rows = [_row("intent", 1000), _row("lru", 4000), _row("belady", 900, oracle=True)]
    said = verdict(rows)
    assert len(said) == 1
    assert said[0].startswith("intent beats lru, the best of the others: 75.0 % less time")


def test_without_intent_there_is_no_verdict() -> None:
    assert verdict([attrs.evolve(_row("lru", 1), policy="lru")]) == ()
