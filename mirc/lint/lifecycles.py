"""Rules about how objects live and what may happen to them: fields that contradict each other."""

from collections.abc import Iterator
from itertools import pairwise

from mirc.diagnostics import Diagnostic, Severity
from mirc.ir.enums import DeadlineClass, Mutability, PinLevel, Recompute, SpillPolicy
from mirc.ir.fields import FIELD_BY_KEY
from mirc.lint.context import Context, Scope
from mirc.lint.rule import LintRule, seen_at


class UseOrder(LintRule):
    """An object's uses run backwards: it is made after it is used, or last used before first.

    No schedule can satisfy it, so a controller must ignore one of the two.
    """

    code = "MIR401"
    name = "use-order"
    severity = Severity.ERROR
    message = "`{later}` of `{object}` comes before its `{earlier}` in `{phase}`"
    hint = "swap the two steps, or name the phases' steps in the order in which they run"
    bad = """
object x { class = ACTIVATION  earliest_use = b  latest_use = a }
phase p {
  step a { reads = [x] }
  step b { reads = [x] }
}
"""
    good = """
object x { class = ACTIVATION  earliest_use = a  latest_use = b }
phase p {
  step a { reads = [x] }
  step b { reads = [x] }
}
"""
    ORDER = ("created", "earliest_use", "latest_use")

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        positions = {
            phase.name: {step.name: index for index, step in enumerate(phase.steps)}
            for phase in context.module.phases.values()
        }
        for scope in context.where(*self.ORDER):
            names = [scope.phase.name] if scope.phase else list(positions)
            written = [(key, scope.field(key)) for key in self.ORDER]
            present = [(key, field) for key, field in written if field is not None]
            for (earlier, first), (later, second) in pairwise(present):
                steps = (scope.written(earlier), scope.written(later))
                phases = [n for n in names if all(step in positions[n] for step in steps)]
                if phases and all(positions[n][steps[0]] > positions[n][steps[1]] for n in phases):
                    yield self.at(
                        second,
                        related=seen_at(first, f"its `{earlier}` is here"),
                        object=scope.name,
                        earlier=earlier,
                        later=later,
                        phase=phases[0],
                    )


class SharedMutable(LintRule):
    """Copies of an object that may still be written would have to be kept equal.

    Nothing in the memory system does that: replicas and multicast are for bytes that stay.
    """

    code = "MIR404"
    name = "shared-mutable"
    severity = Severity.WARNING
    message = "`{key}` lets copies of `{object}` exist, but its mutability is {mutability}"
    hint = "set `mutability = READ_ONLY` or `immutable = true` if nobody writes it any more"
    bad = """
object x { class = OPTIMIZER_STATE  replication_allowed = true }
"""
    good = """
object x { class = WEIGHT_TILE  replication_allowed = true }
"""
    KEYS = ("replication_allowed", "multicast_eligible")

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        for scope in context.where(*self.KEYS):
            mutability = scope.value("mutability")
            fixed = mutability in (Mutability.READ_ONLY, Mutability.WRITE_ONCE)
            if fixed or scope.value("immutable"):
                continue
            for field in scope.nearest.fields:
                if field.key in self.KEYS and field.value is True:
                    yield self.at(field, key=field.key, object=scope.name, mutability=mutability)


class HardYetSpillable(LintRule):
    """A reader must never wait for the object, yet it may be spilled at any time.

    Without a prefetch that brings it back, the first spill breaks the deadline.
    """

    code = "MIR405"
    name = "hard-yet-spillable"
    severity = Severity.WARNING
    message = "`{object}` has a HARD deadline, but may be spilled at any time ({policy})"
    hint = "use `spill_policy = SEVERE_PRESSURE_ONLY`, or say how early to fetch it back in a plan"
    bad = """
object x { class = WEIGHT_TILE  deadline_class = HARD  spill_policy = ALLOW }
"""
    good = """
object x { class = WEIGHT_TILE  deadline_class = HARD  spill_policy = SEVERE_PRESSURE_ONLY }
"""

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        fetched = {scope.name for scope in context.where("prefetch_horizon_us")}
        for scope in context.where("deadline_class", "spill_policy"):
            policy = scope.written("spill_policy")
            free = policy in (SpillPolicy.ALLOW, SpillPolicy.DROP_RECOMPUTE)
            hard = scope.written("deadline_class") is DeadlineClass.HARD
            if not (free and hard) or scope.name in fetched or self._usual(scope):
                continue
            field = scope.own("deadline_class", "spill_policy")
            if field is not None:
                yield self.at(field, object=scope.name, policy=policy)

    def _usual(self, scope: Scope) -> bool:
        """Whether the class implies just this: an expert is spilled until the router calls."""
        hard = scope.implied("deadline_class") is DeadlineClass.HARD
        return hard and scope.implied("spill_policy") is SpillPolicy.ALLOW


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

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        claimed = {
            text
            for block in context.module.declarations
            for text in _claimed(block.value("objects"))
        }
        for scope in context.where("spill_policy"):
            if scope.written("spill_policy") is not SpillPolicy.NEVER or scope.name in claimed:
                continue
            pinned = scope.value("pin_level") is not PinLevel.NONE
            held = any(scope.field(key) for key in ("anti_evict_rule", "claimed_by"))
            field = scope.own("spill_policy")
            if not pinned and not held and field is not None:
                yield self.at(field, object=scope.name)


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

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        priced = {s.name for s in context.where("recompute_flops", "recompute_cost_us")}
        for scope in context.where("recompute_class"):
            word = scope.written("recompute_class")
            usual = word == scope.implied("recompute_class")
            field = scope.own("recompute_class")
            if word in self.machine_words and not usual and scope.name not in priced and field:
                yield self.at(field, object=scope.name, word=word)


class MachineFact(LintRule):
    """A fact of one machine in the intent, which is meant to be true on all of them.

    Microseconds, and what is cheap, differ from machine to machine; a plan names its machine.
    """

    code = "MIR408"
    name = "machine-fact"
    severity = Severity.HINT
    message = "`{key}` is a fact of one machine"
    hint = "move it into a `plan`, which names its machine"
    bad = """
object x { class = WEIGHT_TILE }
phase p { override x { prefetch_horizon_us = 12 } }
"""
    good = """
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
plan fast {
  machine = "h100-sxm"
  phase p { override x { prefetch_horizon_us = 12 } }
}
"""
    KEYS = tuple(
        key for key, spec in FIELD_BY_KEY.items() if not spec.portable and spec.unit == "us"
    )

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        for scope in context.where(*self.KEYS):
            if scope.plan is None:
                for field in scope.nearest.fields:
                    if field.key in self.KEYS:
                        yield self.at(field, key=field.key)


def _claimed(value: object) -> Iterator[str]:
    for item in value if isinstance(value, tuple) else ():
        text = getattr(item, "text", None)
        if text is not None:
            yield text
