"""What tier-liveness decided into certificates: bytes, time and masters beside what none beats."""

from collections.abc import Iterator, Sequence
from functools import partial

from mirc.bounds.certificate import Certificate
from mirc.bounds.placement import cost_ps
from mirc.bounds.prices import priced
from mirc.bounds.streaming import drawn_bound_ps, step_bound_ps
from mirc.passes.allotted import master_problem, master_tiers
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.phase_annotator import WindowKind
from mirc.passes.pieces import Demand, Piece, Wanted, use_of
from mirc.passes.placing import least_bytes
from mirc.passes.rounds import Turn
from mirc.passes.tier_moves import MOST_USES, Moves, least_moved, least_warm_bytes, moved_bytes
from mirc.passes.tiers import below_near, inward

LAPS = 4
"""Runs of a repeating phase whose use gaps are packed: the first finds nothing near."""


def certificates(plan: MachinePlan, pieces: Sequence[Piece]) -> Iterator[Certificate]:
    """Yield one for the bytes and one for the time of each phase that moves any, one for masters.

    Bytes of certain pieces are held against the interval packing of their use gaps (its LP, solved
    exactly for divisible pieces), those of routed ones against the fractional knapsack, which holds
    in expectation; time against compute and link by themselves; masters against the LP relaxation
    of their placement.
    """
    for name, phase in plan.phases.items():
        where = f"{name} on {plan.machine.name}"
        if not phase.placement.fits:
            yield _without_room(plan, phase, where)
        elif phase.placement.planned_bytes:
            yield _bytes(plan, pieces, phase, where)
            yield _time(plan, pieces, phase, where)
    yield _masters(plan, pieces)


def _without_room(plan: MachinePlan, phase: PhasePlan, where: str) -> Certificate:
    return Certificate(
        decision=f"which pieces stay near in a run of {where}",
        objective=phase.placement.planned_bytes,
        bound=None,
        unit="bytes",
        method="none",
        feasible=False,
        note=f"one step needs more than the {plan.machine.near.usable_bytes:_} bytes of near "
        "memory: no plan can be carried out",
    )


def _bytes(plan: MachinePlan, pieces: Sequence[Piece], phase: PhasePlan, where: str) -> Certificate:
    placement = phase.placement
    moves, certain = _moves(plan, pieces, phase)
    drawn = any(use.demand is Demand.CHANCE for use in phase.wanted.values())
    if drawn or moves.count > MOST_USES:
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
    least = least_moved(moves)
    again = ", some several times in a run" if moves.returns else ""
    return Certificate(
        decision=f"which pieces stay near in {moves.laps} runs of {where}",
        objective=moved_bytes(moves, [placement.residences[i] for i in certain]),
        bound=least.size_bytes,
        unit="bytes",
        method=least.method,
        solver=least.solver,
        seconds=least.seconds,
        note=f"all that comes near, the first run finding nothing there{again}; caches at their "
        "largest",
    )


def _moves(plan: MachinePlan, pieces: Sequence[Piece], phase: PhasePlan) -> tuple[Moves, list[int]]:
    """Return the certain pieces' part of a phase, and which they are."""
    certain = [
        index
        for index, piece in enumerate(pieces)
        if use_of(phase.wanted, piece).demand is Demand.FIXED
    ]
    moves = Moves(
        sizes=tuple(pieces[index].size_bytes for index in certain),
        uses=tuple(
            tuple(sorted(set(use_of(phase.wanted, pieces[index]).steps))) for index in certain
        ),
        room=tuple(plan.machine.near.usable_bytes - size for size in phase.working_bytes),
        laps=LAPS if phase.phase.repeats else 1,
    )
    return moves, certain


