"""A module into what its layers say of one key: what `View` resolves, for few keys of few names."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Field, Module, Override
from mirc.ir.names import families_of
from mirc.ir.places import Mark
from mirc.ir.values import Name
from mirc.lint.context import Context

KEYS = frozenset(
    {
        "access",
        "anti_evict_from",
        "anti_evict_rule",
        "backing",
        "claimed_by",
        "deadline_class",
        "deadline_us",
        "fallback_tiers",
        "layout",
        "persistence_scope",
        "pin_level",
        "pin_range",
        "precision_ladder",
        "preferred_tiers",
        "prefetch_horizon_us",
        "residency",
        "retire",
        "shard",
        "sharing_scope",
    }
)
"""What may be asked of overrides; in a large file most of them say something else."""

_Table = dict[str, tuple[Override, Field]]
_Tables = dict[tuple[str | None, str | None], _Table]


class Written(NamedTuple):
    """A field of an object where it is written: in its declaration, a phase, a plan, or both."""

    name: str
    block: Block
    field: Field
    phase: str | None
    plan: str | None


class Said:
    """Who says what: as ``mirc.ir.resolve.View``, without a table of every override per phase.

    Signals are no part of it: what holds while one lasts is asked by nobody here.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

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
            for layer in _layers(phase, plan):
                table = tables.get(layer)
                if not table:
                    continue
                if name in table:
                    return Mark(table[name][0], key)
                for family in families_of(name) if name.endswith("]") else ():
                    if family in table:
                        return Mark(table[family][0], key)
        declared: Block = self.module.data[name]
        return Mark(declared, key) if declared.value(key) is not None else None

    def value(self, name: str, key: str, phase: str | None = None, plan: str | None = None) -> Any:
        """Return the typed value that holds for a name, written or implied by its class."""
        mark = self.mark(name, key, phase, plan)
        return self.implied(name, key) if mark is None else self.typed(mark)

    def typed(self, mark: Mark) -> Any:
        """Return the typed value of a field."""
        return self.read(str(mark.key), mark.block.value(str(mark.key)))

    def read(self, key: str, written: object) -> Any:
        """Return what a value of the module means."""
        memo = (key, id(written))  # equal lines share one value; the module keeps it alive
        if memo not in self._typed:
            self._typed[memo] = FIELD_BY_KEY[key].type.read(written)
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

    def overriding(self, plan: str, phase: str | None, key: str) -> _Table:
        """Return the overrides of a plan, of one phase or of all, that give ``key``, by name."""
        return self._overrides.get(key, {}).get((plan, phase), {})

    def layers(self, key: str) -> Iterator[Written]:
        """Yield each object to which ``key`` is given, in each layer."""
        for scope in self.context.where(key):
            field = scope.own(key) if scope.is_declared else None
            if field is not None:
                yield Written(scope.name, scope.nearest, field, None, None)
        for (plan, phase), table in self._overrides.get(key, {}).items():
            for name, (override, field) in table.items():
                if name in self.module.data:
                    yield Written(name, override, field, phase, plan)
                    continue
                for part in self.module.parts(name):
                    if part not in table:
                        yield Written(part, override, field, phase, plan)

    def overridden(self, plan: str, key: str) -> bool:
        """Whether a plan gives ``key`` to anything."""
        return any(owner == plan for owner, _ in self._overrides.get(key, {}))

    @cached_property
    def _typed(self) -> dict[tuple[str, int], Any]:
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
                    if field.key not in KEYS:
                        continue
                    tables = found.setdefault(field.key, {})
                    tables.setdefault(layer, {})[override.name] = override, field

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
