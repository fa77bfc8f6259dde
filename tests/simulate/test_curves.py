"""Miss-ratio curves of schedules, by class, and of the prefix blocks of a trace."""

from mirc.simulate.case import run
from mirc.simulate.curves import EVERYTHING, curve_of_requests, curves_of_schedule
from mirc.simulate.serving.prefix_trace import asked_by
from mirc.traces.requests import Request
from tests.simulate.hints.mended import COUNT, case
from tests.simulate.toy import GB, cycle, scenario

CACHED = """
object w { class = WEIGHT_TILE size_bytes = 1_000_000 }
template kv {
  class = KV_BLOCK
  layout = PAGED(1, 64)
  size_bytes = PER_TOKEN(64)
  block_tokens = 16
  instance = [SEQUENCE, BLOCK]
}
phase decode {
  batch = 1
  tokens = 16
  step s { reads = [w, kv] writes = [kv] }
}
"""


def test_weights_read_in_turn_all_miss_until_all_of_them_fit() -> None:
    # 4 rounds of 3 weights of 1 GB: with less than 3 GB nothing is ever found, with it 9 of 12 are
    (every, weights) = curves_of_schedule(scenario(cycle(3), steps=4).workload)
    assert (every.name, weights.name) == (EVERYTHING, "WEIGHT_TILE")
    assert every.hits == weights.hits
    assert weights.footprint_bytes == weights.capacities_bytes[-1] == 3 * GB
    assert set(weights.hits[:-1]) == {0}
    assert weights.hits[-1] == 9
    assert weights.miss_bytes[-1] == 3 * GB


def test_the_curve_at_a_machines_memory_is_what_lru_moves_there() -> None:
    whole = case()
    (every, *_) = curves_of_schedule(whole.scenario.workload)
    room = whole.machine.near.usable_bytes
    at = max(n for n, size in enumerate(every.capacities_bytes) if size <= room)
    assert run(whole, "lru").near_bytes == every.miss_bytes[at]
    assert every.accesses == 16 * COUNT


def test_each_class_has_its_own_curve_and_what_is_made_is_no_miss() -> None:
    found = {each.name: each for each in curves_of_schedule(scenario(CACHED, steps=4).workload)}
    assert list(found) == [EVERYTHING, "WEIGHT_TILE", "KV_BLOCK"]
    cached = found["KV_BLOCK"]
    assert cached.hits[-1] == cached.accesses  # every block is made here, none comes from below


def test_a_traces_blocks_hit_where_their_conversation_fits() -> None:
    def request(*blocks: int) -> Request:
        return Request(at_ms=0, input_tokens=16 * len(blocks), output_tokens=1, blocks=blocks)

    asked = asked_by([request(0, 1), request(2, 3), request(0, 1, 4)])
    found = curve_of_requests(asked, 100)
    # 7 accesses to 5 blocks of 100 bytes; block 0 comes back after 4 others, so 4 must fit
    assert (found.name, found.accesses, found.footprint_bytes) == ("KV_BLOCK", 7, 500)
    hits = dict(zip(found.capacities_bytes, found.hits, strict=True))
    assert hits[500] == 2
    assert max(hit for room, hit in hits.items() if room < 400) == 0
