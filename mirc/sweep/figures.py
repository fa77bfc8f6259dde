"""A point of a sweep into the figures of its simulation, by name."""

from collections.abc import Mapping
from functools import lru_cache

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.lint.errors import load_right
from mirc.lint.sources import read
from mirc.machine import Machine
from mirc.machine.load import load as machine_of
from mirc.packed.model import Packed
from mirc.packed.pack import seal
from mirc.simulate.case import Case, case_of, run
from mirc.simulate.comparison import plan_for
from mirc.simulate.hints import corrupted
from mirc.simulate.schedule import schedule_of
from mirc.simulate.serving.model import Options
from mirc.simulate.serving.serve import serve
from mirc.simulate.workload import build, must_take_context
from mirc.sweep.of_accesses import of_accesses
from mirc.sweep.points import Point, digest
from mirc.traces.arrivals import Arrivals, arrivals

Value = int | float
_GB = 10**9


def figures_of(point: Point) -> Mapping[str, Value]:
    """Simulate; times are picoseconds, sizes bytes. Raises CouldNotRun for what cannot run.

    What a point shares with the one before it in this process is not read or built again.
    """
    for path, then in ((point.file, point.file_digest), (point.trace, point.trace_digest)):
        if path is not None and digest(path) != then:
            raise CouldNotRun(f"`{path}` is not what it was when the sweep began", "sweep again")
    if point.file is None:
        return of_accesses(point)
    if point.trace is None:
        return _of_schedule(point)
    return _of_requests(point, point.file, point.trace)


def _of_schedule(point: Point) -> dict[str, Value]:
    whole = _case(attrs.evolve(point, key="", policy="", hints_wrong=0.0))
    told = corrupted(whole, point.hints_wrong, point.seed) if point.hints_wrong else whole
    row = run(told, point.policy)
    return {
        "total_ps": row.total_ps,
        "p50_ps": row.p50_ps,
        "p95_ps": row.p95_ps,
        "p99_ps": row.p99_ps,
        "first_ps": row.first_ps,
        "compute_ps": row.compute_ps,
        "stall_demand_ps": row.stall_demand_ps,
        "stall_late_ps": row.stall_late_ps,
        "stall_queue_ps": row.stall_queue_ps,
        "stall_remake_ps": row.stall_remake_ps,
        "near_bytes": row.near_bytes,
        "near_hits": row.near_hits,
        "bound_ps": whole.bounds.total_ps,
        "bound_bytes": whole.bounds.near_bytes,
        "gap_to_bound": row.gap_to_bound,
        "excess_bytes": row.excess_bytes,
        "broken_contracts": len(row.broken),
    }


@lru_cache(maxsize=2)
def _case(point: Point) -> Case:
    """Build what all policies and hints of a point share."""
    module, packed = _module(str(point.file))
    machine = _sized(machine_of(str(point.machine)), point.capacity_gb)
    plan = plan_for(module, machine, str(point.machine))
    schedule = schedule_of(module, point.steps, point.schedule)
    if point.context is not None:
        must_take_context(module, schedule)
    scenario = build(
        module,
        schedule,
        machine,
        batch=point.batch,
        context=point.context,
        seed=point.seed,
        plan=plan,
    )
    return case_of(packed, scenario, machine, plan)


@lru_cache(maxsize=2)
def _module(path: str) -> tuple[Module, Packed]:
    module = load_right(read(path))
    return module, seal(module)


def _sized(machine: Machine, gigabytes: float | None) -> Machine:
    """Return the machine with that much usable near memory, or as it is."""
    if gigabytes is None:
        return machine
    near = machine.near
    size = int(gigabytes * _GB) + near.reserve_bytes
    if size <= near.reserve_bytes:
        raise CouldNotRun(f"near memory of {gigabytes:g} GB holds nothing", "give it more")
    memories = tuple(
        attrs.evolve(each, capacity_bytes=size) if each is near else each
        for each in machine.memories
    )
    return attrs.evolve(machine, memories=memories)


def _of_requests(point: Point, file: str, trace: str) -> dict[str, Value]:
    usual = Options()
    found = _arrivals(trace, point.trace_block)
    options = Options(
        machines=(str(point.machine),),
        policies=point.policy,
        kv_gb=point.capacity_gb,
        swap_gb=usual.swap_gb if point.swap_gb is None else point.swap_gb,
        block_tokens=found.block_tokens,
        at_once=point.at_once or usual.at_once,
        speedup=point.speedup or usual.speedup,
    )
    module, _ = _module(file)
    served = serve(module, trace, found.requests, options).machines[0]
    (row,) = served.rows
    total, pace = row.total, row.pace
    figures = {
        "requests": served.requests,
        "kv_bytes": served.capacity_bytes,
        "prompt_tokens": total.asked,
        "usable_tokens": total.found,
        "most_usable_tokens": served.ceiling,
        "blocks": total.blocks,
        "blocks_there": total.blocks_there,
        "blocks_found": total.blocks_found,
        "computed_tokens": total.computed,
        "swapped_tokens": total.swapped,
        "preempted": total.preempted,
        "refused": total.refused,
        "iterations": row.steps,
        "span_s": pace.span_s,
        "busy": pace.busy,
        "ttft_p50_ms": pace.ttft_ms.p50,
        "ttft_p95_ms": pace.ttft_ms.p95,
        "ttft_p99_ms": pace.ttft_ms.p99,
        "itl_p50_ms": pace.itl_ms.p50,
        "itl_p95_ms": pace.itl_ms.p95,
        "itl_p99_ms": pace.itl_ms.p99,
        "requests_per_s": pace.requests_per_s,
        "goodput_per_s": pace.goodput_per_s,
        "tokens_per_s": pace.tokens_per_s,
    }
    return {name: value for name, value in figures.items() if value is not None}


@lru_cache(maxsize=1)
def _arrivals(path: str, block_tokens: int | None) -> Arrivals:
    return arrivals(path, block_tokens=block_tokens)
