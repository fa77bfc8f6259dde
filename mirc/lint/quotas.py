"""Rules about what tenants and claims may have, beside what is there."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import PinLevel
from mirc.ir.places import Mark
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.holding import AT_LOAD, Holding, places
from mirc.lint.ledger import Held, against, largest_first, named, shown, total_of, witness
from mirc.lint.rule import Found, LintRule


class WiredBeyondQuota(LintRule):
    """A tenant wires more on-chip memory than its `wired_quota_bytes`.

    BIND refuses what goes beyond the quota: of these objects some, or the end of one, will not be
    wired. Objects that exist at load and prefer SRAM count, or lie there by a plan.
    """

    code = "MIR605"
    name = "wired-beyond-quota"
    severity = Severity.WARNING
    message = "`{tenant}` wires {need} of on-chip memory, and its quota is {capacity}: {witness}"
    hint = "raise `wired_quota_bytes`, or wire fewer objects"
    bad = """
tenant a { wired_quota_bytes = 16MiB }
object x {
  class = WEIGHT_TILE  size_bytes = 24MiB
  preferred_tiers = [SRAM, HBM]  pin_level = WIRED  tenant_id = a
}
"""
    good = """
tenant a { wired_quota_bytes = 24MiB }
object x {
  class = WEIGHT_TILE  size_bytes = 24MiB
  preferred_tiers = [SRAM, HBM]  pin_level = WIRED  tenant_id = a
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        if not context.module.tenants:
            return
        holding = context.once(Holding)
        worst: dict[str, tuple[Held, ...]] = {}
        for plan in (None, *context.module.plans):
            owned: dict[str, list[Held]] = {}
            for entry, name in _wired(holding, plan):
                if name in context.module.tenants:
                    owned.setdefault(name, []).append(entry)
            for name, entries in owned.items():
                if name not in worst or total_of(worst[name]) < total_of(entries):
                    worst[name] = largest_first(entries)
        for name, held in worst.items():
            tenant = context.module.tenants[name]
            quota = read(tenant, "wired_quota_bytes")
            if total_of(held) <= quota:
                continue
            found = witness(held, quota)
            need, capacity = against(total_of(held), quota)
            yield self.at(
                tenant,
                "wired_quota_bytes" if tenant.value("wired_quota_bytes") is not None else None,
                related=shown(found),
                tenant=name,
                need=need,
                capacity=capacity,
                witness=named(found, len(held)),
            )


class WiredBeyondBudget(LintRule):
    """More is wired than the machine's on-chip memory admits, of all tenants together.

    A part of it always stays unwired, so that other accesses find a victim; BIND refuses the rest.
    """

    code = "MIR606"
    name = "wired-beyond-budget"
    severity = Severity.WARNING
    message = "{need} are to be wired, and {machine} admits {capacity}: {witness}"
    hint = "wire fewer objects, those first whose bytes are read most often"
    bad = """
object a { class = WEIGHT_TILE  size_bytes = 24MiB  preferred_tiers = [SRAM]  pin_level = WIRED }
object b { class = WEIGHT_TILE  size_bytes = 24MiB  preferred_tiers = [SRAM]  pin_level = WIRED }
"""
    good = """
object a { class = WEIGHT_TILE  size_bytes = 24MiB  preferred_tiers = [SRAM]  pin_level = WIRED }
object b { class = WEIGHT_TILE  size_bytes = 24MiB  preferred_tiers = [SRAM] }
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        for place in places(context):
            sram = place.machine.sram
            if sram is None or not place.wires:
                continue
            held = largest_first([h for h, _ in _wired(context.once(Holding), place.plan)])
            if total_of(held) > sram.wired_bytes:
                found = witness(held, sram.wired_bytes)
                need, capacity = against(total_of(held), sram.wired_bytes)
                yield self.at(
                    found[0].mark.block,
                    found[0].mark.key,
                    related=shown(found[1:]),
                    need=need,
                    machine=place.machine.name,
                    capacity=capacity,
                    witness=named(found, len(held)),
                )


class QuotasBeyondMemory(LintRule):
    """The quotas of all tenants together are more than the memory that they divide.

    Each of them alone can be met; all at once cannot, and the last to come is refused although it
    keeps to its quota.
    """

    code = "MIR607"
    name = "quotas-beyond-memory"
    severity = Severity.WARNING
    message = "all tenants' `{key}` are {need} together, and {machine} has {capacity}: {witness}"
    hint = "lower some of the quotas, or choose a larger machine"
    bad = """
tenant a { quota_bytes = 40GiB }
tenant b { quota_bytes = 40GiB }
"""
    good = """
tenant a { quota_bytes = 40GiB }
tenant b { quota_bytes = 20GiB }
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        for place in places(context):
            sram = place.machine.sram
            rooms = {
                "quota_bytes": place.machine.near.usable_bytes,
                "wired_quota_bytes": sram.wired_bytes if sram and place.wires else None,
            }
            for key, room in rooms.items():
                held = largest_first(list(_quotas(context, key)))
                if room is None or total_of(held) <= room:
                    continue
                found = witness(held, room)
                need, capacity = against(total_of(held), room)
                yield self.at(
                    found[0].mark.block,
                    key,
                    related=shown(found[1:]),
                    key=key,
                    need=need,
                    machine=place.machine.name,
                    capacity=capacity,
                    witness=named(found, len(held)),
                )


def _wired(holding: Holding, plan: str | None) -> Iterator[tuple[Held, str]]:
    """Yield what is bound into on-chip memory at load, with the tenant that it counts against."""
    for name in holding.on_chip(None, plan):
        size = holding.needs.amount_of(name)
        mark = holding.said.mark(name, "pin_level", None, plan)
        part = holding.said.value(name, "pin_range", None, plan)
        if part is not None and isinstance(size, int):
            size = max(0, min(part.end, size) - part.start)
        if holding.said.class_of(name) in AT_LOAD and isinstance(size, int) and size and mark:
            yield Held(size, f"`{name}`", mark, f"is {PinLevel.WIRED}"), tenant_of(holding, name)


def tenant_of(holding: Holding, name: str) -> str:
    """Return the tenant whose bytes an object's are, or nothing."""
    value = holding.said.value(name, "tenant_id")
    return "" if value is None else str(value)


def _quotas(context: Context, key: str) -> Iterator[Held]:
    for tenant in context.module.tenants.values():
        if tenant.value(key) is not None:
            quota = read(tenant, key)
            yield Held(quota, f"`{tenant.name}`", Mark(tenant, key), "has a part of them")
