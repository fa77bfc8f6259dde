"""Pieces, room and a machine's clock into which tier holds what, from which step to which."""

from collections.abc import Iterator

import attrs

from mirc.bounds.certificate import Certificate
from mirc.graph import Program
from mirc.machine import Machine
from mirc.passes.base import Facts, Pass
from mirc.passes.expert_routing import Routing
from mirc.passes.leaving import Leaving, leaving
from mirc.passes.liveness import Live
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.phase_annotator import Phases
from mirc.passes.pieces import Demand, Piece, Wanted, pieces_of, wanted_in
from mirc.passes.placing import Mode
from mirc.passes.reuse import Reuse
from mirc.passes.seeds import Machines, Options
from mirc.passes.settling import Setting, first_run_ps, settled, transfers_of
from mirc.passes.tier_certificates import certificates
from mirc.passes.working import working_bytes


@attrs.frozen
class TierLive:
    """Pieces, and for each machine which tier holds them when."""

    pieces: tuple[Piece, ...]
    plans: tuple[MachinePlan, ...]

    def sentences(self) -> Iterator[str]:
        """Yield each phase's plan beside the least bytes that any plan moves."""
        if not self.plans:
            yield f"{len(self.pieces)} pieces, and no machine to plan for"
        for plan in self.plans:
            for name, phase in plan.phases.items():
                yield from _phase_sentences(plan, name, phase)
            if plan.leaving is not None:
                yield from plan.leaving.sentences(plan.machine.name)
            held = ", ".join(
                f"{size:_} in {tier}" for tier, size in plan.masters.bytes_in.items() if size
            )
            yield f"{plan.machine.name}: masters {held}"
            if plan.masters.homeless:
                yield (
                    f"{plan.machine.name}: {plan.masters.homeless:_} bytes of masters fit into no "
                    "lower tier"
                )


class TierLiveness(Pass[TierLive]):
    """Say for each machine which pieces stay in near memory and when the others visit it.

    Near room is capacity less reserve, caches at their largest, and what each step has alive. If
    all pieces fit they stay. Otherwise certain pieces come before likely ones. Those that several
    steps use stay; where they cannot all, the gaps between their uses are packed, the shortest
    first, and they visit for the rest. Where those of one step do not all fit, a pinned set and a
    small ring share the room: the streamed set is spread evenly over the run's roofline time, each
    piece is in near memory from the step at which the ring has room for it to its last use, and the
    ring is the smallest that keeps link or compute busy. Of experts chosen with probability below
    one half the likeliest stay, where routing was observed, else by number (under a uniform prior
    all are alike); the others are fetched when they are drawn and waited for. States of an
    optimizer are placed as parameters are; in phases that run in turn, what one of them keeps stays
    in those between. The least bytes of a run are W - C (for experts, in expectation), C being the
    room beside caches at their largest: no lower bound of runs in which they are still small. The
    plan's bytes are printed beside it, and certified against the interval packing of all use gaps.
    Masters go to the nearest lower tier with room, evenly where two tiers share a stream, or where
    their fetches over the whole schedule take least (a search around a Lagrangian relaxation, at
    most 1,024 bundles of pieces), whichever plan takes less time. Where a training iteration does
    not fit beside its weights, what is spilled between forward and backward and what is computed
    again is planned first (minimum cuts at the fullest moment, copies priced by what compute leaves
    exposed), and certified.

    reads:   Phases, Live, Routing, Reuse, Machines, Options
    writes:  TierLive, residences in step indices (inclusive, wrapping in phases that repeat)
    cost:    O(machines x phases x rings x (pieces log + steps)); of a training iteration that does
             not fit also some hundred maximum flows
    source:  Belady, IBM Systems Journal 5(2), 1966 (W - C, on a cyclic string with bypass);
             Berger et al., SIGMETRICS 2018 (use gaps as weighted intervals); Bresenham's line for
             the even spread; Clark, Operations Research 9(2), 1961 (waiting for draws over two
             links); Fisher, Management Science 27(1), 1981 (prices of room);
             Picard, Management Science 22, 1976 (what crosses a moment as a minimum cut)
    """

    name = "tier-liveness"
    reads = (Phases, Live, Routing, Reuse, Machines, Options)
    writes = TierLive

    def run(self, program: Program, facts: Facts) -> TierLive:
        """Establish TierLive."""
        pieces = pieces_of(program, facts[Phases])
        wanted = {
            phase.name: wanted_in(program, phase, facts[Routing]) for phase in facts[Phases].phases
        }
        return TierLive(
            pieces,
            tuple(
                _machine_plan(program, facts, machine, pieces, wanted)
                for machine in facts[Machines].machines
            ),
        )

    def certify(self, program: Program, facts: Facts) -> Iterator[Certificate]:
        """Yield the bytes and the time of each phase that moves any, and masters, by machine."""
        live = facts[TierLive]
        for plan in live.plans:
            yield from certificates(plan, live.pieces)
            if plan.leaving is not None and plan.leaving.plan.fits:
                yield plan.leaving.certificate(program, plan.machine, facts[Reuse].dtype)

    def unbounded(self, facts: Facts) -> str:
        """Return that without a machine nothing was placed."""
        del facts
        return "there is no machine to place anything on"


