"""A routing trace through the passes: chances of experts, groups, order, and what is written."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.emit import emit
from mirc.grammar import print_module
from mirc.graph import Part, Program, Split
from mirc.ir import Call, Coalition, Module, Name
from mirc.ir.resolve import View, read
from mirc.passes.base import Facts
from mirc.passes.coalition import Coalitions, GroupKind
from mirc.passes.expert_routing import Routing
from mirc.passes.pipeline import explain, run
from mirc.passes.reuse import Reuse
from mirc.passes.seeds import Observed
from mirc.traces.routing import RoutingTrace
from tests.passes.programs import Builder, routed
from tests.routing_traces import Choices, in_order, planted, rand_index, requests, trace


def mixture(
    layers: int, experts: int, top_k: int, *, dense: int = 0, size: int = 10, prefill: int = 4
) -> Program:
    """Two phases of a mixture of experts whose first ``dense`` blocks do not route."""
    build = Builder()
    parts = [Part(f"[{i}]", size) for i in range(experts)]
    families = []
    for layer in range(dense, dense + layers):
        names = (f"layers.{layer}.mlp.experts.{name}" for name in ("up", "down"))
        families.append(
            [build.store(name, size * experts, parts=parts, split=Split.EXPERTS) for name in names]
        )
    for phase, tokens in (("prefill", prefill), ("decode_step", 1)):
        for number, family in enumerate(families):
            build.node(f"layers.{number}.router")
            build.node(
                f"layers.{number}.experts", [routed(each, size * experts, top_k) for each in family]
            )
        build.phase(phase, tokens=tokens, past=tokens == 1)
    return build.program()


SCHEDULE = (Name("prefill"), Call("REPEAT", (128, Name("decode_step"))))


def facts_of(program: Program, seen: RoutingTrace, *only: str) -> Facts:
    return run(program, schedule=SCHEDULE, observed=Observed(seen), only=only)


def emitted(program: Program, seen: RoutingTrace) -> Module:
    return emit(program, facts_of(program, seen))


def test_each_expert_has_its_own_chance_and_their_sum_is_what_a_token_takes() -> None:
    seen = trace(requests(3, 16, 2, 2000, each=50, sway=0.5, seed=1), each=50)
    routing = facts_of(mixture(3, 16, 2), seen, "expert-routing")[Routing]
    for storage in range(6):
        family = routing.routed["decode_step", storage]
        assert sum(family.shares) == pytest.approx(2)
        assert family.probability == pytest.approx(2 / 16)
        shares = np.bincount(seen.chosen[:, storage // 2].ravel(), minlength=16) / 2000
        assert family.shares == pytest.approx(shares, rel=0.1, abs=0.005)
        assert routing.share("decode_step", storage, 3) == family.shares[3]
    assert routing.routed["decode_step", 0].shares == routing.routed["decode_step", 1].shares
    assert routing.share("decode_step", 99, 0) == 1.0  # not routed: read whole


def test_prefill_touches_as_many_experts_as_windows_of_the_trace() -> None:
    seen = trace(requests(1, 32, 2, 3200, each=32, sway=2.0, seed=4), each=32)
    routing = facts_of(mixture(1, 32, 2, prefill=16), seen, "expert-routing")[Routing]
    windows = seen.chosen.reshape(200, 16 * 2)
    found = np.mean([len(np.unique(window)) for window in windows])
    assert routing.routed["prefill", 0].distinct == pytest.approx(float(found), rel=0.03)
    assert routing.probability("prefill", 0) * 32 < 0.8 * 32 * (1 - (1 - 2 / 32) ** 16)


@pytest.mark.mechanism("S0-37", "S7-06")
def test_distinct_experts_grow_with_the_batch_as_in_the_trace() -> None:
    chosen = requests(2, 32, 4, 4000, each=1, sway=0.0, seed=5)
    routing = facts_of(mixture(2, 32, 4), trace(chosen), "expert-routing")[Routing]
    for batch in (1, 8, 64):
        rows = chosen[: 4000 // batch * batch].transpose(1, 0, 2).reshape(2, -1, batch * 4)
        found = np.mean([[len(np.unique(row)) for row in layer] for layer in rows])
        assert routing.distinct_by_batch[batch] == pytest.approx(float(found), rel=0.02)


def test_dense_blocks_are_passed_over_by_number_or_because_they_never_route() -> None:
    chosen = requests(5, 8, 2, 200, each=10, sway=0.0, seed=2)
    program = mixture(3, 8, 2, dense=2)
    found = facts_of(program, trace(chosen), "expert-routing")[Routing].observed
    assert [int(each.chosen[0, 0]) for each in found] == chosen[0, 2:, 0].tolist()
    chosen[:, :2] = 0  # as engines fill them
    again = facts_of(program, trace(chosen), "expert-routing")[Routing].observed
    assert all((a.chosen == b.chosen).all() for a, b in zip(found, again, strict=True))


@pytest.mark.parametrize(
    ("layers", "experts", "top_k", "sentence"),
    [
        (2, 8, 2, "has 2 layers of which 2 route; the model has 3 routers"),
        (16, 8, 2, "has 16 layers of which 16 route; the model has 3 routers"),
        (3, 8, 3, "3 choices a token, the model has 2 in `layers.0.mlp.experts`"),
        (3, 16, 2, "the model has 8 experts in `layers.0.mlp.experts`"),
    ],
)
def test_a_trace_of_another_model_is_refused(
    layers: int, experts: int, top_k: int, sentence: str
) -> None:
    seen = trace(requests(layers, experts, top_k, 400, each=10, sway=0.0, seed=3))
    with pytest.raises(CouldNotRun) as raised:
        facts_of(mixture(3, 8, 2), seen, "expert-routing")
    assert sentence in str(raised.value)


def test_a_trace_of_a_model_that_routes_nothing_is_refused() -> None:
    build = Builder()
    build.node("linear", [build.store("w", 10)])
    build.phase("p")
    with pytest.raises(CouldNotRun, match="the model routes nothing"):
        run(build.program(), observed=Observed(trace(in_order(4, 10, share=0.5))))


def labels(program: Program, facts: Facts, layers: int, experts: int) -> Choices:
    """Return each (layer, expert)'s group: itself where it is in none."""
    found = np.arange(layers * experts).reshape(layers, experts)
    for group in facts[Coalitions].groups:
        if group.kind is GroupKind.CHOSEN:
            layer = int(program.storages[group.members[0]].module.split(".")[1])
            found[layer, list(group.parts)] = found[layer, group.parts[0]]
    return found


