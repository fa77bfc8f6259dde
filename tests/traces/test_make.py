"""Workloads that are drawn: equal for equal seeds, and what they are said to be."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirc.traces.make.agents import SYSTEM, Agents, agents
from mirc.traces.make.retrieval import INSTRUCTION, Retrieval, retrieval
from mirc.traces.make.tenants import Tenants, tenants
from mirc.traces.requests import Request, dump, load

TENANTS = ("agents", "chat", "batch")
SAMPLE = Path("samples/traces/agents.jsonl")
MADE: dict[str, Callable[[int], Iterator[Request]]] = {
    "agents": lambda seed: agents(Agents(sessions=60, seed=seed)),
    "retrieval": lambda seed: retrieval(Retrieval(requests=700, documents=100, seed=seed)),
    "tenants": lambda seed: tenants(Tenants(sessions=60, seed=seed)),
}


@pytest.mark.parametrize("name", MADE)
def test_a_seed_gives_one_trace_and_another_seed_another(name: str) -> None:
    text = "".join(dump(MADE[name](5)))
    assert text == "".join(dump(MADE[name](5)))
    assert text != "".join(dump(MADE[name](6)))
    # What is written is a trace: in order of time, each block always after the same one.
    assert load(io.BytesIO(text.encode()), name) == tuple(MADE[name](5))


def test_the_sample_is_what_the_generator_makes_of_its_defaults() -> None:
    assert "".join(dump(agents(Agents(sessions=40)))) == SAMPLE.read_text("utf-8")


def test_agents_wait_fork_and_compact() -> None:
    found = list(agents(Agents(sessions=60)))
    last: dict[str, Request] = {}
    forks: set[str] = set()
    compacted = 0
    for each in found:
        before = last.get(each.session)
        if before is not None:
            assert each.at_ms > before.at_ms + before.tool_wait_ms > before.at_ms
            shared = sum(a == b for a, b in zip(before.blocks, each.blocks, strict=False))
            # A fork may belong to another tenant, whose summary follows another system prompt.
            expected = {len(before.blocks), SYSTEM[each.tenant]} | (
                {0} if each.session in forks else set()
            )
            assert shared in expected
            compacted += shared == SYSTEM[each.tenant]
        if each.parent:
            assert each.parent in last
        last[each.session] = each
        if each.parent:
            forks.add(each.session)
    assert compacted > 5
    assert len(forks) > 5
    assert sum(not each.tool_wait_ms for each in found) == len(last)


def test_retrieval_has_documents_that_are_wanted_in_a_burst_and_not_before() -> None:
    asked = Retrieval(requests=700, documents=400, burst_every=350, burst_length=150)
    found = list(retrieval(asked))
    firsts = [each.blocks[INSTRUCTION] for each in found]
    quiet, burst = Counter(firsts[:200]), Counter(firsts[200:350])
    # Most questions of a burst begin with one of six documents, which before were like any other.
    hot = [block for block, _ in burst.most_common(6)]
    assert sum(burst[block] for block in hot) > 75
    assert sum(quiet[block] for block in hot) < 75
    assert len({each.blocks[:INSTRUCTION] for each in found}) == 1


def test_tenants_differ_in_what_they_ask_of_memory() -> None:
    found = list(tenants(Tenants(sessions=90)))
    by = Counter((each.tenant, each.session) for each in found)
    turns = {name: [n for (who, _), n in by.items() if who == name] for name in TENANTS}
    assert set(turns["batch"]) == {1}
    assert min(turns["agents"]) >= 3
    assert any(each.tool_wait_ms for each in found if each.tenant == "agents")
    assert not any(each.tool_wait_ms for each in found if each.tenant != "agents")
    uses = Counter(block for each in found if each.tenant == "batch" for block in each.blocks)
    assert sum(count > 1 for count in uses.values()) == 2  # the instruction
