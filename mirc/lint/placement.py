"""Rules about where objects want to live, alone and on a machine."""

from collections.abc import Iterator
from itertools import pairwise

from mirc.diagnostics import Diagnostic, Severity
from mirc.ir.enums import TierKind
from mirc.ir.meaning import Residency
from mirc.ir.resolve import read_field
from mirc.lint.context import Context
from mirc.lint.rule import LintRule, seen_at
from mirc.lint.sizes import human

_LISTS = ("preferred_tiers", "fallback_tiers")
_NEARNESS = {tier: index for index, tier in enumerate(TierKind)}


class TiersOverlap(LintRule):
    """A tier is both preferred and a fallback.

    A fallback is where an object may go when it cannot stay; a tier it prefers is no such place.
    """

    code = "MIR402"
    name = "tiers-overlap"
    severity = Severity.WARNING
    message = "{tier} is both a preferred and a fallback tier of `{object}`"
    hint = "remove it from one of the two lists"
    bad = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DRAM]  fallback_tiers = [DRAM, NVME] }
"""
    good = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM]  fallback_tiers = [DRAM, NVME] }
"""

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        for scope in context.where(*_LISTS):
            preferred, fallback = (scope.field(key) for key in _LISTS)
            if preferred is None or fallback is None:
                continue
            here = fallback if scope.own("fallback_tiers") else preferred
            there = preferred if here is fallback else fallback
            for tier in read_field(fallback):
                if tier in read_field(preferred):
                    related = seen_at(there, f"`{there.key}` is here")
                    yield self.at(here, related=related, tier=tier, object=scope.name)


class TierOrder(LintRule):
    """A list of tiers names a farther one before a nearer one.

    Lists go from most wanted to least; a farther tier first is legal, and rarely meant.
    """

    code = "MIR403"
    name = "tier-order"
    severity = Severity.HINT
    message = "`{key}` of `{object}` puts {first} before {second}, which is nearer"
    hint = "write [{sorted}], or leave {second} out if it is not wanted"
    bad = """
object x { class = WEIGHT_TILE  preferred_tiers = [DRAM, HBM] }
"""
    good = """
object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DRAM] }
"""

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        for scope in context.where(*_LISTS):
            for field in scope.nearest.fields:
                if field.key not in _LISTS:
                    continue
                tiers = read_field(field)
                nearest_first = sorted(tiers, key=_NEARNESS.__getitem__)
                for first, second in pairwise(tiers):
                    if _NEARNESS[first] > _NEARNESS[second]:
                        yield self.at(
                            field,
                            key=field.key,
                            object=scope.name,
                            first=first,
                            second=second,
                            sorted=", ".join(nearest_first),
                        )
                        break


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

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        for scope in context.where("preferred_tiers"):
            size = scope.written("size_bytes")
            field = scope.own("preferred_tiers")
            if not isinstance(size, int) or field is None:
                continue
            for machine in context.machines_of(scope):
                for tier in read_field(field):
                    memory = machine.tier(tier)
                    if memory is not None and size > memory.usable_bytes:
                        yield self.at(
                            field,
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

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        tiers_of: dict[str, list[TierKind]] = {}
        for scope in context.where("preferred_tiers", "residency"):
            for machine in context.machines_of(scope):
                if machine.name not in tiers_of:
                    tiers_of[machine.name] = [tier for tier in TierKind if machine.tier(tier)]
                present = tiers_of[machine.name]
                for field in scope.nearest.fields:
                    tiers = list(_tiers(read_field(field))) if field.key in self.KEYS else []
                    if tiers and not set(tiers) & set(present):
                        yield self.at(
                            field,
                            key=field.key,
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
