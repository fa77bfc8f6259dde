"""A module into what its layers say of one key: what `View` resolves, for few keys of few names."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs

from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Module, Override
from mirc.ir.names import families_of
from mirc.ir.places import Mark
from mirc.ir.values import Name
from mirc.lint.context import Context

_Tables = dict[tuple[str | None, str | None], dict[str, Override]]


@attrs.frozen(eq=False)
class Said:
    """Who says what: as ``mirc.ir.resolve.View``, without a table of every override per phase.

    Signals are no part of it: what holds while one lasts is asked by nobody here.
    """

    context: Context

    @property
    def module(self) -> Module:
        """The module that is read."""
        return self.context.module

    def about(self, key: str) -> tuple[str, ...]:
        """Name every object and template that a declaration or an override gives ``key`` to.

        In written order; an override of a family speaks of all its parts.
        """
        names: dict[str, None] = {}
        for scope in self.context.where(key):
            names[scope.name] = None
        for table in self._overrides.get(key, {}).values():
            for name in table:
                names.update(dict.fromkeys(self.module.parts(name)))
        return tuple(names)

    def mark(
        self, name: str, key: str, phase: str | None = None, plan: str | None = None
    ) -> Mark | None:
        """Return where what holds for a name is written: plan's phase, phase, plan, declaration."""
        tables = self._overrides.get(key)
        if tables:
            names = (name, *families_of(name)) if name.endswith("]") else (name,)
            for layer in _layers(phase, plan):
                table = tables.get(layer)
                for each in names if table else ():
                    if table and each in table:
                        return Mark(table[each], key)
        declared: Block = self.module.data[name]
        return Mark(declared, key) if declared.value(key) is not None else None

    def value(self, name: str, key: str, phase: str | None = None, plan: str | None = None) -> Any:
        """Return the typed value that holds for a name, written or implied by its class."""
        mark = self.mark(name, key, phase, plan)
        return self.implied(name, key) if mark is None else self.typed(mark)

    def typed(self, mark: Mark) -> Any:
        """Return the typed value of a field."""
        written = mark.block.value(str(mark.key))
        memo = (mark.key, type(written), written)
        if memo not in self._typed:
            self._typed[memo] = FIELD_BY_KEY[str(mark.key)].type.read(written)
        return self._typed[memo]

    def implied(self, name: str, key: str) -> Any:
        """Return what the class of an object implies for ``key``."""
        memo = (key, self.class_of(name))
        if memo not in self._implied:
            spec = FIELD_BY_KEY[key]
            default = spec.default_for(memo[1])
            self._implied[memo] = None if default is None else spec.type.read(default)
        return self._implied[memo]

    def class_of(self, name: str) -> ObjectClass | None:
        """Return an object's class, None where an extern one does not say."""
        value = self.module.data[name].value("class")
        return ObjectClass(value.text) if isinstance(value, Name) else None

    def overriding(self, plan: str, key: str) -> Iterator[tuple[str | None, str]]:
        """Yield (phase or None, name or family) of each override in a plan that gives ``key``."""
        for (owner, phase), table in self._overrides.get(key, {}).items():
            if owner == plan:
                for name in table:
                    yield phase, name

    @cached_property
    def _typed(self) -> dict[object, Any]:
        return {}

    @cached_property
    def _implied(self) -> dict[tuple[str, ObjectClass | None], Any]:
        return {}

    @cached_property
    def _overrides(self) -> dict[str, _Tables]:
        found: dict[str, _Tables] = {}

        def enter(layer: tuple[str | None, str | None], overrides: tuple[Override, ...]) -> None:
            for override in overrides:
                for field in override.fields:
                    tables = found.setdefault(field.key, {})
                    tables.setdefault(layer, {})[override.name] = override

        for phase in self.module.phases.values():
            enter((None, phase.name), phase.overrides)
        for plan in self.module.plans.values():
            enter((plan.name, None), plan.overrides)
            for part in plan.phases:
                enter((plan.name, part.name), part.overrides)
        return found


def _layers(phase: str | None, plan: str | None) -> Iterator[tuple[str | None, str | None]]:
    """Yield the layers that hold, strongest first; see ``mirc.ir.resolve``."""
    if plan is not None and phase is not None:
        yield plan, phase
    if phase is not None:
        yield None, phase
    if plan is not None:
        yield plan, None
