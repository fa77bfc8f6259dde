"""A module as lint rules see it: each object in each place where its fields are written."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Field, Module, Object, Override, Phase, Plan, Signal, Template
from mirc.ir.names import families_of
from mirc.ir.places import Mark, Places
from mirc.ir.resolve import read_field
from mirc.ir.values import Name, Text
from mirc.machine import Machine
from mirc.machine.load import load

_T = TypeVar("_T")
_Place = tuple[str, tuple[Block, ...], Phase | None, Plan | None]

# Fields of words, or of numbers that files repeat: by these, objects fall into kinds.
WORDS = frozenset(
    (
        "class",
        "dtype",
        "mutability",
        "backing",
        "write_policy",
        "immutable",
        "persistence_scope",
        "retain_us",
        "recompute_class",
        "sharing_scope",
        "retire",
        "preferred_tiers",
        "fallback_tiers",
        "anti_evict_rule",
        "anti_evict_from",
        "replication_allowed",
        "multicast_eligible",
        "spill_policy",
        "deadline_class",
        "deadline_us",
        "pin_level",
        "precision_ladder",
        "precision_floor",
    )
)


@attrs.frozen(eq=False, repr=False)
class Scope:
    """One object where something is said about it: in its declaration, or in an override.

    ``blocks`` are what holds there, the nearest first and the declaration last. ``phase`` is the
    phase around the override, ``plan`` the plan.
    """

    name: str
    blocks: tuple[Block, ...]
    phase: Phase | None = None
    plan: Plan | None = None
    position: int = attrs.field(default=0, eq=False, repr=False)  # in written order

    @property
    def nearest(self) -> Block:
        """The block in which something is said here."""
        return self.blocks[0]

    @property
    def declaration(self) -> Block:
        """The object or template."""
        return self.blocks[-1]

    @property
    def is_declared(self) -> bool:
        """Whether this is the declaration itself."""
        return len(self.blocks) == 1

    @property
    def klass(self) -> ObjectClass | None:
        """The object's class."""
        value = self.declaration.value("class")
        return ObjectClass(value.text) if isinstance(value, Name) else None

    def field(self, key: str) -> Field | None:
        """Return the field that was written for ``key`` and holds here, or None."""
        return next((f for block in self.blocks for f in block.fields if f.key == key), None)

    def mark(self, key: str) -> Mark | None:
        """Return where what holds here for ``key`` is written, or None."""
        for block in self.blocks:
            if any(f.key == key for f in block.fields):
                return Mark(block, key)
        return None

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

    def says(self, key: str, *words: object) -> bool:
        """Whether the nearest block itself says one of ``words`` for ``key``."""
        field = self.own(key)
        return field is not None and read_field(field) in words

    def affirms(self, key: str) -> bool:
        """Whether the nearest block itself writes ``true`` for ``key``."""
        return self.nearest.value(key) is True

    def own(self, *keys: str) -> Field | None:
        """Return the first of ``keys`` that is written in the nearest block."""
        return next((f for f in self.nearest.fields if f.key in keys), None)


