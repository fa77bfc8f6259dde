"""Rules about where objects want to live, alone and on a machine."""

from collections.abc import Iterator
from itertools import pairwise

from mirc.diagnostics import Severity
from mirc.ir.enums import TierKind
from mirc.ir.meaning import Residency
from mirc.ir.resolve import read_field
from mirc.lint.context import Context, Scope
from mirc.lint.repair import OrderElements, RemoveElements
from mirc.lint.rule import Found, LintRule, seen_at
from mirc.lint.sizes import human
from mirc.machine import Machine

_LISTS = ("preferred_tiers", "fallback_tiers")
_NEARNESS = {tier: index for index, tier in enumerate(TierKind)}


class TiersOverlap(LintRule):
    """A tier is both preferred and a fallback.

    A fallback is where an object may go when it cannot stay; a tier it prefers is no such place.
    """

    code = "MIR402"
    name = "tiers-overlap"
    severity = Severity.WARNING
    message = "`{object}` names {tiers} among both its preferred and its fallback tiers"
    hint = "leave each tier in one of the two lists"
    fixable = True
    bad = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DRAM]  fallback_tiers = [DRAM, NVME] }
"""
    good = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DRAM]  fallback_tiers = [NVME] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike(*_LISTS):
            preferred, fallback = (scope.written(key) for key in _LISTS)
            if preferred is None or fallback is None:
                continue
            both = [index for index, tier in enumerate(fallback) if tier in preferred]
            if not both:
                continue
            here, there = _LISTS[::-1] if scope.own("fallback_tiers") else _LISTS
            rest = len(fallback) - len(both)
            for each in scopes:
                sure = here == "fallback_tiers" and rest and context.settles(each, *_LISTS)
                yield self.at(
                    each.nearest,
                    here,
                    related=seen_at(each.mark(there), f"`{there}` is here"),
                    repair=RemoveElements(each.nearest, here, tuple(both)) if sure else None,
                    tiers=" and ".join(fallback[index] for index in both),
                    object=each.name,
                )


class TierOrder(LintRule):
    """A list of tiers names a farther one before a nearer one.

    Lists go from most wanted to least; a farther tier first is legal, and rarely meant.
    """

    code = "MIR403"
    name = "tier-order"
    severity = Severity.HINT
    message = "`{key}` of `{object}` puts {first} before {second}, which is nearer"
    hint = "write [{sorted}], or leave {second} out if it is not wanted"
    fixable = True
    bad = """
object x { class = WEIGHT_TILE  preferred_tiers = [DRAM, HBM] }
"""
    good = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DRAM] }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for key in _LISTS:
            for field, scopes in context.lines(key):
                tiers = read_field(field)
                pairs = ((a, b) for a, b in pairwise(tiers) if _NEARNESS[a] > _NEARNESS[b])
                first, second = next(pairs, (None, None))
                if first is None:
                    continue
                order = sorted(range(len(tiers)), key=lambda index: _NEARNESS[tiers[index]])
                for scope in scopes:
                    yield self.at(
                        scope.nearest,
                        key,
                        repair=OrderElements(scope.nearest, key, tuple(order)),
                        key=key,
                        object=scope.name,
                        first=first,
                        second=second,
                        sorted=", ".join(tiers[index] for index in order),
                    )


class ProtectedElsewhere(LintRule):
    """A protection names a tier where the object never is, or there is nothing that protects.

    `anti_evict_from` says which tiers an `anti_evict_rule` guards: of those that the object prefers
    or falls back to.
    """

    code = "MIR425"
    name = "protected-elsewhere"
    severity = Severity.WARNING
    message = "`anti_evict_from` of `{object}` protects it in {tier}, but {reason}"
    hint = "{advice}"
    bad = (
        """
object x {
  class           = KV_BLOCK
  preferred_tiers = [HBM]
  fallback_tiers  = [DRAM]
  sharing_scope   = PREFIX
  anti_evict_rule = WHILE_FANOUT_GT_1
  anti_evict_from = [SRAM]
}
""",
        """
object x { class = KV_BLOCK  anti_evict_from = [HBM] }
""",
    )
    good = """
