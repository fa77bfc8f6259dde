"""Rules about what may happen to objects when room is short: deadlines, spilling, pins."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import DeadlineClass, PinLevel, Recompute, SpillPolicy
from mirc.ir.module import Claim
from mirc.ir.names import families_of
from mirc.ir.values import Name, Text
from mirc.lint.context import Context, Scope
from mirc.lint.refetch import refetch_of
from mirc.lint.repair import ReplaceValue
from mirc.lint.rule import Found, LintRule, seen_at
from mirc.lint.uses import uses_of


class HardYetSpillable(LintRule):
    """A reader must never wait for the object, yet it may be spilled at any time.

    Without a prefetch that brings it back, the first spill breaks the deadline. Where it has a
    `deadline_us`, and a machine is given, what counts is whether fetching it back takes longer.
    """

    code = "MIR405"
    name = "hard-yet-spillable"
    severity = Severity.WARNING
    message = "`{object}` has a HARD deadline, but may be spilled at any time ({policy}){why}"
    hint = "use `spill_policy = SEVERE_PRESSURE_ONLY`, or say how early to fetch it back in a plan"
    bad = """
object x { class = WEIGHT_TILE  deadline_class = HARD  spill_policy = ALLOW }
"""
    good = """
object x { class = WEIGHT_TILE  deadline_class = HARD  spill_policy = SEVERE_PRESSURE_ONLY }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        fetched = {s.name for _, scopes in context.lines("prefetch_horizon_us") for s in scopes}
        for scope, scopes in context.alike("deadline_class", "spill_policy"):
            policy = scope.written("spill_policy")
            free = policy in (SpillPolicy.ALLOW, SpillPolicy.DROP_RECOMPUTE)
            hard = scope.written("deadline_class") is DeadlineClass.HARD
            field = scope.own("deadline_class", "spill_policy")
            if not (free and hard) or self._usual(scope) or field is None:
                continue
            for each in scopes:
                why = None if each.name in fetched else self._too_slow(context, each)
                if why is not None:
                    yield self.at(each.nearest, field.key, object=each.name, policy=policy, why=why)

    def _usual(self, scope: Scope) -> bool:
        """Whether the class implies just this: an expert is spilled until the router calls."""
        hard = scope.implied("deadline_class") is DeadlineClass.HARD
        return hard and scope.implied("spill_policy") is SpillPolicy.ALLOW

    def _too_slow(self, context: Context, scope: Scope) -> str | None:
        """Return what to add to the message, or None if it is back in time wherever we know."""
        deadline_us = scope.written("deadline_us")
        if deadline_us is None:
            return ""
        fetches = [refetch_of(scope, machine) for machine in context.machines_of(scope)]
        times = [fetch for fetch in fetches if fetch is not None]
        if not times:
            return ""
        slowest = max(times, key=lambda fetch: fetch.time_us)
        if slowest.time_us <= deadline_us:
            return None
        return (
            f", and {slowest.machine} takes {slowest.time_us:,.0f} us to fetch it"
            f" from {slowest.tier}"
        )


class NeverSpilledNeverHeld(LintRule):
    """``NEVER`` forbids moving the object down, yet nothing holds it where it is.

    Under pressure something must go; a pin, a claim or an anti-evict rule says that it is not this.
    """

    code = "MIR406"
    name = "never-spilled-never-held"
    severity = Severity.HINT
    message = "`{object}` is never to be spilled, but nothing holds it"
    hint = "add `pin_level = SOFT` (its loss becomes an event), an `anti_evict_rule` or a claim"
    bad = """
object x { class = METADATA_PAGE  spill_policy = NEVER }
"""
    good = """
object x { class = METADATA_PAGE  spill_policy = NEVER  pin_level = SOFT }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        claimed: frozenset[str] | None = None
        for scope, scopes in context.alike("spill_policy"):
            if scope.written("spill_policy") is not SpillPolicy.NEVER:
                continue
            if scope.value("pin_level") is not PinLevel.NONE or scope.field("anti_evict_rule"):
                continue
            claimed = _claimed(context) if claimed is None else claimed
            for each in scopes:
                covered = not claimed.isdisjoint((each.name, *families_of(each.name)))
                if not covered and each.field("claimed_by") is None:
                    yield self.at(each.nearest, "spill_policy", object=each.name)


class RecomputeWithoutCost(LintRule):
    """A recompute class other than the usual one for the class of object, and no cost beside it.

    Whether making it again is cheaper than fetching it depends on both costs; without this
    one, a controller can only believe the word.
    """

    code = "MIR407"
    name = "recompute-without-cost"
    severity = Severity.HINT
    message = "`{object}` is said to be {word} to recompute, but not what that costs"
    hint = "add `recompute_flops`, which is true on every machine"
    bad = """
object x { class = KV_BLOCK  recompute_class = CHEAP }
"""
    good = """
