"""Rules about how objects live: when they are made, used and given up."""

import re
from collections.abc import Iterator
from itertools import pairwise

import attrs

from mirc.diagnostics import Severity
from mirc.ir.enums import ObjectClass, PersistenceScope
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Step
from mirc.ir.names import is_bare
from mirc.ir.places import Mark
from mirc.ir.values import Name
from mirc.lint.context import Context, Scope
from mirc.lint.repair import ReplaceValue, SwapValues
from mirc.lint.rule import Found, LintRule, seen_at
from mirc.lint.uses import At, Uses, uses_of

_USES = ("earliest_use", "latest_use")


@attrs.frozen(eq=False, repr=False)
class StepOrder:
    """Where each step stands in its phase; what is asked again is remembered."""

    positions: dict[str, dict[str, int]]
    _known: dict[object, list[str]] = attrs.field(factory=dict)

    def phases(self, scope: Scope, *steps: str) -> list[str]:
        """Return the phases of which a scope speaks that have all of the steps."""
        asked = (scope.phase and scope.phase.name, *steps)
        if asked not in self._known:
            names = [scope.phase.name] if scope.phase else list(self.positions)
            has_all = (n for n in names if all(step in self.positions[n] for step in steps))
            self._known[asked] = list(has_all)
        return self._known[asked]

    def backwards(self, scope: Scope, first: str, second: str) -> str | None:
        """Return a phase if in all that have both steps the second runs before the first."""
        asked = (scope.phase and scope.phase.name, first, ">", second)
        if asked not in self._known:
            phases = self.phases(scope, first, second)
            places = (self.positions[name] for name in phases)
            backwards = all(place[first] > place[second] for place in places)
            self._known[asked] = phases[:1] if backwards else []
        return next(iter(self._known[asked]), None)


def order_of(context: Context) -> StepOrder:
    """Return the places of all steps."""
    phases = context.module.phases.values()
    return StepOrder({p.name: {s.name: i for i, s in enumerate(p.steps)} for p in phases})


class UseOrder(LintRule):
    """An object's uses run backwards: it is made after it is used, or last used before first.

    No schedule can satisfy it, so a controller must ignore one of the two.
    """

    code = "MIR401"
    name = "use-order"
    severity = Severity.ERROR
    message = "`{later}` of `{object}` comes before its `{earlier}` in `{phase}`"
    hint = "swap the two steps, or name the phases' steps in the order in which they run"
    fixable = True
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
    ORDER = ("created", *_USES)

    def _findings(self, context: Context) -> Iterator[Found]:
        order = context.once(order_of)
        for scope in context.where(*self.ORDER):
            marks = [mark for key in self.ORDER if (mark := scope.mark(key)) is not None]
            for first, second in pairwise(marks):
                earlier, later = str(first.key), str(second.key)
                steps = (scope.written(earlier), scope.written(later))
                phase = order.backwards(scope, *steps)
                if phase is None:
                    continue
                together = (earlier, later) == _USES and first.block is second.block
                made = scope.written("created")
                swap = together and (made is None or order.backwards(scope, made, steps[1]) is None)
                yield self.at(
                    second.block,
                    later,
                    related=seen_at(first, f"its `{earlier}` is here"),
                    repair=SwapValues(second.block, _USES) if swap else None,
                    object=scope.name,
                    earlier=earlier,
                    later=later,
                    phase=phase,
                )


