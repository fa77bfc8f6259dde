"""What a misplacement costs, beside the bytes of metadata that could have prevented it."""

import pytest

from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load as parse
from mirc.machine.load import load, names
from mirc.machine.model import TierKind
from mirc.machine.transfers import transfer_ps
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import GB, card, cycle

PS_PER_US = 1_000_000


@pytest.mark.mechanism("S0-42")
@pytest.mark.parametrize("name", names())
def test_a_page_from_nvme_costs_100_us_before_its_first_byte(name: str) -> None:
    machine = load(name)
    drives = {memory.name for memory in machine.memories if memory.kind is TierKind.NVME}
    for link in machine.links:
        if link.source in drives:
            assert link.latency_ns == 100_000
            page = transfer_ps(link, 4096)
            assert 100 * PS_PER_US < page < 110 * PS_PER_US


@pytest.mark.mechanism("S0-42")
def test_a_copy_that_could_have_been_avoided_costs_its_time_on_the_link() -> None:
    # 3 weights of 1 GB in turn over a link of 1 GB/s; room for all, or for two: LRU then keeps
    # none of them until its next use, and fetches 3 x 4 times instead of 3
    module = parse(Source("toy.mir", f"mir 1.0\n{cycle(3)}"))
    ends = {}
    for room in (3, 2):
        machine = card(room * GB)
        found = build(module, schedule_of(module, None, "REPEAT(4, decode)"), machine)
        known = ingest(seal(module), machine, None, found.workload.names)
        outcome = simulate(found.workload, known, machine, "lru", path="python")
        ends[room] = outcome.end_ps
    avoidable = 3 * 4 - 3
    assert ends[2] - ends[3] == avoidable * 10**12
