"""What stays near and a chip's memory into the bytes that are worth wiring there."""

from collections.abc import Iterator

import attrs

from mirc.bounds.certificate import Certificate
from mirc.graph import Program, Role
from mirc.machine import Machine
from mirc.machine.transfers import PS_PER_S, transfer_ps
from mirc.passes.base import Facts, Pass
from mirc.passes.machine_plan import MachinePlan
from mirc.passes.phase_annotator import Phases
from mirc.passes.pieces import Demand, Piece, use_of
from mirc.passes.placing import Mode
from mirc.passes.seeds import Machines, Options
from mirc.passes.tier_liveness import TierLive

SURE = 0.5
"""A region is wired if a run uses it with at least this probability, else pinned softly."""


@attrs.frozen(slots=True, kw_only=True)
class Region:
    """The first ``size_bytes`` of piece ``piece``, read ``reads`` times in the schedule.

    ``saved_ps`` is what reading them from the chip's memory saves over all of these, ``cost_ps``
    what binding them takes, their transfer and their room. ``soft`` asks for a soft pin.
    """

    piece: int
    size_bytes: int
    reads: float
    saved_ps: float
    cost_ps: float
    soft: bool

    @property
    def score(self) -> float:
        """Seconds saved per second spent."""
        return self.saved_ps / self.cost_ps


@attrs.frozen(kw_only=True)
class MachineWiring:
    """One machine: how many candidates there are, and what of them is worth binding.

    ``budget_bytes`` may be wired, whole lines of ``line_bytes``. Wiring all candidates would save
    ``savable_ps``, no choice within the budget more than ``bound_ps``.
    """

    machine: str
    budget_bytes: int
    line_bytes: int
    candidates: int
    chosen: tuple[Region, ...]
    savable_ps: float
    bound_ps: float

    @property
    def saved_ps(self) -> float:
        """Picoseconds that the chosen regions save over the schedule."""
        return sum(region.saved_ps for region in self.chosen)


@attrs.frozen
class Wirings:
    """What to wire, by machine; machines without an on-chip memory of their own are absent."""

    by_machine: dict[str, MachineWiring]

    def sentences(self) -> Iterator[str]:
        """Yield a line a machine."""
        if not self.by_machine:
            yield "no machine has on-chip memory to wire"
        for wiring in self.by_machine.values():
            size = sum(region.size_bytes for region in wiring.chosen)
            yield (
                f"{wiring.machine}: {len(wiring.chosen)} of {wiring.candidates} candidate regions, "
                f"{size:_} of {wiring.budget_bytes:_} bytes, save {wiring.saved_ps / 1e9:_.3f} ms "
                f"over the schedule (at most {wiring.bound_ps / 1e9:_.3f})"
            )


class Arbiter(Pass[Wirings]):
    """Choose which regions of read-only weights are worth wiring into on-chip memory.

    Candidates are pieces that every phase keeps near and reads whole; reads are counted over the
    schedule, by probability for experts. The score is in seconds on both sides: reads times the
    difference of one reading from near memory and one from on-chip memory, over the transfer that
    binds it plus the room that it takes, priced as one reading of its bytes from near memory. The
    best scores come first; the last region is cut to what the budget leaves, in whole lines, so
    that the choice is the fractional knapsack's optimum but for a part of one line. Regions that
    fewer than half of the runs use are pinned softly.

    reads:   Phases, TierLive, Machines
    writes:  Wirings, regions by machine
    cost:    O(pieces log pieces) for each machine
    source:  Dantzig, Operations Research 5(2), 1957 (the greedy choice and its bound)
    """

    name = "sram-arbiter"
    reads = (Phases, TierLive, Machines)
    writes = Wirings

    def run(self, program: Program, facts: Facts) -> Wirings:
        """Establish Wirings."""
        found: dict[str, MachineWiring] = {}
        for plan in facts[TierLive].plans:
            sram = plan.machine.sram
            if sram is not None and sram.memory != plan.machine.near.name and sram.wired_bytes:
                found[plan.machine.name] = _wiring(program, facts, plan)
        return Wirings(found)

    def certify(self, program: Program, facts: Facts) -> Iterator[Certificate]:
        """Yield the time that reading from near memory goes on taking, and the least it could."""
        del program
        fits = {plan.machine.name: plan.fits for plan in facts[TierLive].plans}
        for wiring in facts[Wirings].by_machine.values():
            yield Certificate(
                decision=f"regions to wire on {wiring.machine}: time not saved over the schedule",
                objective=(wiring.savable_ps - wiring.saved_ps) / 1e6,
                bound=(wiring.savable_ps - wiring.bound_ps) / 1e6,
                unit="us",
                method="fractional knapsack",
                feasible=fits[wiring.machine],
                note="" if fits[wiring.machine] else "a phase needs more near memory than there is",
            )

    def unbounded(self, facts: Facts) -> str:
        """Return that nothing could be wired."""
        if not facts[Options].wire:
            return "nothing was to be wired: `--wire` asks for it"
        return "no machine was given that has on-chip memory to wire"


