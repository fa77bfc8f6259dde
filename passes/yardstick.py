"""A machine, or a portable stand-in for one, into the price of recomputing and of moving bytes."""

from functools import cached_property

import attrs

from mirc.machine import Link, Machine
from mirc.machine.roofline import compute_seconds, memory_seconds
from mirc.machine.transfers import PS_PER_S, transfer_ps
from mirc.passes.tiers import below_near, round_trip

PORTABLE_FLOPS = 500e12
PORTABLE_NEAR_BYTES_PER_S = 3e12
PORTABLE_LINK_BYTES_PER_S = 50e9
PORTABLE_LATENCY_S = 10e-6


@attrs.frozen
class Yardstick:
    """Prices in seconds on one machine; without one, on a portable reference.

    The reference has the round figures of an accelerator beside a host link (500 TFLOP/s, 3 TB/s
    near, 50 GB/s and 10 us each way), so that its class is one of FLOP and near bytes for each
    byte of the object: up to 20,000 FLOP or 120 near bytes a byte are CHEAP for large objects.
    """

    machine: Machine | None = None

    @property
    def name(self) -> str:
        """The machine's name, empty for the reference."""
        return self.machine.name if self.machine else ""

    def roofs(self, dtype: str) -> tuple[float, float]:
        """Return the seconds of one FLOP and of one byte; the slower total is the time."""
        if self.machine is None:
            return 1 / PORTABLE_FLOPS, 1 / PORTABLE_NEAR_BYTES_PER_S
        flop = compute_seconds(self.machine, 1.0, "matmul", dtype)
        return flop, memory_seconds(self.machine, 1.0)

    def refetch_seconds(self, size_bytes: int) -> float:
        """Return the time to spill to the next tier and fetch back, one after the other.

        Infinite where the near memory has nothing below it.
        """
        if self.machine is None:
            return 2 * (size_bytes / PORTABLE_LINK_BYTES_PER_S + PORTABLE_LATENCY_S)
        if not self.links:
            return float("inf")
        return sum(transfer_ps(link, size_bytes) for link in self.links) / PS_PER_S

    def exposed_seconds(self, size_bytes: int, slack_seconds: float) -> float:
        """Return what is left of that time where compute hides ``slack_seconds`` of it."""
        return max(0.0, self.refetch_seconds(size_bytes) - slack_seconds)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The way out to the next tier and back, where the near memory has one below it."""
        lower = below_near(self.machine) if self.machine else ()
        return round_trip(self.machine, lower[0]) if self.machine and lower else ()
