"""What the arbiter chose into BIND and RELEASE, at a model's load and when a phase begins."""

from collections.abc import Mapping

import attrs

from mirc.controller.arbiter import Arbitration, Choice, Pin
from mirc.sram import DRIVER, BindFlags, Fault, Handle, Range, ReleaseMode, Residency


@attrs.frozen(kw_only=True)
class Bindings:
    """What of an arbitration is bound for a tenant, by candidate, and what was refused and why."""

    tenant: str
    bound: Mapping[str, tuple[Handle, Pin]]
    refused: Mapping[str, Fault]


def bind_all(
    memory: Residency,
    arbitration: Arbitration,
    ranges: Mapping[str, Range],
    tenant: str,
    before: Bindings | None = None,
) -> Bindings:
    """Make the bindings of a tenant those of an arbitration. O(candidates) commands.

    What was bound ``before`` and is chosen again in the same way stays as it is; the others are
    released first, written back where dirty. Read-only candidates are bound IMMUTABLE. Raises
    KeyError for a candidate without a range.
    """
    chosen = {choice.candidate.name: choice for choice in arbitration.chosen}
    held = dict(before.bound) if before is not None else {}
    for name, (handle, pin) in tuple(held.items()):
        if name not in chosen or chosen[name].pin is not pin:
            memory.release(DRIVER, handle, ReleaseMode.WRITEBACK)
            del held[name]
    refused: dict[str, Fault] = {}
    for name, choice in chosen.items():
        if name in held:
            continue
        answer = memory.bind(DRIVER, ranges[name], tenant, flags_of(choice))
        if isinstance(answer, Handle):
            held[name] = (answer, choice.pin)
        else:
            refused[name] = answer
    return Bindings(tenant=tenant, bound=held, refused=refused)


def flags_of(choice: Choice) -> BindFlags:
    """Return how a choice is bound: loaded at once, immutable if read only, soft if so pinned."""
    flags = BindFlags.PREFETCH
    if choice.candidate.read_only:
        flags |= BindFlags.IMMUTABLE
    if choice.pin is Pin.SOFT:
        flags |= BindFlags.SOFT_PIN
    return flags
