"""Rules about claims and steps that find no room for what they must hold."""

from collections.abc import Iterator, Sequence

from mirc.diagnostics import Severity
from mirc.ir.enums import Guarantee, TierKind
from mirc.ir.module import Claim, Phase
from mirc.ir.places import Mark
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.holding import Holding, Place, endless, places, promises
from mirc.lint.ledger import (
    Held,
    Ledger,
    Stay,
    against,
    and_others,
    largest_first,
    named,
    shown,
    total_of,
    witness,
)
from mirc.lint.quotas import tenant_of
from mirc.lint.rule import Found, LintRule
from mirc.lint.sizes import human


class ClaimBeyondRoom(LintRule):
    """A hard claim that can never be granted: what it holds does not fit beside the steps.

    A hard claim refuses others and is never lost, so it is admitted only if the largest step still
    finds room beside it. Claims that hold from the start to the end of the session count in every
    step (`step-beyond-memory`); this one judges those that end or bind later, each alone, and
    claims to memories other than near memory.
    """

    code = "MIR608"
    name = "claim-beyond-room"
    severity = Severity.ERROR
    message = (
        "the hard claim `{claim}` can never be granted: it holds {need}{beside}, and {tier} of "
        "{machine} has {capacity}"
    )
    hint = "claim fewer objects or `blocks`, or make the guarantee SOFT"
    bad = """
object w { class = WEIGHT_TILE  size_bytes = 30GiB }
object k { class = KV_BLOCK  size_bytes = 50GiB }
claim c { holder = gateway  objects = [k]  guarantee = HARD  until = 600s }
phase p {
  step s { reads = [w] }
  step t { reads = [k] }
}
"""
    good = """
object w { class = WEIGHT_TILE  size_bytes = 30GiB }
object k { class = KV_BLOCK  size_bytes = 30GiB }
claim c { holder = gateway  objects = [k]  guarantee = HARD  until = 600s }
phase p {
  step s { reads = [w] }
  step t { reads = [k] }
}
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        claims = [
            claim
            for claim in context.module.claims.values()
            if read(claim, "guarantee") is Guarantee.HARD
        ]
        for place in places(context) if claims else ():
            near = place.machine.near.kind
            for claim in claims:
                if not promises(claim, near, place):
                    yield from self._alone(context, claim, place)
                elif not endless(claim) or not context.has_steps:
                    yield from self._beside_steps(context, claim, place)

    def _alone(self, context: Context, claim: Claim, place: Place) -> Iterator[Found]:
        tiers = [tier for tier in read(claim, "tiers") if place.has(tier)]
        room = sum(m.usable_bytes for m in place.machine.memories if m.kind in tiers)
        held = _claimed(context, claim)
        if tiers and total_of(held) > room:
            yield self._found(claim, held, "", (tiers, place, room))

    def _beside_steps(self, context: Context, claim: Claim, place: Place) -> Iterator[Found]:
        near = place.machine.near
        held = _claimed(context, claim)
        worst, beside = total_of(held), ""
        for phase in context.module.phases.values() if held else ():
            ledger = context.once(Holding).ledger(phase, place)
            alone = ledger.totals()
            if not alone or max(alone) > near.usable_bytes:
                continue  # another rule's
            totals = _with(ledger, claim, held).totals()
            step = max(range(len(totals)), key=totals.__getitem__)
            if totals[step] > worst:
                worst = totals[step]
                rest = human(worst - total_of(held))
                beside = f" beside {rest} of step `{phase.steps[step].name}` of `{phase.name}`"
        if worst > near.usable_bytes:
            yield self._found(claim, held, beside, ([near.kind], place, near.usable_bytes))

    def _found(
        self,
        claim: Claim,
        held: Sequence[Held],
        beside: str,
        where: tuple[Sequence[TierKind], Place, int],
    ) -> Found:
        tiers, place, room = where
        need, capacity = against(total_of(held), room)
        return self.at(
            claim,
            related=shown(held),
            claim=claim.name,
            need=need,
            beside=beside,
            tier=" and ".join(tiers),
            machine=place.machine.name,
            capacity=capacity,
        )


class TenantBeyondQuota(LintRule):
    """A step needs more of one tenant's objects near at once than the tenant's quota allows.

    The step can never run: its operands are refused on the way in. Bytes are counted as for
    `step-beyond-memory`, those of one tenant alone.
    """

    code = "MIR613"
    name = "tenant-beyond-quota"
    severity = Severity.ERROR
    message = (
        "step `{step}` of `{phase}` must hold {need} of `{tenant}` at once, and its quota is "
        "{capacity}: {witness}{others}"
    )
    hint = "raise the tenant's `quota_bytes`, or split the step or its objects"
    bad = """
