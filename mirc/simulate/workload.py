"""A module, its schedule and a machine into the arrays that the engine runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, cast

import attrs
import numpy as np

from mirc.diagnostics import CouldNotRun, Source
from mirc.ir import Module
from mirc.ir.meaning import Applied
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.machine.roofline import memory_seconds, step_ps
from mirc.machine.transfers import PS_PER_S
from mirc.simulate.admission import (
    Scope,
    admit,
    backing_of,
    kept_fast,
    largest_spells,
    spills,
)
from mirc.simulate.assumptions import assumed
from mirc.simulate.census import Census, Life
from mirc.simulate.demand import demand
from mirc.simulate.followed import Chooser, follow
from mirc.simulate.instances import (
    Cached,
    concatenate,
    instantiate,
    patterns,
    refuse_if_huge,
    walk,
)
from mirc.simulate.model import CREATE, READ, Flags, Ints, Workload
from mirc.simulate.reading import Reader, batch_of
from mirc.simulate.routing import draw_experts
from mirc.simulate.schedule import Schedule
from mirc.simulate.tables import Accesses, PhaseTable, Route, first_places, merge, read_phase
from mirc.simulate.windows import handed_on
from mirc.simulate.wiring import Wired, bytes_from_sram, sram_ps, wire
from mirc.traces.routing import RoutingTrace


@attrs.frozen(kw_only=True, eq=False)
class Scenario:
    """A workload, and what a report must say about how it came to be.

    ``tokens`` are the new tokens of all runs of the ``iterated`` phase together; the phases
    ``before`` it belong to the same iteration. ``assumptions`` are sentences. ``wired`` is None if
    the file wires nothing into SRAM. ``runs`` counts the schedule that was asked for, which a
    static placement is made for. ``raises`` are the events that the ends of steps raise,
    ``sequences_of`` the sequences of each phase that runs.
    """

    workload: Workload
    iterated: str
    iterations: int
    sequences: int
    tokens: int
    before: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    wired: Wired | None = None
    runs: Mapping[str, float] = attrs.field(factory=dict)
    raises: Mapping[int, tuple[Applied, ...]] = attrs.field(factory=dict)
    sequences_of: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, eq=False)
class _Runs:
    """The phases of a schedule (``tables``) and their runs in order, with their first steps."""

    tables: tuple[PhaseTable, ...]
    order: tuple[PhaseTable, ...]
    starts: Ints
    step_count: int

    def starts_of(self, table: PhaseTable) -> Ints:
        return self.starts[[run is table for run in self.order]]


def build(
    module: Module,
    schedule: Schedule,
    machine: Machine,
    *,
    batch: int | None = None,
    seed: int = 0,
    source: Source | None = None,
    plan: str | None = None,
    context: int | None = None,
    scope: Scope = Scope.TIERS,
    routing: RoutingTrace | None = None,
) -> Scenario:
    """Expand the schedule into steps and their accesses.

    ``batch`` replaces the sequences of every phase, ``context`` the tokens in their caches where a
    phase declares some; ``seed`` decides which experts are drawn, or where ``routing``, which then
    chooses them, begins; what is wired may depend on the ``plan``. Objects come in the order of
    their first use in the file's phases, also of those that do not run, then cache instances: where
    masters lie and what a static placement pins must not tell which phases are still to come.
    Raises CouldNotRun for an object without a size, or a run that the memories of its ``scope``
    cannot hold.
    """
    census = Census(Reader(module, source))
    tables = tables_of(module, schedule, batch, census, context)
    runs = _runs(tuple(tables.values()), tuple(tables[name] for name in schedule.runs))
    found = patterns(runs.tables, census)
    walked = walk(found, runs.order)
    demanded = demand(
        tables,
        census,
        found,
        kept=kept_fast(module, plan, census, machine),
        backing=backing_of(module, plan, census),
    )
    spells = largest_spells(runs.order, walked)
    admit(demanded, spells, module, machine, scope=scope)
    cached = instantiate(found, walked, runs.order, runs.starts)
    followed = None if routing is None else follow(routing, runs.order, seed)
    choose = _drawn(runs, seed) if followed is None else followed.choose
    workload = _workload(census, cached, runs, choose)
    moved = _moved(runs, workload)
    wiring = wire(module, machine, plan)
    reads = _per_step(workload, bytes_from_sram(wiring, workload))
    wired = Wired(wiring=wiring, near_bytes=int(moved.sum()), sram_bytes=int(reads.sum()))
    roofs = _roofs_ps(machine, runs, moved - reads, reads, wiring.memory)
    workload = attrs.evolve(
        workload,
        iteration_ptr=_iteration_ptr(runs, schedule),
        compute_ps=roofs.max(axis=0),
        roofs_ps=roofs,
        admitted=spills(demanded, spells),
    )
    batched = tables[schedule.iterated].batch
    return Scenario(
        workload=workload,
        iterated=schedule.iterated,
        before=schedule.before,
        iterations=schedule.iterations,
        sequences=batched.sequences,
        tokens=schedule.iterations * batched.sequences * batched.tokens,
        assumptions=(
            *schedule.assumptions,
            *assumed(
                module,
                runs.tables,
                census,
                cached,
                followed=None if followed is None else followed.sentence,
            ),
        ),
        wired=wired if wiring.wishes else None,
        runs=Counter(schedule.runs),
        raises=_raised(module, runs),
        sequences_of={name: table.batch.sequences for name, table in tables.items()},
    )


def must_take_context(module: Module, schedule: Schedule) -> None:
    """Raise CouldNotRun where no cache is there before the first run that uses it."""
    if not read(module.phases[schedule.runs[0]], "context"):
        raise CouldNotRun(
            f"the schedule begins with `{schedule.runs[0]}`, whose caches begin empty: no context "
            "can be given",
            f"begin with a phase that has a context: `--schedule 'REPEAT(4, {schedule.iterated})'`",
        )


def tables_of(
    module: Module,
    schedule: Schedule,
    batch: int | None,
    census: Census,
    context: int | None = None,
) -> dict[str, PhaseTable]:
    """Read all phases in the file's order, give those that run; they must be whole."""
    tables: dict[str, PhaseTable] = {}
    for name, phase in module.phases.items():
        whole = name in schedule.runs
        with nullcontext() if whole else suppress(CouldNotRun):
            tables[name] = read_phase(phase, batch_of(phase, batch, context), census)
    lived = handed_on(tables, census)
    return {name: table for name, table in lived.items() if name in schedule.runs}


