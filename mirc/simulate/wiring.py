"""A module's wired objects and a machine into what its SRAM holds, and what that saves a step."""

import sys

import attrs
import numpy as np

from mirc.controller.arbiter import Pin
from mirc.controller.binder import bind_all
from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.enums import PinLevel, TierKind
from mirc.ir.resolve import View, read
from mirc.machine import Machine
from mirc.machine.transfers import PS_PER_S
from mirc.simulate.arbitration import arbitrated, read_only
from mirc.simulate.census import FROM_BELOW
from mirc.simulate.model import READ, Ints, Workload
from mirc.sram import DRIVER, BindFlags, Device, Fault, Geometry, Handle, Layout

_NOBODY = ""  # whose bytes they are that no tenant owns: only the machine's budget limits them

MOST_LINES = 2_000_000
"""Lines that may be wired, beyond which a machine is refused: each is an entry of its own."""


@attrs.frozen(kw_only=True)
class Wish:
    """An object, or a range of its bytes from ``first_byte`` on, that is to be wired.

    ``bound_bytes`` are the first ones of it, ``soft`` ones if they may be lost before the array
    stands still. ``refusal`` says why they are not all of
    ``size_bytes``: the fault of the BIND that asked for them, or a few words if none was issued.
    """

    name: str
    size_bytes: int
    first_byte: int = 0
    object_bytes: int = 0
    bound_bytes: int = 0
    soft: bool = False
    refusal: str | None = None


@attrs.frozen(kw_only=True)
class Wiring:
    """What was wired at load, and what was to be.

    ``memory`` is the SRAM; None if nothing is to be wired, or the machine has none beside its
    near memory. Binding read ``loaded_bytes``, in whole lines.
    """

    memory: str | None
    wishes: tuple[Wish, ...]
    loaded_bytes: int = 0

    @property
    def asked_bytes(self) -> int:
        """Bytes of all objects that are to be wired and have bytes at load."""
        return sum(wish.size_bytes for wish in self.wishes)

    @property
    def bound_bytes(self) -> int:
        """Bytes of them that are."""
        return sum(wish.bound_bytes for wish in self.wishes)


@attrs.frozen(kw_only=True)
class Wired:
    """A wiring and its effect on a whole run.

    ``near_bytes`` move between compute and near memory if nothing is wired; ``sram_bytes`` of
    them are read from SRAM instead.
    """

    wiring: Wiring
    near_bytes: int
    sram_bytes: int


def wire(module: Module, machine: Machine, plan: str | None) -> Wiring:
    """Bind what the module wires into the machine's SRAM: nothing, if it wires nothing there.

    Wired is what has ``pin_level = WIRED`` and prefers SRAM, or lies there by the plan. What the
    arbiter chooses is bound first, whole (or the bytes of its ``pin_range``); of the others, in
    written order, the first part that quota and budget still admit. Raises CouldNotRun for an SRAM
    of too many lines.
    """
    view = View(module, plan=plan)
    wishes = tuple(_wish(view, name) for name in _asked(module, plan))
    geometry = Geometry.of(machine)
    memory = None if machine.sram is None else machine.sram.memory
    if not wishes or geometry is None or memory == machine.near.name:
        return Wiring(memory=None, wishes=wishes)
    if geometry.wired_bytes // geometry.line_bytes > MOST_LINES:
        raise CouldNotRun(
            f"`{memory}` of {machine.name} may wire more than {MOST_LINES:_} lines",
            "give its `[sram]` section longer lines or a smaller `wired_bytes`",
        )
    quotas = {name: read(tenant, "wired_quota_bytes") for name, tenant in module.tenants.items()}
    sizes = {wish.name: wish.object_bytes for wish in wishes}
    layout = Layout(machine.near.name, geometry.line_bytes, sizes)
    device = Device(geometry, {_NOBODY: sys.maxsize, **quotas}, {layout.memory: layout.size_bytes})
    tenants = {wish.name: view.value(wish.name, "tenant_id") or _NOBODY for wish in wishes}
    answers = {wish.name: wish for wish in wishes}
    for tenant in dict.fromkeys(tenants.values()):
        own = {w.name: w for w in wishes if tenants[w.name] == tenant and not w.refusal}
        ranges = {n: layout.range_of(n, w.first_byte, w.size_bytes) for n, w in own.items()}
        sizes = {name: wish.size_bytes for name, wish in own.items()}
        chosen = arbitrated(view, machine, sizes, device.left_bytes(tenant))
        bound = bind_all(device, chosen, ranges, tenant).bound
        for name, wish in own.items():
            answers[name] = (
                attrs.evolve(wish, bound_bytes=wish.size_bytes, soft=bound[name][1] is Pin.SOFT)
                if name in bound
                else _in_part(wish, device, layout, tenant, _flags(view, name))
            )
    return Wiring(
        memory=memory,
        wishes=tuple(answers[wish.name] for wish in wishes),
        loaded_bytes=device.traffic.loaded_bytes,
    )


