"""What a run did into the contracts that it broke."""

from collections.abc import Sequence

import numpy as np

from mirc.ir.enums import PinLevel
from mirc.kernels.events import Kind, Reason
from mirc.machine import Machine
from mirc.packed.view import PackedView
from mirc.simulate.model import Flags, Outcome

MOST_NAMED = 10
"""Broken contracts named one by one; the rest are counted."""


def wired(view: PackedView, names: Sequence[str]) -> Flags:
    """Tell which objects of a run are wired: an instance or gathered rows are as their owner."""
    known: dict[str, bool] = {}
    for owner in dict.fromkeys(_owner(view, name) for name in names):
        known[owner] = view.value(owner, "pin_level") is PinLevel.WIRED
    return np.array([known[_owner(view, name)] for name in names], dtype=np.bool_)


def broken(
    outcome: Outcome, names: Sequence[str], machine: Machine, held: Flags
) -> tuple[str, ...]:
    """Name each contract that the outcome shows to be broken, earliest first.

    Those are a capacity exceeded, and a wired object (``held``) that left near memory before its
    life ended; the latter can be told from recorded events alone.
    """
    found = [*_overfull(outcome, machine), *_lost(outcome, names, held)]
    if len(found) <= MOST_NAMED:
        return tuple(found)
    return (*found[:MOST_NAMED], f"and {len(found) - MOST_NAMED} more")


def _owner(view: PackedView, name: str) -> str:
    return name if name in view.packed.data else name[: name.rindex("(")]


def _overfull(outcome: Outcome, machine: Machine) -> list[str]:
    return [
        f"`{name}` held {peak:_} bytes, and {machine.memory(name).usable_bytes:_} are usable"
        for name, peak in sorted(outcome.peak_bytes.items())
        if peak > machine.memory(name).usable_bytes
    ]


def _lost(outcome: Outcome, names: Sequence[str], held: Flags) -> list[str]:
    events = outcome.events
    if events is None or not held.any():
        return []
    leaving = np.isin(events["kind"], (Kind.DROP, Kind.WRITE_BACK))
    leaving &= events["reason"] != Reason.ENDED
    rows = events[leaving]
    return [
        f"the wired object `{names[row['object']]}` left near memory in step {row['step']}"
        for row in rows[held[rows["object"]]]
    ]