def _wiring(program: Program, facts: Facts, plan: MachinePlan) -> MachineWiring:
    machine = plan.machine
    assert machine.sram is not None  # noqa: S101 - the caller asked
    pieces = facts[TierLive].pieces
    candidates = sorted(
        _candidates(program, facts, plan, pieces), key=lambda region: (-region.score, region.piece)
    )
    line, left = machine.sram.line_bytes, machine.sram.wired_bytes
    room, bound_ps = left, 0.0
    chosen: list[Region] = []
    for region in candidates:
        share = min(1.0, room / region.size_bytes)
        bound_ps += share * region.saved_ps
        room -= round(share * region.size_bytes)
        lines = -(-region.size_bytes // line) * line
        if lines <= left:
            chosen.append(region)
            left -= lines
        elif left >= line:
            chosen.append(_cut(region, left // line * line))
            left %= line
    return MachineWiring(
        machine=machine.name,
        budget_bytes=machine.sram.wired_bytes,
        line_bytes=line,
        candidates=len(candidates),
        chosen=tuple(chosen),
        savable_ps=sum(region.saved_ps for region in candidates),
        bound_ps=bound_ps,
    )


def _candidates(
    program: Program, facts: Facts, plan: MachinePlan, pieces: tuple[Piece, ...]
) -> Iterator[Region]:
    near, chip, bind = _prices(plan.machine)
    for index, piece in enumerate(pieces):
        storage = program.storages[piece.storage]
        if storage.role is not Role.PARAMETER or storage.mutated:
            continue
        if any(p.placement.residences[index].mode is not Mode.STAYS for p in plan.phases.values()):
            continue
        reads = surest = 0.0
        for phase in facts[Phases].phases:
            use = use_of(plan.phases[phase.name].wanted, piece)
            if use.demand in (Demand.FIXED, Demand.CHANCE):
                chance = use.chance(piece)
                reads += phase.runs * len(use.steps) * chance
                surest = max(surest, chance)
        saved = reads * piece.size_bytes * (near - chip)
        if saved > 0:
            yield Region(
                piece=index,
                size_bytes=piece.size_bytes,
                reads=reads,
                saved_ps=saved,
                cost_ps=piece.size_bytes * (near + bind),
                soft=surest < SURE,
            )


def _prices(machine: Machine) -> tuple[float, float, float]:
    """Return picoseconds a byte: read near, read on chip, bound over the link between them."""
    assert machine.sram is not None  # noqa: S101 - the caller asked
    reach = machine.compute.memory_efficiency
    near = PS_PER_S / (machine.near.read_bytes_per_s * reach)
    memory = machine.memory(machine.sram.memory)
    chip = PS_PER_S / (memory.read_bytes_per_s * reach)
    link = machine.link(machine.near.name, memory.name)
    budget = machine.sram.wired_bytes
    return near, chip, near if link is None else transfer_ps(link, budget) / budget


def _cut(region: Region, size_bytes: int) -> Region:
    share = size_bytes / region.size_bytes
    return attrs.evolve(
        region,
        size_bytes=size_bytes,
        saved_ps=region.saved_ps * share,
        cost_ps=region.cost_ps * share,
    )
