"""The arbiter's regions into the fields of a plan's overrides."""

from collections.abc import Iterator

from mirc.graph import Program
from mirc.ir import Call, Field, Name, Override
from mirc.machine import TierKind
from mirc.passes.arbiter import Region, Wirings
from mirc.passes.base import Facts
from mirc.passes.machine_plan import MachinePlan
from mirc.passes.pieces import name_of
from mirc.passes.seeds import Options
from mirc.passes.tier_liveness import TierLive


def wired_overrides(program: Program, facts: Facts, plan: MachinePlan) -> Iterator[Override]:
    """Yield what a plan says of each object to wire; nothing where nobody asked.

    Wired bytes never leave, so their object does not spill; bytes that are only read are immutable.
    """
    wiring = facts[Wirings].by_machine.get(plan.machine.name)
    if wiring is None or not facts[Options].wire:
        return
    for region in wiring.chosen:
        piece = facts[TierLive].pieces[region.piece]
        whole = region.size_bytes == piece.size_bytes
        yield Override(name_of(program, piece), tuple(_fields(plan, region, whole=whole)))


def _fields(plan: MachinePlan, region: Region, *, whole: bool) -> Iterator[Field]:
    yield Field("preferred_tiers", (Name(TierKind.SRAM.value), Name(plan.near.value)))
    yield Field("pin_level", Name("SOFT" if region.soft else "WIRED"))
    if not whole:
        yield Field("pin_range", Call("RANGE", (0, region.size_bytes)))
    yield Field("immutable", value=True)
    if not region.soft:
        yield Field("spill_policy", Name("NEVER"))
