"""Rules about phases and what they override."""

from collections.abc import Iterator

from mirc.diagnostics import Diagnostic, Severity
from mirc.ir.module import Field
from mirc.ir.resolve import read_field
from mirc.ir.values import Call, Name, Text
from mirc.lint.context import Context, Scope
from mirc.lint.rule import LintRule, seen_at


class RestatedValue(LintRule):
    """An override says again what already holds.

    Readers look for the difference, and one of the two copies will be forgotten at the next edit.
    """

    code = "MIR501"
    name = "restated-value"
    severity = Severity.WARNING
    message = "`{key}` of `{object}` has this value already, without the override"
    hint = "remove the line"
    bad = """
object x { class = KV_BLOCK  preferred_tiers = [HBM, DRAM] }
phase p { override x { preferred_tiers = [HBM, DRAM] } }
"""
    good = """
object x { class = KV_BLOCK  preferred_tiers = [HBM, DRAM] }
phase p { override x { preferred_tiers = [DRAM] } }
"""

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        planned = {
            (scope.name, field.key)
            for scope in context.scopes
            if scope.plan is not None and scope.phase is None
            for field in scope.nearest.fields
        }
        for scope in context.scopes:
            for field in scope.nearest.fields if len(scope.blocks) > 1 else ():
                below = _below(scope, field.key)
                if below is None or not _same(below, field):
                    continue
                if scope.plan is None and (scope.name, field.key) in planned:
                    continue  # it undoes what a plan says
                related = seen_at(below, "it is first said here")
                yield self.at(field, related=related, key=field.key, object=scope.name)


class UnscheduledPhase(LintRule):
    """The module says in which order its phases run, and this one is not among them.

    What it overrides never comes into force.
    """

    code = "MIR502"
    name = "unscheduled-phase"
    severity = Severity.WARNING
    message = "the phase `{phase}` is never scheduled"
    hint = "name it in the module's `schedule`, or remove it"
    bad = """
module m { schedule = [prefill] }
object x { class = WEIGHT_TILE }
phase prefill { step s { reads = [x] } }
phase decode { step s { reads = [x] } }
"""
    good = """
module m { schedule = [prefill, REPEAT(128, decode)] }
object x { class = WEIGHT_TILE }
phase prefill { step s { reads = [x] } }
phase decode { step s { reads = [x] } }
"""

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        info = context.module.info
        schedule = next((f for f in info.fields if f.key == "schedule"), None) if info else None
        if schedule is None:
            return
        named = set(_names(schedule.value))
        for phase in context.module.phases.values():
            if phase.name not in named:
                related = seen_at(schedule, "the schedule is here")
                yield self.at(phase, related=related, phase=phase.name)


def _below(scope: Scope, key: str) -> Field | None:
    return next((f for block in scope.blocks[1:] for f in block.fields if f.key == key), None)


def _same(first: Field, second: Field) -> bool:
    return first.confidence == second.confidence and bool(read_field(first) == read_field(second))


def _names(value: object) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Name | Text):
            yield item.text
        elif isinstance(item, Call):
            stack += item.args
        elif isinstance(item, tuple):
            stack += item
