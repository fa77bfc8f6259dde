import numpy as np
import pytest

from mirc.bounds.routing import distinct_experts
from mirc.diagnostics import CouldNotRun
from mirc.simulate.limits import held_bytes
from mirc.simulate.model import CREATE, READ, WRITE, Workload
from mirc.simulate.routing import draw_experts
from tests.simulate.toy import GB, card, cycle, scenario, weights

Row = tuple[str, int, int]


def _accesses(workload: Workload, step: int) -> list[Row]:
    """Return (name, bytes, kind) of what a step touches."""
    span = slice(*workload.access_ptr[step : step + 2])
    return [
        (workload.names[thing], int(size), int(kind))
        for thing, size, kind in zip(
            workload.access_object[span],
            workload.access_bytes[span],
            workload.access_kind[span],
            strict=True,
        )
    ]


def _retired(workload: Workload, step: int) -> list[str]:
    span = slice(*workload.retire_ptr[step : step + 2])
    return [workload.names[thing] for thing in workload.retire_object[span]]


def test_every_run_of_a_phase_reads_the_same_weights() -> None:
    workload = scenario(cycle(2), steps=2).workload
    assert [_accesses(workload, step) for step in range(4)] == [
        [("w0", GB, READ)],
        [("w1", GB, READ)],
    ] * 2
    assert workload.step_run.tolist() == [0, 0, 1, 1]
    assert workload.step_position.tolist() == [0, 1, 0, 1]
    assert workload.iteration_ptr.tolist() == [0, 2, 4]
    assert workload.streamed.all()
    assert not workload.made.any()


def test_a_step_takes_as_long_as_the_slower_roof() -> None:
    text = weights(1) + (
        "phase decode {\n"
        "  step memory { reads = [w0] flops = 1_000_000 work = MATMUL }\n"
        "  step compute { reads = [w0] flops = 50_000_000_000 work = MATMUL }\n"
        "  step inner { traffic_bytes = 2_000_000_000 }\n"
        "}\n"
    )
    # 1 GB at 100 GB/s = 10 ms; 50 GFLOP at 1 TFLOP/s = 50 ms; 2 GB of temporaries = 20 ms
    assert scenario(text).workload.compute_ps.tolist() == [10**10, 5 * 10**10, 2 * 10**10]


def test_an_activation_begins_with_its_first_write_and_ends_with_its_last_read() -> None:
    text = (
        "object h { class = ACTIVATION_TEMP size_bytes = PER_TOKEN(100) }\n"
        "phase decode {\n  batch = 3\n  tokens = 2\n"
        "  step a { writes = [h] }\n  step b { reads = [h] }\n  step c { }\n}\n"
    )
    workload = scenario(text, steps=2).workload
    for start in (0, 3):
        assert _accesses(workload, start) == [("h", 600, CREATE)]  # 100 x 3 sequences x 2 tokens
        assert _accesses(workload, start + 1) == [("h", 600, READ)]
        assert _retired(workload, start + 1) == ["h"]
    assert workload.made.all()


@pytest.mark.mechanism("S7-06")
def test_the_batch_option_replaces_that_of_the_file() -> None:
    text = (
        "object h { class = ACTIVATION_TEMP size_bytes = PER_SEQUENCE(7) }\n"
        "phase decode { batch = 3 step a { writes = [h] flops = PER_TOKEN(5) } }\n"
    )
    assert scenario(text, batch=4).workload.size_bytes.tolist() == [28]


def test_state_that_lasts_is_created_once_and_never_retired() -> None:
    text = (
        "object s { class = RECURRENT_STATE size_bytes = 64 }\n"
        "phase decode { step a { reads = [s] writes = [s] } }\n"
    )
    workload = scenario(text, steps=3).workload
    kinds = [_accesses(workload, step)[0][2] for step in range(3)]
    assert kinds == [CREATE, WRITE, WRITE]
    assert not len(workload.retire_object)


def test_optimizer_state_has_a_master_below_and_is_written() -> None:
    text = (
        "object m { class = OPTIMIZER_STATE size_bytes = 64 }\n"
        "phase update { step a { reads = [m] writes = [m] } }\n"
    )
    workload = scenario(text).workload
    assert _accesses(workload, 0) == [("m", 128, WRITE)]
    assert not workload.made[0]
    assert not workload.streamed[0]


