"""Phases that run in turn: what one of them does not use, but the next would fetch again, stays."""

from collections.abc import Mapping, Sequence

import attrs

from mirc.passes.pieces import Demand, Piece, Wanted, use_of
from mirc.passes.placing import STAYS, Mode, Placement
from mirc.passes.visits import covered_bytes


@attrs.frozen(kw_only=True)
class Turn:
    """One phase of a round: its ``runs``, and ``room[t]`` near bytes for pieces at step ``t``."""

    runs: float
    room: tuple[int, ...]
    wanted: dict[int, Wanted]
    placement: Placement


@attrs.frozen(kw_only=True)
class Round:
    """Placements in which idle pieces stay where they can, and those that nowhere find room.

    ``unkept`` stay in some phase and are below in one that runs between its runs: they have to be
    fetched in every run.
    """

    placements: dict[str, Placement]
    unkept: frozenset[int]


def keep_idle(pieces: Sequence[Piece], turns: Mapping[str, Turn]) -> Round:
    """Let pieces that stay in one phase stay in all phases between its runs, while there is room.

    Only phases that run as often as that one come between each two of its runs. In the program's
    order; a piece is kept in all of them or in none. Cost: O(phases x (pieces + steps)).
    """
    if sum(turn.runs > 1 for turn in turns.values()) < 2:
        return Round(
            placements={name: turn.placement for name, turn in turns.items()}, unkept=frozenset()
        )
    residences = {name: list(turn.placement.residences) for name, turn in turns.items()}
    left = {name: _least_left(pieces, turn) for name, turn in turns.items()}
    unkept: set[int] = set()
    for index, piece in enumerate(pieces):
        uses = {name: use_of(turn.wanted, piece).demand for name, turn in turns.items()}
        stays = [
            turns[name].runs
            for name, demand in uses.items()
            if demand is not Demand.IDLE and residences[name][index].mode is Mode.STAYS
        ]
        between = [
            name
            for name, demand in uses.items()
            if demand is Demand.IDLE
            and residences[name][index].mode is Mode.BELOW
            and 1 < turns[name].runs <= max(stays, default=0)
        ]
        if not between:
            continue
        if all(piece.size_bytes <= left[name] for name in between):
            for name in between:
                residences[name][index] = STAYS
                left[name] -= piece.size_bytes
        else:
            unkept.add(index)
    kept = {
        name: attrs.evolve(turn.placement, residences=tuple(residences[name]))
        for name, turn in turns.items()
    }
    return Round(placements=kept, unkept=frozenset(unkept))


def _least_left(pieces: Sequence[Piece], turn: Turn) -> int:
    near = [
        (residence.stretches, piece.size_bytes)
        for piece, residence in zip(pieces, turn.placement.residences, strict=True)
        if residence.mode is Mode.STAYS or residence.stretches
    ]
    covered = covered_bytes(
        [spans for spans, _ in near], [size for _, size in near], len(turn.room)
    )
    return min(room - taken for room, taken in zip(turn.room, covered, strict=True))
