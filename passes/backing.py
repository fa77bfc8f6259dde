"""Pieces and the room of lower tiers into which tier keeps each master copy."""

from collections.abc import Sequence

import attrs

from mirc.ir.enums import TierKind
from mirc.machine import Machine, Memory
from mirc.passes.pieces import Piece
from mirc.passes.placing import Mode, Residence
from mirc.passes.tiers import below_near

LIVELIEST = (Mode.STREAMS, Mode.VISITS, Mode.ON_DEMAND, Mode.BELOW, Mode.STAYS)
"""Modes, those first whose pieces move most: they get the nearest tier."""


@attrs.frozen
class Masters:
    """``tier[piece]`` keeps the master; ``bytes_in`` are sums by tier, ``homeless`` fit nowhere."""

    tier: tuple[TierKind, ...]
    bytes_in: dict[TierKind, int]
    homeless: int

    @property
    def apart(self) -> bool:
        """Whether all have a place, in more than one tier."""
        return not self.homeless and sum(size > 0 for size in self.bytes_in.values()) > 1


def masters(machine: Machine, pieces: Sequence[Piece], residences: Sequence[Residence]) -> Masters:
    """Give each piece the nearest lower tier that has room, those that move most first.

    ``residences`` are those of the phase that runs most often, the liveliest where several do. What
    streams shares a tier's room evenly, so that the slower tier's link is asked for its part all
    through the run; then comes what is fetched on demand, then what stays near (its master is read
    once). Cost: O(pieces).
    """
    lower = below_near(machine) or (machine.near,)
    left = [memory.usable_bytes for memory in lower]
    tier: list[TierKind] = [TierKind(lower[-1].kind)] * len(pieces)
    homeless = 0
    for mode in LIVELIEST:
        todo = [i for i, residence in enumerate(residences) if residence.mode is mode]
        for level, memory in enumerate(lower):
            total = sum(pieces[i].size_bytes for i in todo)
            taken, todo = _share(pieces, todo, total, left[level])
            for i in taken:
                tier[i] = TierKind(memory.kind)
                left[level] -= pieces[i].size_bytes
        homeless += sum(pieces[i].size_bytes for i in todo)
    sizes = [piece.size_bytes for piece in pieces]
    return Masters(tuple(tier), bytes_in(lower, tier, sizes), homeless)


def _share(
    pieces: Sequence[Piece], todo: list[int], total: int, room: int
) -> tuple[list[int], list[int]]:
    """Split ``todo`` so that the taken part fits into ``room``, evenly along the order."""
    if total <= room:
        return todo, []
    taken: list[int] = []
    rest: list[int] = []
    seen = used = 0
    for index in todo:
        size = pieces[index].size_bytes
        seen += size
        if used + size <= seen * room / total and used + size <= room:
            taken.append(index)
            used += size
        else:
            rest.append(index)
    return taken, rest


def bytes_in(
    lower: Sequence[Memory], tier: Sequence[TierKind], sizes: Sequence[int]
) -> dict[TierKind, int]:
    """Return the bytes of masters in each tier."""
    sums = {TierKind(memory.kind): 0 for memory in lower}
    for kind, size in zip(tier, sizes, strict=True):
        sums[kind] += size
    return sums
