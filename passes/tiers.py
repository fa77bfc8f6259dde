"""A machine's memories into the order in which a plan falls back on them."""

from mirc.machine import Link, Machine, Memory, TierKind
from mirc.machine.transfers import route

_ORDER = tuple(TierKind)


def below_near(machine: Machine) -> tuple[Memory, ...]:
    """Return the memories that a plan may back objects with, the quickest to fetch from first.

    One instance of a kind (the language names kinds), with a route to the near memory, farther
    than it in the order of tiers; of a peer's memory, what it lends.
    """
    near = machine.near
    found = []
    for kind in _ORDER[_ORDER.index(near.kind) + 1 :]:
        memory = machine.tier(kind)
        if memory is None or not _routed(machine, memory.name, near.name):
            continue
        found.append(memory)
    return tuple(found)


def inward(machine: Machine, lower: Memory) -> tuple[Link, ...]:
    """Return the links from ``lower`` to the near memory."""
    return route(machine, lower.name, machine.near.name)


def round_trip(machine: Machine, lower: Memory) -> tuple[Link, ...]:
    """Return the links out to ``lower``, where there are any, and back."""
    out: tuple[Link, ...] = ()
    if _routed(machine, machine.near.name, lower.name):
        out = route(machine, machine.near.name, lower.name)
    return (*out, *inward(machine, lower))


def _routed(machine: Machine, source: str, target: str) -> bool:
    try:
        route(machine, source, target)
    except LookupError:
        return False
    return True
