"""What a batch of requests costs: arithmetic, pairs of tokens, weights, experts, cached bytes."""

import pytest

from mirc.diagnostics import Source
from mirc.lint.errors import load_right
from mirc.machine.load import load
from mirc.packed.pack import seal
from mirc.simulate.serving.caches import caches_of
from mirc.simulate.serving.cost import ATTO, Cost
from mirc.simulate.serving.prices import cost_of

FILE = """
mir 1.0
module m { model = "m"  dtype = "bfloat16" }
object w { class = WEIGHT_TILE  size_bytes = 4MB }
object e[0] { class = EXPERT_WEIGHT  size_bytes = 1MB }
object e[1] { class = EXPERT_WEIGHT  size_bytes = 1MB }
object e[2] { class = EXPERT_WEIGHT  size_bytes = 1MB }
object e[3] { class = EXPERT_WEIGHT  size_bytes = 1MB }
object table { class = WEIGHT_TILE  size_bytes = 8MB }
template far {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(500)
}
template near {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(300)
  retire = WINDOW(100)
}
template state { class = RECURRENT_STATE  instance = [SEQUENCE]  size_bytes = 3KB }
phase prefill {
  kind = PREFILL  tokens = 100  context = 20
  step embed { reads = [TOUCH(table, PER_TOKEN(1_000))] }
  step mix { reads = [w]  flops = PER_TOKEN(2_000_000)  work = MATMUL }
  step a { reads = [far]  writes = [far]  flops = PER_SEQUENCE(12_000_000)  work = ATTENTION }
  step b { reads = [near]  writes = [near]  flops = PER_SEQUENCE(24_000_000)  work = ATTENTION }
  step c { reads = [state]  flops = PER_SEQUENCE(1_000_000)  work = ATTENTION }
  step d { reads = [ROUTED(e, 1), w]  flops = PER_TOKEN(500_000)  work = MATMUL }
}
"""
MACHINE = load("h100-sxm")
BYTE = ATTO / (MACHINE.near.read_bytes_per_s * MACHINE.compute.memory_efficiency)


def flop(work: str) -> float:
    return ATTO / (MACHINE.compute.peak_flops["bfloat16"] * MACHINE.compute.efficiency[work])


def cost(text: str = FILE) -> Cost:
    module = load_right(Source("m.mir", text.lstrip()))
    return cost_of(module, MACHINE, caches_of(seal(module), 512))


def test_arithmetic_by_the_sequence_is_that_of_pairs_and_all_other_a_tokens_own() -> None:
    found = cost()
    # The state's attention grows with nothing: its 1e6 FLOPs are those of 100 tokens.
    own = 2_500_000 * flop("matmul") + 10_000 * flop("attention")
    assert found.token_as == pytest.approx(own, rel=1e-6)
    # 100 tokens after 20 are 100 x 120 pairs, as captured.
    assert found.pair_as[:2] == pytest.approx(
        [1000 * flop("attention"), 2000 * flop("attention")], rel=1e-6
    )
    assert found.pair_as[2] == 0
    assert found.windows == (0, 100, 0)


def test_a_batch_reads_weights_once_and_of_experts_what_its_tokens_touch_on_average() -> None:
    found = cost()
    assert found.dense_as == pytest.approx(4e6 * BYTE, rel=1e-6)  # the table is only touched
    (experts,) = found.experts
    assert (experts.parts, experts.chosen) == (4, 1)
    assert experts.step_as(1) == pytest.approx(1e6 * BYTE, rel=1e-6)
    assert experts.step_as(2) == pytest.approx(4e6 * (1 - 0.75**2) * BYTE, rel=1e-6)
    assert experts.step_as(10_000) == experts.read_as


def test_bytes_of_caches_end_with_a_window_and_a_state_moves_twice() -> None:
    found = cost()
    assert found.cached_as == (round(500 * BYTE), round(300 * BYTE), 0)
    assert found.fixed_as == pytest.approx(6000 * BYTE, rel=1e-6)
    # One token after 1,000: 1,001 tokens of the one cache, 100 of the other.
    bytes_as = found.dense_as + found.fixed_as + found.experts[0].step_as(1)
    bytes_as += 1001 * found.cached_as[0] + 100 * found.cached_as[1]
    compute = found.token_as + 1001 * found.pair_as[0] + 100 * found.pair_as[1]
    assert found.step_as([(1000, 1)]) == max(bytes_as, compute)


def test_a_chunk_attends_to_itself_causally_and_no_further_than_a_window() -> None:
    found = cost()
    # Tokens 91 to 110: a window of 100 lets the last ten see 100 each.
    far = sum(range(91, 111))
    near = sum(min(at, 100) for at in range(91, 111))
    compute = 20 * found.token_as + far * found.pair_as[0] + near * found.pair_as[1]
    many = [(90, 20)] * 2000  # so many that arithmetic is the slower roof
    assert found.step_as(many) == 2000 * compute


def test_a_file_without_steps_reads_all_its_weights_and_computes_for_nothing() -> None:
    bare = FILE[: FILE.index("phase")]
    found = cost(bare)
    assert (found.token_as, found.pair_as) == (0, (0, 0, 0))
    assert found.dense_as == pytest.approx(16e6 * BYTE, rel=1e-6)
