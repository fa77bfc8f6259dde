"""Objects, phases and plans into the value that holds for a field, and where it comes from."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import attrs

from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Field, Module, Override
from mirc.ir.names import families_of


class Layer(StrEnum):
    """Who said so; each layer wins over those before it."""

    DEFAULT = "default"
    """The class, or the field's own default."""
    OBJECT = "object"
    """The object's or template's declaration."""
    PLAN = "plan"
    """An override of the plan."""
    PHASE = "phase"
    """An override of the phase."""
    SIGNAL = "signal"
    """An override of the signal."""
    PLAN_PHASE = "plan phase"
    """An override of the plan for the phase."""


@attrs.frozen(slots=True)
class Origin:
    """Where a value comes from: the layer, its name (of class, object, phase ...), the field."""

    layer: Layer
    name: str = ""
    field: Field | None = attrs.field(default=None, repr=False)


@attrs.frozen(slots=True)
class Resolved:
    """A typed value, its confidence (None where none was written) and its origin.

    Sizes are int bytes (or ``PerToken``, ``PerSequence``), times float microseconds, words enum
    members, lists tuples, references str; None where nothing holds.
    """

    value: Any
    confidence: float | None
    origin: Origin


def read_field(field: Field) -> Any:
    """Return the typed value of one field of any declaration of a verified module."""
    return FIELD_BY_KEY[field.key].type.read(field.value)


def read(block: Block, key: str) -> Any:
    """Return the typed value of ``key`` in a block: its default where unwritten, or None."""
    written = block.value(key)
    spec = FIELD_BY_KEY[key]
    if written is None:
        written = spec.default
    return None if written is None else spec.type.read(written)


Written: TypeAlias = Mapping[str, Field]
"""What one declaration writes, by key."""
Overrides: TypeAlias = tuple[Layer, str, Mapping[str, Written]]
"""What one layer of overrides writes, by the names of objects and families; who says so."""


