"""Sinks, a link and the windows in which it may be used into transfers before the first step."""

from collections.abc import Sequence

import attrs

from mirc.machine import Link, Machine
from mirc.machine.transfers import route, transfer_ps


@attrs.frozen(kw_only=True)
class Wanted:
    """Bytes that are to be in the fast memory by their first use; ``name`` says which."""

    name: str
    size_bytes: int
    first_use_ps: int


@attrs.frozen(kw_only=True)
class Transfer:
    """What was wanted, on its way: it can be read from ``finish_ps`` on."""

    wanted: Wanted
    start_ps: int
    finish_ps: int

    @property
    def late_ps(self) -> int:
        """By how much it comes after its first use, or 0."""
        return max(0, self.finish_ps - self.wanted.first_use_ps)


def promote(
    wanted: Sequence[Wanted], link: Link, windows: Sequence[tuple[int, int]]
) -> tuple[Transfer, ...]:
    """Place transfers, in the order given, into safe windows, one after another.

    ``windows`` are (start, end) picoseconds in which the link may run beside computing without
    slowing it, ascending; a transfer lies inside one. What fits into none begins after all of
    them, beside whatever runs then.
    """
    free = [list(window) for window in windows]
    after = max((end for _, end in windows), default=0)
    placed = []
    for one in wanted:
        needed = transfer_ps(link, one.size_bytes)
        window = next((w for w in free if w[1] - w[0] >= needed), None)
        if window is None:
            start = after
            after += needed
        else:
            start = window[0]
            window[0] += needed
        placed.append(Transfer(wanted=one, start_ps=start, finish_ps=start + needed))
    return tuple(placed)


def nearest_holder(machine: Machine, holders: Sequence[str], consumer: str, size_bytes: int) -> str:
    """Return the memory of ``holders`` from which ``consumer`` (a memory) is reached soonest.

    Equal ones are taken in the order given. Raises LookupError if there is no way from any of
    them, KeyError for an unknown memory.
    """
    costs: dict[str, int] = {}
    for holder in holders:
        try:
            links = route(machine, holder, consumer, size_bytes)
        except LookupError as unreachable:
            if isinstance(unreachable, KeyError):
                raise
            continue
        costs[holder] = sum(transfer_ps(link, size_bytes) for link in links)
    if not costs:
        raise LookupError(f"no way leads from {', '.join(holders)} to {consumer}")
    return min(costs, key=lambda holder: costs[holder])
