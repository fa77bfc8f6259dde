"""What lint rules say of time: how long a run takes, how people say it, what is near."""

from mirc.ir.enums import TierKind
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.machine import Machine, Memory

PS_PER_US = 1_000_000
ROUNDED = 1.001  # written times are rounded: a thousandth is no difference
NEAREST_FIRST = tuple(TierKind)


def duration(time_us: float) -> str:
    """Return a time as people say it: ``1.83 ms``."""
    for unit, scale in (("s", 1e6), ("ms", 1e3)):
        if time_us >= scale:
            return f"{time_us / scale:.4g} {unit}"
    return f"{time_us:.4g} us"


def near_and_nearer(machine: Machine) -> tuple[Memory, ...]:
    """Return near memory and what is nearer to compute still."""
    rank = NEAREST_FIRST.index(machine.near.kind)
    return tuple(
        memory
        for memory in machine.memories
        if memory.name == machine.near.name or NEAREST_FIRST.index(memory.kind) < rank
    )


def period_us_of(context: Context, plan: str | None, phase: str | None) -> float | None:
    """Return the time of a phase's run that a plan declares, or None."""
    if plan is None:
        return None
    parts = (part for part in context.module.plans[plan].phases if part.name == phase)
    part = next(parts, None)
    period: float | None = None if part is None else read(part, "period_us")
    return period
