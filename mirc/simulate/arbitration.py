"""What is wished for and declared reuse into what the arbiter binds whole."""

from collections.abc import Mapping

from mirc.controller.arbiter import Arbitration, Candidate, arbitrate
from mirc.ir.enums import DeadlineClass, Level, Mutability
from mirc.ir.levels import probability_of
from mirc.ir.meaning import Applied
from mirc.ir.resolve import View
from mirc.machine import Machine

SESSION_RUNS = 512
"""Runs for which bindings are taken to last: the tokens of the session of essay 003."""


def arbitrated(
    view: View, machine: Machine, sizes: Mapping[str, int], quota_bytes: int
) -> Arbitration:
    """Choose the wishes (bytes by name) that save the most seconds within a quota.

    A reading on chip saves the difference of both memories' rates, binding costs one pass over the
    link between them, and a byte of quota as much as reading it once from near memory. What has a
    HARD deadline is critical. Of the machine the SRAM section must be there. Where nothing would be
    saved, nothing is chosen.
    """
    assert machine.sram is not None  # noqa: S101 - the caller asked
    near, chip = machine.near, machine.memory(machine.sram.memory)
    link = machine.link(near.name, chip.name)
    holding = 1 / near.read_bytes_per_s
    reading = holding - 1 / chip.read_bytes_per_s
    if reading <= 0:
        return Arbitration(chosen=(), saved_s=0.0, bytes=0)
    candidates = [
        Candidate(
            name=name,
            size_bytes=size,
            reuse_count=SESSION_RUNS * reads_per_run(view, name),
            reading=reading,
            binding=holding if link is None else 1 / link.peak_bytes_per_s,
            read_only=read_only(view, name),
            critical=view.value(name, "deadline_class") is DeadlineClass.HARD,
        )
        for name, size in sizes.items()
    ]
    return arbitrate(candidates, quota_bytes, holding=holding)


def read_only(view: View, name: str) -> bool:
    """Tell whether nobody writes an object: weights, and what the file says is immutable."""
    written = view.value(name, "mutability") is not Mutability.READ_ONLY
    return not written or bool(view.value(name, "immutable"))


def reads_per_run(view: View, name: str) -> float:
    """Return the declared reads of an object in one run of a phase that reads it."""
    reuse = view.value(name, "reuse")
    if isinstance(reuse, Level):
        return probability_of("reuse", reuse)
    if isinstance(reuse, int | float):
        return float(reuse)
    return 1.0 if isinstance(reuse, Applied) else 0.0  # EVERY(...), or ONCE
