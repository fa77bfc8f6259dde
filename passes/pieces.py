"""Parameters and optimizer states into pieces that a plan places, and how each phase uses them."""

from collections.abc import Iterator
from enum import StrEnum

import attrs

from mirc.graph import Access, Program, Role
from mirc.passes.expert_routing import Routing
from mirc.passes.phase_annotator import PhaseFact, Phases

PLANNED_FROM = 0.5
"""Slices that a run uses with at least this probability are fetched by position."""


PLANNED = frozenset({Role.PARAMETER, Role.OPTIMIZER})
"""Roles whose storages have a master copy below near memory, so that a plan can place them."""

FEW_ROWS = 4
"""A run that touches less than this part of a storage gathers rows; more of it is a whole use."""


@attrs.frozen(slots=True)
class Piece:
    """One object of a parameter or a state: an expert, a row tile, or (``part`` -1) the whole."""

    storage: int
    part: int
    size_bytes: int


class Demand(StrEnum):
    """How one phase uses a piece."""

    FIXED = "fixed"
    """At known steps, whole, in (nearly) every run."""
    CHANCE = "chance"
    """When the router chooses it."""
    ROWS = "rows"
    """A few rows of it: the rest may stay below."""
    IDLE = "idle"
    """Not at all."""


@attrs.frozen(slots=True, kw_only=True)
class Wanted:
    """The use of one storage's pieces in one phase, ``first`` to ``last`` step (-1: idle).

    ``shares`` are the probabilities of its slices, where they were observed; ``probability`` is
    their mean.
    """

    demand: Demand
    first: int = -1
    last: int = -1
    steps: tuple[int, ...] = ()
    probability: float = 0.0
    top_k: int = 0
    shares: tuple[float, ...] = ()

    def chance(self, piece: Piece) -> float:
        """Return the probability that a run uses this piece."""
        return self.shares[piece.part] if self.shares else self.probability


_IDLE = Wanted(demand=Demand.IDLE)


def pieces_of(program: Program, phases: Phases) -> tuple[Piece, ...]:
    """Return the pieces of what a plan places and some phase uses, in the program's order."""
    used = frozenset().union(*(phase.table.used_in for phase in phases.phases))
    return tuple(_pieces(program, used))


def _pieces(program: Program, used: frozenset[int]) -> Iterator[Piece]:
    for storage in program.storages:
        if storage.role not in PLANNED or storage.index not in used:
            continue
        if storage.parts:
            for place, part in enumerate(storage.parts):
                yield Piece(storage.index, place, part.size_bytes)
        else:
            yield Piece(storage.index, -1, storage.size_bytes)


def wanted_in(program: Program, phase: PhaseFact, routing: Routing) -> dict[int, Wanted]:
    """Return how ``phase`` uses each parameter and state; what it does not use is absent.

    What a step only writes must be there as well. Steps that take a few rows do not count where
    others take the whole; steps that take many of them (a view of a part of a weight) take the
    whole.
    """
    whole: dict[int, list[int]] = {}
    rows: dict[int, list[int]] = {}
    routed: dict[int, int] = {}
    touched: dict[int, int] = {}
    for step, (touches, written) in enumerate(
        zip(phase.table.reads, phase.table.writes, strict=True)
    ):
        seen = {touch.storage for touch in touches}
        for touch in (*touches, *(touch for touch in written if touch.storage not in seen)):
            if program.storages[touch.storage].role not in PLANNED:
                continue
            into = rows if touch.access is Access.TOUCH else whole
            into.setdefault(touch.storage, []).append(step)
            if into is rows:
                moved = touch.size_bytes + touch.again_bytes
                touched[touch.storage] = touched.get(touch.storage, 0) + moved
            if touch.access is Access.ROUTED:
                routed[touch.storage] = touch.top_k
    for storage, size in touched.items():
        if size * FEW_ROWS > program.storages[storage].size_bytes:
            whole.setdefault(storage, rows[storage])
    wanted: dict[int, Wanted] = {}
    for storage, steps in (rows | whole).items():
        probability = routing.probability(phase.name, storage) if storage in routed else 1.0
        demand = Demand.FIXED if probability >= PLANNED_FROM else Demand.CHANCE
        wanted[storage] = Wanted(
            demand=demand if storage in whole else Demand.ROWS,
            first=steps[0],
            last=steps[-1],
            steps=tuple(steps),
            probability=probability,
            top_k=routed.get(storage, 0),
            shares=routing.shares(phase.name, storage) if demand is Demand.CHANCE else (),
        )
    return wanted


def use_of(wanted: dict[int, Wanted], piece: Piece) -> Wanted:
    """Return how a piece is used; idle where its storage is not."""
    return wanted.get(piece.storage, _IDLE)


def name_of(program: Program, piece: Piece) -> str:
    """Return the name of a piece's object: a family's, with the part's suffix."""
    storage = program.storages[piece.storage]
    return storage.name + storage.parts[piece.part].suffix if piece.part >= 0 else storage.name
