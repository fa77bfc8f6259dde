"""A trace of requests over a file's caches: groups, bounds, signals, tenants, what it costs."""

from pathlib import Path

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from mirc.controller.kv.groups import GroupKind
from mirc.diagnostics import CouldNotRun, Source
from mirc.ir import Module
from mirc.lint.errors import load_right
from mirc.machine.load import load
from mirc.packed.pack import seal
from mirc.simulate.serving.caches import caches_of, recompute_of
from mirc.simulate.serving.model import Options, Row
from mirc.simulate.serving.serve import serve
from mirc.simulate.serving.turns import turns_of
from mirc.traces.requests import Request as Arrival

KB = 1000
# A block of 512 tokens takes 512 KB in two layers together, and 256 KB in the window's.
FILE = """
mir 1.0
module m { model = "m"  dtype = "bfloat16" }
tenant small { quota_bytes = 1_600_000  security_domain = small }
object w { class = WEIGHT_TILE  size_bytes = 4KB }
template kv.0 {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(500)
}
template kv.1 {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(500)
}
WINDOWED
phase prefill {
  kind = PREFILL  tokens = 100
  step s { reads = [w]  writes = [kv.0, kv.1]  flops = PER_TOKEN(2_000_000)  work = MATMUL }
}
"""
WINDOWED = """
template near {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(500)
  retire = WINDOW(1024)
}
template state { class = RECURRENT_STATE  instance = [SEQUENCE]  size_bytes = 3KB }
"""


def module(more: str = "") -> Module:
    return load_right(Source("m.mir", FILE.lstrip().replace("WINDOWED", more)))


def arrival(at: int, *blocks: int, output: int = 0, session: str = "", **more: object) -> Arrival:
    return Arrival(
        at_ms=at,
        input_tokens=512 * len(blocks),
        output_tokens=output,
        blocks=blocks,
        session=session,
        **more,  # type: ignore[arg-type]
    )


def rows(arrivals: list[Arrival], blocks: int, **more: object) -> dict[str, Row]:
    usual = {"machines": ("h100-sxm",), "policies": "lru,intent,belady", **more}
    options = Options(kv_gb=blocks * 512 * KB / 1e9, **usual)  # type: ignore[arg-type]
    served = serve(module(), "t", arrivals, options)
    return {row.policy: row for row in served.machines[0].rows}


def test_templates_that_live_alike_are_one_group() -> None:
    found = caches_of(seal(module(WINDOWED)), 512)
    sizes = {each.name: (each.kind, each.size) for each in found.groups}
    assert sizes == {
        "full": (GroupKind.FULL, 512 * KB),
        "window 1024": (GroupKind.WINDOW, 256 * KB),
        "state": (GroupKind.RECURRENT, 3 * KB),
    }
    # The next token's window of 1024 begins 1023 tokens back: two blocks.
    assert [each.window_blocks for each in found.groups] == [0, 2, 0]


def test_computing_again_is_priced_by_the_file_and_loading_by_the_machine() -> None:
    machine = load("h100-sxm")
    found = recompute_of(module(), machine, caches_of(seal(module()), 512))
    assert found is not None
    rate = machine.compute.peak_flops["bfloat16"] * machine.compute.efficiency["matmul"]
    # 2e6 FLOPs a token are 1e6 parameters; 1,000 bytes a token: 1,000 x rate / 2e6.
    assert found.parameters == 1e6
    assert found.crossover_bytes_per_s == pytest.approx(rate / 2000)
    assert 0 < found.load_bytes_per_s < 64e9


def test_no_policy_finds_more_than_memory_without_end() -> None:
    arrivals = [arrival(n, *(n % 3 * 10 + at for at in range(1 + n % 4))) for n in range(20)]
    options = Options(machines=("h100-sxm",), kv_gb=6 * 512 * KB / 1e9, at_once=2)
    served = serve(module(), "t", arrivals, options).machines[0]
    assert all(row.total.found <= served.ceiling for row in served.rows)
    endless = serve(module(), "t", arrivals, Options(machines=("h100-sxm",), kv_gb=1, at_once=1))
    assert {row.total.found for row in endless.machines[0].rows} == {served.ceiling}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=30),
    st.integers(4, 9),
)
def test_one_at_a_time_the_oracle_finds_at_least_what_recency_finds(
    drawn: list[tuple[int, int]], blocks: int
) -> None:
    # Prompts are beginnings of four chains of four blocks, so a block always follows the same one.
    arrivals = [
        arrival(n, *(chain * 10 + at for at in range(length)))
        for n, (chain, length) in enumerate(drawn)
    ]
    found = rows(arrivals, blocks, at_once=1, policies="lru,signals,belady")
    assert found["belady"].total.found >= found["lru"].total.found
    assert found["signals"].total == found["lru"].total  # no sessions: there is nothing to hear
    for row in found.values():
        assert row.total.found + row.total.computed == row.total.asked
        assert row.total.blocks_found <= row.total.blocks_there <= row.total.blocks


@pytest.mark.mechanism("S7-03")
def test_intent_hears_the_tool_wait_of_a_session_and_lru_does_not() -> None:
    arrivals = [
        arrival(0, 0, 1, 2, session="a", tool_wait_ms=900_000),
        *(arrival(2000 + n, 100 + n) for n in range(3)),
        arrival(9000, 200, 201),
        arrival(9500, 0, 1, 2, 3, session="a"),
    ]
    found = rows(arrivals, 6, at_once=1)
    assert found["lru"].total.found == 512
    assert found["intent"].total.found == 3 * 512


