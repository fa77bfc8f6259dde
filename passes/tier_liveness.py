"""Pieces, room and a machine's clock into which tier holds what, from which step to which."""

from collections.abc import Iterator
from functools import cache

import attrs

from mirc.bounds.certificate import Certificate
from mirc.graph import Program
from mirc.ir.enums import TierKind
from mirc.machine import Machine
from mirc.machine.transfers import transfer_ps
from mirc.passes.backing import masters
from mirc.passes.base import Facts, Pass
from mirc.passes.expert_routing import Routing
from mirc.passes.liveness import Live
from mirc.passes.machine_plan import MachinePlan, PhasePlan
from mirc.passes.phase_annotator import Phases
from mirc.passes.pieces import Demand, Piece, Wanted, pieces_of, wanted_in
from mirc.passes.placing import Mode, Placement, Stage, Transfers, place
from mirc.passes.reuse import Reuse
from mirc.passes.seeds import Machines, Options
from mirc.passes.tier_certificates import certificates
from mirc.passes.tiers import below_near, inward
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
    ring is the smallest that keeps link or compute busy. Experts chosen with probability below one
    half stay by number (the prior is uniform, so any of them are alike) or are fetched on demand.
    The least bytes of a run are W - C (for experts, in expectation), C being the room beside caches
    at their largest: no lower bound of runs in which they are still small. The plan's bytes are
    printed beside it, and certified against the interval packing of all use gaps. Masters go to the
    nearest lower tier with room, evenly where two tiers share a stream.

    reads:   Phases, Live, Routing, Reuse, Machines, Options
    writes:  TierLive, residences in step indices (inclusive, wrapping in phases that repeat)
    cost:    O(machines x phases x rings x (pieces log + steps))
    source:  Belady, IBM Systems Journal 5(2), 1966 (W - C, on a cyclic string with bypass);
             Berger et al., SIGMETRICS 2018 (use gaps as weighted intervals); Bresenham's line for
             the even spread
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
        del program
        live = facts[TierLive]
        for plan in live.plans:
            yield from certificates(plan, live.pieces)


def _machine_plan(
    program: Program,
    facts: Facts,
    machine: Machine,
    pieces: tuple[Piece, ...],
    wanted: dict[str, dict[int, Wanted]],
) -> MachinePlan:
    working = {
        phase.name: working_bytes(program, phase, facts[Live].phases[phase.name], facts[Options])
        for phase in facts[Phases].phases
    }
    lower = below_near(machine)
    kinds = [TierKind(memory.kind) for memory in lower] or [TierKind(machine.near.kind)]

    def placements(tier: tuple[TierKind, ...], outside: frozenset[int]) -> dict[str, Placement]:
        placed: dict[str, Placement] = {}
        for phase in facts[Phases].by_weight:
            stage = Stage(
                room=tuple(machine.near.usable_bytes - size for size in working[phase.name]),
                begin_ps=facts[Reuse].clocks[machine.name, phase.name].start_ps,
                transfers_ps=_transfers(machine, pieces, tier),
                repeats=phase.repeats,
                tokens=phase.graph.batch * phase.graph.tokens,
                outside=outside,
            )
            placed[phase.name] = place(pieces, wanted[phase.name], stage)
            outside |= _outside(placed[phase.name])
        return placed

    # Where masters are depends on what streams, and the time of a stream on where masters are: the
    # first round takes the nearest tier for all; a second keeps its streams and uses the truth.
    placed = placements((kinds[0],) * len(pieces), frozenset())
    first = next(iter(placed.values()))
    where = masters(machine, pieces, first.residences)
    if any(where.tier[i] is not kinds[0] for i in _outside(first)):
        placed = placements(where.tier, _outside(first))
    return MachinePlan(
        machine=machine,
        phases={
            phase.name: PhasePlan(
                phase=phase,
                clock=facts[Reuse].clocks[machine.name, phase.name],
                wanted=wanted[phase.name],
                working_bytes=working[phase.name],
                placement=placed[phase.name],
            )
            for phase in facts[Phases].phases
        },
        masters=where,
        transfers_ps=_transfers(machine, pieces, where.tier),
    )


def _outside(placement: Placement) -> frozenset[int]:
    away = (Mode.STREAMS, Mode.VISITS, Mode.ON_DEMAND)
    return frozenset(i for i, r in enumerate(placement.residences) if r.mode in away)


def _transfers(
    machine: Machine, pieces: tuple[Piece, ...], tier: tuple[TierKind, ...]
) -> Transfers:
    """Return a look-up of each piece's transfer times over the links from its master to near."""
    routes = {TierKind(memory.kind): inward(machine, memory) for memory in below_near(machine)}

    @cache
    def times(kind: TierKind, size_bytes: int) -> tuple[tuple[str, int], ...]:
        links = routes.get(kind, ())
        return tuple((link.root or link.name, transfer_ps(link, size_bytes)) for link in links)

    return lambda index: times(tier[index], pieces[index].size_bytes)


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
