"""Weights that are narrowed and widened while a run goes on, on a machine of round numbers."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.precision.units import Unit
from mirc.machine import Machine
from mirc.simulate.engine import simulate
from mirc.simulate.faults import FaultStage, Targets, fault_of
from mirc.simulate.ladders import Managed, physics
from mirc.simulate.model import Outcome, Workload
from mirc.simulate.precision import Aim, Precision, PrecisionStage
from mirc.simulate.topology import topology
from tests.simulate.checker import Checker
from tests.simulate.scenes import Step, machine, rows, workload

TYPES = ("bfloat16", "float8_e4m3fn", "int4")
US = 1_000_000


def laps(count: int, number: int, compute_ps: int = 10 * US, size: int = 160) -> Workload:
    """Return ``number`` laps over ``count`` weights, one a step; reading one near takes no time."""
    return workload(
        [size] * count,
        [False] * count,
        [
            Step(reads=[o], compute_ps=compute_ps, position=o)
            for _ in range(number)
            for o in range(count)
        ],
    )


def ladder(sensitivity: Sequence[float], floors: Sequence[int], size: int = 160) -> list[Managed]:
    return [
        Managed(
            object=o,
            unit=Unit(
                name=f"w{o}",
                rungs=(size, size // 2, size // 4),
                floor=floor,
                sensitivity=level,
            ),
            dtypes=TYPES,
        )
        for o, (level, floor) in enumerate(zip(sensitivity, floors, strict=True))
    ]


def play(
    load: Workload,
    where: Machine,
    units: Sequence[Managed],
    aim: Aim = Aim.FIT,
    path: str = "python",
) -> tuple[Outcome, Precision]:
    known = rows(load, first_us={0: {o: 10.0 * o for o in range(load.object_count)}})
    stage = PrecisionStage(units, physics(units, load, known, where), aim)
    outcome = simulate(load, known, where, "intent", record_events=True, path=path, stages=[stage])
    limits = [where.near.usable_bytes, where.memory("dram").usable_bytes]
    Checker(limits).replay(outcome.events)
    return outcome, stage.outcome()


@pytest.mark.mechanism("S1-18")
def test_weights_that_do_not_fit_are_held_in_fewer_bits_until_they_do() -> None:
    # 8 x 160 bytes and room for 800: at 8 bits all take 640, and nothing streams any more
    load = laps(8, 12)
    outcome, found = play(load, machine(800, in_rate=1e6), ladder([0.05] * 8, [2] * 8))
    assert found.near_bytes <= 784
    assert found.held[0][0] == "bfloat16" or found.held[0][0] == "float8_e4m3fn"
    assert (outcome.step_ps[-32:] == 10 * US).all(), "no step waits once they are narrow"
    plain = simulate(load, rows(load), machine(800, in_rate=1e6), "intent")
    assert int(outcome.step_ps.sum()) < int(plain.step_ps.sum())


def test_what_fits_stays_in_full_precision() -> None:
    outcome, found = play(laps(4, 4), machine(800, in_rate=1e6), ladder([0.05] * 4, [2] * 4))
    assert (found.converted, found.near_bytes) == (0, 640)
    assert outcome.happenings == ()


@pytest.mark.mechanism("S1-09")
def test_floors_hold_and_the_rest_streams() -> None:
    # half may not be narrowed at all: 4 x 160 + 4 x 40 = 800 bytes, and room for 400
    load = laps(8, 12)
    outcome, found = play(load, machine(400, in_rate=1e6), ladder([0.75, 0.05] * 4, [0, 2] * 4))
    assert found.held == (("bfloat16", 4, 640), ("int4", 4, 160))
    assert found.short_bytes == 400
    assert found.vetoed == 4
    vetoed = [each for each in outcome.happenings if each.outcome == "vetoed"]
    assert {each.object for each in vetoed} == {"w0", "w2", "w4", "w6"}
    assert all("floor" in each.detail and "gain 80 bytes" in each.detail for each in vetoed)


def test_the_least_sensitive_are_lowered_first() -> None:
    # 1,280 bytes and room for 1,000 less 20: four of the eight lose one rung
    levels = [0.25, 0.05] * 4
    outcome, found = play(laps(8, 6), machine(1000, in_rate=1e6), ladder(levels, [2] * 8))
    assert {each.object for each in outcome.happenings} == {"w1", "w3", "w5", "w7"}
    assert found.lowered_bytes == ((0.05, 640),)


@pytest.mark.mechanism("S1-18")
def test_what_is_held_in_fewer_bits_is_moved_and_read_in_less_time() -> None:
    # eight weights of 160 kB at 1 GB/s; room for two at 16 bits, for all eight at 4
    size = 160_000
    load = laps(8, 12, size=size)
    where = machine(2 * size + 8_000, in_rate=1e9)
    units = ladder([0.05] * 8, [2] * 8, size)
    near_ps = physics(units, load, rows(load), where).near_ps
    whole = np.full(96, round(size * near_ps), dtype=np.int64)
    load = attrs.evolve(load, compute_ps=whole, roofs_ps=np.stack([whole, whole // 8]))
    outcome, found = play(load, where, units, Aim.SPEED)
    assert found.held == (("int4", 8, 8 * size // 4),)
    # a quarter of the bytes is read in a quarter of the time: above the other roof, an eighth
    assert outcome.step_ps[-8:].tolist() == pytest.approx([size // 4 * near_ps] * 8, abs=1)
    moved = outcome.links[0].total_bytes
    # each comes in once whole; what had left before all were narrow comes again at a quarter
    assert 8 * size <= moved <= 8 * size + 8 * size // 4


def test_steps_wait_for_the_conversions_before_them_and_for_nothing_else() -> None:
    load, where = laps(8, 4), machine(4000, in_rate=1e9)
    outcome, found = play(load, where, ladder([0.05] * 8, [2] * 8), Aim.SPEED)
    stalls = outcome.stall_demand_ps + outcome.stall_late_ps + outcome.stall_queue_ps
    assert found.converting_ps > 0
    spent = int((outcome.step_ps - outcome.compute_ps - stalls).sum())
    assert spent == found.converting_ps


def test_masters_stay_and_narrow_copies_are_written_beside_them() -> None:
    load, where = laps(8, 6), machine(400, in_rate=1e9)
    outcome, found = play(load, where, ladder([0.05] * 8, [2] * 8))
    # what fits into 400 less 8: one at 8 bits, seven at 4
    assert found.copies_bytes == 80 + 7 * 40
    assert outcome.peak_bytes["dram"] >= 8 * 160 + 360
    assert outcome.links[1].writeback_bytes == 360


def test_where_no_copy_fits_below_nothing_is_narrowed() -> None:
    # 1,280 bytes of masters, and 40 more: one copy at 4 bits
    load, where = laps(8, 6), machine(400, in_rate=1e9, dram=1320)
    outcome, found = play(load, where, ladder([0.05] * 8, [2] * 8))
    assert (found.converted, found.refused) == (1, 7)
    refused = [each for each in outcome.happenings if each.outcome == "refused"]
    assert "no room below" in refused[0].detail


def _crowded(held: int) -> Workload:
    """Return 80 laps over eight weights; the run has 400 bytes of its own for the first ones."""
    count = 8
    steps = [
        Step(
            reads=[o],
            creates=[8] if (lap, o) == (0, 0) else [],
            retires=[8] if (lap, o) == (held - 1, count - 1) else [],
            compute_ps=10 * US,
            position=o,
        )
        for lap in range(80)
        for o in range(count)
    ]
    return workload([160] * count + [400], [False] * count + [True], steps)


@pytest.mark.mechanism("S1-06")
def test_units_are_widened_when_room_has_been_there_for_long() -> None:
    # for ten laps the run holds 400 bytes of its own: with 8 x 160 they need 1,680 of 1,400
    load = _crowded(10)
    outcome, found = play(load, machine(1400, in_rate=1e9), ladder([0.05] * 8, [2] * 8))
    narrowed = [each for each in outcome.happenings if each.what.endswith("float8_e4m3fn")]
    assert narrowed
    assert found.widened == len(narrowed)
    assert found.near_bytes == 1280, "all are in full precision again"


def ending(load: Workload, fault: str, count: int) -> FaultStage:
    """Return a stage that ends tenant a, whose are the first so many objects."""
    targets = Targets(
        links=("in", "out"),
        memories=("hbm", "dram"),
        objects=load.names,
        tenants={"a": np.arange(count)},
    )
    return FaultStage([fault_of(fault)], targets, load.step_count)


def test_what_is_left_when_a_tenant_ends_gets_its_room_and_is_widened() -> None:
    # 8 x 160 bytes and room for 784: seven of them are narrow, until four of these end.
    load, where = laps(8, 50), machine(800, in_rate=1e6)
    known, units = rows(load), ladder([0.05] * 8, [2] * 8)
    narrowing = PrecisionStage(units, physics(units, load, known, where), Aim.FIT)
    faults = ending(load, "end:a@70", 4)
    outcome = simulate(load, known, where, "intent", record_events=True, stages=[faults, narrowing])
    Checker([800, 1 << 50]).replay(outcome.events)
    last = {each.object: each.what for each in outcome.happenings if each.outcome == "done"}
    narrow, wide = "bfloat16 to float8_e4m3fn", "float8_e4m3fn to bfloat16"
    assert last == {f"w{o}": narrow if o < 4 else wide for o in range(7)}


def test_a_tenant_that_ends_takes_masters_and_narrow_copies_along_and_nothing_widens_them() -> None:
    # As above, but that the run holds its 400 bytes for ten laps, and a ends before that: three of
    # its weights are narrow then. All others are wide at the end, and nothing else lies below.
    load, where = _crowded(10), machine(1400, in_rate=1e9)
    known = rows(load)
    units = ladder([0.05] * 3 + [0.25] * 5, [2] * 8)
    narrowing = PrecisionStage(units, physics(units, load, known, where), Aim.FIT)
    faults = ending(load, "end:a@70", 3)
    outcome = simulate(load, known, where, "intent", record_events=True, stages=[faults, narrowing])
    checker = Checker([1400, 1 << 50]).replay(outcome.events)
    done = [each for each in outcome.happenings if each.outcome == "done"]
    assert {each.object for each in done if each.step < 70} >= {f"w{o}" for o in range(3)}
    assert not any(each.object in ("w0", "w1", "w2") for each in done if each.step >= 70)
    assert checker.used[1] == 5 * 160


@settings(max_examples=20, deadline=None)
@given(
    near=st.integers(200, 1400),
    dram=st.integers(1280, 2600),
    floors=st.lists(st.integers(0, 2), min_size=8, max_size=8),
    levels=st.lists(st.sampled_from([0.05, 0.25, 0.75]), min_size=8, max_size=8),
    aim=st.sampled_from(Aim),
    order=st.lists(st.integers(0, 7), min_size=8, max_size=60),
    rate=st.sampled_from([1e7, 1e8, 1e9]),
)
def test_no_run_crosses_a_floor_or_overfills_a_memory(
    *,
    near: int,
    dram: int,
    floors: list[int],
    levels: list[float],
    aim: Aim,
    order: list[int],
    rate: float,
) -> None:
    steps = [Step(reads=[o], compute_ps=US, position=p % 8) for p, o in enumerate(order)]
    load = workload([160] * 8, [False] * 8, steps)
    units = ladder(levels, floors)
    outcome, found = play(load, machine(near, in_rate=rate, dram=dram), units, aim)
    sizes = [160] * 8
    for row in outcome.events.tolist() if outcome.events is not None else []:
        if row[1] == 22:  # resized
            sizes[row[2]] = row[5]
        assert all(size >= 160 >> floor for size, floor in zip(sizes, floors, strict=True))
    assert found.near_bytes == sum(sizes)


def test_both_paths_narrow_alike() -> None:
    load, where = laps(8, 12), machine(400, in_rate=1e6)
    units = ladder([0.05, 0.25] * 4, [2] * 8)
    plain, fast = (play(load, where, units, path=path)[0] for path in ("python", "compiled"))
    assert plain.events is not None
    assert fast.events is not None
    assert plain.events.tobytes() == fast.events.tobytes()
    assert plain.happenings == fast.happenings
    assert (plain.step_ps == fast.step_ps).all()
    assert fast.path == "compiled + precision"


@pytest.mark.mechanism("S1-02")
@pytest.mark.parametrize(("chosen", "paid"), [(0.5, True), (0.05, True), (0.01, False)])
def test_what_streams_is_narrowed_if_its_uses_pay_for_the_copy(chosen: float, paid: bool) -> None:  # noqa: FBT001
    # at 4 bits 120 of 160 bytes are saved a use, and 40 written once, over links of one rate: they
    # pay from 1/3 of a use on, and 32 runs are counted on
    units = [attrs.evolve(each, chosen=chosen) for each in ladder([0.05] * 8, [2] * 8)]
    _, found = play(laps(8, 12), machine(250, in_rate=1e9), units)
    assert found.short_bytes > 0
    assert (found.converted, found.unpaid) == ((8, 0) if paid else (0, 8))


@settings(max_examples=10, deadline=None)
@given(
    near=st.sampled_from([250, 400, 700, 1000]),
    dram=st.sampled_from([1320, 1600, 4000]),
    rate=st.sampled_from([1e7, 1e8, 1e9]),
    times=st.integers(2, 10),
    begin=st.integers(0, 40),
    aim=st.sampled_from(Aim),
)
def test_links_that_slow_and_memories_that_fill_break_nothing_on_the_way(
    *, near: int, dram: int, rate: float, times: int, begin: int, aim: Aim
) -> None:
    load, where = laps(8, 20), machine(near, in_rate=rate, dram=dram)
    known = rows(load, first_us={0: {o: 10.0 * o for o in range(8)}})
    units = ladder([0.05, 0.25] * 4, [2, 1] * 4)
    specs = (
        f"slow:in={times}@{begin}..{begin + 60}",
        f"slow:out={times}@{begin // 2}..{begin + 30}",
        f"stop:in=1us@{2 * begin}",
        f"fail:{load.names[3]}=2@{begin // 4}",
        f"full:dram@{begin // 3}..{begin + 50}",
    )
    names = topology(load, known, where)
    targets = Targets(links=names.link_names, memories=names.names, objects=load.names, tenants={})
    faults = FaultStage([fault_of(spec) for spec in specs], targets, load.step_count)
    stage = PrecisionStage(units, physics(units, load, known, where), aim)
    outcome = simulate(
        load, known, where, "intent", record_events=True, path="python", stages=[faults, stage]
    )
    Checker([near, dram]).replay(outcome.events)
    assert all(each.unit.lowest >= rung for each, rung in zip(units, stage.rungs, strict=True))
