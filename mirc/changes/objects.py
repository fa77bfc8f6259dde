"""Objects of two modules, as they resolve, into changes: declarations first, then overrides."""

from collections.abc import Iterable, Iterator
from functools import cached_property

import attrs

from mirc.changes.holding import Site, change_of, holding_of
from mirc.changes.model import Change, Direction
from mirc.changes.rules import rule_of_kind
from mirc.ir.enums import ObjectClass, RuntimeOverride
from mirc.ir.fields import FIELD_BY_KEY, FieldSpec
from mirc.ir.module import Block, Field, Module, Object, Override
from mirc.ir.resolve import View

_TIERS = ("preferred_tiers", "fallback_tiers")


def kind_of(block: Block) -> str:
    """Return what a person calls an object's declaration."""
    if isinstance(block, Object):
        return "extern object" if block.extern else "object"
    return "template"


@attrs.frozen(slots=False)
class Pair:
    """One place to look from in both modules: under a phase, a signal, a plan, or none."""

    old: View
    new: View
    where: str = ""

    @classmethod
    def of(
        cls,
        old: Module,
        new: Module,
        *,
        where: str = "",
        phase: str | None = None,
        signal: str | None = None,
        plan: str | None = None,
    ) -> "Pair":
        """Look from there in both; a module without the signal or plan part stays as it is."""
        before, after = (
            View(
                module,
                phase if phase in module.phases else None,
                signal if signal in module.signals else None,
                plan if plan in module.plans else None,
            )
            for module in (old, new)
        )
        return cls(before, after, where)

    def changes(self, name: str, keys: Iterable[str]) -> Iterator[Change]:
        """Yield how an object that both declare changed in some of its keys."""
        site = Site(kind_of(self.new.module.data[name]), name, self.where)
        for key in keys:
            spec = FIELD_BY_KEY[key]
            change = self._change(site, spec)
            if change is not None:
                yield change

    def _change(self, site: Site, spec: FieldSpec) -> Change | None:
        name = site.name
        old = holding_of(spec, self.old.get(name, spec.key), self.old.class_of(name))
        new = holding_of(spec, self.new.get(name, spec.key), self.new.class_of(name))
        way = self._tiers(name) if spec.key in _TIERS else None
        return change_of(site, spec, old, new, way)

    def _tiers(self, name: str) -> Direction:
        """Judge both lists of tiers together: moving a tier from one to the other loses none."""
        before, after = (
            frozenset(tier for key in _TIERS for tier in view.value(name, key) or ())
            for view in (self.old, self.new)
        )
        if before <= after:
            return Direction.GRANTED if before < after else Direction.OTHER
        fixed = self.new.value(name, "runtime_override") is RuntimeOverride.FORBID
        return Direction.FORBIDDEN if fixed else Direction.WITHDRAWN


@attrs.frozen(slots=False)
class Objects:
    """The objects and templates that two modules share, compared."""

    old: Module
    new: Module

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """Names that both declare, in the order of the new file."""
        return tuple(name for name in self.new.data if name in self.old.data)

    def declarations(self) -> Iterator[Change]:
        """Yield what changed in the declarations themselves."""
        pair = Pair.of(self.old, self.new)
        for name in self.shared:
            old, new = self.old.data[name], self.new.data[name]
            if kind_of(old) != kind_of(new):
                yield Change(
                    rule=rule_of_kind(kind_of(new), Direction.RECAST),
                    kind=kind_of(new),
                    name=name,
                    old=kind_of(old),
                    new=kind_of(new),
                )
            if old.fields != new.fields:
                keys = _differing(old, new)
                classes = (pair.old.class_of(name), pair.new.class_of(name))
                yield from pair.changes(name, dict.fromkeys((*keys, *_implied(*classes))))

    def overrides(
        self, pair: Pair, old: tuple[Override, ...], new: tuple[Override, ...]
    ) -> Iterator[Change]:
        """Yield what changed for objects in the overrides of one phase, signal or plan."""
        if old == new:
            return
        before, after = _by_name(old), _by_name(new)
        changed: dict[str, dict[str, None]] = {}
        for target in dict.fromkeys((*after, *before)):
            fields = (before.get(target, {}), after.get(target, {}))
            keys = [key for key in {**fields[1], **fields[0]} if _not_same(key, *fields)]
            for name in dict.fromkeys((*self.new.parts(target), *self.old.parts(target))):
                if keys and name in self.old.data and name in self.new.data:
                    changed.setdefault(name, {}).update(dict.fromkeys(keys))
        for name, keys_of in changed.items():
            yield from pair.changes(name, keys_of)


def _not_same(key: str, old: dict[str, Field], new: dict[str, Field]) -> bool:
    return old.get(key) != new.get(key)


def _by_name(overrides: tuple[Override, ...]) -> dict[str, dict[str, Field]]:
    return {o.name: {field.key: field for field in o.fields} for o in overrides}


def _differing(old: Block, new: Block) -> list[str]:
    before = {field.key: field for field in old.fields}
    after = {field.key: field for field in new.fields}
    return [key for key in {**after, **before} if before.get(key) != after.get(key)]


def _implied(old: ObjectClass | None, new: ObjectClass | None) -> Iterator[str]:
    """Yield the keys for which two classes imply different things."""
    if old is new:
        return
    for key, spec in FIELD_BY_KEY.items():
        if spec.class_defaults and spec.default_for(old) != spec.default_for(new):
            yield key