object x { class = KV_BLOCK  recompute_class = CHEAP  recompute_flops = 4_000_000 }
"""
    machine_words = (Recompute.CHEAP, Recompute.MODERATE)

    def _findings(self, context: Context) -> Iterator[Found]:
        priced: set[str] | None = None
        for scope, scopes in context.alike("recompute_class"):
            word = scope.written("recompute_class")
            if word not in self.machine_words or word == scope.implied("recompute_class"):
                continue
            if priced is None:
                costs = ("recompute_flops", "recompute_cost_us")
                priced = {s.name for k in costs for _, found in context.lines(k) for s in found}
            for each in scopes:
                if each.name not in priced:
                    yield self.at(each.nearest, "recompute_class", object=each.name, word=word)


class WiredYetSpillable(LintRule):
    """A wired object is never a victim, so what it says about spilling can never come true."""

    code = "MIR415"
    name = "wired-yet-spillable"
    severity = Severity.WARNING
    message = "`{object}` is WIRED, so its `spill_policy = {policy}` never holds"
    hint = "write `spill_policy = NEVER`, or pin it SOFT"
    fixable = True
    bad = """
object x { class = WEIGHT_TILE  spill_policy = ALLOW  pin_level = WIRED }
"""
    good = """
object x { class = WEIGHT_TILE  spill_policy = NEVER  pin_level = WIRED }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("spill_policy"):
            policy = scope.written("spill_policy")
            if policy is SpillPolicy.NEVER or scope.value("pin_level") is not PinLevel.WIRED:
                continue
            for each in scopes:
                # Where the pin comes and goes, the policy may hold at other times.
                settled = context.settles(each, "pin_level", "spill_policy")
                block = each.nearest
                yield self.at(
                    block,
                    "spill_policy",
                    related=seen_at(each.mark("pin_level"), "it is wired here"),
                    repair=ReplaceValue(block, "spill_policy", "NEVER") if settled else None,
                    object=each.name,
                    policy=policy,
                )


class DroppedForGood(LintRule):
    """An object may be dropped and made again, but is said to be impossible to make again.

    Dropping it loses it. What has a master copy below is spilled (`ALLOW`) and fetched again.
    """

    code = "MIR416"
    name = "dropped-for-good"
    severity = Severity.WARNING
    message = "`{object}` may be dropped and recomputed, but recomputing it is IMPOSSIBLE"
    hint = "use `spill_policy = ALLOW`, or say what recomputing it costs"
    bad = """
object x { class = OPTIMIZER_STATE  spill_policy = DROP_RECOMPUTE }
"""
    good = """
object x { class = OPTIMIZER_STATE  spill_policy = ALLOW }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("spill_policy", "recompute_class"):
            field = scope.own("spill_policy", "recompute_class")
            dropped = scope.written("spill_policy") is SpillPolicy.DROP_RECOMPUTE
            impossible = scope.value("recompute_class") is Recompute.IMPOSSIBLE
            if dropped and impossible and field is not None and scope.klass is not None:
                for each in scopes:
                    yield self.at(each.nearest, field.key, object=each.name)


class DeadlineOfNoClass(LintRule):
    """A deadline is given, and a class by which missing it means nothing."""

    code = "MIR422"
    name = "deadline-of-no-class"
    severity = Severity.WARNING
    message = (
        "`{object}` has a deadline, but `deadline_class = NONE` says that missing it is no loss"
    )
    hint = "use HARD or SOFT, or remove the `deadline_us`"
    bad = """
object x { class = KV_BLOCK  deadline_class = NONE  deadline_us = 50 }
"""
    good = """
object x { class = KV_BLOCK  deadline_class = SOFT  deadline_us = 50 }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for scope, scopes in context.alike("deadline_us", "deadline_class"):
            field = scope.own("deadline_us", "deadline_class")
            if field is None or scope.field("deadline_us") is None:
                continue
            if scope.written("deadline_class") is DeadlineClass.NONE:
                for each in scopes:
                    yield self.at(each.nearest, field.key, object=each.name)


class HardNeverRead(LintRule):
    """A HARD deadline binds the moment at which a step reads the object, and none does.

    Only in files whose phases have steps, and of objects that something else uses.
    """

    code = "MIR423"
    name = "hard-never-read"
    severity = Severity.WARNING
    message = "`{object}` has a HARD deadline, but no step reads it"
    hint = "name it in the `reads` of the step that must not wait, or give it a `deadline_us`"
    bad = """
object x { class = KV_BLOCK  deadline_class = HARD }
phase p { step s { writes = [x] } }
"""
    good = """
object x { class = KV_BLOCK  deadline_class = HARD }
phase p {
  step s { writes = [x] }
  step t { reads = [x] }
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        if not context.has_steps:
            return
        uses = context.once(uses_of)
        written = {part for name in uses.writes for part in context.module.parts(name)}
        for scope, scopes in context.alike("deadline_class"):
            if not scope.says("deadline_class", DeadlineClass.HARD) or scope.field("deadline_us"):
                continue
            for each in scopes:
                if each.name in written and not uses.readers(each.name):
                    yield self.at(each.nearest, "deadline_class", object=each.name)


def _claimed(context: Context) -> frozenset[str]:
    """Return what claims list by name, families as they stand."""
    return frozenset(
        item.text
        for block in context.module.declarations
        if isinstance(block, Claim) and isinstance(listed := block.value("objects"), tuple)
        for item in listed
        if isinstance(item, Name | Text)
    )