class Resolver(ABC):
    """What holds for each object while a phase or signal lasts, under a plan.

    Class default < object < plan < phase < signal < the plan's phase. An override of a family
    holds for its parts unless the same layer names the part. Each ``get`` is O(1): it looks at
    most at six declarations. ``layers`` are the overrides that hold, strongest first; where a
    field comes from, it must outlive this.
    """

    def __init__(self, layers: Iterable[Overrides]) -> None:
        self._layers = tuple(layers)
        self._said: dict[str, tuple[Written, ...]] = {}
        # By the ids of fields: equal lines of a text share one.
        self._typed: dict[int, Any] = {}
        self._defaults: dict[tuple[str, ObjectClass | None], Resolved] = {}

    @abstractmethod
    def _written(self, name: str) -> Written:
        """Return what an object or template writes itself; raise KeyError for an unknown one."""

    def get(self, name: str, key: str) -> Resolved:
        """Resolve one field of an object or template; raise KeyError for an unknown name or key."""
        for layer, source, overrides in self._layers:
            found = self._override(overrides, name, key)
            if found is not None:
                return self._resolved(found, Origin(layer, source, found))
        written = self._written(name).get(key)
        if written is not None:
            return self._resolved(written, Origin(Layer.OBJECT, name, written))
        return self._default(self.class_of(name), key)

    def value(self, name: str, key: str) -> Any:
        """Return the typed value alone."""
        for body in self.said(name) if self._layers else (self._written(name),):
            if key in body:
                return self._read(body[key])
        return self._default(self.class_of(name), key).value

    def history(self, name: str, key: str) -> tuple[Resolved, ...]:
        """Return all that was said of one field: what holds first, then what it took the place of.

        The default stands last, whether or not there is one; raises KeyError as ``get`` does.
        """
        said = []
        for layer, source, overrides in self._layers:
            for target in (name, *families_of(name)):
                found = overrides.get(target, {}).get(key)
                if found is not None:
                    said.append(self._resolved(found, Origin(layer, source, found)))
        written = self._written(name).get(key)
        if written is not None:
            said.append(self._resolved(written, Origin(Layer.OBJECT, name, written)))
        return (*said, self._default(self.class_of(name), key))

    def said(self, name: str) -> tuple[Written, ...]:
        """Return all that is said of an object, strongest first; its own declaration stands last.

        What has a key first holds. So where these are the same, all fields are.
        """
        known = self._said.get(name)
        if known is None:
            known = self._said[name] = (*self._overriding(name), self._written(name))
        return known

    def _overriding(self, name: str) -> Iterator[Written]:
        targets = (name, *families_of(name)) if self._layers and name.endswith("]") else (name,)
        for _, _, overrides in self._layers:
            for target in targets:
                if target in overrides:
                    yield overrides[target]

    def spoken_of(self, *layers: Layer) -> frozenset[str]:
        """Return the objects and families that the overrides of some layers name."""
        return frozenset(
            name for layer, _, overrides in self._layers if layer in layers for name in overrides
        )

    def class_of(self, name: str) -> ObjectClass | None:
        """Return an object's class; None for an extern object that does not say."""
        written = self._written(name).get("class")
        return None if written is None else self._read(written)

    def _override(self, overrides: Mapping[str, Written], name: str, key: str) -> Field | None:
        own = overrides.get(name)
        if own is not None and key in own:
            return own[key]
        if name.endswith("]"):
            for family in families_of(name):
                shared = overrides.get(family)
                if shared is not None and key in shared:
                    return shared[key]
        return None

    def _read(self, field: Field) -> Any:
        typed = self._typed.get(id(field))
        if typed is None:
            typed = self._typed[id(field)] = read_field(field)
        return typed

    def _resolved(self, field: Field, origin: Origin) -> Resolved:
        return Resolved(self._read(field), field.confidence, origin)

    def _default(self, klass: ObjectClass | None, key: str) -> Resolved:
        memo = (key, klass)
        if memo not in self._defaults:
            spec = FIELD_BY_KEY[key]
            written = spec.default_for(klass)
            value = None if written is None else spec.type.read(written)
            named = klass if klass in spec.class_defaults else ""
            self._defaults[memo] = Resolved(value, None, Origin(Layer.DEFAULT, named or ""))
        return self._defaults[memo]


class View(Resolver):
    """What holds for each object of a module while a phase or signal lasts, under a plan."""

    def __init__(
        self,
        module: Module,
        phase: str | None = None,
        signal: str | None = None,
        plan: str | None = None,
    ) -> None:
        super().__init__(_layers(module, phase, signal, plan))
        self.module = module
        self._data = module.data
        # By the ids of the bodies that the module holds: equal ones of a text are one.
        self._fields: dict[int, dict[str, Field]] = {}

    def _written(self, name: str) -> dict[str, Field]:
        fields = self._data[name].fields
        found = self._fields.get(id(fields))
        if found is None:
            found = self._fields[id(fields)] = {field.key: field for field in fields}
        return found


def _layers(
    module: Module, phase: str | None, signal: str | None, plan: str | None
) -> Iterable[Overrides]:
    """Yield the override layers that hold, strongest first."""
    planned = module.plans[plan] if plan is not None else None
    if planned is not None and phase is not None:
        for part in planned.phases:
            if part.name == phase:
                yield Layer.PLAN_PHASE, planned.name, _by_name(part.overrides)
    if signal is not None:
        yield Layer.SIGNAL, signal, _by_name(module.signals[signal].overrides)
    if phase is not None:
        yield Layer.PHASE, phase, _by_name(module.phases[phase].overrides)
    if planned is not None:
        yield Layer.PLAN, planned.name, _by_name(planned.overrides)


def _by_name(overrides: tuple[Override, ...]) -> dict[str, dict[str, Field]]:
    return {
        override.name: {field.key: field for field in override.fields} for override in overrides
    }