def test_inputs_come_from_below_in_every_run() -> None:
    text = "object x { class = INPUT size_bytes = 8 }\nphase decode { step a { reads = [x] } }\n"
    workload = scenario(text, steps=2).workload
    assert [_accesses(workload, step) for step in range(2)] == [[("x", 8, READ)]] * 2
    assert [_retired(workload, step) for step in range(2)] == [["x"]] * 2


def test_a_touched_object_stays_below_and_its_rows_come_each_run() -> None:
    text = (
        "object embed { class = WEIGHT_TILE size_bytes = 100GiB }\n"
        "phase decode { batch = 2 step a { reads = [TOUCH(embed, PER_TOKEN(16KiB))] } }\n"
    )
    found = scenario(text, steps=2)
    assert found.workload.names == ("embed(decode)",)
    assert found.workload.size_bytes.tolist() == [32 * 1024]
    assert _retired(found.workload, 0) == ["embed(decode)"]
    assert "only touched" in found.assumptions[-1]


def test_a_touch_of_all_the_rows_is_a_read() -> None:
    text = (
        "object embed { class = WEIGHT_TILE size_bytes = 1KiB }\n"
        "phase prefill { tokens = 9 step a { reads = [TOUCH(embed, PER_TOKEN(512))] } }\n"
    )
    assert _accesses(scenario(text).workload, 0) == [("embed", 1024, READ)]


def test_the_bare_name_of_a_family_means_all_its_parts() -> None:
    text = (
        "object p[0:2] { class = WEIGHT_TILE size_bytes = 10 }\n"
        "object p[2:4] { class = WEIGHT_TILE size_bytes = 20 }\n"
        "phase decode { step a { reads = [p] } step b { reads = [p[2:4]] } }\n"
    )
    workload = scenario(text).workload
    assert _accesses(workload, 0) == [("p[0:2]", 10, READ), ("p[2:4]", 20, READ)]
    assert _accesses(workload, 1) == [("p[2:4]", 20, READ)]


def _experts(families: str = "up down", count: int = 8) -> str:
    objects = "".join(
        f"object {family}[{i}] {{ class = EXPERT_WEIGHT size_bytes = 10 }}\n"
        for family in families.split()
        for i in range(count)
    )
    reads = ", ".join(f"ROUTED({family}, 2)" for family in families.split())
    return f"{objects}phase decode {{ step a {{ reads = [{reads}] }} }}\n"


def test_routed_reads_of_one_step_share_one_draw() -> None:
    workload = scenario(_experts(), steps=20).workload
    for step in range(20):
        names = [name for name, _, _ in _accesses(workload, step)]
        up = [name.removeprefix("up") for name in names if name.startswith("up")]
        down = [name.removeprefix("down") for name in names if name.startswith("down")]
        assert up == down
        assert len(up) == 2
    assert len(set(np.diff(workload.access_object).tolist())) > 2  # and runs differ


def test_the_seed_decides_the_draw() -> None:
    one, two, other = (scenario(_experts(), steps=9, seed=seed).workload for seed in (1, 1, 2))
    assert one.access_object.tolist() == two.access_object.tolist()
    assert one.access_object.tolist() != other.access_object.tolist()


def test_experts_that_were_not_drawn_are_known_by_name() -> None:
    assert len(scenario(_experts()).workload.names) == 16


@pytest.mark.mechanism("S7-06")
def test_uniform_routing_touches_as_many_experts_as_the_closed_form_says() -> None:
    # 128 experts, 8 a token: 128 x (1 - (120/128)^32) = 111.8 distinct at batch 32
    drawn = [len(draw_experts(np.ones(128), 8, 32, (seed,))) for seed in range(200)]
    assert np.mean(drawn) == pytest.approx(distinct_experts(128, 8, 32), rel=0.01)


def test_likely_experts_are_drawn_more_often() -> None:
    odds = np.array([0.9, 0.9, 0.01, 0.01])
    drawn = np.concatenate([draw_experts(odds, 1, 1, (seed,)) for seed in range(300)])
    assert (drawn < 2).mean() > 0.95


def _used(probabilities: list[float], *, chosen: int, tokens: int) -> list[float]:
    """Return the share of 4,000 steps that use each expert."""
    odds = np.array(probabilities)
    drawn = [draw_experts(odds, chosen, tokens, (seed,)) for seed in range(4000)]
    return [float(np.mean([expert in each for each in drawn])) for expert in range(len(odds))]


