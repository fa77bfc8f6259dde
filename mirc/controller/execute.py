"""Who yields when a step needs room, and what a static placement lets go after use."""

from typing import Any

from mirc.controller.observe import leave
from mirc.controller.schedule import farther
from mirc.kernels.events import STREAMED
from mirc.kernels.ranks import lowest_from
from mirc.kernels.world import (
    DIRTY,
    HORIZON_PS,
    MADE,
    NONE,
    OFFERED,
    PHASE,
    PINNED_FROM,
    POLICY,
    STATIC,
    World,
)


def yielding(w: World) -> Any:
    """Return the victim for a step that cannot wait, or NONE: O(log n).

    The lowest rank that is clean and not used within the horizon; failing that, the lowest.
    """
    o = farther(w, w.run[HORIZON_PS])
    if o != NONE:
        return o
    rank = lowest_from(w.bits, 0)
    if rank == NONE:
        return NONE
    return w.ranked[w.run[PHASE], rank]


def let_go(w: World, o: int) -> None:
    """Drop an object that a static placement streams, once its step has used it."""
    if (
        w.run[POLICY] == STATIC
        and w.obj[OFFERED, o] == 1
        and w.obj[MADE, o] == 0
        and w.obj[DIRTY, o] == 0
        and w.rank[w.run[PHASE], o] < w.run[PINNED_FROM]
    ):
        leave(w, o, STREAMED)