def _runs(tables: tuple[PhaseTable, ...], order: tuple[PhaseTable, ...]) -> _Runs:
    counts = np.array([len(table.costs) for table in order], dtype=np.int64)
    return _Runs(
        tables=tables, order=order, starts=np.cumsum(counts) - counts, step_count=int(counts.sum())
    )


def _workload(census: Census, cached: Cached, runs: _Runs, choose: Chooser) -> Workload:
    own = len(census.names)
    sizes = np.concatenate((np.array(census.sizes, dtype=np.int64), cached.sizes))
    lives = np.array([life.value for life in census.lives], dtype=np.str_)
    instances = np.ones(len(cached.names), dtype=np.bool_)
    lasting = np.concatenate((lives == Life.LASTING.value, instances))
    passing = np.isin(lives, (Life.RUN.value, Life.WINDOW.value))
    made = np.concatenate((passing, instances)) | lasting
    table = _born(_gather(runs, cached, own, sizes, choose), lasting)
    end_step, end_object = _ends(runs, cached, own)
    phases = tuple(census.reader.module.phases)
    sizes_of_runs = [len(run.costs) for run in runs.order]
    return Workload(
        names=(*census.names, *cached.names),
        size_bytes=sizes,
        klass=np.concatenate((np.array(census.classes), cached.classes)).astype(np.int8),
        streamed=np.concatenate((np.array(census.streamed, dtype=np.bool_), ~instances)),
        made=made,
        step_phase=np.repeat([phases.index(run.name) for run in runs.order], sizes_of_runs).astype(
            np.int32
        ),
        step_position=np.concatenate([np.arange(size) for size in sizes_of_runs]).astype(np.int32),
        step_run=np.repeat(_turns(runs.order), sizes_of_runs).astype(np.int32),
        compute_ps=np.zeros(runs.step_count, dtype=np.int64),
        access_ptr=_pointers(table.step, runs.step_count),
        access_object=table.object.astype(np.int32),
        access_bytes=table.size_bytes,
        access_kind=table.kind,
        retire_ptr=_pointers(end_step, runs.step_count),
        retire_object=end_object.astype(np.int32),
        transient_bytes=np.concatenate(
            [[cost.transient_bytes for cost in run.costs] for run in runs.order]
        ).astype(np.int64),
        iteration_ptr=np.zeros(1, dtype=np.int64),
        phase_names=phases,
    )


def _gather(runs: _Runs, cached: Cached, own: int, sizes: Ints, choose: Chooser) -> Accesses:
    """Lay out all accesses of all runs; cache instances are numbered from ``own`` on."""
    refuse_if_huge(sum(len(run.fixed) for run in runs.order) + len(cached.accesses))
    return merge(
        concatenate(
            [
                *(_repeat(table.fixed, runs.starts_of(table)) for table in runs.tables),
                *_routed(runs, sizes, choose),
                attrs.evolve(cached.accesses, object=cached.accesses.object + own),
            ]
        )
    )


def _repeat(fixed: Accesses, starts: Ints) -> Accesses:
    """Repeat what every run of a phase touches alike, shifted to where each run begins."""
    return Accesses(
        step=(starts[:, None] + fixed.step[None, :]).ravel(),
        object=np.tile(fixed.object, len(starts)),
        size_bytes=np.tile(fixed.size_bytes, len(starts)),
        kind=np.tile(fixed.kind, len(starts)),
    )