tenant a { quota_bytes = 4GiB }
object x { class = WEIGHT_TILE  size_bytes = 6GiB  tenant_id = a }
phase p { step s { reads = [x] } }
"""
    good = """
tenant a { quota_bytes = 8GiB }
object x { class = WEIGHT_TILE  size_bytes = 6GiB  tenant_id = a }
phase p { step s { reads = [x] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        quotas = {
            tenant.name: quota
            for tenant in context.module.tenants.values()
            if (quota := read(tenant, "quota_bytes")) is not None
        }
        if not quotas:
            return
        holding = context.once(Holding)
        owner = {name: tenant_of(holding, name) for name in holding.said.about("tenant_id")}
        for phase in context.module.phases.values():
            over: dict[str, list[tuple[int, int]]] = {}
            for step, need in enumerate(holding.needs.of(phase)):
                sums: dict[str, int] = {}
                for name, size in need.wholes.items():
                    if name in owner:
                        sums[owner[name]] = sums.get(owner[name], 0) + size
                for tenant, total in sums.items():
                    if tenant in quotas and total > quotas[tenant]:
                        over.setdefault(tenant, []).append((-total, step))
            for tenant, steps in over.items():
                total, step = min(steps)
                names = [n for n in holding.needs.of(phase)[step].wholes if owner.get(n) == tenant]
                yield self._found(holding, phase, names, (tenant, step, -total, len(steps)))

    def _found(
        self,
        holding: Holding,
        phase: Phase,
        names: Sequence[str],
        what: tuple[str, int, int, int],
    ) -> Found:
        tenant, step, total, steps = what
        wholes, block = holding.needs.of(phase)[step].wholes, holding.module.tenants[tenant]
        quota = read(block, "quota_bytes")
        entries = [
            Held(wholes[name], f"`{name}`", _size_mark(holding, name), "is used by the step")
            for name in names
        ]
        held = largest_first(entries)
        found = witness(held, quota)
        need, capacity = against(total, quota)
        return self.at(
            phase.steps[step],
            related=((Mark(block, "quota_bytes"), "the quota is here"), *shown(found)),
            step=phase.steps[step].name,
            phase=phase.name,
            tenant=tenant,
            need=need,
            capacity=capacity,
            witness=named(found, len(held)),
            others=and_others(steps - 1),
        )


def _claimed(context: Context, claim: Claim) -> tuple[Held, ...]:
    holding = context.once(Holding)
    entries = [
        Held(size, f"`{name}`", _size_mark(holding, name), "is covered by the claim")
        for name, size in holding.claimed_bytes(claim, holding.claimed(claim))
        if size
    ]
    return largest_first(entries)


def _with(ledger: Ledger, claim: Claim, held: Sequence[Held]) -> Ledger:
    """Return the ledger with what a claim holds through all steps, unless it stays anyway."""
    staying, last = {stay.name for stay in ledger.stays}, len(ledger.needs) - 1
    stays = [
        Stay(entry.mark.block.name, entry.size_bytes, 0, last, Mark(claim), "is claimed")
        for entry in held
        if entry.mark.block.name not in staying
    ]
    return ledger._replace(stays=(*ledger.stays, *stays))


def _size_mark(holding: Holding, name: str) -> Mark:
    return Mark(holding.module.data[name], "size_bytes")
