"""What happens near into what a rule of replacement is told, where the policy is one.

What a step uses is touched if it is near, missed if it is not; what comes in for it is admitted;
what a step holds is forbidden. All do nothing under any other policy.
"""

from typing import Any

from mirc.kernels.replacement.rule import (
    admitted,
    allow,
    choose,
    evicted,
    forbid,
    missed,
    removed,
    touched,
)
from mirc.kernels.replacement.state import Replacement, here
from mirc.kernels.world import POLICY, RULED, World


def rule_of(w: World) -> Any:
    """Return what the rule knows."""
    return Replacement(w.rule, w.cell, w.real)


def used(w: World, o: int) -> None:
    """Note that a step asks for an object, near or not."""
    if w.run[POLICY] != RULED:
        return
    r = rule_of(w)
    if here(r, o):
        touched(r, o)
    else:
        missed(r, o)


def came(w: World, o: int) -> None:
    """Note that a step, which holds it, has an object come."""
    if w.run[POLICY] != RULED:
        return
    r = rule_of(w)
    if not here(r, o):
        forbid(r, o)
        admitted(r, o)


def released(w: World, o: int) -> None:
    """Let the rule choose an object, which has come by any way."""
    came(w, o)
    if w.run[POLICY] == RULED:
        allow(rule_of(w), o)


def protected(w: World, o: int) -> None:
    """Let the rule not choose an object."""
    if w.run[POLICY] == RULED:
        forbid(rule_of(w), o)


def displaced(w: World, o: int) -> None:
    """Note that an object has left, or is being written back, for another's sake."""
    if w.run[POLICY] != RULED:
        return
    r = rule_of(w)
    if here(r, o):
        evicted(r, o)


def ended(w: World, o: int) -> None:
    """Note that an object is no more."""
    if w.run[POLICY] == RULED:
        removed(rule_of(w), o)


def ruled_out(w: World) -> Any:
    """Return the object that the rule lets go, or NONE."""
    return choose(rule_of(w))
