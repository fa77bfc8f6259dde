"""Small workloads, rows and machines that the tests of the engine share."""

from collections.abc import Sequence

import attrs
import numpy as np

from mirc.controller.descriptors import DROPPABLE, SPILLABLE, UNSAID, Descriptors, PhaseRows
from mirc.machine import Compute, Link, Machine, Memory, TierKind
from mirc.simulate.model import Workload

MIB = 1 << 20
PS = 1_000_000_000_000


def machine(
    near: int,
    *,
    in_rate: float = 1e9,
    out_rate: float = 1e9,
    dram: int = 1 << 50,
    nvme: int = 0,
    reserve: int = 0,
    latency_ns: float = 0.0,
    root: str | None = None,
    direct_rate: float = 0.0,
) -> Machine:
    """Near memory over DRAM over (if asked for) NVMe; links without launch cost by default.

    ``direct_rate`` is that of links from NVMe past DRAM and back, none for 0.
    """
    memories = [
        _memory("hbm", TierKind.HBM, near + reserve, reserve),
        _memory("dram", TierKind.DRAM, dram),
    ]
    links = [
        _link("in", ("dram", "hbm"), in_rate, latency_ns, root),
        _link("out", ("hbm", "dram"), out_rate, latency_ns, root),
    ]
    if nvme:
        memories.append(_memory("nvme", TierKind.NVME, nvme))
        links.append(_link("read", ("nvme", "dram"), in_rate / 2, latency_ns, "flash"))
        links.append(_link("write", ("dram", "nvme"), out_rate / 2, latency_ns, "flash"))
    if direct_rate:
        links.append(_link("skip", ("nvme", "hbm"), direct_rate, latency_ns, None))
        links.append(_link("back", ("hbm", "nvme"), direct_rate, latency_ns, None))
    return Machine(
        name="bench",
        summary="a test's machine",
        memories=tuple(memories),
        links=tuple(links),
        compute=Compute(
            owner="gpu",
            memory="hbm",
            peak_flops={"bfloat16": 1e15},
            efficiency={"matmul": 0.5, "attention": 0.5, "other": 0.5},
        ),
    )


def _memory(name: str, kind: TierKind, capacity: int, reserve: int = 0) -> Memory:
    return Memory(
        name=name,
        kind=kind,
        owner="gpu" if kind is TierKind.HBM else "host",
        capacity_bytes=capacity,
        reserve_bytes=reserve,
        read_bytes_per_s=1e12,
        write_bytes_per_s=1e12,
    )


def _link(
    name: str, ends: tuple[str, str], rate: float, latency_ns: float, root: str | None
) -> Link:
    return Link(
        name=name,
        source=ends[0],
        target=ends[1],
        curve=((1, rate),),
        latency_ns=latency_ns,
        root=root,
    )


@attrs.frozen
class Step:
    """One step of a test's workload: object ids, picoseconds, bytes."""

    reads: Sequence[int] = ()
    writes: Sequence[int] = ()
    creates: Sequence[int] = ()
    retires: Sequence[int] = ()
    compute_ps: int = 1_000
    transient: int = 0
    phase: int = 0
    position: int = 0


def workload(sizes: Sequence[int], made: Sequence[bool], steps: Sequence[Step]) -> Workload:
    """Lay steps out in the arrays of the engine."""
    uses = [
        [*((o, 0) for o in step.reads), *((o, 1) for o in step.writes)]
        + [(o, 2) for o in step.creates]
        for step in steps
    ]
    flat = [use for step in uses for use in step]
    runs: list[int] = []
    for step in steps:
        runs.append((runs[-1] if runs else -1) + (step.position == 0))
    objects = np.array([o for o, _ in flat], dtype=np.int32)
    size_bytes = np.array(sizes, dtype=np.int64)
    retired = [o for step in steps for o in step.retires]
    starts = [place for place, step in enumerate(steps) if step.position == 0]
    return Workload(
        names=tuple(f"o{o}" for o in range(len(sizes))),
        size_bytes=size_bytes,
        klass=np.zeros(len(sizes), dtype=np.int8),
        streamed=~np.array(made, dtype=np.bool_),
        made=np.array(made, dtype=np.bool_),
        step_phase=np.array([step.phase for step in steps], dtype=np.int32),
        step_position=np.array([step.position for step in steps], dtype=np.int32),
        step_run=np.array(runs, dtype=np.int32),
        compute_ps=np.array([step.compute_ps for step in steps], dtype=np.int64),
        access_ptr=np.cumsum([0, *(len(step) for step in uses)]).astype(np.int64),
        access_object=objects,
        access_bytes=size_bytes[objects],
        access_kind=np.array([kind for _, kind in flat], dtype=np.int8),
        retire_ptr=np.cumsum([0, *(len(step.retires) for step in steps)]).astype(np.int64),
        retire_object=np.array(retired, dtype=np.int32),
        transient_bytes=np.array([step.transient for step in steps], dtype=np.int64),
        iteration_ptr=np.array([*starts, len(steps)], dtype=np.int64),
        phase_names=tuple(str(p) for p in range(1 + max((s.phase for s in steps), default=0))),
    )


