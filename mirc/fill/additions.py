"""A file and what the passes say of it into what is absent: nothing written is touched."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

import attrs

from mirc.fill.keys import MACHINE_KEYS, class_in, fills, says_something
from mirc.fill.written import Layer, Written
from mirc.ir import (
    Block,
    Coalition,
    Declaration,
    Field,
    Module,
    Override,
    Phase,
    Plan,
    PlanPhase,
)
from mirc.ir.resolve import read


@attrs.frozen(kw_only=True)
class Addition:
    """``fields`` and inner ``blocks`` that a declaration of the file lacks."""

    block: Block
    fields: tuple[Field, ...] = ()
    blocks: tuple[Override | PlanPhase, ...] = ()


@attrs.frozen(kw_only=True)
class Additions:
    """What a file lacks: inside its declarations, and declarations of their own."""

    inside: tuple[Addition, ...]
    new: tuple[Declaration, ...]

    def fields(self) -> Iterator[Field]:
        """Yield every field that would be added."""
        for addition in self.inside:
            yield from addition.fields
            yield from chain.from_iterable(map(_all_fields, addition.blocks))
        yield from chain.from_iterable(map(_all_fields, self.new))


def additions(module: Module, found: Module, passes: Collection[str] = ()) -> Additions:
    """Return what ``found`` says and ``module`` leaves open; ``passes`` limit it to theirs.

    ``found`` is what ``mirc.emit`` makes of the graph that was rebuilt from ``module``. A field is
    added to a declaration that lacks the key, unless the value is what the class implies anyway; an
    override only where no weaker layer says the key of the object: a written value keeps holding
    wherever it held. Plans alone may say ``backing`` and recompute costs of their machine beside an
    intent that has the class's own backing or an estimate. Extern objects are others' to describe.
    """
    return _Filler(module, found, passes).additions()


class _Filler:
    def __init__(self, module: Module, found: Module, passes: Collection[str]) -> None:
        self.module = module
        self.found = found
        self.passes = passes
        self.written = Written(module)

    def additions(self) -> Additions:
        inside = [
            *self._info(),
            *self._data(),
            *chain.from_iterable(map(self._phase, self.module.phases.values())),
        ]
        new: list[Declaration] = list(self._coalitions())
        for plan in self.found.plans.values():
            own = self._plan_for(plan)
            if own is None:
                new += self._new_plan(plan)
            else:
                inside += self._plan(own, plan)
        return Additions(inside=tuple(a for a in inside if a.fields or a.blocks), new=tuple(new))

    def _info(self) -> Iterator[Addition]:
        info = self.module.info
        if info is not None and self.found.info is not None:
            yield Addition(block=info, fields=self._missing(info, self.found.info.fields))

    def _data(self) -> Iterator[Addition]:
        shared: dict[tuple[int, int], tuple[Field, ...]] = {}  # equal blocks share their fields
        for name, block in self.module.data.items():
            said = self.found.data.get(name)
            if said is None or getattr(block, "extern", False):
                continue
            key = (id(block.fields), id(said.fields))
            if key not in shared:
                shared[key] = self._missing(block, said.fields)
            yield Addition(block=block, fields=shared[key])

    def _missing(self, block: Block, said: Iterable[Field]) -> tuple[Field, ...]:
        have = {field.key for field in block.fields}
        klass = class_in(block)
        return tuple(
            field
            for field in said
            if field.key not in have
            and fills(field.key, self.passes)
            and says_something(field, block, klass)
        )

    def _fills(self, layer: Layer, key: str, target: str) -> bool:
        """Say whether a layer may say a key of the target: what is pinned stays."""
        if key == "spill_policy" and self.written.pinned(target):
            return False
        new = layer[0] == "plan" and layer[1] not in self.module.plans
        return fills(key, self.passes, in_new_plan=new)

    def _phase(self, phase: Phase) -> Iterator[Addition]:
        said = self.found.phases.get(phase.name)
        if said is None:
            return
        layer = ("phase", phase.name)
        yield Addition(
            block=phase,
            fields=self._missing(phase, said.fields),
            blocks=self._new_overrides(layer, phase.overrides, said.overrides),
        )
        found = {step.name: step for step in said.steps}
        for step in phase.steps:
            yield Addition(block=step, fields=self._missing(step, found[step.name].fields))
        yield from self._more(layer, phase.overrides, said.overrides)

    def _plan_for(self, plan: Plan) -> Plan | None:
        wanted = read(plan, "machine")
        for own in self.module.plans.values():
            if read(own, "machine") == wanted:
                return own
        return None

    def _plan(self, own: Plan, said: Plan) -> Iterator[Addition]:
        """Fill a plan that the file has for the machine."""
        layer = ("plan", own.name)
        phases = {phase.name: phase for phase in own.phases}
        missing = [self._plan_phase(own, p) for p in said.phases if p.name not in phases]
        yield Addition(
            block=own,
            blocks=(
                *self._new_overrides(layer, own.overrides, said.overrides),
                *(phase for phase in missing if phase.fields or phase.overrides),
            ),
        )
        yield from self._more(layer, own.overrides, said.overrides)
        for phase in said.phases:
            if phase.name in phases:
                mine = phases[phase.name]
                inner = (*layer, phase.name)
                yield Addition(
                    block=mine,
                    fields=self._missing(mine, phase.fields),
                    blocks=self._new_overrides(inner, mine.overrides, phase.overrides),
                )
                yield from self._more(inner, mine.overrides, phase.overrides)

    def _new_plan(self, said: Plan) -> Iterator[Plan]:
        """Make the plan that the file lacks, if there is anything to say in it."""
        taken = {d.name for d in self.module.declarations}
        name = said.name
        while name in taken:
            name += "_"
        own = Plan(name)
        phases = [self._plan_phase(own, phase) for phase in said.phases]
        overrides = self._new_overrides(("plan", name), (), said.overrides)
        if overrides or any(phase.fields or phase.overrides for phase in phases):
            yield Plan(name, said.fields, overrides=overrides, phases=tuple(phases))

    def _plan_phase(self, plan: Plan, said: PlanPhase) -> PlanPhase:
        layer = ("plan", plan.name, said.name)
        return PlanPhase(
            said.name,
            self._missing(PlanPhase(said.name), said.fields),
            overrides=self._new_overrides(layer, (), said.overrides),
        )

    def _new_overrides(
        self, layer: Layer, own: Sequence[Override], said: Sequence[Override]
    ) -> tuple[Override, ...]:
        """Return overrides of objects that the layer does not override yet."""
        have = {override.name for override in own}
        shared: dict[tuple[object, ...], tuple[Field, ...]] = {}
        made = []
        for override in said:
            if override.name not in have and (fields := self._open(layer, override)):
                fields = shared.setdefault((id(override.fields), *map(id, fields)), fields)
                made.append(Override(override.name, fields))
        return tuple(made)

    def _more(
        self, layer: Layer, own: Sequence[Override], said: Sequence[Override]
    ) -> Iterator[Addition]:
        """Yield what overrides that are there lack."""
        by_name = {override.name: override for override in said}
        for override in own:
            if override.name in by_name:
                yield Addition(block=override, fields=self._open(layer, by_name[override.name]))

    def _open(self, layer: Layer, said: Override) -> tuple[Field, ...]:
        """Return the fields of an override that would hide nothing that was written."""
        if layer[0] == "plan" and self._backed_otherwise(said.name):
            return ()
        return tuple(
            field
            for field in said.fields
            if self._fills(layer, field.key, said.name)
            and not self.written.said(layer, said.name, field.key)
            and all(
                layer[0] == "plan" and _is_general(hidden)
                for hidden in self.written.hidden(layer, said.name, field.key)
            )
        )

    def _backed_otherwise(self, target: str) -> bool:
        """Say whether the file keeps an object's master where its class does not."""
        for name in self.written.parts(target):
            block = self.module.data[name]
            backing = next((f for f in block.fields if f.key == "backing"), None)
            if backing is not None and says_something(backing, block, class_in(block)):
                return True
        return False

    def _coalitions(self) -> Iterator[Coalition]:
        have = {frozenset(_members(each)) for each in self.module.coalitions.values()}
        taken = {d.name for d in self.module.declarations}
        for group in self.found.coalitions.values():
            if not fills("members", self.passes) or group.name in taken:
                continue
            if frozenset(_members(group)) not in have:
                yield group


def _is_general(field: Field) -> bool:
    """Say whether an intent's value holds until a machine is known: a default or an estimate."""
    if field.key == "backing":
        return True  # it is the class's own, or the plan leaves the object alone
    return field.key in MACHINE_KEYS and field.confidence is not None and field.confidence < 1


def _members(group: Coalition) -> Iterable[str]:
    return read(group, "members") or ()


def _all_fields(block: Block) -> Iterator[Field]:
    yield from block.fields
    if isinstance(block, Phase | Plan | PlanPhase):
        yield from chain.from_iterable(override.fields for override in block.overrides)
    if isinstance(block, Plan):
        yield from chain.from_iterable(map(_all_fields, block.phases))