def _machine_plan(
    program: Program,
    facts: Facts,
    machine: Machine,
    pieces: tuple[Piece, ...],
    wanted: dict[str, dict[int, Wanted]],
) -> MachinePlan:
    phases = facts[Phases].phases
    working, left = _working(program, facts, machine, pieces)
    clocks = {phase.name: facts[Reuse].clocks[machine.name, phase.name] for phase in phases}
    found = settled(
        Setting(
            machine=machine,
            pieces=pieces,
            phases=phases,
            clocks=clocks,
            wanted=wanted,
            room={
                name: tuple(machine.near.usable_bytes - size for size in sizes)
                for name, sizes in working.items()
            },
        )
    )
    transfers_ps = transfers_of(machine, pieces, found.masters.tier)
    return MachinePlan(
        machine=machine,
        phases={
            phase.name: PhasePlan(
                phase=phase,
                clock=clocks[phase.name],
                wanted=wanted[phase.name],
                working_bytes=working[phase.name],
                placement=found.placements[phase.name],
                first_run_ps=first_run_ps(
                    pieces, wanted[phase.name], clocks[phase.name], transfers_ps
                ),
            )
            for phase in phases
        },
        masters=found.masters,
        transfers_ps=transfers_ps,
        leaving=left,
    )


def _working(
    program: Program, facts: Facts, machine: Machine, pieces: tuple[Piece, ...]
) -> tuple[dict[str, tuple[int, ...]], Leaving | None]:
    """Return the bytes of each phase's steps besides pieces, and what leaves to make them fewer."""
    working = {
        phase.name: working_bytes(program, phase, facts[Live].phases[phase.name], facts[Options])
        for phase in facts[Phases].phases
    }
    left = leaving(
        program,
        facts[Phases].phases,
        working,
        machine,
        dtype=facts[Reuse].dtype,
        pieces=pieces,
    )
    return (working | left.working_bytes if left is not None else working), left


def _phase_sentences(plan: MachinePlan, name: str, phase: PhasePlan) -> Iterator[str]:
    placement = phase.placement
    head = f"{name} on {plan.machine.name}"
    counts = dict.fromkeys(Mode, 0)
    for residence in placement.residences:
        counts[residence.mode] += 1
    room = plan.machine.near.usable_bytes - max(phase.working_bytes)
    listed = ", ".join(f"{count} {mode.value}" for mode, count in counts.items() if count)
    yield f"{head}: {listed}; room {room:_} of {plan.machine.near.usable_bytes:_} bytes"
    if not placement.fits:
        yield f"{head}: does not fit: one step needs more than the near memory has"
    planned, bound = placement.planned_bytes, placement.bound_bytes
    if phase.phase.repeats and planned:
        runs = max(1, round(phase.phase.runs))
        chance = any(use.demand is Demand.CHANCE for use in phase.wanted.values())
        rule = "W-C in expectation" if chance else "W-C"
        gap = f", {100 * (planned / bound - 1):.2f} % over it" if bound else ""
        yield (
            f"{head}: moves {planned:_} bytes a run of {placement.wanted_bytes:_} wanted, "
            f"at least {bound:_} by {rule}{gap}; ring {placement.ring_bytes:_} bytes"
        )
        least = placement.wanted_bytes + (runs - 1) * bound
        yield (
            f"{head}: {runs} runs move at least W+(S-1)(W-C) = {least:_} bytes "
            "with caches at their largest (smaller caches leave more room), "
            f"the plan {placement.wanted_bytes + (runs - 1) * planned:_}"
        )
        yield (
            f"{head}: {placement.run_ps / 1e6:_.1f} us a run with its transfers, "
            f"{phase.clock.period_ps / 1e6:_.1f} without"
        )
    elif planned:
        yield (
            f"{head}: streams {planned:_} of {placement.wanted_bytes:_} bytes; a first run must "
            f"move them all; ring {placement.ring_bytes:_} bytes"
        )
