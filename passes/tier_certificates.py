"""What tier-liveness decided into certificates: bytes, time and masters beside what none beats."""

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from mirc.bounds.certificate import Certificate
from mirc.bounds.packing import divisible_saved_bytes, use_gaps
from mirc.bounds.placement import PlacementProblem, cost_ps
from mirc.bounds.prices import priced
from mirc.bounds.streaming import step_bound_ps
from mirc.ir.enums import TierKind
from mirc.machine.transfers import transfer_ps
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.pieces import Demand, Piece, use_of
from mirc.passes.placing import Mode, least_bytes
from mirc.passes.tiers import below_near, inward

LAPS = 4
"""Runs of a repeating phase whose use gaps are packed: the first finds nothing near."""

MOST_USES = 2_000_000
"""Uses, over all laps, above which gaps are not packed and the closed form is what there is."""


def certificates(plan: MachinePlan, pieces: Sequence[Piece]) -> Iterator[Certificate]:
    """Yield one for the bytes and one for the time of each phase that moves any, one for masters.

    Bytes of certain pieces are held against the interval packing of their use gaps (its LP, solved
    exactly for divisible pieces), those of routed ones against the fractional knapsack, which holds
    in expectation; time against compute and link by themselves; masters against the LP relaxation
    of their placement.
    """
    for name, phase in plan.phases.items():
        if phase.placement.planned_bytes:
            where = f"{name} on {plan.machine.name}"
            yield _bytes(plan, pieces, phase, where)
            yield _time(plan, pieces, phase, where)
    yield _masters(plan, pieces)


def _bytes(plan: MachinePlan, pieces: Sequence[Piece], phase: PhasePlan, where: str) -> Certificate:
    placement = phase.placement
    laps = LAPS if phase.phase.repeats else 1
    uses = [use_of(phase.wanted, piece) for piece in pieces]
    certain = [i for i, use in enumerate(uses) if use.demand is Demand.FIXED]
    drawn = any(use.demand is Demand.CHANCE for use in uses)
    if drawn or laps * sum(len(uses[i].steps) for i in certain) > MOST_USES:
        note = (
            "in expectation, each expert drawn by its own probability"
            if drawn
            else f"more than {MOST_USES:_} uses: their gaps were not packed"
        )
        return Certificate(
            decision=f"which pieces stay near in a run of {where}",
            objective=placement.planned_bytes,
            bound=placement.bound_bytes,
            unit="bytes",
            method="fractional knapsack",
            note=note + "; caches at their largest",
        )
    begin = time.perf_counter()
    steps = len(phase.working_bytes)
    room = [plan.machine.near.usable_bytes - size for size in phase.working_bytes] * laps
    every = 0
    at: list[list[int]] = []
    for index in certain:
        at.append([lap * steps + step for lap in range(laps) for step in uses[index].steps])
        for step in at[-1]:
            room[step] -= pieces[index].size_bytes
        every += len(at[-1]) * pieces[index].size_bytes
    gaps = use_gaps(at, [pieces[i].size_bytes for i in certain])
    neighbours = sum(
        pieces[index].size_bytes * sum(b - a == 1 for a, b in pairwise(row))
        for index, row in zip(certain, at, strict=True)
    )
    first = sum(pieces[i].size_bytes for i in certain)
    streamed = sum(pieces[i].size_bytes * len(placement.residences[i].stretches) for i in certain)
    bound = every - neighbours - divisible_saved_bytes(gaps, room)
    return Certificate(
        decision=f"which pieces stay near in {laps} runs of {where}",
        objective=first + (laps - 1) * streamed,
        bound=bound,
        unit="bytes",
        method="interval packing of use gaps, pieces divisible",
        solver="farthest next use, byte by byte",
        seconds=time.perf_counter() - begin,
        note="caches at their largest",
    )


def _time(plan: MachinePlan, pieces: Sequence[Piece], phase: PhasePlan, where: str) -> Certificate:
    """Hold a run's time against compute and against the links out of each tier and those below.

    What near memory and the tiers above one cannot hold comes from it or from below it.
    """
    lower = below_near(plan.machine)
    capacity = plan.machine.near.usable_bytes - max(phase.working_bytes)
    floor = phase.clock.period_ps
    for place in range(len(lower)):
        roots: dict[str, float] = {}
        for memory in lower[place:]:
            route = inward(plan.machine, memory)
            link = route[0] if place else route[-1]
            root = link.root or link.name
            roots[root] = max(roots.get(root, 0.0), link.peak_bytes_per_s)
        moved = least_bytes(pieces, phase.wanted, capacity)
        floor = max(floor, step_bound_ps(phase.clock.period_ps, moved, sum(roots.values())))
        capacity += lower[place].usable_bytes
    return Certificate(
        decision=f"when transfers begin in a run of {where}",
        objective=phase.placement.run_ps / 1e6,
        bound=floor / 1e6,
        unit="us",
        method="max(compute, least bytes out of each tier and those below over its links)",
        note="what stays is there when the run begins; links at the rate of large fragments",
    )


def _masters(plan: MachinePlan, pieces: Sequence[Piece]) -> Certificate:
    decision = f"which tier keeps the masters on {plan.machine.name}"
    lower = below_near(plan.machine)
    total = sum(piece.size_bytes for piece in pieces)
    problem = _masters_problem(plan, pieces)
    kinds = {TierKind(memory.kind): place for place, memory in enumerate(lower)}
    if not lower or plan.masters.homeless or not pieces:
        return Certificate(
            decision=decision,
            objective=plan.masters.homeless,
            bound=max(0, total - sum(memory.usable_bytes for memory in lower)),
            unit="bytes",
            method="bytes beyond all lower tiers",
        )
    tier = np.array([[kinds[kind] for kind in plan.masters.tier]], dtype=np.int64)
    found = priced(problem)
    return Certificate(
        decision=decision,
        objective=cost_ps(problem, tier) / 1e6,
        bound=max(0.0, found.bound_ps / 1e6),
        unit="us",
        method="LP relaxation of the placement, through its prices",
        solver="cutting planes (HiGHS)",
        seconds=found.seconds,
        note="transfers of one run of every phase",
    )


def _masters_problem(plan: MachinePlan, pieces: Sequence[Piece]) -> PlacementProblem:
    """Fetch each piece from each lower tier as often as the plan does in a run of every phase."""
    lower = below_near(plan.machine)
    fetches = np.zeros(len(pieces))
    for phase in plan.phases.values():
        for index, residence in enumerate(phase.placement.residences):
            if residence.mode is Mode.ON_DEMAND:
                fetches[index] += use_of(phase.wanted, pieces[index]).probability
            fetches[index] += len(residence.stretches)
    size = np.array([piece.size_bytes for piece in pieces], dtype=np.int64)
    routes = [inward(plan.machine, memory) for memory in lower]
    of_size = {
        each: [float(sum(transfer_ps(link, each) for link in route)) for route in routes]
        for each in dict.fromkeys(size.tolist())
    }
    once = np.array([of_size[each] for each in size.tolist()]).reshape(len(pieces), len(lower))
    return PlacementProblem(
        size_bytes=size,
        room_bytes=np.array([memory.usable_bytes for memory in lower], dtype=np.int64),
        access_ps=(fetches[:, None] * once)[None],
        enter_ps=np.zeros_like(once),
    )