def test_experts_are_used_about_as_often_as_declared() -> None:
    declared = [0.9, 0.6, 0.3, 0.2]  # they sum to 2: one token that chooses 2
    used = _used(declared, chosen=2, tokens=1)
    assert used == sorted(used, reverse=True)
    # Taken as a token's odds, without -log(1 - p), the same numbers give these, 0.255 away in sum.
    as_odds = [0.772, 0.632, 0.354, 0.242]
    off = sum(abs(one - other) for one, other in zip(used, declared, strict=True))
    assert off < 0.15 < sum(abs(one - other) for one, other in zip(as_odds, declared, strict=True))


def test_what_is_declared_of_a_step_holds_of_all_its_tokens() -> None:
    # 1 - (1 - q)^8 of 8 tokens that choose one each with q = 0.5, 0.3, 0.2
    declared = [1 - (1 - q) ** 8 for q in (0.5, 0.3, 0.2)]
    assert _used(declared, chosen=1, tokens=8) == pytest.approx(declared, abs=0.07)


def test_certain_and_impossible_experts_are_drawn_first_and_last() -> None:
    drawn = [draw_experts(np.array([0.0, 1.0, 0.5]), 2, 1, (seed,)).tolist() for seed in range(99)]
    assert drawn.count([1, 2]) > 95


_CACHE = (
    "template kv { class = KV_BLOCK instance = [SEQUENCE, BLOCK] block_tokens = 4\n"
    "  size_bytes = PER_TOKEN(10) }\n"
)


def test_prefill_makes_blocks_and_decode_lets_them_grow() -> None:
    text = _CACHE + (
        "phase prefill { tokens = 6 step a { writes = [kv] } }\n"
        "phase decode { context = 6 step b { writes = [kv] } step c { reads = [kv] } }\n"
    )
    found = scenario(text, schedule="prefill, REPEAT(3, decode)")
    workload = found.workload
    # 6 tokens fill block 0 and half of block 1; the 7th and 8th go there, the 9th into block 2
    assert _accesses(workload, 0) == [("kv(0,0)", 40, CREATE), ("kv(0,1)", 20, CREATE)]
    assert _accesses(workload, 1) == [("kv(0,1)", 10, WRITE)]
    assert _accesses(workload, 2) == [("kv(0,0)", 40, READ), ("kv(0,1)", 30, READ)]
    assert _accesses(workload, 5) == [("kv(0,2)", 10, CREATE)]
    assert _accesses(workload, 6) == [
        ("kv(0,0)", 40, READ),
        ("kv(0,1)", 40, READ),
        ("kv(0,2)", 10, READ),
    ]
    assert workload.size_bytes.tolist() == [40, 40, 40]
    assert found.tokens == 3
    assert not found.assumptions


def test_a_context_that_nothing_made_is_there_from_the_start() -> None:
    text = _CACHE + "phase decode { context = 5 step a { reads = [kv] writes = [kv] } }\n"
    found = scenario(text, steps=2)
    # the step reads 5 + 1 tokens and writes 1: 40 in block 0, 20 + 10 in block 1
    assert _accesses(found.workload, 0) == [("kv(0,0)", 40, CREATE), ("kv(0,1)", 30, CREATE)]
    assert _accesses(found.workload, 1) == [("kv(0,0)", 40, READ), ("kv(0,1)", 40, WRITE)]
    assert "comes into being near" in found.assumptions[-1]


def test_every_sequence_of_a_batch_has_its_own_blocks() -> None:
    text = _CACHE + "phase prefill { batch = 2 tokens = 4 step a { writes = [kv] } }\n"
    assert scenario(text).workload.names == ("kv(0,0)", "kv(1,0)")


def test_the_phase_that_began_sequences_begins_new_ones_when_it_comes_round() -> None:
    text = _CACHE + (
        "phase prefill { tokens = 4 step a { writes = [kv] } }\n"
        "phase decode { context = 4 step b { reads = [kv] writes = [kv] } }\n"
    )
    workload = scenario(text, schedule="REPEAT(2, prefill, decode)").workload
    assert workload.names == ("kv(0,0)", "kv(0,1)", "kv(1,0)", "kv(1,1)")
    assert _retired(workload, 1) == ["kv(0,0)", "kv(0,1)"]
    assert _accesses(workload, 2) == [("kv(1,0)", 40, CREATE)]


