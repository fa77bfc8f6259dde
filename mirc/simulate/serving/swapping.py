"""Blocks that move between near and host memory into the times at which they have landed."""

from collections.abc import Sequence

from mirc.machine import Machine
from mirc.machine.parts import Link
from mirc.machine.transfers import transfer_ps
from mirc.simulate.serving.caches import Caches, ways_of

_AS_PER_PS = 10**6


class Swapping:
    """The links to host memory and back, each first come first served; times in attoseconds.

    What moves lies in the pieces of the file's layout, and takes what the link's curve says of
    pieces of that size; latency and launch are paid once a move. Links of one root take turns.
    """

    def __init__(self, machine: Machine, caches: Caches) -> None:
        self.inward, self.outward = ways_of(machine, caches.block_bytes)
        self.busy_as: dict[str, int] = {link.name: 0 for link in (*self.inward, *self.outward)}
        self._piece = caches.fragment_bytes
        self._free: dict[str, int] = {}

    def load(self, now: int, size: int) -> int:
        """Return when bytes that are asked for now have come from host memory."""
        return self._move(self.inward, now, size)

    def store(self, now: int, size: int) -> int:
        """Return when bytes that leave now are in host memory, and their room is free."""
        return self._move(self.outward, now, size)

    def _move(self, links: Sequence[Link], now: int, size: int) -> int:
        for link in links:
            server = link.root or link.name
            spent = transfer_ps(link, size, self._piece) * _AS_PER_PS
            now = max(now, self._free.get(server, 0)) + spent
            self._free[server] = now
            self.busy_as[link.name] += spent
        return now