def test_planted_groups_of_a_qwen3_like_model_are_recovered() -> None:
    layers, experts = 12, 128  # of 48 layers; benchmarks/coalition.py has all
    truth, chosen = planted(layers, experts, 8, 2000, size=8, share=0.6)
    program = mixture(layers, experts, 8)
    facts = facts_of(program, trace(chosen), "coalition", "expert-routing")
    expected = truth + np.arange(layers)[:, None] * experts
    found = labels(program, facts, layers, experts)
    assert rand_index(expected.ravel(), found.ravel()) >= 0.95
    for group in facts[Coalitions].groups:
        if group.kind is GroupKind.CHOSEN:
            assert group.size_bytes == len(group.parts) * 20  # both matrices of each expert


def test_a_group_s_confidence_is_how_often_its_members_come_together_later() -> None:
    truth, chosen = planted(4, 64, 8, 6000, size=8, share=0.6, seed=7)
    assert truth.shape == (4, 64)
    program = mixture(4, 64, 8)
    groups = facts_of(program, trace(chosen[:2000]), "coalition")[Coalitions].groups
    later = np.zeros((4000, 4, 64), dtype=bool)
    np.put_along_axis(later, chosen[2000:], values=True, axis=2)
    seen = [group for group in groups if group.kind is GroupKind.CHOSEN]
    assert len(seen) >= 28
    for group in seen:
        assert group.confidence is not None
        layer = int(program.storages[group.members[0]].module.split(".")[1])
        came = later[:, layer, group.parts]
        together = (came.T.astype(int) @ came - np.diag(came.sum(axis=0))) / came.sum(axis=0)[
            :, None
        ]
        size = len(group.parts)
        assert together.sum() / (size * (size - 1)) == pytest.approx(group.confidence, abs=0.06)


def test_independent_layers_and_experts_make_no_group() -> None:
    seen = trace(planted(4, 32, 2, 1500, size=8, share=0.0)[1])
    facts = facts_of(mixture(4, 32, 2), seen, "coalition", "expert-routing")
    assert not any(each.helps for each in facts[Routing].follows)
    assert {group.kind for group in facts[Coalitions].groups} == {GroupKind.EXPERTS}


def test_the_layer_before_is_used_where_it_tells_of_the_next() -> None:
    facts = facts_of(mixture(2, 16, 1), trace(in_order(16, 2000, share=0.8)), "coalition")
    (pair,) = facts[Routing].follows
    assert pair.helps
    # 0.8 + 0.2 / 16 of the time the next one: log of that over 1 / 16, and the others' share
    sure = 0.8 + 0.2 / 16
    expected = sure * np.log(sure * 16) + (1 - sure) * np.log(0.2)
    assert pair.gain_nats == pytest.approx(expected, rel=0.1)
    order = [group for group in facts[Coalitions].groups if group.kind is GroupKind.AFTER]
    assert [group.parts for group in order] == [(i, (i + 1) % 16) for i in range(16)]
    assert order[0].confidence == pytest.approx(sure, abs=0.1)


def _coalitions(module: Module, kind: str) -> Iterator[Coalition]:
    return (each for name, each in module.coalitions.items() if name.startswith(f"{kind}."))