def test_what_a_turn_generates_is_found_by_the_next_turn_of_its_session() -> None:
    arrivals = [
        arrival(0, 0, 1, output=700, session="a"),  # fills 2 blocks: 512 and 188 tokens
        arrival(1, 0, 1, 2, 3, 4, session="a"),
    ]
    assert [turn.request.generated for turn in turns_of(arrivals, 512)] == [(2, 3), ()]
    # The second was not full when the turn ended, so it was dropped.
    assert rows(arrivals, 20)["lru"].total.found == 3 * 512


def test_a_tenant_is_held_to_the_quota_that_the_file_declares() -> None:
    arrivals = [arrival(n, n * 2, n * 2 + 1, tenant="small") for n in range(4)]
    arrivals += [arrival(9, 50, 51, 52, 53, tenant="small"), arrival(9, 70, tenant="other")]
    found = rows(arrivals, 20)["lru"]
    # 1.6 MB hold 3 blocks: a prompt of 4 can never run, and 8 blocks in turn lose 5.
    assert found.tenants["small"].refused == 1
    assert found.events["EVICTED"] == 5
    assert found.tenants["other"].refused == 0


def test_swapping_finds_what_recency_alone_has_lost() -> None:
    arrivals = [arrival(n, *(n % 2 * 10 + at for at in range(3))) for n in range(6)]
    machine = load("h100-sxm")
    found = recompute_of(module(), machine, caches_of(seal(module()), 512))
    assert found is not None
    without = rows(arrivals, 4, at_once=1)["lru"].total
    swapping = rows(arrivals, 4, at_once=1, swap_gb=0.01)["lru"].total
    if found.loads:
        assert (swapping.computed, swapping.swapped > 0) == (6 * 512, True)
    else:
        assert swapping == without  # computing again is cheaper, so nothing is swapped


def test_a_trace_with_blocks_of_another_length_is_refused() -> None:
    odd = Arrival(at_ms=0, input_tokens=100, output_tokens=0, blocks=(1, 2, 3, 4, 5, 6, 7))
    with pytest.raises(CouldNotRun, match="not blocks of 512"):
        rows([odd], 4)
    assert serve(module(), "t", [odd], Options(machines=("h100-sxm",), kv_gb=1, block_tokens=16))


def test_a_file_without_caches_is_refused() -> None:
    text = 'mir 1.0\nmodule m { model = "m" }\nobject w { class = WEIGHT_TILE  size_bytes = 4KB }\n'
    with pytest.raises(CouldNotRun, match="no template of a cache"):
        serve(load_right(Source("m.mir", text)), "t", [arrival(0, 1)], Options())


@pytest.mark.parametrize("amount", [float("inf"), float("nan")])
def test_an_amount_that_is_no_number_is_refused(amount: float) -> None:
    usual = Options(machines=("h100-sxm",), kv_gb=1)
    for options in (attrs.evolve(usual, kv_gb=amount), attrs.evolve(usual, swap_gb=amount)):
        with pytest.raises(CouldNotRun, match="takes a number of gigabytes"):
            serve(module(), "t", [arrival(0, 1)], options)


def test_a_cache_without_bytes_is_refused() -> None:
    empty = FILE.lstrip().replace("WINDOWED", "").replace("PER_TOKEN(500)", "PER_TOKEN(0)")
    with pytest.raises(CouldNotRun, match="holds no bytes"):
        caches_of(seal(load_right(Source("m.mir", empty))), 512)


def test_room_for_no_block_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="one block of 512 tokens takes 512_000"):
        rows([arrival(0, 1)], 0)


def test_times_of_a_shipped_sample_are_those_of_arithmetic_by_hand() -> None:
    # Rates of card-24g: bfloat16 at 165.2 TFLOP/s, 0.8 of it for attention, 0.9 for products of
    # matrices; 0.92 of 1.008 TB/s. Of the sample a token takes 25,165,824 FLOPs of attention and
    # 67,108,864 of products; a batch reads 88 MiB of weights, and 4 KiB of cache for each token.
    token_ms = 1e3 * (25_165_824 / (0.8 * 165.2e12) + 67_108_864 / (0.9 * 165.2e12))
    byte_ms = 1e3 / (0.92 * 1.008e12)
    text = Path("samples/serving-small.mir").read_text("utf-8")
    prompts = [
        Arrival(at_ms=0, input_tokens=7168, output_tokens=143, blocks=tuple(range(14))),
        Arrival(at_ms=1000, input_tokens=7680, output_tokens=1, blocks=tuple(range(15))),
    ]
    options = Options(machines=("card-24g",), policies="lru", kv_gb=1)
    found = serve(load_right(Source("s.mir", text)), "t", prompts, options).machines[0].rows[0]
    # The first computes all; the second finds 14 blocks of 15.
    assert found.timing.ttft_ms == pytest.approx([7168 * token_ms, 512 * token_ms], rel=1e-6)
    # Tokens 2 to 143 each read the weights, and what is there with their own.
    read = [88 * 2**20 + 4096 * (7168 + made) for made in range(1, 143)]
    assert found.timing.itl_ms == pytest.approx([sum(read) * byte_ms / 142], rel=1e-6)