def _time(plan: MachinePlan, pieces: Sequence[Piece], phase: PhasePlan, where: str) -> Certificate:
    """Hold a run's time against compute and against the links out of each tier and those below.

    What near memory and the tiers above one cannot hold comes from it or from below it; an expert
    that is not near when its router has chosen it is waited for.
    """
    lower = below_near(plan.machine)
    capacity = plan.machine.near.usable_bytes - max(phase.working_bytes)
    period = phase.clock.period_ps
    drawn = any(use.demand is Demand.CHANCE for use in phase.wanted.values())
    hidden = _hidden_ps(phase) if drawn else period
    floor = period
    moves, _ = _moves(plan, pieces, phase)
    packed = moves.returns and moves.count <= MOST_USES
    above = 0  # bytes of the tiers between near memory and the one whose links are looked at
    for place in range(len(lower)):
        roots: dict[str, float] = {}
        for memory in lower[place:]:
            route = inward(plan.machine, memory)
            link = route[0] if place else route[-1]
            root = link.root or link.name
            roots[root] = max(roots.get(root, 0.0), link.peak_bytes_per_s)
        missing = partial(_missing, pieces, phase.wanted, capacity)
        rate = sum(roots.values())
        least = max(missing(0), least_warm_bytes(moves, above) if packed else 0)
        floor = max(
            floor,
            step_bound_ps(period, least, rate),
            drawn_bound_ps(period, hidden, missing, rate) if drawn else 0,
        )
        capacity += lower[place].usable_bytes
        above += lower[place].usable_bytes
    return Certificate(
        decision=f"when transfers begin in a run of {where}",
        objective=phase.placement.run_ps / 1e6,
        bound=floor / 1e6,
        unit="us",
        method=_TIME_OF_DRAWN if drawn else _TIME,
        note=_STAYS + (_AGAIN if packed else "") + (_DRAWN if drawn else ""),
    )


_TIME = "max(compute, least bytes out of each tier and those below over its links)"
_TIME_OF_DRAWN = "compute, then the wait for drawn experts, guesses fetched ahead as compute runs"
_STAYS = "what stays is there when the run begins; links at the rate of large fragments"
_AGAIN = "; bytes of pieces used several times in a run by packing the gaps between their uses"
_DRAWN = (
    "; in expectation, draws independent of what was drawn before; drawn experts take no room, "
    "and a fetch over two links takes the time of the slower one"
)


def _missing(pieces: Sequence[Piece], wanted: dict[int, Wanted], capacity: int, ahead: int) -> int:
    return least_bytes(pieces, wanted, max(0, capacity) + ahead)


def _hidden_ps(phase: PhasePlan) -> int:
    """Return the compute that may run between a router's choice and the last use of its experts.

    All of it, where a step uses experts that no choice was seen for.
    """
    start, graph = phase.clock.start_ps, phase.phase.graph
    hidden, seen = 0, set[int]()
    for window in phase.phase.windows:
        if window.kind is WindowKind.EXPERT_DISPATCH:
            step = graph.steps[window.first]
            nodes = graph.nodes[step.first : step.last + 1]
            if not any("topk" in node.op for node in nodes):
                return phase.clock.period_ps
            hidden += start[window.last] - start[window.first]
            seen.update(range(window.first, window.last + 1))
    drawn = (use.steps for use in phase.wanted.values() if use.demand is Demand.CHANCE)
    if any(step not in seen for steps in drawn for step in steps):
        return phase.clock.period_ps
    return hidden


def _masters(plan: MachinePlan, pieces: Sequence[Piece]) -> Certificate:
    decision = f"which tier keeps the masters on {plan.machine.name}"
    lower = below_near(plan.machine)
    if not lower or plan.masters.homeless or not pieces:
        total = sum(piece.size_bytes for piece in pieces)
        return Certificate(
            decision=decision,
            objective=plan.masters.homeless,
            bound=max(0, total - sum(memory.usable_bytes for memory in lower)),
            unit="bytes",
            method="bytes beyond all lower tiers",
            feasible=not plan.masters.homeless,
            note="no tier below near memory has room for them" if plan.masters.homeless else "",
        )
    problem = master_problem(plan.machine, pieces, map(_turn, plan.phases.values()))
    found = priced(problem)
    return Certificate(
        decision=decision,
        objective=cost_ps(problem, master_tiers(plan.machine, plan.masters)) / 1e6,
        bound=max(0.0, found.bound_ps / 1e6),
        unit="us",
        method="LP relaxation of the placement, through its prices",
        solver="cutting planes (HiGHS)",
        seconds=found.seconds,
        feasible=plan.fits,
        note="transfers of the whole schedule, one after the other"
        if plan.fits
        else "a phase needs more near memory than there is: its transfers are no plan's",
    )


def _turn(phase: PhasePlan) -> Turn:
    return Turn(
        runs=phase.phase.runs,
        room=phase.working_bytes,
        wanted=phase.wanted,
        placement=phase.placement,
    )