def bytes_from_sram(wiring: Wiring, workload: Workload) -> Ints:
    """Return, for each access of a run, how many of its bytes are read from SRAM.

    A read of an object finds there what is bound of it. An access that writes finds nothing, since
    it goes through to near memory; nor do gathered rows, of which nobody knows which they are.
    """
    bound = {wish.name: wish.bound_bytes for wish in wiring.wishes}
    held = np.array([bound.get(name, 0) for name in workload.names], dtype=np.int64)
    times = workload.access_bytes // np.maximum(workload.size_bytes, 1)[workload.access_object]
    reads = workload.access_kind == READ
    found: Ints = np.where(reads, times * held[workload.access_object], 0)
    return found


def sram_ps(machine: Machine, memory: str, size_bytes: int) -> int:
    """Return the picoseconds that kernels need to read bytes from the SRAM.

    They are taken to reach the same share of its bandwidth as of near memory's.
    """
    rate = machine.memory(memory).read_bytes_per_s * machine.compute.memory_efficiency
    return round(size_bytes / rate * PS_PER_S)


def _asked(module: Module, plan: str | None) -> list[str]:
    """Name what is wired and belongs into SRAM, in written order."""
    view = View(module, plan=plan)
    wired = [name for name in module.data if view.value(name, "pin_level") is PinLevel.WIRED]
    phases = () if plan is None else module.plans[plan].phases
    during = [View(module, phase=phase.name, plan=plan) for phase in phases]
    return [name for name in wired if _prefers_sram(view, name) or _planned(during, name)]


def _prefers_sram(view: View, name: str) -> bool:
    return TierKind.SRAM in (view.value(name, "preferred_tiers") or ())


def _planned(during: list[View], name: str) -> bool:
    stays = (stay for view in during for stay in view.value(name, "residency") or ())
    return any(stay.tier is TierKind.SRAM for stay in stays)


def _wish(view: View, name: str) -> Wish:
    size = view.value(name, "size_bytes")
    if view.class_of(name) not in FROM_BELOW:
        return Wish(name=name, size_bytes=0, refusal="made by the run, not there at load")
    if not isinstance(size, int):
        return Wish(name=name, size_bytes=0, refusal="of no fixed size")
    part = view.value(name, "pin_range")
    if part is None:
        return Wish(name=name, size_bytes=size, object_bytes=size)
    end = min(part.end, size)
    if part.start >= end:
        return Wish(name=name, size_bytes=0, object_bytes=size, refusal="its range lies outside")
    return Wish(name=name, size_bytes=end - part.start, first_byte=part.start, object_bytes=size)


def _flags(view: View, name: str) -> BindFlags:
    immutable = BindFlags.IMMUTABLE if read_only(view, name) else BindFlags.NONE
    return BindFlags.PREFETCH | immutable


def _in_part(wish: Wish, device: Device, layout: Layout, tenant: str, flags: BindFlags) -> Wish:
    """Bind all of an object, else as much from its beginning as quota and budget leave."""

    def bind(size_bytes: int) -> Fault | None:
        target = layout.range_of(wish.name, wish.first_byte, size_bytes)
        answer = device.bind(DRIVER, target, tenant, flags)
        return None if isinstance(answer, Handle) else answer

    whole = bind(wish.size_bytes)
    if whole is None:
        return attrs.evolve(wish, bound_bytes=wish.size_bytes)
    line = device.geometry.line_bytes
    part = device.left_bytes(tenant) // line * line
    if 0 < part < wish.size_bytes and bind(part) is None:
        return attrs.evolve(wish, bound_bytes=part, refusal=whole)
    return attrs.evolve(wish, refusal=whole)
