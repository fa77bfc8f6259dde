"""Rules about phases and what they override."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirc.diagnostics import Severity
from mirc.ir.enums import PersistenceScope, Retirement
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.fields.spec import DATA
from mirc.ir.module import Block, Field, Override, Phase
from mirc.ir.names import families_of
from mirc.ir.places import Mark
from mirc.ir.resolve import read_field
from mirc.ir.values import Call, Name, Text
from mirc.lint.context import Context, Scope
from mirc.lint.repair import RemoveField
from mirc.lint.rule import Found, LintRule, seen_at
from mirc.lint.uses import At, Uses, uses_of

_DECLARED = frozenset(key for key, spec in FIELD_BY_KEY.items() if spec.where & DATA)
_USED = ("created", "earliest_use", "latest_use")
_SHORT = (PersistenceScope.STEP, PersistenceScope.LAYER, PersistenceScope.PHASE)


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

    fixable = True

    def _findings(self, context: Context) -> Iterator[Found]:
        spoken = _Spoken.of(context)
        for key in context.keys:
            scopes = [scope for _, found in context.lines(key) for scope in found]
            # Most of a plan's keys are written nowhere else, so nothing restates them.
            if any(scope.plan is None or scope.phase is None for scope in scopes):
                yield from self._restated(key, scopes, spoken)

    def _restated(self, key: str, scopes: list[Scope], spoken: "_Spoken") -> Iterator[Found]:
        for scope in scopes:
            field = scope.own(key) if len(scope.blocks) > 1 else None
            below = _below(scope, key) if field is not None else None
            if field is None or below is None or not _same(below[1], field):
                continue
            if not spoken.between(scope, key):
                yield self.at(
                    scope.nearest,
                    key,
                    related=seen_at(Mark(below[0], key), "it is first said here"),
                    repair=RemoveField(scope.nearest, key),
                    key=key,
                    object=scope.name,
                )


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


class DeadOverride(LintRule):
    """An override of an object that does not exist while the phase runs.

    No step of the phase reads or writes it, only one other phase does, and it ends there: its
    persistence scope is STEP, LAYER or PHASE, or it retires at its last use. Objects that outlive
    their phase may well be placed in another one, used or not; of them this rule says nothing.
    """

    code = "MIR503"
    name = "dead-override"
    severity = Severity.WARNING
    message = "`{object}` does not exist in `{phase}`: it lives and ends in `{other}`"
    hint = "remove the override, or write it in `{other}`"
    bad = """
object w { class = WEIGHT_TILE }
object x { class = ACTIVATION }
phase p {
  step s { reads = [w]  writes = [x] }
  step t { reads = [x] }
}
phase q {
  step s { reads = [w] }
  override x { spill_policy = NEVER  pin_level = SOFT }
}
"""
    good = """
