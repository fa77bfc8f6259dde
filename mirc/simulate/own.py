"""A user's rule of replacement into the engine that plays a schedule by it."""

from collections.abc import Callable
from typing import Any

from mirc.controller.own import Guarded, own_policy
from mirc.kernels.rebind import rebound
from mirc.kernels.replacement import rule
from mirc.kernels.replacement.state import HELD, Replacement, here
from mirc.kernels.replacement.state import SIZE as EACH
from mirc.kernels.world import CAPACITY, NEAR, NONE, SIZE
from mirc.simulate.loop import play
from mirc.simulate.setup import Scene


def engine_of(spelled: str, scene: Scene) -> Callable[..., Any]:
    """Return the plain engine in which ``FILE.py:CLASS`` decides who leaves.

    Raises CouldNotRun if there is no such class; so does the engine where the class fails.
    """
    w = scene.world
    theirs = own_policy(spelled, int(w.mem[CAPACITY, NEAR]))
    for x, size in enumerate(w.obj[SIZE].tolist()):
        theirs.sized(x, size)
    return rebound(play, in_stead(theirs))


def in_stead(theirs: Guarded) -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return what is called in the place of the kernels' rules."""

    def came(r: Replacement, x: int) -> None:
        r.now[HELD] += r.cell[EACH, x]
        theirs.admitted(x)

    def left(r: Replacement, x: int) -> None:
        r.now[HELD] -= r.cell[EACH, x]
        theirs.evicted(x)

    def ended(r: Replacement, x: int) -> None:
        if theirs.here(x):
            r.now[HELD] -= r.cell[EACH, x]
        theirs.removed(x)

    def chosen(_: Replacement) -> int:
        x = theirs.choose()
        return NONE if x is None else x

    return {
        here: lambda _, x: theirs.here(x),
        rule.missed: lambda _, x: theirs.missed(x),
        rule.admitted: came,
        rule.touched: lambda _, x: theirs.touched(x),
        rule.evicted: left,
        rule.removed: ended,
        rule.forbid: lambda _, x: theirs.forbid(x),
        rule.allow: lambda _, x: theirs.allow(x),
        rule.choose: chosen,
    }
