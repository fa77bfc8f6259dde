"""Which runs the simulator admits: what may not leave, windows, and the memories asked for."""

import pytest

from mirc.controller.ingest import ingest
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.kernels.world import CAPACITY, HOMES
from mirc.machine.load import load as machine_named
from mirc.packed.pack import seal
from mirc.simulate.admission import Scope
from mirc.simulate.schedule import schedule_of
from mirc.simulate.study import Options, study
from mirc.simulate.topology import homes, topology
from mirc.simulate.workload import Scenario, build, must_take_context
from tests.simulate.scenes import Step, machine, rows, workload
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


def test_masters_for_which_dram_has_room_lie_there_and_nothing_is_kept_for_passing() -> None:
    # 24 of 56 GB; room for four of 12 GB to pass would leave 8 GB for what stays
    text = """mir 1.0
object a { class = WEIGHT_TILE  size_bytes = 12GB }
object b { class = WEIGHT_TILE  size_bytes = 12GB }
object k { class = ACTIVATION  size_bytes = 1GB }
phase p { step s { reads = [a]  writes = [k] } step t { reads = [k] } step u { reads = [b] } }
"""
    where, module = machine_named("card-24g"), load(Source("toy.mir", text))
    found = build(module, schedule_of(module, None, "REPEAT(2, p)"), where).workload
    known = ingest(seal(module), where, None, found.names)
    ways = topology(found, known, where)
    dram = ways.names.index("dram")
    placed = dict(zip(found.names, homes(found, known, where).tolist(), strict=True))
    assert placed == {"a": dram, "b": dram, "k": -1}
    assert ways.memories[HOMES, dram] == ways.memories[CAPACITY, dram] == 56 * 10**9


@pytest.mark.parametrize(
    ("dram", "weights", "made", "homes_there", "places"),
    [
        (300, 5, 0, 300, [1] * 5),  # all of it
        (300, 6, 0, 60, [1, 2, 2, 2, 2, 2]),  # some lie below: 4 x 60 are kept for them
        (300, 4, 10, 300, [1] * 4),  # 240 + 10 + 4 x 10 for what has ended on a link
        (289, 4, 10, 249, [1] * 4),  # one too few: what is spilled may pass, 4 x 10
        (250, 4, 10, 10, [2] * 4),  # that leaves less than the weights take
    ],
)
def test_room_is_kept_for_passing_only_where_something_has_to_pass(
    dram: int, weights: int, made: int, homes_there: int, places: list[int]
) -> None:
    sizes, kinds = [60] * weights + [made] * bool(made), [False] * weights + [True] * bool(made)
    load_ = workload(sizes, kinds, [Step(creates=[weights] if made else [], reads=[0])])
    where = machine(100, dram=dram, nvme=1000)
    ways = topology(load_, rows(load_), where)
    assert ways.memories[HOMES].tolist() == [0, homes_there, 1000]
    assert homes(load_, rows(load_), where).tolist()[:weights] == places
