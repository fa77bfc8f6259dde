"""Sinks, a link and the windows in which it may be used into transfers before the first step."""

from collections.abc import Mapping, Sequence

import attrs

from mirc.machine import Link, Machine
from mirc.machine.transfers import route, transfer_ps


@attrs.frozen(kw_only=True)
class Transfer:
    """One position on its way into the fast memory; it can be read from ``finish_ps`` on."""

    position: int
    size_bytes: int
    start_ps: int
    finish_ps: int


@attrs.frozen(kw_only=True)
class Promotion:
    """Transfers one after another, and by how much the last comes after the first use (or 0)."""

    transfers: tuple[Transfer, ...]
    late_ps: int

    @property
    def ready_ps(self) -> int:
        """When everything can be read; 0 if there is nothing."""
        return max((t.finish_ps for t in self.transfers), default=0)


def promote(
    sizes: Mapping[int, int],
    link: Link,
    windows: Sequence[tuple[int, int]],
    first_use_ps: int,
) -> Promotion:
    """Place the transfers of ``sizes`` (bytes by position, most wanted first) into safe windows.

    ``windows`` are (start, end) picoseconds in which the link may run beside computing without
    slowing it, ascending; a transfer lies inside one. What fits into none begins after all of
    them, beside whatever runs then, and is late if that is after ``first_use_ps``.
    """
    free = [list(window) for window in windows]
    after = max((end for _, end in windows), default=0)
    placed = []
    for position, size in sizes.items():
        needed = transfer_ps(link, size)
        window = next((w for w in free if w[1] - w[0] >= needed), None)
        if window is None:
            start = after
            after += needed
        else:
            start = window[0]
            window[0] += needed
        placed.append(
            Transfer(position=position, size_bytes=size, start_ps=start, finish_ps=start + needed)
        )
    ready = max((t.finish_ps for t in placed), default=0)
    return Promotion(transfers=tuple(placed), late_ps=max(0, ready - first_use_ps))


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
