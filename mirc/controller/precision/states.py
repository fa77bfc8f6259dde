"""Two states of a managed unit into the one verdict on going from the first to the second."""

from enum import IntEnum, StrEnum

import attrs


class State(IntEnum):
    """Where a unit's bytes are and in which form; source: essay 001, its seven roles in order."""

    S0 = 0
    """In near memory, in full precision."""
    S1 = 1
    """In near memory, in fewer bits."""
    S2 = 2
    """In near memory, compressed without loss: to be expanded for each use."""
    S3 = 3
    """In a memory of the host, a peer or a pool: warm."""
    S4 = 4
    """In storage: cold."""
    S5 = 5
    """On its way, to a destination that is reserved for it."""
    S6 = 6
    """Nowhere: made again when it is used."""


NEAR = (State.S0, State.S1, State.S2)
STORED = (State.S3, State.S4)


class Means(StrEnum):
    """What takes a unit over a legal edge."""

    STAYS = "stays"
    """Nothing: it is there already."""
    NARROW = "narrow"
    """Its elements are rounded to fewer bits in place; the master keeps what is lost."""
    COMPRESS = "compress"
    """It is compressed in place, without loss."""
    EXPAND = "expand"
    """It is expanded in place; the larger form's room is taken first."""
    DROP = "drop"
    """Its near copy is forgotten: a copy lies below, or it can be made again."""
    DEPART = "depart"
    """It begins to cross a link; the bytes at its destination are reserved from now on."""
    ARRIVE = "arrive"
    """Its last byte has landed, or it is taken back to where its bytes still lie."""
    REGENERATE = "regenerate"
    """It is computed again: FLOPs, and no byte over a link."""
    RELEASE = "release"
    """A stored copy is given up: the master lies below, or it can be made again."""


@attrs.frozen
class Edge:
    """The verdict on one pair of states: by which means, or ``why`` it is illegal."""

    means: Means | None = None
    why: str = ""

    @property
    def legal(self) -> bool:
        """Whether the edge may be taken at all; floors and room are others' to judge."""
        return self.means is not None


def _go(means: Means) -> Edge:
    return Edge(means)


def _no(why: str) -> Edge:
    return Edge(None, why)


_STAY = _go(Means.STAYS)
_DROP = _go(Means.DROP)
_LAND = _go(Means.ARRIVE)
_LOST = _no("bits that were rounded away come back from the master alone, through S5")
_FLY = _no("bytes enter another memory through S5 alone")
_TIER = _no("a stored copy changes its memory through S5 alone")
_NOWHERE = _no("there are no bytes that could be moved: it is regenerated first")
_MID_AIR = _no("bytes in flight are not forgotten before they land or are taken back")
_PACKED = _no("it is expanded before it departs")
_LANDED = _no("it is compressed when it has arrived")
_WIDE_FIRST = _no("it is regenerated in full precision first")

_ROWS: tuple[tuple[Edge, ...], ...] = (
    # from S0 to:  S0, S1, S2, S3, S4, S5, S6
    (_STAY, _go(Means.NARROW), _go(Means.COMPRESS), _DROP, _DROP, _go(Means.DEPART), _DROP),
    # from S1
    (_LOST, _STAY, _LOST, _DROP, _DROP, _go(Means.DEPART), _DROP),
    # from S2: what is whole may be narrowed without being moved
    (_go(Means.EXPAND), _go(Means.NARROW), _STAY, _DROP, _DROP, _PACKED, _DROP),
    # from S3
    (_FLY, _FLY, _FLY, _STAY, _go(Means.RELEASE), _go(Means.DEPART), _go(Means.RELEASE)),
    # from S4
    (_FLY, _FLY, _FLY, _TIER, _STAY, _go(Means.DEPART), _go(Means.RELEASE)),
    # from S5
    (_LAND, _LAND, _LANDED, _LAND, _LAND, _STAY, _MID_AIR),
    # from S6
    (_go(Means.REGENERATE), _WIDE_FIRST, _WIDE_FIRST, _NOWHERE, _NOWHERE, _NOWHERE, _STAY),
)

TABLE: dict[tuple[State, State], Edge] = {
    (a, b): edge
    for a, row in zip(State, _ROWS, strict=True)
    for b, edge in zip(State, row, strict=True)
}
"""All 49 pairs; a pair that is not legal says why."""


def edge(begin: State, end: State) -> Edge:
    """Return the verdict on going from one state to another: O(1), total."""
    return TABLE[begin, end]
