"""Reuse across the schedule: against all uses written out, and the simulator's accesses."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.emit import emit
from mirc.graph import Part, Program, Role, Split
from mirc.ir import Call, Name, Value
from mirc.ir.resolve import View
from mirc.observe.score import Forecast, score, within_factor_2
from mirc.passes.base import Facts
from mirc.passes.pipeline import run
from mirc.passes.reuse import Reuse
from mirc.passes.seeds import Observed
from mirc.simulate.model import Workload
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.passes.programs import Builder, decoder, machine, routed
from tests.routing_traces import requests, trace

TOY = machine(1 << 40, near_bytes_per_s=1e9, flops=1e12)
SIZES = (10, 200, 3000, 40_000)


def phases_of(steps: dict[str, list[int]]) -> Program:
    """Phases whose steps read one of four weights each."""
    build_ = Builder()
    weights = [build_.store(f"w{i}", size) for i, size in enumerate(SIZES)]
    for phase, reads in steps.items():
        for step, weight in enumerate(reads):
            build_.node(f"{phase}.{step}", [weights[weight]])
        build_.phase(phase)
    return build_.program()


def written_out(schedule: tuple[Value, ...]) -> Iterator[str]:
    for item in schedule:
        match item:
            case Name(text):
                yield text
            case Call("REPEAT", (int(count), *body)):
                for _ in range(count):
                    yield from written_out(tuple(body))


reads = st.lists(st.integers(0, 3), min_size=1, max_size=5)
name = st.sampled_from([Name("p"), Name("q")])
repeat = st.builds(
    lambda count, body: Call("REPEAT", (count, *body)),
    st.integers(1, 4),
    st.lists(name, min_size=1, max_size=3),
)
nested = st.builds(
    lambda count, body: Call("REPEAT", (count, *body)),
    st.integers(1, 3),
    st.lists(st.one_of(name, repeat), min_size=1, max_size=3),
)


@given(reads, reads, st.lists(st.one_of(name, repeat, nested), min_size=1, max_size=3))
def test_a_schedule_s_distances_are_those_of_every_use_written_out(
    p: list[int], q: list[int], items: list[Value]
) -> None:
    steps, schedule = {"p": p, "q": q}, tuple(items)
    reuse = run(phases_of(steps), machines=(TOY,), schedule=schedule, only=("reuse",))[Reuse]
    order = [weight for phase in written_out(schedule) for weight in steps[phase]]
    lengths = {"bytes": SIZES, "ps": [size * 1000 for size in SIZES]}  # 1 GB/s: 1 ns a byte
    for weight in range(4):
        places = [place for place, each in enumerate(order) if each == weight]
        across = reuse.across(weight)
        assert across.uses == pytest.approx(len(places))
        if len(places) < 2:
            assert across.distance_bytes is None
            continue
        means = {
            unit: np.mean(
                [sum(size[each] for each in order[a + 1 : b]) for a, b in pairwise(places)]
            )
            for unit, size in lengths.items()
        }
        assert across.distance_bytes == pytest.approx(float(means["bytes"]))
        assert across.distance_ps["toy"] == pytest.approx(float(means["ps"]))


def test_a_time_between_uses_wraps_around_in_a_phase_that_repeats() -> None:
    program = phases_of({"p": [0, 1, 0, 2]})
    schedule = (Call("REPEAT", (8, Name("p"))),)
    reuse = run(program, machines=(TOY,), schedule=schedule, only=("reuse",))[Reuse]
    # w0: 200 bytes, then 3,000 to the next run; w1: 10 + 3,000 + 10. A byte takes 1,000 ps
    assert reuse.distance_ps("toy", "p", 0) == (200 + 3000) // 2 * 1000
    assert reuse.distance_ps("toy", "p", 1) == 3020 * 1000
    once = run(program, machines=(TOY,), schedule=(Name("p"),), only=("reuse",))[Reuse]
    assert once.distance_ps("toy", "p", 1) is None


def test_an_expert_comes_again_after_as_many_runs_as_its_chance_says() -> None:
    build_ = Builder()
    parts = [Part(f"[{i}]", 100) for i in range(4)]
    experts = build_.store("e", 400, parts=parts, split=Split.EXPERTS)
    build_.node("moe", [routed(experts, 400, 1)])
    build_.node("linear", [build_.store("w", 300)])
    build_.phase("p")
    schedule = (Call("REPEAT", (1000, Name("p"))),)
    reuse = run(build_.program(), schedule=schedule, only=("reuse",))[Reuse]
    # one in four runs, each of 400 expected bytes: 1,600 from use to use less its own step's 100
    assert reuse.phases["p"].reused[experts].distance_bytes == 1600 - 100
    across = reuse.across(experts)
    assert across.uses == pytest.approx(250)
    assert across.distance_bytes == pytest.approx(1500, rel=2e-3)


def _mixture() -> Program:
    build_ = Builder("mixture")
    parts = [Part(f"[{i}]", 1000) for i in range(16)]
    made = [build_.store(f"decode_step.op_{i}", 64, Role.ACTIVATION) for i in range(9)]
    for layer in range(8):
        at = f"layers.{layer}"
        weight = build_.store(f"{at}.attn.weight", 5000)
        experts = build_.store(f"{at}.experts.w", 16_000, parts=parts, split=Split.EXPERTS)
        build_.node(f"{at}.attn", [weight, made[layer]], flops=10)
        build_.node(
            f"{at}.experts", [routed(experts, 16_000, 2), made[layer]], [made[layer + 1]], flops=10
        )
    build_.phase("decode_step", tokens=1, past=8)
    return build_.program()


def accessed(program: Program, facts: Facts, runs: int) -> tuple[Workload, View]:
    module = emit(program, facts)
    load = build(module, schedule_of(module, runs), TOY, seed=3).workload
    return load, View(module, phase="decode_step")


def uses_of(load: Workload) -> dict[str, list[int]]:
    """Return the steps at which the simulator touches each object."""
    steps = np.repeat(np.arange(len(load.access_ptr) - 1), np.diff(load.access_ptr))
    found: dict[str, list[int]] = {}
    for step, thing in zip(steps.tolist(), load.access_object.tolist(), strict=True):
        seen = found.setdefault(load.names[thing], [])
        if not seen or seen[-1] != step:
            seen.append(step)
    return found


def outcomes(load: Workload, view: View, runs: int) -> Iterator[Forecast]:
    """Yield, for each estimate of reuse, how sure it was and whether it held."""
    found = uses_of(load)
    for thing in view.module.objects:
        steps = found.get(thing, [])
        uses = view.get(thing, "reuse")
        if uses.confidence is None or ".op_" in thing:
            continue
        declared = uses.value if isinstance(uses.value, float) else 1.0
        held = within_factor_2(declared, len(steps) / runs, 0.5 / runs)
        yield Forecast(uses.confidence, 1, int(held))
        window = view.get(thing, "reuse_window")
        if len(steps) > 1 and window.confidence is not None:
            mean = (steps[-1] - steps[0]) / (len(steps) - 1)
            held = within_factor_2(window.value, mean, 1.0)
            yield Forecast(window.confidence, 1, int(held))


def test_estimates_of_reuse_hold_in_the_simulator_as_often_as_they_say() -> None:
    program, runs = _mixture(), 128
    seen = Observed(trace(requests(8, 16, 2, 2000, each=1, sway=0.0, seed=1)))
    schedule = (Call("REPEAT", (runs, Name("decode_step"))),)
    facts = run(program, schedule=schedule, observed=seen)
    load, view = accessed(program, facts, runs)
    result = score(outcomes(load, view, runs))
    assert result is not None
    assert result.trials > 250
    assert result.observed > 0.95
    assert result.forecast == pytest.approx(result.observed, abs=0.03)
    assert result.calibration_error < 0.05


def test_distances_of_a_decoder_are_what_the_simulator_moves_between_uses() -> None:
    program = decoder(layers=4, hidden=256, inner=512, vocabulary=1000)
    facts = run(program, machines=(TOY,), schedule=(Call("REPEAT", (6, Name("decode_step"))),))
    load, _ = accessed(program, facts, 6)
    moved = np.concatenate(
        ([0], np.cumsum(np.add.reduceat(load.access_bytes, load.access_ptr[:-1])))
    )
    clock = np.concatenate(([0], np.cumsum(load.compute_ps)))
    found = uses_of(load)
    reuse = facts[Reuse]
    scored = 0
    for storage in program.storages:
        steps = found.get(storage.name, [])
        if storage.role is not Role.PARAMETER or len(steps) < 2 or "embed" in storage.name:
            continue
        apart = np.mean([moved[b] - moved[a + 1] for a, b in pairwise(steps)])
        waited = np.mean([clock[b] - clock[a + 1] for a, b in pairwise(steps)])
        inside = reuse.phases["decode_step"].reused[storage.index].distance_bytes
        assert inside is not None
        assert inside == pytest.approx(apart, rel=0.02)
        assert reuse.distance_ps("toy", "decode_step", storage.index) == pytest.approx(
            waited, rel=0.02
        )
        across = reuse.across(storage.index)
        assert across.uses == len(steps) == 6
        assert across.distance_bytes == pytest.approx(apart, rel=0.02)
        scored += 1
    assert scored > 20