object x {
  class           = KV_BLOCK
  preferred_tiers = [HBM]
  fallback_tiers  = [DRAM]
  sharing_scope   = PREFIX
  anti_evict_rule = WHILE_FANOUT_GT_1
  anti_evict_from = [HBM]
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        ruled = {s.name for _, found in context.lines("anti_evict_rule") for s in found}
        for scope, scopes in context.alike("anti_evict_from"):
            reachable = {tier for key in _LISTS for tier in scope.value(key) or ()}
            tiers = scope.value("anti_evict_from")
            for each in scopes:
                words: tuple[str, str, TierKind] | None = None
                if each.name not in ruled:
                    advice = "add the `anti_evict_rule` that says for how long"
                    words = ("no `anti_evict_rule` protects it", advice, tiers[0])
                elif not reachable.issuperset(tiers) and scope.plan is None:
                    never = next(tier for tier in tiers if tier not in reachable)
                    advice = f"add {never} to its tiers, or remove it here"
                    words = ("that is none of its tiers", advice, never)
                if words is not None:
                    reason, advice, tier = words
                    yield self.at(
                        each.nearest,
                        "anti_evict_from",
                        object=each.name,
                        tier=tier,
                        reason=reason,
                        advice=advice,
                    )


class LargerThanTier(LintRule):
    """An object prefers a tier of the machine that could not hold it even if it were empty."""

    code = "MIR601"
    name = "larger-than-tier"
    severity = Severity.WARNING
    message = (
        "`{object}` prefers {tier}, but its {size} exceed the {capacity} of {tier} on {machine}"
    )
    hint = "drop {tier} from the list, or split the object into tiles"
    bad = """
object x { class = WEIGHT_TILE  size_bytes = 128MiB  preferred_tiers = [SRAM, HBM] }
"""
    good = """
object x { class = WEIGHT_TILE  size_bytes = 1MiB  preferred_tiers = [SRAM, HBM] }
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        for field, scopes in context.lines("preferred_tiers"):
            tiers = read_field(field)
            for scope in scopes:
                for machine in context.machines_of(scope):
                    yield from self._larger(scope, tiers, machine)

    def _larger(
        self, scope: Scope, tiers: tuple[TierKind, ...], machine: Machine
    ) -> Iterator[Found]:
        size = scope.written("size_bytes")
        for tier in tiers if isinstance(size, int) else ():
            memory = machine.tier(tier)
            if memory is not None and size > memory.usable_bytes:
                yield self.at(
                    scope.nearest,
                    "preferred_tiers",
                    object=scope.name,
                    tier=tier,
                    size=human(size),
                    capacity=human(memory.usable_bytes),
                    machine=machine.name,
                )


class NoSuchTier(LintRule):
    """None of the tiers that a list names exists on the machine.

    One that is missing is no fault, since intent is written for many machines; all of them is.
    """

    code = "MIR602"
    name = "no-such-tier"
    severity = Severity.WARNING
    message = "`{object}` wants to be in {tiers}, and {machine} has none of them"
    hint = "add one of {present} to `{key}`"
    bad = """
object x { class = WEIGHT_TILE  preferred_tiers = [CXL] }
"""
    good = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM, CXL] }
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        tiers_of: dict[str, list[TierKind]] = {}
        for key in self.KEYS:
            for field, scopes in context.lines(key):
                tiers = list(_tiers(read_field(field)))
                for scope in scopes if tiers else ():
                    for machine in context.machines_of(scope):
                        if machine.name not in tiers_of:
                            tiers_of[machine.name] = [t for t in TierKind if machine.tier(t)]
                        present = tiers_of[machine.name]
                        if set(tiers).isdisjoint(present):
                            yield self.at(
                                scope.nearest,
                                key,
                                key=key,
                                object=scope.name,
                                tiers=" or ".join(tiers),
                                machine=machine.name,
                                present=", ".join(present),
                            )

    KEYS = ("preferred_tiers", "residency")


def _tiers(values: tuple[object, ...]) -> Iterator[TierKind]:
    for value in values:
        if isinstance(value, Residency):
            yield value.tier
        elif isinstance(value, TierKind):
            yield value
