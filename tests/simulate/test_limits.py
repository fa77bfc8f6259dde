from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.simulate.comparison import Comparison, compare, policies_of
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import card

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
    return "mir 1.0\n" + "\n".join([*lines, "}"]) + "\n"


def _compared(text: str, near_bytes: int, steps: int) -> Comparison:
    module = load(Source("drawn.mir", text))
    machine = card(near_bytes)
    scenario = build(module, schedule_of(module, steps), machine)
    return compare(module, scenario, machine, policies_of("all"))


@given(_texts(), st.integers(50, 70), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_no_policy_beats_the_bounds(text: str, near: int, steps: int) -> None:
    # near memory always holds a step: at most 2 x 9 + 2 x 3 + 4 + 3 MB, and 6 blocks of
    # 3 MB
    found = _compared(text, near * MB, steps)
    assert len(found.rows) == 6
    for row in found.rows:
        assert row.excess_bytes >= 0, row
        assert row.gap_to_bound >= 0, row
