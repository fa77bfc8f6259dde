"""What fits: the answers, what makes them, and the simulator's agreement with each."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.answers.fit import Answer, Question, answer, question
from mirc.answers.fit_report import notes
from mirc.answers.witness import witness
from mirc.controller.ingest import ingest
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.machine import Machine
from mirc.packed.pack import seal
from mirc.simulate.admission import Scope
from mirc.simulate.engine import simulate
from mirc.simulate.limits import held_bytes
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import Scenario, build
from tests.simulate.scenes import machine
from tests.simulate.toy import GB, card

MB = 1_000_000


def toy(weight: int = 600 * MB, token: int = MB, block: int = 10, made: int = MB) -> str:
    """Two weights, a cache, and an activation from one step to the next."""
    return f"""mir 1.0
module toy {{ schedule = [prefill, REPEAT(2, decode)] }}
object w0 {{ class = WEIGHT_TILE  size_bytes = {weight} }}
object w1 {{ class = WEIGHT_TILE  size_bytes = {weight} }}
object a {{ class = ACTIVATION_TEMP  size_bytes = PER_TOKEN({made}) }}
template kv {{
  class = KV_BLOCK
  instance = [SEQUENCE, BLOCK]
  block_tokens = {block}
  size_bytes = PER_TOKEN({token})
}}
phase prefill {{
  batch = 1  tokens = 10  context = 0
  step p0 {{ reads = [w0]  writes = [kv] }}
  step p1 {{ reads = [w1, kv] }}
}}
phase decode {{
  batch = 1  tokens = 1  context = 10
  step s0 {{ reads = [w0, kv]  writes = [kv, a] }}
  step s1 {{ reads = [w1, a] }}
}}
"""


EXPERTS = """mir 1.0
module toy {{ schedule = [REPEAT(4, decode)] }}
object "e[0]" {{ class = EXPERT_WEIGHT  size_bytes = {0} }}
object "e[1]" {{ class = EXPERT_WEIGHT  size_bytes = {0} }}
object "e[2]" {{ class = EXPERT_WEIGHT  size_bytes = {0} }}
object "e[3]" {{ class = EXPERT_WEIGHT  size_bytes = {0} }}
phase decode {{ batch = 1  tokens = 1  step s {{ reads = [ROUTED(e, 1)] }} }}
"""


def ask(
    text: str,
    machine: Machine | None = None,
    schedule: str | None = None,
    context: int | None = None,
) -> Question:
    module = load(Source("toy.mir", text))
    found = schedule_of(module, None, schedule)
    return question(module, found, machine or card(), context=context)


def scenario(
    asked: Question, batch: int, scope: Scope, *, seed: int = 0, context: int | None = None
) -> Scenario:
    return build(
        asked.module,
        asked.schedule,
        asked.machine,
        batch=batch,
        scope=scope,
        seed=seed,
        context=context,
    )


def run(
    asked: Question, batch: int, scope: Scope, *, seed: int = 0, context: int | None = None
) -> None:
    """Simulate under two policies: whatever cannot go on raises."""
    found = scenario(asked, batch, scope, seed=seed, context=context)
    known = ingest(seal(asked.module), asked.machine, None, found.workload.names, found.runs)
    for policy in ("lru", "intent"):
        outcome = simulate(found.workload, known, asked.machine, policy, path="python")
        assert outcome.peak_bytes["hbm"] <= asked.machine.near.usable_bytes


def test_the_largest_batch_fills_near_memory_with_weights_caches_and_activations() -> None:
    # 12 tokens are 2 blocks of 10 MB: 1,200 + 38 x (20 + 1) = 1,998 of 2,000 MB
    found = answer(ask(toy()), Scope.NEAR)
    assert found.batch == 38
    assert found.at.peak.size_bytes == 1998 * MB
    # 1,200 + 1 + 79 x 10 = 1,991 MB
    assert found.context == 790


def test_streaming_needs_only_what_a_step_uses() -> None:
    # s0: 600 + 66 x (20 + 1) = 1,986 MB; one sequence: 600 + 1 + 139 x 10 = 1,991 MB
    found = answer(ask(toy()), Scope.TIERS)
    assert (found.batch, found.context) == (66, 1390)


def test_the_frontier_trades_sequences_for_tokens() -> None:
    found = answer(ask(toy()), Scope.NEAR)
    assert [(p.sequences, p.tokens) for p in found.frontier] == [
        (1, 790),  # 1,200 + 1 + 79 x 10
        (2, 390),  # 1,200 + 2 x (1 + 39 x 10) = 1,982
        (4, 190),  # 1,200 + 4 x (1 + 19 x 10) = 1,964
        (8, 90),  # 1,200 + 8 x (1 + 9 x 10) = 1,928
        (16, 40),  # 1,200 + 16 x (1 + 4 x 10) = 1,856
        (32, 20),  # 1,200 + 32 x (1 + 2 x 10) = 1,872
        (64, 10),  # 1,200 + 64 x (1 + 10) = 1,904
    ]


@pytest.mark.parametrize("scope", list(Scope))
def test_the_witness_adds_up_to_the_peak(scope: Scope) -> None:
    asked = ask(toy())
    found = answer(asked, scope)
    for limit in (found.at, found.beyond, found.beyond_context):
        assert limit is not None
        shares = witness(asked, scope, limit.peak)
        assert sum(share.size_bytes for share in shares) == limit.peak.size_bytes
        assert {share.kind for share in shares} == {"weights", "caches", "activations"}


@pytest.mark.parametrize("scope", list(Scope))
def test_the_simulator_runs_the_answer_and_refuses_one_sequence_more(scope: Scope) -> None:
    asked = ask(toy())
    batch = answer(asked, scope).batch
    assert batch
    run(asked, batch, scope)
    with pytest.raises(CouldNotRun, match="at once"):
        scenario(asked, batch + 1, scope)


@pytest.mark.parametrize("scope", list(Scope))
def test_the_simulator_runs_the_context_and_refuses_one_token_more(scope: Scope) -> None:
    asked = ask(toy(), schedule="REPEAT(2, decode)")
    context = answer(asked, scope).context
    assert context
    run(asked, 1, scope, context=context - 2)
    with pytest.raises(CouldNotRun, match="at once"):
        scenario(asked, 1, scope, context=context - 1)


def test_a_run_that_fits_near_fetches_every_byte_once() -> None:
    asked = ask(toy())
    batch = answer(asked, Scope.NEAR).batch
    assert batch
    found = scenario(asked, batch, Scope.NEAR)
    known = ingest(seal(asked.module), asked.machine, None, found.workload.names, found.runs)
    outcome = simulate(found.workload, known, asked.machine, "lru", path="python")
    assert {link.name: link.total_bytes for link in outcome.links} == {"up": 1200 * MB, "down": 0}


@settings(deadline=None, max_examples=20)
@given(
    weight=st.integers(min_value=1, max_value=900),
    token=st.integers(min_value=5, max_value=60),
    block=st.integers(min_value=1, max_value=12),
    made=st.integers(min_value=0, max_value=50),
    scope=st.sampled_from(Scope),
)
def test_answers_and_simulator_agree(
    weight: int, token: int, block: int, made: int, scope: Scope
) -> None:
    asked = ask(toy(weight * MB, token * MB, block, made * MB))
    batch = answer(asked, scope).batch
    assert batch is not None
    if batch:
        run(asked, batch, scope)
    with pytest.raises(CouldNotRun, match="at once"):
        scenario(asked, batch + 1, scope)


@settings(deadline=None, max_examples=20)
@given(
    token=st.integers(min_value=1, max_value=40),
    block=st.integers(min_value=1, max_value=12),
    batch=st.integers(min_value=1, max_value=4),
)
def test_what_is_held_agrees_with_a_count_over_the_workload(
    token: int, block: int, batch: int
) -> None:
    # The workload makes a block with its first token, an engine allots it as the run begins.
    asked = ask(toy(token=token * MB, block=block), card(200 * GB))
    point = attrs.evolve(asked.asked, sequences=batch)
    peak = asked.peak(Scope.NEAR, point).size_bytes - 1200 * MB
    held = int(held_bytes(scenario(asked, batch, Scope.NEAR).workload).max())
    assert held <= peak <= held + batch * block * token * MB


def test_routing_is_admitted_for_the_worst_draw() -> None:
    # Three tokens may want three experts of 600 MB; four would want 2.4 GB, whatever is drawn.
    asked = ask(EXPERTS.format(600 * MB))
    assert answer(asked, Scope.TIERS).batch == 3
    for seed in range(8):
        run(asked, 3, Scope.TIERS, seed=seed)
        with pytest.raises(CouldNotRun, match="2_400_000_000 bytes at once"):
            scenario(asked, 4, Scope.TIERS, seed=seed)


def small_below(room_bytes: int) -> Machine:
    machine = card()
    near, dram = machine.memories
    return attrs.evolve(machine, memories=(near, attrs.evolve(dram, capacity_bytes=room_bytes)))


def test_caches_that_find_no_room_below_stay_beside_the_step() -> None:
    # w0 of 600 and w1 of 900 MB leave 100 MB below. s0: 600 + 34 x (1 + 40) = 1,994 MB. s1 uses no
    # cache, but what does not go below stays: 900 + 28 + (28 x 41 - 100) = 1,976 MB.
    text = toy(token=2 * MB).replace(
        f"object w1 {{ class = WEIGHT_TILE  size_bytes = {600 * MB}",
        f"object w1 {{ class = WEIGHT_TILE  size_bytes = {900 * MB}",
    )
    assert answer(ask(text), Scope.TIERS).batch == 34
    tight = ask(text, small_below(1600 * MB))
    assert answer(tight, Scope.TIERS).batch == 28
    run(tight, 28, Scope.TIERS)


@settings(deadline=None, max_examples=8)
@given(
    dram=st.integers(min_value=1500, max_value=6000),
    token=st.integers(min_value=1, max_value=40),
    block=st.integers(min_value=1, max_value=12),
)
def test_what_fits_over_three_tiers_runs_with_room_for_passing_only_where_something_passes(
    dram: int, token: int, block: int
) -> None:
    where = machine(2000 * MB, dram=dram * MB, nvme=100 * GB)
    asked = ask(toy(token=token * MB, block=block), where)
    batch = answer(asked, Scope.TIERS).batch
    assert batch
    run(asked, batch, Scope.TIERS)


def test_masters_without_room_below_do_not_fit_by_streaming() -> None:
    asked = ask(toy(), small_below(1000 * MB))
    assert answer(asked, Scope.TIERS).batch == 0
    with pytest.raises(CouldNotRun, match="masters of weights"):
        scenario(asked, 1, Scope.TIERS)


def test_what_nothing_bounds_has_no_largest() -> None:
    text = "mir 1.0\nobject w { class = WEIGHT_TILE  size_bytes = 5 }\n"
    asked = ask(f"{text}phase p {{ step s {{ reads = [w] }} }}\n")
    found: Answer = answer(asked, Scope.NEAR)
    assert (found.batch, found.context, found.frontier) == (None, None, ())
    with pytest.raises(CouldNotRun, match="no context to ask about"):
        ask(f"{text}phase p {{ step s {{ reads = [w] }} }}\n", context=5)


def test_sizes_are_read_twice_and_hold_at_any_batch() -> None:
    asked = ask(toy())
    for batch in (1, 2, 7, 31):
        found = scenario(asked, batch, Scope.NEAR)
        sizes = dict(zip(found.workload.names, found.workload.size_bytes.tolist(), strict=True))
        mine = dict(zip(asked.demanded.names, asked.demanded.sizes_at(batch).tolist(), strict=True))
        assert {name: sizes[name] for name in mine} == mine
    assert np.all(asked.demanded.sizes_at(1) == asked.demanded.sizes[0])


def test_rows_gathered_from_a_table_never_exceed_it() -> None:
    # 300 MB of rows a token, out of 500 MB: from two tokens on the whole table.
    text = """mir 1.0