def _drawn(runs: _Runs, seed: int) -> Chooser:
    """Draw the experts of each routed step of each run: seed, run and step decide."""

    def choose(run: int, route: Route) -> Ints:
        batch = runs.order[run].batch
        key = (seed, run, route.position)
        return draw_experts(route.probabilities, route.chosen, batch.sequences * batch.tokens, key)

    return choose


def _routed(runs: _Runs, sizes: Ints, choose: Chooser) -> list[Accesses]:
    """List the experts that each routed step of each run uses."""
    parts: list[Accesses] = []
    total = 0
    for run, table in enumerate(runs.order):
        for route in table.routes:
            experts = choose(run, route)
            objects = np.concatenate([route.members[expert] for expert in experts])
            total += len(objects)
            refuse_if_huge(total)
            parts.append(
                Accesses(
                    step=np.full(len(objects), runs.starts[run] + route.position),
                    object=objects,
                    size_bytes=sizes[objects],
                    kind=np.full(len(objects), READ, dtype=np.int8),
                )
            )
    return parts


def _born(table: Accesses, lasting: Flags) -> Accesses:
    """Let what is made and stays begin with its first use anywhere."""
    first = first_places(table.object, len(lasting))
    kind = table.kind.copy()
    kind[first[lasting & (first < len(table))]] = CREATE
    return attrs.evolve(table, kind=kind)


def _ends(runs: _Runs, cached: Cached, own: int) -> tuple[Ints, Ints]:
    """Return (step, object) pairs of all retirements, by step, then object."""
    steps, objects = [cached.ends[0]], [cached.ends[1] + own]
    for table in runs.tables:
        starts = runs.starts_of(table)
        steps.append((starts[:, None] + table.ends[0][None, :]).ravel())
        objects.append(np.tile(table.ends[1], len(starts)))
    step, thing = np.concatenate(steps), np.concatenate(objects)
    order = np.lexsort((thing, step))
    return step[order], thing[order]


def _pointers(steps: Ints, count: int) -> Ints:
    return np.concatenate(([0], np.cumsum(np.bincount(steps, minlength=count)))).astype(np.int64)


def _turns(order: Sequence[PhaseTable]) -> list[int]:
    """Return, for each run, how many runs of its phase came before."""
    seen: dict[str, int] = {}
    turns = []
    for run in order:
        turns.append(seen.get(run.name, 0))
        seen[run.name] = turns[-1] + 1
    return turns


def _per_step(workload: Workload, values: Ints) -> Ints:
    """Sum a value of each access over the accesses of each step."""
    sums = np.concatenate(([0], np.cumsum(values)))
    totals: Ints = np.diff(sums[workload.access_ptr])
    return totals


def _moved(runs: _Runs, workload: Workload) -> Ints:
    """Return the bytes that each step moves between compute and its operands."""
    inner = np.concatenate([[cost.traffic_bytes for cost in run.costs] for run in runs.order])
    return _per_step(workload, workload.access_bytes) + inner.astype(np.int64)


def _raised(module: Module, runs: _Runs) -> dict[int, tuple[Applied, ...]]:
    """Return what each step's end raises, of those that raise something."""
    of_phase = {
        table.name: [
            (position, read(step, "raises"))
            for position, step in enumerate(module.phases[table.name].steps)
            if step.value("raises") is not None
        ]
        for table in runs.tables
    }
    return {
        int(start) + position: events
        for run, start in zip(runs.order, runs.starts, strict=True)
        for position, events in of_phase[run.name]
    }


def _roofs_ps(
    machine: Machine, runs: _Runs, near_bytes: Ints, sram_bytes: Ints, sram: str | None
) -> Ints:
    """Price every step by near memory, and by all other roofs: [2, S]; the larger is its time.

    What is read from the memory ``sram`` has a roof of its own beside that of the FLOPs.
    """
    of_table = {
        table.name: np.array(
            [step_ps(machine, cost.flops, cost.work, cost.dtype, 0) for cost in table.costs],
            dtype=np.int64,
        )
        for table in runs.tables
    }
    other = np.concatenate([of_table[run.name] for run in runs.order])
    if sram is not None:
        amounts, which = np.unique(sram_bytes, return_inverse=True)
        wired = [sram_ps(machine, sram, amount) for amount in amounts.tolist()]
        other = np.maximum(other, np.array(wired, dtype=np.int64)[which])
    # What ``step_ps`` says of steps that compute nothing, for all of them at once.
    seconds = memory_seconds(machine, cast("Any", near_bytes))
    return np.stack((np.rint(seconds * PS_PER_S).astype(np.int64), other))


def _iteration_ptr(runs: _Runs, schedule: Schedule) -> Ints:
    steps = {table.name: len(table.costs) for table in runs.tables}
    before = sum(steps[name] for name in schedule.before)
    names = np.array([run.name == schedule.iterated for run in runs.order])
    starts = runs.starts[names]
    end = starts[-1] + steps[schedule.iterated]
    return np.append(starts - before, end)
