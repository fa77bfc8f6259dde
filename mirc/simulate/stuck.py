"""A world in which nothing more may leave near memory into what holds it, the largest first."""

from collections.abc import Sequence

import numpy as np

from mirc.diagnostics.words import counted
from mirc.kernels import world as k
from mirc.kernels.world import World

_NAMED = 4  # one by one; the rest is summed up
_KEPT = (
    (k.BY_CLAIM, "by a claim"),
    (k.BY_RULE, "by a rule"),
    (k.BY_SIGNAL, "by a signal"),
    (k.BY_INTENT, "by its pin, or as it is never to be spilled"),
)


def held(w: World, names: Sequence[str]) -> str:
    """Say which objects hold near memory and why each stays; empty if nothing is there.

    Of equal size the first declared come first. O(n log n).
    """
    near = np.flatnonzero(w.obj[k.STATE] != k.ABSENT)
    sizes = w.obj[k.SIZE, near]
    found = near[np.argsort(-sizes, kind="stable")].tolist()
    parts = [
        f"`{names[o]}` of {int(w.obj[k.SIZE, o]):_} bytes {_why(w, o)}" for o in found[:_NAMED]
    ]
    if w.run[k.TRANSIENT]:
        parts.append(f"the step's working space of {int(w.run[k.TRANSIENT]):_} bytes")
    rest = found[_NAMED:]
    if rest:
        parts.append(
            f"{counted(len(rest), 'smaller object')} of {int(w.obj[k.SIZE, rest].sum()):_} bytes"
        )
    return ", ".join(parts)


def _why(w: World, o: int) -> str:
    if w.obj[k.HELD, o]:
        return "by the step itself"
    for who, words in _KEPT:
        if w.obj[k.KEEP, o] & who:
            return words
    if w.obj[k.STATE, o] != k.RESIDENT:
        return "on its way"
    return "that finds no room below"
