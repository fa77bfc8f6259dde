import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.machine import Machine
from mirc.packed.pack import seal
from mirc.simulate.comparison import Comparison, compare, policies_of
from mirc.simulate.policies import POLICIES
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import card, weights

MB = 1_000_000


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """Draw a decode loop over weights of uneven sizes, experts, a cache and activations."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=7))
    lines = [
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = {size * MB} }}"
        for i, size in enumerate(sizes)
    ]
    lines += [f"object e[{i}] {{ class = EXPERT_WEIGHT size_bytes = 3MB }}" for i in range(6)]
    lines += [
        (
            "template kv { class = KV_BLOCK instance = [SEQUENCE, BLOCK] block_tokens = 2 "
            f"size_bytes = PER_TOKEN({draw(st.integers(1, 3)) * MB // 2}) }}"
        ),
        f"object h {{ class = ACTIVATION size_bytes = {draw(st.integers(1, 4)) * MB} }}",
        f"phase decode {{ context = {draw(st.integers(0, 5))}",
    ]
    for place in range(draw(st.integers(1, 6))):
        used = draw(st.sets(st.integers(0, len(sizes) - 1), max_size=2))
        reads = [f"w{i}" for i in sorted(used)] + draw(
            st.lists(st.sampled_from(["kv", "h", "ROUTED(e, 2)"]), unique=True, max_size=2)
        )
        writes = draw(st.lists(st.sampled_from(["kv", "h"]), unique=True, max_size=2))
        extra = draw(st.integers(0, 3)) * MB
        flops = draw(st.integers(0, 20)) * 10**9
        lines.append(
            f"  step s{place} {{ reads = [{', '.join(reads)}] writes = [{', '.join(writes)}] "
            f"transient_bytes = {extra} flops = {flops} work = MATMUL }}"
        )
    lines += ["}", "phase other {"]
    used = draw(st.sets(st.integers(0, len(sizes) - 1), min_size=1, max_size=2))
    lines += [f"  step o{i} {{ reads = [w{i}] flops = 5_000_000_000 }}" for i in sorted(used)]
    lines += ["}", 'plan p { machine = "toy"']
    for phase in ("decode", "other"):
        lines.append(f"phase {phase} {{ period_us = {draw(st.integers(1, 60)) * 1000}")
        lines += [
            f"  override w{i} {{ first_use_us = {first} last_use_us = {first} "
            f"prefetch_horizon_us = {draw(st.integers(0, 40)) * 1000} }}"
            for i in range(len(sizes))
            if (first := draw(st.integers(0, 60)) * 1000) < 50_000
        ]
        lines.append("}")
    return "mir 1.0\n" + "\n".join([*lines, "}"]) + "\n"


def _compared(text: str, machine: Machine, schedule: str) -> Comparison:
    module = load(Source("drawn.mir", text))
    scenario = build(module, schedule_of(module, None, schedule), machine, plan="p")
    return compare(seal(module), scenario, machine, policies_of("all"), plan="p")


def _late(machine: Machine, latency_ns: float) -> Machine:
    links = tuple(attrs.evolve(link, latency_ns=latency_ns) for link in machine.links)
    return attrs.evolve(machine, links=links)


_SCHEDULES = (
    "REPEAT(3, decode)",
    "REPEAT(5, decode)",
    "other, REPEAT(4, decode)",
    "REPEAT(3, REPEAT(2, decode), other)",
    "REPEAT(3, other, decode)",
)


@given(
    _texts(),
    st.integers(50, 70),
    st.sampled_from(_SCHEDULES),
    st.sampled_from([0.0, 700.0]),
)
@settings(deadline=None, max_examples=40)
def test_no_policy_beats_the_bounds(text: str, near: int, schedule: str, late: float) -> None:
    # near memory always holds a step: at most 2 x 9 + 2 x 3 + 4 + 3 MB, and 6 blocks of
    # 3 MB
    found = _compared(text, _late(card(near * MB), late), schedule)
    assert len(found.rows) == len(POLICIES)
    for row in found.rows:
        assert row.excess_bytes >= 0, row
        assert row.gap_to_bound >= 0, row


@pytest.mark.parametrize("schedule", ["REPEAT(4, a)", "REPEAT(3, REPEAT(2, a), b)"])
def test_policies_that_prefetch_do_not_beat_the_bounds_either(schedule: str) -> None:
    text = "mir 1.0\n" + weights(8, "10_000_000")
    for phase, used in (("a", range(5)), ("b", range(3, 8))):
        steps = "".join(
            f" step {phase}.s{i} {{ reads = [w{i}] flops = 5_000_000_000 work = MATMUL }}\n"
            for i in used
        )
        text += f"phase {phase} {{\n{steps}}}\n"
    text += 'plan p { machine = "toy"\n'
    for phase, used in (("a", range(5)), ("b", range(3, 8))):
        uses = "".join(
            f"  override w{i} {{ first_use_us = {at * 5000} last_use_us = {at * 5000} "
            "prefetch_horizon_us = 20_000 }\n"
            for at, i in enumerate(used)
        )
        text += f" phase {phase} {{ period_us = 25_000\n{uses} }}\n"
    found = _compared(text + "}\n", card(35 * MB), schedule)
    assert {row.policy for row in found.rows if row.prefetches.issued} >= {"static", "intent"}
    for row in found.rows:
        assert row.excess_bytes >= 0, row
        assert row.gap_to_bound >= 0, row


@pytest.mark.parametrize(
    "schedule", ["back, update", "update, back, update", "back, REPEAT(3, update)"]
)
def test_what_is_made_by_being_read_need_not_come_in(schedule: str) -> None:
    """A gradient that no phase writes first has no bytes anywhere that could come in."""
    text = (
        "mir 1.0\nobject w0 { class = WEIGHT_TILE size_bytes = 5MB }\n"
        "object g { class = GRADIENT_SHARD size_bytes = 3MB }\n"
        "phase back { step s { reads = [w0] flops = 1_000 } }\n"
        "phase update { step reduce { reads = [g] } step apply { reads = [g] flops = 1_000 } }\n"
        'plan p { machine = "toy" }\n'
    )
    result = _compared(text, card(9 * MB), schedule)
    assert result.bounds.near_bytes == 5 * MB
    assert {row.near_bytes for row in result.rows} == {5 * MB}
