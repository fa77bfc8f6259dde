"""What a policy made of a workload into the figures of a report."""

from collections.abc import Sequence

import attrs
import numpy as np

from mirc.controller.learning import Correction
from mirc.controller.stage import Happening
from mirc.simulate.limits import Limits
from mirc.simulate.model import Ints, LinkUse, Outcome, Prefetches, Troubles, Workload

WORTH = 0.01
"""Below this share of the total time two policies are said to do equally well."""


@attrs.frozen(kw_only=True)
class LinkFigures:
    """One directed link: what crossed it, by class, and per new token."""

    name: str
    source: str
    target: str
    demand_bytes: int
    prefetch_bytes: int
    writeback_bytes: int
    total_bytes: int
    bytes_per_token: float
    busy_ps: int


@attrs.frozen(kw_only=True)
class Figures:
    """One row of the table; times in picoseconds.

    ``p50_ps``, ``p95_ps`` and ``p99_ps`` are nearest-rank percentiles of the steady iterations:
    all but the first run of the schedule, which fills the memory and is ``first_ps`` (in
    training: but the first round of its phases).
    ``near_bytes`` came into near memory. ``gap_to_bound`` is the total time over its bound less
    one, ``excess_bytes`` the same of bytes; neither is negative. ``near_hits`` is the share of
    accesses that found their bytes near; ``waiting_steps`` are the steps that could not begin at
    once. ``happenings`` are what the stages of the run did, in order.
    """

    policy: str
    oracle: bool
    path: str
    p50_ps: int
    p95_ps: int
    p99_ps: int
    first_ps: int
    total_ps: int
    compute_ps: int
    stall_demand_ps: int
    stall_late_ps: int
    stall_queue_ps: int
    waiting_steps: int
    near_bytes: int
    links: tuple[LinkFigures, ...]
    hits: dict[str, int]
    near_hits: float
    prefetches: Prefetches
    peak_bytes: dict[str, int]
    gap_to_bound: float
    excess_bytes: float
    stall_remake_ps: int = 0
    troubles: Troubles = attrs.field(factory=Troubles)
    broken: tuple[str, ...] = ()
    happenings: tuple[Happening, ...] = ()
    corrections: tuple[Correction, ...] = ()


def figures(
    outcome: Outcome, workload: Workload, bounds: Limits, near: str, tokens: int
) -> Figures:
    """Reduce an outcome; ``near`` names the near memory, ``tokens`` are the new ones of the run."""
    steady = steady_ps(outcome.step_ps, workload)
    first = int(outcome.step_ps[: _first_run_end(workload)].sum())
    links = tuple(_link(use, tokens) for use in outcome.links)
    near_bytes = sum(
        link.demand_bytes + link.prefetch_bytes for link in links if link.target == near
    )
    served = sum(outcome.hits.values())
    return Figures(
        policy=outcome.policy,
        oracle=outcome.oracle,
        path=outcome.path,
        p50_ps=percentile(steady, 50),
        p95_ps=percentile(steady, 95),
        p99_ps=percentile(steady, 99),
        first_ps=first,
        total_ps=outcome.end_ps,
        compute_ps=int(outcome.compute_ps.sum()),
        stall_demand_ps=int(outcome.stall_demand_ps.sum()),
        stall_late_ps=int(outcome.stall_late_ps.sum()),
        stall_queue_ps=int(outcome.stall_queue_ps.sum()),
        stall_remake_ps=int(outcome.stall_remake_ps.sum()),
        troubles=outcome.troubles,
        waiting_steps=int((outcome.step_ps > outcome.compute_ps).sum()),
        near_bytes=near_bytes,
        links=links,
        hits=outcome.hits,
        near_hits=outcome.hits.get(near, 0) / served if served else 1.0,
        prefetches=outcome.prefetches,
        peak_bytes=outcome.peak_bytes,
        gap_to_bound=over(outcome.end_ps, bounds.total_ps),
        excess_bytes=over(near_bytes, bounds.near_bytes),
        corrections=outcome.corrections,
    )


def steady_ps(step_ps: Ints, workload: Workload) -> Ints:
    """Return the time of each run of the iterated phase, without the schedule's first run.

    If the schedule has one run only, that one is returned.
    """
    starts = workload.iteration_ptr[:-1]
    size = int(workload.iteration_ptr[-1] - starts[-1])
    sums = np.concatenate(([0], np.cumsum(step_ps)))
    times: Ints = sums[starts + size] - sums[starts]
    return times[1:] if starts[0] == 0 and len(times) > 1 else times


def percentile(values: Ints, percent: int) -> int:
    """Return the nearest-rank percentile: the least value that ``percent`` of 100 do not exceed."""
    ordered = np.sort(values)
    rank = -(-len(ordered) * percent // 100)
    return int(ordered[max(0, rank - 1)])


def verdict(rows: Sequence[Figures]) -> tuple[str, ...]:
    """Say what intent was worth: against static, then against the best of the other policies.

    Empty if intent was not run. Oracles are no opponents: they are given the future.
    """
    by_name = {row.policy: row for row in rows}
    intent = by_name.get("intent")
    if intent is None:
        return ()
    sentences = []
    static = by_name.get("static")
    if static is not None:
        sentences.append(_against_static(intent, static))
    others = [row for row in rows if not row.oracle and row.policy not in ("intent", "static")]
    if others:
        best = min(others, key=lambda row: row.total_ps)
        sentences.append(_against("the best of the others", intent, best))
    return tuple(sentences)


def _against_static(intent: Figures, static: Figures) -> str:
    time = over(intent.total_ps, static.total_ps)
    if abs(time) < WORTH:
        return f"intent gains nothing over static here ({_compared(time, 'less', 'time')})"
    return _against("the best static placement", intent, static)


def _against(whom: str, intent: Figures, other: Figures) -> str:
    time = over(intent.total_ps, other.total_ps)
    verb = "does as well as" if abs(time) < WORTH else "beats" if time < 0 else "loses to"
    said = f"intent {verb} {other.policy}, {whom}: {_compared(time, 'less', 'time')}"
    if not other.near_bytes:
        return said
    moved = intent.near_bytes / other.near_bytes - 1
    return f"{said}, {_compared(moved, 'fewer', 'bytes')}"


def _compared(change: float, smaller: str, noun: str) -> str:
    return f"{abs(change) * 100:.1f} % {smaller if change < 0 else 'more'} {noun}"


def _link(use: LinkUse, tokens: int) -> LinkFigures:
    return LinkFigures(
        name=use.name,
        source=use.source,
        target=use.target,
        demand_bytes=use.demand_bytes,
        prefetch_bytes=use.prefetch_bytes,
        writeback_bytes=use.writeback_bytes,
        total_bytes=use.total_bytes,
        bytes_per_token=use.total_bytes / tokens,
        busy_ps=use.busy_ps,
    )


def _first_run_end(workload: Workload) -> int:
    starts = workload.iteration_ptr
    if starts[0] == 0:  # in training several runs are one iteration
        return int(starts[-1] - starts[-2])
    other = (workload.step_phase != workload.step_phase[0]) | (
        workload.step_run != workload.step_run[0]
    )
    return int(other.argmax()) if other.any() else workload.step_count


def over(value: int, bound: int) -> float:
    """Return by what share a value exceeds another, 0 where that is nothing: an idle run."""
    return value / bound - 1 if bound else 0.0