def test_a_block_that_has_left_its_window_is_not_read_and_ends_with_the_run() -> None:
    text = _CACHE.replace("PER_TOKEN(10)", "PER_TOKEN(10) retire = WINDOW(5)") + (
        "phase prefill { batch = 2 tokens = 6 step a { writes = [kv] } }\n"
        "phase decode { batch = 2 context = 6 step b { writes = [kv] } step c { reads = [kv] } }\n"
    )
    workload = scenario(text, schedule="prefill, REPEAT(4, decode)").workload
    # the 7th token reads tokens 2 to 6, counted from 0: two of block 0 and three of block 1
    assert _accesses(workload, 2)[:2] == [("kv(0,0)", 20, READ), ("kv(0,1)", 30, READ)]
    # the 9th reads 4 to 8, nothing of block 0: it ended with the run of the 8th
    assert _accesses(workload, 6)[:2] == [("kv(0,1)", 40, READ), ("kv(0,2)", 10, READ)]
    assert [_retired(workload, step) for step in range(9)] == [
        *([[]] * 4),
        ["kv(0,0)", "kv(1,0)"],
        *([[]] * 4),
    ]
    # 2 sequences hold 2 blocks of 40 throughout: block 2 comes as block 0 goes
    assert held_bytes(workload).tolist() == [160] * 9


def test_what_is_older_than_the_window_of_a_given_context_never_exists() -> None:
    text = _CACHE.replace("PER_TOKEN(10)", "PER_TOKEN(10) retire = WINDOW(5)") + (
        "phase decode { context = 20 step a { reads = [kv] writes = [kv] } }\n"
    )
    workload = scenario(text, steps=5).workload
    created = [row[0] for step in range(5) for row in _accesses(workload, step) if row[2] == CREATE]
    # the 21st token reads 16 to 20; the 25th is in block 6
    assert created == ["kv(0,4)", "kv(0,5)", "kv(0,6)"]
    assert min(held_bytes(workload).tolist()) > 0


def test_a_template_without_blocks_is_one_object_a_sequence() -> None:
    text = (
        "template s { class = RECURRENT_STATE instance = [SEQUENCE] size_bytes = 64 }\n"
        "phase decode { batch = 2 step a { reads = [s] writes = [s] } }\n"
    )
    workload = scenario(text, steps=2).workload
    assert workload.names == ("s(0)", "s(1)")
    assert workload.size_bytes.tolist() == [64, 64]
    # read and written: 128 bytes touched of 64
    assert _accesses(workload, 0) == [("s(0)", 128, CREATE), ("s(1)", 128, CREATE)]
    assert _accesses(workload, 1) == [("s(0)", 128, WRITE), ("s(1)", 128, WRITE)]


def test_a_phase_without_steps_reads_what_it_overrides_and_what_lasts() -> None:
    text = weights(1, "5") + (
        "object h { class = ACTIVATION_TEMP size_bytes = 3 }\n"
        "object unused { class = ACTIVATION_TEMP size_bytes = 3 }\n"
        "phase decode { override h { spill_policy = ALLOW } }\n"
    )
    found = scenario(text)
    assert _accesses(found.workload, 0) == [("h", 3, CREATE), ("w0", 5, READ)]
    assert "has no steps" in " ".join(found.assumptions)


def test_an_object_without_a_size_is_one_error_with_its_place() -> None:
    text = "object w { class = WEIGHT_TILE }\nphase decode { step a { reads = [w] } }\n"
    with pytest.raises(CouldNotRun, match=r"`w` \(toy.mir:2\) is used and has no `size_bytes`"):
        scenario(text)


def test_an_object_without_a_size_that_nothing_uses_is_no_error() -> None:
    text = "object v { class = WEIGHT_TILE }\n" + cycle(1)
    assert scenario(text).workload.names == ("w0",)


def test_a_step_that_cannot_fit_is_refused_by_name() -> None:
    text = weights(2) + "phase decode { step both { reads = [w0, w1] transient_bytes = 1 } }\n"
    with pytest.raises(CouldNotRun, match="step `both` of `decode` needs 2_000_000_001 bytes"):
        scenario(text, machine=card(2 * GB))


def test_a_workload_that_would_not_fit_into_memory_is_refused() -> None:
    text = (
        "template kv { class = KV_BLOCK instance = [SEQUENCE, BLOCK] block_tokens = 1\n"
        "  size_bytes = PER_TOKEN(1) }\n"
        "phase decode { context = 100_000 batch = 64 step a { reads = [kv] } }\n"
    )
    # 6.4 million blocks a run: the fifth run is too many
    with pytest.raises(CouldNotRun, match="more than 30_000_000 accesses"):
        scenario(text, steps=64)
