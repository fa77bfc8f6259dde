"""Rules about phases and what they override."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.module import Block, Field
from mirc.ir.places import Mark
from mirc.ir.resolve import read_field
from mirc.ir.values import Call, Name, Text
from mirc.lint.context import Context, Scope
from mirc.lint.rule import Found, LintRule, seen_at


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

    def _findings(self, context: Context) -> Iterator[Found]:
        for key in context.keys:
            scopes = [scope for _, found in context.lines(key) for scope in found]
            # Most of a plan's keys are written nowhere else, so nothing restates them.
            if any(scope.plan is None or scope.phase is None for scope in scopes):
                yield from self._restated(key, scopes)

    def _restated(self, key: str, scopes: list[Scope]) -> Iterator[Found]:
        planned = {s.name for s in scopes if s.plan is not None and s.phase is None}
        for scope in scopes:
            field = scope.own(key) if len(scope.blocks) > 1 else None
            below = _below(scope, key) if field is not None else None
            if field is None or below is None or not _same(below[1], field):
                continue
            if scope.plan is None and scope.name in planned:
                continue  # it undoes what a plan says
            related = seen_at(Mark(below[0], key), "it is first said here")
            yield self.at(scope.nearest, key, related=related, key=key, object=scope.name)


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

    def _findings(self, context: Context) -> Iterator[Found]:
        info = context.module.info
        schedule = next((f for f in info.fields if f.key == "schedule"), None) if info else None
        if schedule is None:
            return
        named = set(_names(schedule.value))
        for phase in context.module.phases.values():
            if phase.name not in named:
                related = seen_at(Mark(info, "schedule") if info else None, "the schedule is here")
                yield self.at(phase, related=related, phase=phase.name)


def _below(scope: Scope, key: str) -> tuple[Block, Field] | None:
    return next(((b, f) for b in scope.blocks[1:] for f in b.fields if f.key == key), None)


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
