"""Declared ladders into units with sizes and prices at every rung."""

from collections.abc import Sequence

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors
from mirc.controller.precision.states import State
from mirc.controller.precision.units import Unit
from mirc.ir.enums import DType, Level, PinLevel, bits_of
from mirc.ir.levels import probability_of
from mirc.kernels.world import Table
from mirc.machine import Machine
from mirc.machine.roofline import memory_seconds
from mirc.machine.transfers import PS_PER_S
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.model import Ints, Workload
from mirc.simulate.topology import topology

SCALE_GROUP = 128  # elements that share a 16-bit scale below 16 bits: Frantar et al., GPTQ, 2023


@attrs.frozen(kw_only=True)
class Managed:
    """One weight of a run: its dense id, its unit, and the types of its rungs.

    ``chosen`` is the probability that a run of a phase which may use it does.
    """

    object: int
    unit: Unit
    dtypes: tuple[str, ...]
    chosen: float = 1.0


def managed(
    packed: Packed, plan: str | None, workload: Workload, known: Descriptors
) -> tuple[Managed, ...]:
    """Return the weights of a run with their ladders; one without a ladder has one rung.

    What is wired is left as it is, and so are rows gathered out of a table.
    """
    view = PackedView(packed, plan=plan)
    found = []
    for o in np.flatnonzero(workload.streamed & ~workload.made).tolist():
        name = workload.names[o]
        if name in packed.objects and view.value(name, "pin_level") is not PinLevel.WIRED:
            size = int(workload.size_bytes[o])
            cold = known.backing[o][:1] == ("NVME",)
            one = _managed(view, o, name, size, State.S4 if cold else State.S3)
            found.append(attrs.evolve(one, chosen=float(known.probability[o])))
    return tuple(found)


def _managed(view: PackedView, o: int, name: str, size: int, home: State) -> Managed:
    own = view.value(name, "dtype")
    ladder = tuple(DType(each) for each in view.value(name, "precision_ladder") or ())
    floor = view.value(name, "precision_floor")
    if not ladder or size <= 0:
        ladder = (DType(own),) if own else ()
    rungs = tuple(_bytes(size, ladder[0], each) for each in ladder) or (max(1, size),)
    # A rung that saves nothing is none: scales outweigh the bits of a very short vector.
    kept = [rung for rung in range(len(rungs)) if rung == 0 or rungs[rung] < rungs[rung - 1]]
    lowest = bits_of(DType(floor)) if floor else 0
    bits = [bits_of(ladder[rung]) for rung in kept] if ladder else []
    allowed = [place for place, each in enumerate(bits) if each >= lowest] or [0]
    level = view.value(name, "sensitivity")
    sure = level if isinstance(level, float) else None
    unit = Unit(
        name=name,
        rungs=tuple(rungs[rung] for rung in kept),
        floor=allowed[-1] if ladder else 0,
        sensitivity=probability_of("sensitivity", Level(level or Level.MEDIUM))
        if sure is None
        else sure,
        home=home,
    )
    dtypes = tuple(str(ladder[rung]) for rung in kept) if ladder else ("unknown",)
    return Managed(object=o, unit=unit, dtypes=dtypes)


def _bytes(size: int, own: DType, dtype: DType) -> int:
    if bits_of(dtype) >= bits_of(own):
        return size
    elements = size * 8 // bits_of(own)
    scales = -(-elements // SCALE_GROUP) * 2 if bits_of(dtype) < 16 else 0
    return -(-elements * bits_of(dtype) // 8) + scales


@attrs.frozen(kw_only=True, eq=False)
class Physics:
    """What a rung changes: ``service_ps`` [rungs, l, n] on each link, and a byte's time near."""

    service_ps: Table
    near_ps: float


def physics(
    units: Sequence[Managed], workload: Workload, known: Descriptors, machine: Machine
) -> Physics:
    """Price every unit at every rung; the others are as they are."""
    deepest = max((len(each.unit.rungs) for each in units), default=1)
    tables = []
    for rung in range(deepest):
        sizes: Ints = workload.size_bytes.copy()
        for each in units:
            sizes[each.object] = each.unit.rungs[min(rung, len(each.unit.rungs) - 1)]
        changed = attrs.evolve(workload, size_bytes=sizes)
        tables.append(topology(changed, known, machine).service_ps)
    near = memory_seconds(machine, 1.0) * PS_PER_S
    return Physics(service_ps=np.stack(tables), near_ps=near)
