"""Pieces on one machine into the placement of every phase, those that run most often first."""

from collections.abc import Mapping, Sequence
from functools import cache

import attrs

from mirc.ir.enums import TierKind
from mirc.machine import Machine
from mirc.machine.transfers import transfer_ps
from mirc.passes.allotted import allotted, master_problem
from mirc.passes.backing import LIVELIEST, Masters, masters
from mirc.passes.phase_annotator import PhaseFact
from mirc.passes.pieces import Demand, Piece, Wanted, use_of
from mirc.passes.placing import Mode, Placement, Residence, Stage, Transfers, place
from mirc.passes.reuse import Clock
from mirc.passes.rounds import Turn, keep_idle
from mirc.passes.tiers import below_near, inward

Tiers = tuple[TierKind, ...]


@attrs.frozen(kw_only=True)
class Setting:
    """What is given: pieces, and for each phase, by name, its clock, uses and near room."""

    machine: Machine
    pieces: tuple[Piece, ...]
    phases: tuple[PhaseFact, ...]
    clocks: Mapping[str, Clock]
    wanted: Mapping[str, dict[int, Wanted]]
    room: Mapping[str, tuple[int, ...]]


@attrs.frozen(kw_only=True)
class Settled:
    """Each phase's placement, and where masters are."""

    placements: dict[str, Placement]
    masters: Masters


def settled(setting: Setting) -> Settled:
    """Place pieces and masters.

    Where masters are depends on what streams, and the time of a stream on where masters are: the
    first round takes the nearest tier for all, a second keeps its streams and uses the truth.
    Sharing a tier evenly suits streams; where what is drawn is fetched unequally often, the masters
    whose fetches take least may do better: that plan is taken whose schedule takes less time.
    """
    lower = below_near(setting.machine)
    nearest = TierKind(lower[0].kind) if lower else TierKind(setting.machine.near.kind)
    placed = _placements(setting, (nearest,) * len(setting.pieces), frozenset())
    most = max((phase.runs for phase in setting.phases), default=0.0)
    busiest = [placed[phase.name] for phase in setting.phases if phase.runs == most]
    where = masters(setting.machine, setting.pieces, _liveliest(busiest))
    away = frozenset[int]().union(*map(_outside, busiest))
    if any(where.tier[i] is not nearest for i in away):
        placed = _placements(setting, where.tier, away)
    other = _cheaper(setting, placed, where) if where.apart else None
    if other is not None:
        trial = _placements(setting, other.tier, away)
        if _schedule_ps(setting, trial) < _schedule_ps(setting, placed):
            placed, where = trial, other
    return Settled(placements=placed, masters=where)


def transfers_of(machine: Machine, pieces: Sequence[Piece], tier: Tiers) -> Transfers:
    """Return a look-up of each piece's transfer times over the links from its master to near."""
    routes = {TierKind(memory.kind): inward(machine, memory) for memory in below_near(machine)}

    @cache
    def times(kind: TierKind, size_bytes: int) -> tuple[tuple[str, int], ...]:
        links = routes.get(kind, ())
        return tuple((link.root or link.name, transfer_ps(link, size_bytes)) for link in links)

    return lambda index: times(tier[index], pieces[index].size_bytes)


def first_run_ps(
    pieces: Sequence[Piece], wanted: dict[int, Wanted], clock: Clock, transfers_ps: Transfers
) -> int:
    """Return the time of a run that finds nothing near: compute, or its busiest link."""
    busy: dict[str, float] = {}
    for index, piece in enumerate(pieces):
        use = use_of(wanted, piece)
        if use.demand in (Demand.FIXED, Demand.CHANCE):
            for link, spent in transfers_ps(index):
                busy[link] = busy.get(link, 0.0) + use.chance(piece) * spent
    return max(clock.period_ps, round(max(busy.values(), default=0.0)))


def _cheaper(setting: Setting, placed: dict[str, Placement], where: Masters) -> Masters | None:
    turns = _turns(setting, placed).values()
    problem = master_problem(setting.machine, setting.pieces, turns)
    return allotted(setting.machine, problem, where)


def _placements(setting: Setting, tier: Tiers, outside: frozenset[int]) -> dict[str, Placement]:
    found = keep_idle(setting.pieces, _turns(setting, _in_turn(setting, tier, outside)))
    if found.unkept:
        again = _in_turn(setting, tier, outside | found.unkept)
        found = keep_idle(setting.pieces, _turns(setting, again))
    return found.placements


def _in_turn(setting: Setting, tier: Tiers, outside: frozenset[int]) -> dict[str, Placement]:
    placed: dict[str, Placement] = {}
    held: frozenset[int] = frozenset()
    for phase in sorted(setting.phases, key=lambda phase: -phase.runs):
        wanted = setting.wanted[phase.name]
        stage = Stage(
            room=setting.room[phase.name],
            begin_ps=setting.clocks[phase.name].start_ps,
            transfers_ps=transfers_of(setting.machine, setting.pieces, tier),
            repeats=phase.repeats,
            tokens=phase.graph.batch * phase.graph.tokens,
            outside=outside,
            held=held if phase.repeats else frozenset(),
        )
        placed[phase.name] = place(setting.pieces, wanted, stage)
        outside |= _outside(placed[phase.name])
        held |= _used_staying(setting.pieces, wanted, placed[phase.name])
    return placed


def _turns(setting: Setting, placed: dict[str, Placement]) -> dict[str, Turn]:
    return {
        phase.name: Turn(
            runs=phase.runs,
            room=setting.room[phase.name],
            wanted=setting.wanted[phase.name],
            placement=placed[phase.name],
        )
        for phase in setting.phases
    }


def _schedule_ps(setting: Setting, placed: dict[str, Placement]) -> float:
    return sum(phase.runs * placed[phase.name].run_ps for phase in setting.phases)


def _outside(placement: Placement) -> frozenset[int]:
    away = (Mode.STREAMS, Mode.VISITS, Mode.ON_DEMAND)
    return frozenset(i for i, r in enumerate(placement.residences) if r.mode in away)


def _used_staying(
    pieces: Sequence[Piece], wanted: dict[int, Wanted], placement: Placement
) -> frozenset[int]:
    return frozenset(
        index
        for index, (piece, residence) in enumerate(zip(pieces, placement.residences, strict=True))
        if residence.mode is Mode.STAYS and use_of(wanted, piece).demand is Demand.FIXED
    )


def _liveliest(placements: Sequence[Placement]) -> tuple[Residence, ...]:
    """Return for each piece the residence, of several phases', that moves it most."""
    order = {mode: place for place, mode in enumerate(LIVELIEST)}
    return tuple(
        min(each, key=lambda residence: order[residence.mode])
        for each in zip(*(placement.residences for placement in placements), strict=True)
    )