object t { class = WEIGHT_TILE  size_bytes = 500_000_000 }
phase p { step s { reads = [TOUCH(t, PER_TOKEN(300_000_000))] } }
"""
    asked = ask(text)
    peaks = [
        asked.peak(Scope.TIERS, attrs.evolve(asked.asked, sequences=batch)).size_bytes
        for batch in (1, 2, 3)
    ]
    assert peaks == [300 * MB, 500 * MB, 500 * MB]


def test_an_activation_that_looks_like_the_captured_context_is_told() -> None:
    # 11 tokens were captured (10 and the new one): 11 MB a token is 1 MB for each of them.
    assert list(notes(ask(toy()))) == []
    (note,) = notes(ask(toy(made=11 * MB)))
    assert "1 of what `decode` makes are multiples of the 11 tokens" in note


def test_phases_that_fit_on_their_own_are_named() -> None:
    # 2,000 MB of weights and 100 MB of cache in prefill alone; decode reads one weight a step.
    text = (
        toy()
        .replace("reads = [w1, kv]", "reads = [w0, w1, kv]")
        .replace(f"size_bytes = {600 * MB}", f"size_bytes = {1000 * MB}")
    )
    asked = ask(text)
    found = answer(asked, Scope.TIERS)
    assert not found.fits
    assert asked.phases_that_fit(Scope.TIERS, found.at.point) == ("decode",)


def test_the_witness_names_tables_experts_and_steps_by_their_names() -> None:
    text = """mir 1.0
object ids { class = INPUT  size_bytes = 8 }
object t { class = WEIGHT_TILE  size_bytes = 500_000_000 }
phase p { step s { reads = [ids, TOUCH(t, 1_000_000)]  transient_bytes = 7 } }
"""
    asked = ask(text)
    shares = {
        share.kind: share.largest[0][0]
        for share in witness(asked, Scope.NEAR, asked.peak(Scope.NEAR, asked.asked))
    }
    assert shares["weights"] == "t"
    assert shares["inner peak"] == "s"
    routed = ask(EXPERTS.format(600 * MB))
    (share,) = witness(routed, Scope.TIERS, routed.peak(Scope.TIERS, routed.asked))
    assert (share.kind, share.objects, share.largest[0][0]) == ("experts", 1, "e[*]")


def test_what_grows_with_the_batch_is_told_from_what_does_not() -> None:
    assert ask(toy()).scales
    assert ask(EXPERTS.format(600 * MB)).scales
    text = "mir 1.0\nobject w { class = WEIGHT_TILE  size_bytes = 5 }\n"
    asked = ask(f"{text}phase p {{ batch = 8  step s {{ reads = [w] }} }}\n")
    assert (asked.scales, asked.given, asked.asked.sequences) == (False, False, 8)