@attrs.frozen(eq=False, repr=False)
class Context:
    """A module and the machines that it is checked against."""

    module: Module
    machines: tuple[Machine, ...] = ()
    places: Places = attrs.field(factory=Places, repr=False)
    _built: dict[object, Any] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    def once(self, build: Callable[["Context"], _T]) -> _T:
        """Return ``build(self)``, the same one for every rule that asks."""
        if build not in self._built:
            self._built[build] = build(self)
        found: _T = self._built[build]
        return found

    def machine_of(self, plan: Plan) -> Machine | None:
        """Return the machine that a plan was made for, or None if it cannot be loaded."""
        return next(iter(self._planned[plan.name]), None)

    def where(self, *keys: str) -> Iterator[Scope]:
        """Yield each scope, in written order, whose nearest block writes any of ``keys``."""
        found = {
            scope.position: scope
            for key in keys
            for _, scopes in self.lines(key)
            for scope in scopes
        }
        for position in sorted(found):
            yield found[position]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that any scope's nearest block writes."""
        return tuple(self._by_key)

    def lines(self, key: str) -> Iterator[tuple[Field, list[Scope]]]:
        """Yield each line that is written for ``key``, and the scopes in whose nearest block it is.

        Equal lines share one node: what a line alone decides is asked once, however many objects
        there are.
        """
        yield from self._by_key.get(key, ())

    def alike(self, *keys: str) -> Iterator[tuple[Scope, list[Scope]]]:
        """Yield scopes that agree in class and in every field of ``WORDS``, one and all of them.

        Only those whose nearest block writes any of ``keys``. What is judged by words alone is
        judged once for all of them.
        """
        for scopes in self._kinds:
            if scopes[0].own(*keys) is not None:
                yield scopes[0], scopes

    def of(self, name: str) -> list[Scope]:
        """Return every scope of one object or family name, in written order."""
        return self._by_name.get(name, [])

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """Every declaration and every override of a declared object, in written order."""
        scopes = self._scopes()
        return tuple(
            Scope(name, blocks, phase, plan, position)
            for position, (name, blocks, phase, plan) in enumerate(scopes)
        )

    def settles(self, scope: Scope, *keys: str) -> bool:
        """Whether nothing else in the file says anything about ``keys`` of the same object.

        Then a change to what this block says of them changes nothing that another block relied on.
        """
        if not self._overridden.isdisjoint(families_of(scope.name)):
            return False
        return all(self._speakers(key)[scope.name] == (scope.own(key) is not None) for key in keys)

    def _speakers(self, key: str) -> Counter[str]:
        """Count the scopes of each object that write a key."""
        if key not in self._built:
            self._built[key] = Counter(s.name for _, found in self.lines(key) for s in found)
        speakers: Counter[str] = self._built[key]
        return speakers

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
    def _by_key(self) -> dict[str, list[tuple[Field, list[Scope]]]]:
        tuples: dict[int, list[Scope]] = {}  # blocks that are alike share all their fields
        for scope in self.scopes:
            node = id(scope.blocks[0].fields)
            if node in tuples:
                tuples[node].append(scope)
            else:
                tuples[node] = [scope]
        nodes: dict[int, list[Scope]] = {}
        index: dict[str, list[tuple[Field, list[Scope]]]] = {}
        for scopes in tuples.values():
            for field in scopes[0].nearest.fields:
                if id(field) in nodes:
                    nodes[id(field)] += scopes
                else:
                    nodes[id(field)] = found = scopes.copy()
                    index.setdefault(field.key, []).append((field, found))
        return index

    @cached_property
    def _kinds(self) -> tuple[list[Scope], ...]:
        kinds: dict[object, list[Scope]] = {}
        said: dict[int, tuple[int, ...]] = {}
        for scope in self.scopes:
            written = [block.fields for block in scope.blocks]
            for fields in written:
                if id(fields) not in said:
                    said[id(fields)] = tuple([id(f) for f in fields if f.key in WORDS])
            if not said[id(written[0])]:
                continue  # nobody asks for it
            kind = (
                *[said[id(fields)] for fields in written],
                type(scope.declaration),
                scope.plan is None,
                scope.phase is None,
            )
            if kind in kinds:
                kinds[kind].append(scope)
            else:
                kinds[kind] = [scope]
        return tuple(kinds.values())

    @cached_property
    def _overridden(self) -> frozenset[str]:
        found: set[str] = set()
        for block in self.module.declarations:
            if isinstance(block, Phase | Signal | Plan):
                found.update(override.name for override in block.overrides)
            if isinstance(block, Plan):
                found.update(o.name for phase in block.phases for o in phase.overrides)
        return frozenset(found)

    @cached_property
    def _by_name(self) -> dict[str, list[Scope]]:
        found: dict[str, list[Scope]] = {}
        for scope in self.scopes:
            found.setdefault(scope.name, []).append(scope)
        return found

    def _scopes(self) -> Iterator[_Place]:
        declared: dict[str, Block] = {**self.module.objects, **self.module.templates}
        in_phase = {
            (phase.name, override.name): override
            for phase in self.module.phases.values()
            for override in phase.overrides
        }
        for block in self.module.declarations:
            match block:
                case Object() | Template():
                    yield block.name, (block,), None, None
                case Phase() | Signal():
                    phase = block if isinstance(block, Phase) else None
                    for override in _of_declared(block.overrides, declared):
                        blocks = (override, declared[override.name])
                        yield override.name, blocks, phase, None
                case Plan():
                    yield from self._in_plan(block, declared, in_phase)
                case _:
                    continue

    def _in_plan(
        self,
        plan: Plan,
        declared: dict[str, Block],
        in_phase: dict[tuple[str, str], Override],
    ) -> Iterator[_Place]:
        always = {override.name: override for override in plan.overrides}
        for override in _of_declared(plan.overrides, declared):
            yield override.name, (override, declared[override.name]), None, plan
        for planned in plan.phases:
            phase = self.module.phases.get(planned.name)
            for override in _of_declared(planned.overrides, declared):
                name = override.name
                below = (in_phase.get((planned.name, name)), always.get(name), declared[name])
                blocks: tuple[Block, ...] = (override, *(b for b in below if b is not None))
                yield name, blocks, phase, plan


def _of_declared(overrides: tuple[Override, ...], declared: dict[str, Block]) -> Iterator[Override]:
    return (override for override in overrides if override.name in declared)


def _machine_of(plan: Plan) -> tuple[Machine, ...]:
    name = plan.value("machine")
    try:
        return (load(name.text),) if isinstance(name, Name | Text) else ()
    except CouldNotRun:  # a name that nobody knows is a finding of its own
        return ()