def texts(coalition: Coalition) -> tuple[str, ...]:
    members: tuple[str, ...] = read(coalition, "members")
    return members


def test_what_was_observed_is_written_slice_by_slice_and_grows_with_the_experts() -> None:
    truth, chosen = planted(3, 32, 4, 1500, size=4, share=0.7)
    assert len(truth) == 3
    program, seen = mixture(3, 32, 4), trace(chosen)
    facts = facts_of(program, seen)
    module = emit(program, facts)
    view, routing = View(module, phase="decode_step"), facts[Routing]
    for part in range(32):
        said = view.get(f"layers.1.mlp.experts.up[{part}]", "route_probability")
        assert said.value == pytest.approx(routing.share("decode_step", 2, part), rel=6e-3)
        assert said.confidence is not None
        filled = View(module, phase="prefill").value(
            f"layers.1.mlp.experts.down[{part}]", "route_probability"
        )
        assert filled == pytest.approx(routing.share("prefill", 3, part), rel=6e-3)
    members = [name for each in _coalitions(module, "chosen") for name in texts(each)]
    assert 0 < len(set(members)) == len(members) <= 3 * 32
    plain = print_module(emit(program, run(program, schedule=SCHEDULE)))
    assert len(print_module(module)) < 3 * len(plain)
    assert print_module(module) == print_module(emitted(program, seen))


def test_explained_passes_say_what_was_observed() -> None:
    seen = trace(requests(3, 16, 2, 2000, each=50, sway=1.0, seed=1), each=50)
    text = "\n".join(explain(facts_of(mixture(3, 16, 2), seen)))
    assert "observed: 2000 tokens in 3 routers" in text
    assert "distinct experts of a router by tokens in the batch: 2.0 at 1" in text
    assert "the layer before tells of the next in" in text


def test_a_routed_family_is_expected_to_move_what_its_slices_are() -> None:
    seen = trace(requests(1, 8, 2, 500, each=10, sway=0.0, seed=1))
    facts = facts_of(mixture(1, 8, 2, size=1000), seen, "reuse")
    # 2 of 8 slices of 1,000 bytes, of two matrices
    assert facts[Reuse].phases["decode_step"].near_bytes[1] == pytest.approx(4000, abs=2)


def test_a_router_that_takes_every_expert_is_certain() -> None:
    seen = trace(np.tile(np.arange(4), (20, 2, 1)))
    family = facts_of(mixture(2, 4, 4), seen, "expert-routing")[Routing].routed["decode_step", 0]
    assert family.shares == pytest.approx((1.0,) * 4)
    assert family.confidences == pytest.approx((1.0,) * 4)


def test_one_token_is_a_trace_and_moves_the_prior_a_little() -> None:
    seen = trace(requests(2, 16, 2, 1, each=1, sway=0.0, seed=1))
    routing = facts_of(mixture(2, 16, 2), seen)[Routing]
    family = routing.routed["decode_step", 0]
    assert sum(family.shares) == pytest.approx(2)
    assert routing.follows == ()
    assert set(np.argsort(family.shares)[-2:]) == set(seen.chosen[0, 0].tolist())


def test_a_family_that_the_commonest_phase_reads_whole_has_slices_where_it_is_routed() -> None:
    build = Builder()
    parts = [Part(f"[{i}]", 10) for i in range(8)]
    family = build.store("layers.0.experts.w", 80, parts=parts, split=Split.EXPERTS)
    build.node("moe", [routed(family, 80, 2)])
    build.phase("prefill")
    build.node("all", [family])
    build.phase("decode_step", past=1)
    seen = trace(requests(1, 8, 2, 300, each=10, sway=0.0, seed=1))
    module = emitted(build.program(), seen)
    view = View(module, phase="prefill")
    said = [view.value(f"layers.0.experts.w[{i}]", "route_probability") for i in range(8)]
    assert sum(said) == pytest.approx(2, rel=0.01)
    assert len(set(said)) > 1


@given(
    st.integers(0, 1000),
    st.sampled_from([(2, 1), (3, 2), (8, 2), (8, 8)]),
    st.integers(1, 80),
    st.sampled_from([1, 7, 40]),
    st.sampled_from([0.0, 1.0, 50.0]),
)
def test_any_trace_gives_chances_and_confidences_between_0_and_1(
    seed: int, shape: tuple[int, int], tokens: int, each: int, sway: float
) -> None:
    experts, top_k = shape
    chosen = requests(2, experts, top_k, tokens, each=each, sway=sway, seed=seed)
    facts = facts_of(mixture(2, experts, top_k), trace(chosen, each=each), "coalition")
    for family in facts[Routing].routed.values():
        assert all(0 < share <= 1 for share in family.shares)
        assert all(0 <= sure <= 1 for sure in family.confidences)
        assert top_k - 1e-6 <= family.distinct <= experts + 1e-6
    for group in facts[Coalitions].groups:
        assert group.confidence is None or 0 < group.confidence <= 1