class UsedBeyond(LintRule):
    """A step reads the object before its first use as declared, or after its last.

    Whoever plans by the declaration gives the room away while the object is still needed.
    """

    code = "MIR410"
    name = "used-beyond"
    severity = Severity.WARNING
    message = "`{key}` of `{object}` is `{declared}`, but `{step}` of `{phase}` reads it {when}"
    hint = "write `{key} = {step}`"
    fixable = True
    bad = """
object x { class = ACTIVATION  latest_use = a }
phase p {
  step a { reads = [x] }
  step b { reads = [x] }
}
"""
    good = """
object x { class = ACTIVATION  latest_use = b }
phase p {
  step a { reads = [x] }
  step b { reads = [x] }
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        uses = context.once(uses_of)
        order = context.once(order_of)
        for scope in context.where(*_USES):
            first, last = (scope.written(key) for key in _USES)
            if None not in (first, last) and order.backwards(scope, first, last) is not None:
                continue  # which of the two is wrong is another rule's question
            readers = uses.readers(scope.name)
            for key in _USES if readers else ():
                if scope.own(key) is not None:
                    yield from self._beyond(scope, key, readers, order)

    def _beyond(
        self, scope: Scope, key: str, readers: tuple[At, ...], order: StepOrder
    ) -> Iterator[Found]:
        declared = scope.written(key)
        outer = {at.phase.name: at for at in readers}  # the last reader in each phase
        if key == _USES[0]:
            outer = {at.phase.name: at for at in reversed(readers)}
        found = []
        for phase in order.phases(scope, declared):
            at = order.positions[phase][declared]
            reader = outer.get(phase)
            if reader is None or reader.index == at or (reader.index > at) == (key == _USES[0]):
                return
            found.append(reader)
        if not found:
            return
        step = found[0].step.name
        sure = is_bare(step) and all(at.step.name == step for at in found)
        yield self.at(
            scope.nearest,
            key,
            related=((Mark(found[0].step, "reads"), "it is read here"),),
            repair=ReplaceValue(scope.nearest, key, step) if sure else None,
            key=key,
            object=scope.name,
            declared=declared,
            step=step,
            phase=found[0].phase.name,
            when="earlier" if key == _USES[0] else "later",
        )


class LifeTooShort(LintRule):
    """An object is read where its life has ended.

    What lives for a step or a phase may be reclaimed at its end: the reader in another phase, which
    does not write it first, finds other bytes there. The same goes for another layer.
    """

    code = "MIR411"
    name = "life-too-short"
    severity = Severity.WARNING
    message = (
        "`{object}` lives for the {scope} in which it is made (`{writer}`), "
        "but `{reader}` of `{phase}` reads it"
    )
    hint = "widen its `persistence_scope`, or write it in `{reader}`'s {scope} first"
    bad = (
        """
object x { class = ACTIVATION  persistence_scope = PHASE }
phase p { step a { writes = [x] } }
phase q { step b { reads = [x] } }
""",
        """
object x { class = ACTIVATION  persistence_scope = LAYER }
phase p {
  step layers.0.mlp { writes = [x] }
  step layers.1.mlp { reads = [x] }
}
""",
    )
    good = """
object x { class = ACTIVATION  persistence_scope = SESSION }
phase p { step a { writes = [x] } }
phase q { step b { reads = [x] } }
"""
    SHORT = (PersistenceScope.STEP, PersistenceScope.LAYER, PersistenceScope.PHASE)

    def _findings(self, context: Context) -> Iterator[Found]:
        uses = context.once(uses_of)
        changed = {
            scope.name
            for _, scopes in context.lines("persistence_scope")
            for scope in scopes
            if len(scope.blocks) > 1
        }
        names = (part for name in uses.writes for part in context.module.parts(name))
        for name in dict.fromkeys(names):
            block = context.module.data[name]
            scope = _persistence(block)
            if scope not in self.SHORT or name in changed:
                continue
            found = _too_late(uses, name, within_layer=scope is PersistenceScope.LAYER)
            if found is not None:
                writer, reader, words = found
                yield self.at(
                    block,
                    "persistence_scope",
                    related=(
                        (Mark(writer.step), "it is made here"),
                        (Mark(reader.step), "it is read here"),
                    ),
                    object=name,
                    scope=words,
                    writer=writer.step.name,
                    reader=reader.step.name,
                    phase=reader.phase.name,
                )


def _too_late(uses: Uses, name: str, *, within_layer: bool) -> tuple[At, At, str] | None:
    """Return who makes an object and who reads it after its life, and what ended it."""
    writers = uses.writers(name)
    phases = {at.phase.name for at in writers}
    layers = {(at.phase.name, _layer(at.step)) for at in writers}
    for reader in uses.readers(name):
        if reader.phase.name not in phases:
            return writers[0], reader, "phase"
        layer = _layer(reader.step)
        if within_layer and layer is not None and (reader.phase.name, layer) not in layers:
            maker = next(at for at in writers if at.phase.name == reader.phase.name)
            if _layer(maker.step) is not None:
                return maker, reader, "layer"
    return None


def _layer(step: Step) -> str | None:
    """Return the path up to a step's first number: ``layers.3`` of ``layers.3.mlp``."""
    match = re.match(r"(?:[^.]*\.)*?[0-9]+(?=\.|$)", step.name)
    return match[0] if match is not None else None


def _persistence(block: Block) -> PersistenceScope | None:
    value, klass = block.value("persistence_scope"), block.value("class")
    if value is None and isinstance(klass, Name):
        value = FIELD_BY_KEY["persistence_scope"].default_for(ObjectClass(klass.text))
    return PersistenceScope(value.text) if isinstance(value, Name) else None
