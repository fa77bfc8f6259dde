"""A module as lint rules see it: each object in each place where its fields are written."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Field, Module, Object, Override, Phase, Plan, Signal, Template
from mirc.ir.resolve import read_field
from mirc.ir.values import Name, Text
from mirc.machine import Machine
from mirc.machine.load import load


@attrs.frozen
class Scope:
    """One object where something is said about it: in its declaration, or in an override.

    ``blocks`` are what holds there, the nearest first and the declaration last. ``phase`` is the
    phase around the override, ``plan`` the plan.
    """

    name: str
    blocks: tuple[Block, ...]
    phase: Phase | None = None
    plan: Plan | None = None

    @property
    def nearest(self) -> Block:
        """The block in which something is said here."""
        return self.blocks[0]

    @property
    def declaration(self) -> Block:
        """The object or template."""
        return self.blocks[-1]

    @property
    def klass(self) -> ObjectClass | None:
        """The object's class."""
        value = self.declaration.value("class")
        return ObjectClass(value.text) if isinstance(value, Name) else None

    def field(self, key: str) -> Field | None:
        """Return the field that was written for ``key`` and holds here, or None."""
        return next((f for block in self.blocks for f in block.fields if f.key == key), None)

    def written(self, key: str) -> Any:
        """Return the typed value that was written for ``key`` and holds here, or None."""
        field = self.field(key)
        return None if field is None else read_field(field)

    def implied(self, key: str) -> Any:
        """Return what the class implies for ``key``, or None."""
        spec = FIELD_BY_KEY[key]
        default = spec.default_for(self.klass)
        return None if default is None else spec.type.read(default)

    def value(self, key: str) -> Any:
        """Return the typed value that holds here, written or implied."""
        return self.implied(key) if (value := self.written(key)) is None else value

    def own(self, *keys: str) -> Field | None:
        """Return the first of ``keys`` that is written in the nearest block."""
        return next((f for f in self.nearest.fields if f.key in keys), None)


@attrs.frozen
class Context:
    """A module and the machines that it is checked against."""

    module: Module
    machines: tuple[Machine, ...] = ()

    def where(self, *keys: str) -> Iterator[Scope]:
        """Yield each scope, in written order, whose nearest block writes any of ``keys``."""
        found = {id(scope): scope for key in keys for scope in self._by_key.get(key, ())}
        if len(keys) == 1:
            yield from found.values()
        else:
            yield from sorted(found.values(), key=lambda scope: self._order[id(scope)])

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """Every declaration and every override of a declared object, in written order."""
        return tuple(self._scopes())

    def machines_of(self, scope: Scope) -> tuple[Machine, ...]:
        """Return the machines given; inside a plan, the plan's own (if it can be loaded)."""
        return self.machines if scope.plan is None else self._planned[scope.plan.name]

    @cached_property
    def has_steps(self) -> bool:
        """Whether any phase says what its steps read and write."""
        return any(phase.steps for phase in self.module.phases.values())

    @cached_property
    def _planned(self) -> dict[str, tuple[Machine, ...]]:
        return {name: _machine_of(plan) for name, plan in self.module.plans.items()}

    @cached_property
    def _by_key(self) -> dict[str, list[Scope]]:
        index: dict[str, list[Scope]] = {}
        for scope in self.scopes:
            for field in scope.nearest.fields:
                index.setdefault(field.key, []).append(scope)
        return index

    @cached_property
    def _order(self) -> dict[int, int]:
        return {id(scope): index for index, scope in enumerate(self.scopes)}

    def _scopes(self) -> Iterator[Scope]:
        declared: dict[str, Block] = {**self.module.objects, **self.module.templates}
        in_phase = {
            (phase.name, override.name): override
            for phase in self.module.phases.values()
            for override in phase.overrides
        }
        for block in self.module.declarations:
            match block:
                case Object() | Template():
                    yield Scope(block.name, (block,))
                case Phase() | Signal():
                    phase = block if isinstance(block, Phase) else None
                    for override in _of_declared(block.overrides, declared):
                        blocks = (override, declared[override.name])
                        yield Scope(override.name, blocks, phase)
                case Plan():
                    yield from self._in_plan(block, declared, in_phase)
                case _:
                    continue

    def _in_plan(
        self,
        plan: Plan,
        declared: dict[str, Block],
        in_phase: dict[tuple[str, str], Override],
    ) -> Iterator[Scope]:
        always = {override.name: override for override in plan.overrides}
        for override in _of_declared(plan.overrides, declared):
            yield Scope(override.name, (override, declared[override.name]), None, plan)
        for planned in plan.phases:
            phase = self.module.phases.get(planned.name)
            for override in _of_declared(planned.overrides, declared):
                name = override.name
                below = (in_phase.get((planned.name, name)), always.get(name), declared[name])
                blocks = (override, *(block for block in below if block is not None))
                yield Scope(name, blocks, phase, plan)


def _of_declared(overrides: tuple[Override, ...], declared: dict[str, Block]) -> Iterator[Override]:
    return (override for override in overrides if override.name in declared)


def _machine_of(plan: Plan) -> tuple[Machine, ...]:
    name = plan.value("machine")
    try:
        return (load(name.text),) if isinstance(name, Name | Text) else ()
    except CouldNotRun:  # a name that nobody knows is a finding of its own
        return ()
