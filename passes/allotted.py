"""What each phase fetches into a tier for every master copy, where several tiers hold them."""

from collections.abc import Iterable, Sequence

import numpy as np

from mirc.bounds.placement import Ints, PlacementProblem, cost_ps
from mirc.bounds.prices import marginal_bound_ps
from mirc.ir.enums import TierKind
from mirc.machine import Machine
from mirc.machine.transfers import transfer_ps
from mirc.passes.allotting import allot
from mirc.passes.backing import Masters, bytes_in
from mirc.passes.pieces import Demand, Piece, use_of
from mirc.passes.placing import Mode
from mirc.passes.rounds import Turn
from mirc.passes.tiers import below_near, inward

MOST = 1_024
"""Bundles of pieces at most that are placed: above, pieces that are fetched alike go together."""

A_ROW = 4_096
"""Bytes that stand for the few rows of a piece that a run gathers: what counts is the latency."""

TRIES = 500
"""Groups of bundles that are placed anew: a pass is no place for a long search."""

WORTH = 1.01
"""Masters whose fetches take at most this times what any must are left where they are."""


def master_problem(
    machine: Machine, pieces: Sequence[Piece], phases: Iterable[Turn]
) -> PlacementProblem:
    """Return what fetching each piece from each lower tier takes, over the whole schedule."""
    lower = below_near(machine)
    whole, rows = np.zeros(len(pieces)), np.zeros(len(pieces))
    for phase in phases:
        for index, residence in enumerate(phase.placement.residences):
            piece = pieces[index]
            use = use_of(phase.wanted, piece)
            if residence.mode is Mode.ON_DEMAND:
                (rows if use.demand is Demand.ROWS else whole)[index] += phase.runs * use.chance(
                    piece
                )
            whole[index] += phase.runs * len(residence.stretches)
    size = np.array([piece.size_bytes for piece in pieces], dtype=np.int64)
    routes = [inward(machine, memory) for memory in lower]

    def fetch_ps(size_bytes: int) -> list[float]:
        return [float(sum(transfer_ps(link, size_bytes) for link in route)) for route in routes]

    of_size = {each: fetch_ps(each) for each in dict.fromkeys(size.tolist())}
    once = np.array([of_size[each] for each in size.tolist()]).reshape(len(pieces), len(lower))
    a_row = np.array(fetch_ps(A_ROW))
    return PlacementProblem(
        size_bytes=size,
        room_bytes=np.array([memory.usable_bytes for memory in lower], dtype=np.int64),
        access_ps=(whole[:, None] * once + rows[:, None] * a_row)[None],
        enter_ps=np.zeros_like(once),
    )


def master_tiers(machine: Machine, masters: Masters) -> Ints:
    """Return masters as a placement of ``master_problem``: one phase, lower tiers by number."""
    number = {TierKind(memory.kind): place for place, memory in enumerate(below_near(machine))}
    return np.array([[number[kind] for kind in masters.tier]], dtype=np.int64)


def allotted(machine: Machine, problem: PlacementProblem, now: Masters) -> Masters | None:
    """Return masters whose fetches take less time in all than ``now``, if there is much to gain.

    Pieces fetched equally often and of one size are alike: those of each kind that a tier keeps are
    spread evenly in the program's order, as a stream wants them. None where ``now`` is within a
    percent of what any masters take. Cost: O(pieces log) and ``allot`` of at most MOST bundles.
    """
    cost = cost_ps(problem, master_tiers(machine, now))
    if cost <= WORTH * marginal_bound_ps(problem):
        return None
    bundles = _bundles(problem)
    bundled = PlacementProblem(
        size_bytes=np.array([problem.size_bytes[rows].sum() for rows in bundles]),
        room_bytes=problem.room_bytes,
        access_ps=np.array([[problem.access_ps[0, rows].sum(axis=0) for rows in bundles]]),
        enter_ps=np.zeros((len(bundles), problem.tiers)),
    )
    tier = np.empty(problem.objects, dtype=np.int64)
    for rows, at in zip(bundles, allot(bundled, tries=TRIES).tier[0], strict=True):
        tier[rows] = at
    _spread_alike(problem, tier)
    if cost_ps(problem, tier[None]) >= cost:
        return None
    lower = below_near(machine)
    kinds = tuple(TierKind(lower[place].kind) for place in tier.tolist())
    return Masters(kinds, bytes_in(lower, kinds, problem.size_bytes.tolist()), 0)


def _alike(problem: PlacementProblem) -> list[tuple[float, int]]:
    """Return for each piece what its fetches from the last tier take, and its size."""
    return list(zip(problem.access_ps[0, :, -1].tolist(), problem.size_bytes.tolist(), strict=True))


def _bundles(problem: PlacementProblem) -> list[list[int]]:
    """Return pieces in groups, those next to each other that are fetched most for their bytes."""
    keys = _alike(problem)
    order = sorted(range(len(keys)), key=lambda i: (-keys[i][0] / keys[i][1], keys[i][1], i))
    each = -(-len(order) // MOST)
    return [order[begin : begin + each] for begin in range(0, len(order), each)]


def _spread_alike(problem: PlacementProblem, tier: Ints) -> None:
    """Deal the tiers that pieces of one kind have out among them, each evenly along their order."""
    groups: dict[tuple[float, int], list[int]] = {}
    for index, key in enumerate(_alike(problem)):
        groups.setdefault(key, []).append(index)
    for rows in groups.values():
        held, counts = np.unique(tier[rows], return_counts=True)
        # The j-th of n lies at (j + 1/2) / n of the way: all tiers' shares, merged.
        places = np.concatenate([(np.arange(n) + 0.5) / n for n in counts])
        tier[rows] = np.repeat(held, counts)[np.argsort(places, kind="stable")]
