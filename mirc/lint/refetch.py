"""An object and a machine into the time that it takes to bring it back."""

import attrs

from mirc.ir.enums import TierKind
from mirc.lint.context import Scope
from mirc.machine import Machine
from mirc.machine.transfers import route, transfer_ps

_PS_PER_US = 1_000_000


@attrs.frozen(eq=False, repr=False)
class Refetch:
    """From which tier, on which machine, in how many microseconds on idle links."""

    tier: TierKind
    machine: str
    time_us: float


def refetch_of(scope: Scope, machine: Machine) -> Refetch | None:
    """Return the time from the first tier that it falls back to and the machine has.

    None where the size is unknown, or no such tier or no way from it exists.
    """
    size = scope.written("size_bytes")
    tiers = scope.value("fallback_tiers") or ()
    tier = next((t for t in tiers if machine.tier(t) not in (None, machine.near)), None)
    memory = machine.tier(tier) if tier is not None else None
    if not isinstance(size, int) or memory is None or tier is None:
        return None
    try:
        links = route(machine, memory.name, machine.near.name, size)
    except LookupError:
        return None
    return Refetch(tier, machine.name, sum(transfer_ps(link, size) for link in links) / _PS_PER_US)
