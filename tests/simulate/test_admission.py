"""Which runs the simulator admits: what may not leave, windows, and the memories asked for."""

import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.simulate.admission import Scope
from mirc.simulate.schedule import schedule_of
from mirc.simulate.study import Options, study
from mirc.simulate.workload import Scenario, build, must_take_context
from tests.simulate.toy import card

GIVEN = """mir 1.0
object w { class = WEIGHT_TILE  size_bytes = 1_500_000_000 }
"""
KEPT = """
object k { class = ACTIVATION  size_bytes = 700_000_000  spill_policy = POLICY }
phase p {
  step make { writes = [k] }
  step work { reads = [w] }
  step use { reads = [k] }
}
"""
CACHED = """
template kv {
  class = KV_BLOCK
  instance = [SEQUENCE, BLOCK]
  block_tokens = 10
  size_bytes = PER_TOKEN(1_000_000)
  RETIRE
}
phase prefill { tokens = 10  step p { reads = [w]  writes = [kv] } }
phase decode { tokens = 1  context = 10  step s { reads = [kv]  writes = [kv] } }
"""


def built(text: str, schedule: str, *, context: int | None = None, scope: Scope) -> Scenario:
    module = load(Source("toy.mir", GIVEN + text))
    found = schedule_of(module, None, schedule)
    return build(module, found, card(), context=context, scope=scope)


def test_what_is_never_spilled_lies_beside_the_steps_that_do_not_use_it() -> None:
    # 1,500 MB of `w` beside 700 MB of `k`, which may not leave, are more than 2,000 MB
    built(KEPT.replace("POLICY", "ALLOW"), "p", scope=Scope.TIERS)
    with pytest.raises(CouldNotRun, match="step `work` of `p` needs 2_200_000_000 bytes at once"):
        built(KEPT.replace("POLICY", "NEVER"), "p", scope=Scope.TIERS)


def test_near_memory_alone_holds_all_weights_and_caches() -> None:
    # 1,500 MB and 60 blocks of 10 MB: too much for 2,000 MB; a step alone uses less
    text = CACHED.replace("RETIRE", "")
    built(text, "REPEAT(2, decode)", context=590, scope=Scope.TIERS)
    built(text, "prefill, REPEAT(480, decode)", scope=Scope.NEAR)
    with pytest.raises(CouldNotRun, match="beside all weights and caches and needs 2_100_000_000"):
        built(text, "prefill, REPEAT(590, decode)", scope=Scope.NEAR)


def test_a_window_bounds_what_a_context_takes() -> None:
    # Of 10,000 tokens the last 25 are read: 25 and the new one lie in at most 4 blocks.
    text = CACHED.replace("RETIRE", "retire = WINDOW(25)")
    built(text, "REPEAT(40, decode)", context=10_000, scope=Scope.TIERS)
    with pytest.raises(CouldNotRun, match="bytes at once"):
        built(CACHED.replace("RETIRE", ""), "decode", context=10_000, scope=Scope.TIERS)


def test_a_context_needs_a_phase_that_begins_with_one() -> None:
    module = load(Source("toy.mir", GIVEN + CACHED.replace("RETIRE", "")))
    must_take_context(module, schedule_of(module, None, "REPEAT(2, decode)"))
    with pytest.raises(CouldNotRun, match="begins with `prefill`, whose caches begin empty"):
        study(module, Options(machines=("h100-sxm",), schedule="prefill, decode", context=9))