def rows(
    load: Workload,
    *,
    first_us: dict[int, dict[int, float]] | None = None,
    period_us: float = 0.0,
    strength: dict[int, int] | None = None,
    remake_us: dict[int, float] | None = None,
    departs: Sequence[int] = (),
    unpack_us: dict[int, float] | None = None,
) -> Descriptors:
    """Describe a workload's objects; ``first_us[phase][object]`` is a planned first use.

    Those in ``remake_us`` may be dropped and made again, those in ``departs`` leave by plan after a
    step of any phase; those in ``unpack_us`` are widened once they have arrived.
    """
    count = load.object_count
    usual = np.where(load.made, SPILLABLE, DROPPABLE).astype(np.int64)
    for o, value in (strength or {}).items():
        usual[o] = value
    nothing = np.full(count, UNSAID, dtype=np.int64)
    again, leaving = nothing.copy(), np.zeros(count, dtype=np.bool_)
    leaving[list(departs)] = True
    unpack = np.zeros(count, dtype=np.int64)
    for table, times in ((again, remake_us), (unpack, unpack_us)):
        for o, us in (times or {}).items():
            table[o] = round(us * 1e6)
    phases = []
    for number, name in enumerate(load.phase_names):
        first = nothing.copy()
        for o, us in (first_us or {}).get(number, {}).items():
            first[o] = round(us * 1e6)
        phases.append(
            PhaseRows(
                name=name,
                period_ps=round(period_us * 1e6),
                first_ps=first,
                last_ps=first.copy(),
                horizon_ps=nothing,
                stays=np.zeros(count, dtype=np.bool_),
                strength=usual,
                probability=np.ones(count),
                remake_ps=again,
                departs=leaving,
            )
        )
    return Descriptors(
        names=load.names,
        probability=np.ones(count),
        fragment_bytes=np.zeros(count, dtype=np.int64),
        backing=((),) * count,
        strength=usual,
        phases=tuple(phases),
        unpack_ps=unpack,
    )


@attrs.frozen
class Decode:
    """A decode of a llama-like model: its workload, rows and weights' bytes."""

    load: Workload
    known: Descriptors
    weights: int
    others: int


def decode(laps: int, tile: int, layers: int, rate: float, scale: int) -> Decode:
    """Make ``laps`` tokens of a llama3-70b-like model whose bytes are divided by ``scale``.

    ``rate`` is what near memory reads a second: compute is bound by it.
    """
    wide, up = 8192, 28_672
    shapes = [(wide, wide), (wide, 1024), (wide, 1024), (wide, wide)]
    mlp = [(wide, up)] * 3
    sizes: list[int] = []
    steps: list[tuple[list[int], int, bool]] = []  # objects, kv, is attention

    def tiles(rows_: int, columns: int) -> list[int]:
        left = rows_ * columns * 2 // scale
        made_: list[int] = []
        while left > 0:
            made_.append(len(sizes))
            sizes.append(min(left, tile))
            left -= sizes[-1]
        return made_

    for _ in range(layers):
        steps += [(tiles(*shape), 0, place == 2) for place, shape in enumerate(shapes)]
        steps += [(tiles(*shape), 0, False) for shape in mlp]
    steps.append((tiles(128_256, wide), 0, False))
    weights = sum(sizes)
    cache = [len(sizes) + layer for layer in range(layers)]
    cache_bytes = 512 * 4096 // scale
    activation = len(sizes) + layers
    sizes += [cache_bytes] * layers + [4 * MIB // scale] * 2
    made = [False] * (len(sizes) - layers - 2) + [True] * (layers + 2)
    first: dict[int, float] = {}
    lap: list[Step] = []
    clock, layer = 0.0, 0
    for position, (objects, _, attends) in enumerate(steps):
        touched = sum(sizes[o] for o in objects) + attends * cache_bytes
        compute = round(touched / rate * PS)
        first |= dict.fromkeys(objects, clock / 1e6)
        if attends:
            first[cache[layer]] = clock / 1e6
        now, before = activation + position % 2, activation + 1 - position % 2
        lap.append(
            Step(
                reads=[*objects, *([before] if position else [])],
                writes=[cache[layer]] if attends else [],
                creates=[now],
                retires=[before] if position else [],
                compute_ps=compute,
                transient=2 * MIB // scale,
                position=position,
            )
        )
        layer += attends
        clock += compute
    last = activation + (len(steps) - 1) % 2
    lap[-1] = attrs.evolve(lap[-1], retires=[*lap[-1].retires, last])
    load = workload(sizes, made, lap * laps)
    known = rows(load, first_us={0: first}, period_us=clock / 1e6)
    others = layers * cache_bytes + (8 + 2) * MIB // scale
    return Decode(load, known, weights, others)