object w { class = WEIGHT_TILE }
object x { class = ACTIVATION }
phase p {
  step s { reads = [w]  writes = [x] }
  step t { reads = [x] }
  override x { spill_policy = NEVER  pin_level = SOFT }
}
phase q { step s { reads = [w] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        uses, lives = context.once(uses_of), None
        for phase, override in _unused_overrides(context, uses):
            lives = lives or Lives.of(context)
            homes = [lives.only(part, phase) for part in context.module.parts(override.name)]
            if homes and all(home is not None for home in homes):
                home = homes[0]
                assert home is not None  # noqa: S101 - just seen
                mark = Mark(home.step)
                yield self.at(
                    override,
                    related=seen_at(mark, f"`{home.phase.name}` uses it first here"),
                    object=override.name,
                    phase=phase.name,
                    other=home.phase.name,
                )


class SteplessPhase(LintRule):
    """A phase without steps beside phases that have them.

    What it uses is not known. A simulation assumes one step that reads, all at once, whatever the
    phase overrides and every object that lasts for the session.
    """

    code = "MIR505"
    name = "stepless-phase"
    severity = Severity.HINT
    message = "the phase `{phase}` has no steps, and others do"
    hint = "write its steps, with what each of them reads and writes"
    bad = """
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
phase q { kind = CHECKPOINT }
"""
    good = """
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
phase q {
  kind = CHECKPOINT
  step save { reads = [x] }
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for phase in context.module.phases.values() if context.has_steps else ():
            if not phase.steps:
                yield self.at(phase, phase=phase.name)


class _Spoken(NamedTuple):
    """Who else speaks of a key: (name, key) by layer, families that are declared in parts apart."""

    families: frozenset[tuple[str, str]]
    plans: frozenset[tuple[str, str]]
    phases: frozenset[tuple[str, str]]
    signals: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, context: Context) -> "_Spoken":
        module = context.module
        in_plans = [override for plan in module.plans.values() for override in plan.overrides]
        inner = [o for plan in module.plans.values() for p in plan.phases for o in p.overrides]
        in_phases = [o for phase in module.phases.values() for o in phase.overrides]
        in_signals = [o for signal in module.signals.values() for o in signal.overrides]
        everywhere = (*in_plans, *inner, *in_phases, *in_signals)
        return cls(
            _keys(override for override in everywhere if override.name not in module.data),
            _keys(in_plans),
            _keys(in_phases),
            _keys(in_signals),
        )

    def between(self, scope: Scope, key: str) -> bool:
        """Whether the field may undo what a layer between it and the one it repeats says."""
        if any((family, key) in self.families for family in families_of(scope.name)):
            return True
        said = (scope.name, key)
        if scope.plan is not None:
            return scope.phase is not None and said in self.signals
        if scope.phase is not None:
            return said in self.plans
        return said in self.phases or said in self.plans


class Lives(NamedTuple):
    """Where objects are used, and which of them end with the phase that made them."""

    context: Context
    uses: Uses
    overridden: frozenset[str]  # names and families of whose life an override says more

    @classmethod
    def of(cls, context: Context) -> "Lives":
        """Read the steps of a module."""
        blocks = [o for p in context.module.phases.values() for o in p.overrides]
        blocks += [o for signal in context.module.signals.values() for o in signal.overrides]
        for plan in context.module.plans.values():
            blocks += plan.overrides
            blocks += [o for phase in plan.phases for o in phase.overrides]
        keys = ("persistence_scope", "retire", *_USED)
        changed = {o.name for o in blocks for field in o.fields if field.key in keys}
        return cls(context, context.once(uses_of), frozenset(changed))

    def only(self, name: str, phase: Phase) -> At | None:
        """Return the first use of an object that lives in one phase alone, and not in this one."""
        found = (*self.uses.writers(name), *self.uses.readers(name))
        homes = {at.phase.name for at in found}
        if len(homes) != 1 or phase.name in homes:
            return None
        scope = Scope(name, (self.context.module.data[name],))
        if not self.overridden.isdisjoint((name, *families_of(name))) or not _ends(scope):
            return None
        steps = {step.name for step in phase.steps}
        said = (scope.written(key) for key in _USED)
        return None if steps.intersection(s for s in said if s) else found[0]


def _ends(scope: Scope) -> bool:
    """Whether an object is gone when its phase is over."""
    retire = scope.value("retire")
    last_use = retire is not None and retire.word == Retirement.LAST_USE
    return last_use or scope.value("persistence_scope") in _SHORT


def _unused_overrides(context: Context, uses: Uses) -> Iterator[tuple[Phase, Override]]:
    """Yield overrides of what no step of the phase names as a whole."""
    used: dict[str, set[str]] = {}
    for table in (uses.reads, uses.writes):
        for name, found in table.items():
            for at in found:
                used.setdefault(at.phase.name, set()).add(name)
    parts = [(phase, phase.overrides) for phase in context.module.phases.values()]
    for plan in context.module.plans.values():
        parts += [(context.module.phases[p.name], p.overrides) for p in plan.phases]
    for phase, overrides in parts:
        named = used.get(phase.name, set())
        for override in overrides if phase.steps else ():
            name = override.name
            family = name.endswith("]") and not named.isdisjoint(families_of(name))
            if name not in named and not family:
                yield phase, override


def _keys(overrides: Iterable[Override]) -> frozenset[tuple[str, str]]:
    return frozenset((override.name, f.key) for override in overrides for f in override.fields)


def _below(scope: Scope, key: str) -> tuple[Block, Field] | None:
    # Some fields stand in overrides only: a large plan has little else.
    blocks = scope.blocks[1:] if key in _DECLARED else scope.blocks[1:-1]
    for block in blocks:
        for field in block.fields:
            if field.key == key:
                return block, field
    return None


def _same(first: Field, second: Field) -> bool:
    if first.confidence != second.confidence:
        return False
    if isinstance(first.value, Name) and isinstance(second.value, Name):
        return first.value == second.value
    return bool(read_field(first) == read_field(second))


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
