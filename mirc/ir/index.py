"""What a file declares, by name: all that a reference can be looked up in."""

from collections.abc import Iterable
from functools import cached_property

from mirc.ir.enums import ObjectClass, SignalKind
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Object,
    Phase,
    Template,
    Tenant,
)
from mirc.ir.names import families_of
from mirc.ir.suggest import Names
from mirc.ir.types import RefKind
from mirc.ir.values import Call, Name


class Index:
    """Names by kind. ``machines`` None accepts every machine; ``lost`` names pass unreported."""

    def __init__(
        self,
        blocks: Iterable[Block],
        machines: frozenset[str] | None = None,
        lost: frozenset[str] = frozenset(),
    ) -> None:
        self.machines = machines
        self.lost = lost
        self.classes: dict[str, ObjectClass | None] = {}
        self.phases: dict[str, Phase] = {}
        names: dict[type[Block], list[str]] = {Coalition: [], Tenant: [], Claim: []}
        class_of_fields: dict[
            int, ObjectClass | None
        ] = {}  # by the fields, which equal blocks share
        for block in blocks:
            kind = type(block)
            if kind is Object or kind is Template:
                fields = id(block.fields)
                if fields not in class_of_fields:
                    class_of_fields[fields] = class_of(block)
                self.classes[block.name] = class_of_fields[fields]
            elif isinstance(block, Phase):
                self.phases[block.name] = block
            elif kind in names:
                names[kind].append(block.name)
        self.steps = {
            name: frozenset(step.name for step in phase.steps)
            for name, phase in self.phases.items()
        }
        self.coalitions = frozenset(names[Coalition])
        self.tenants = frozenset(names[Tenant])
        self.claims = frozenset(names[Claim])
        self.data_names = Names(self.classes)

    @cached_property
    def family_class(self) -> dict[str, ObjectClass | None]:
        """The class of each family's first part, by the family's name."""
        found: dict[str, ObjectClass | None] = {}
        for name, klass in self.classes.items():
            if name.endswith("]"):
                for family in families_of(name):
                    found.setdefault(family, klass)
        return found

    @cached_property
    def all_steps(self) -> frozenset[str]:
        """Steps of every phase."""
        return frozenset[str]().union(*self.steps.values())

    @cached_property
    def signals(self) -> frozenset[str]:
        """Signals of the runtime, and the events that steps raise."""
        raised = (
            value
            for phase in self.phases.values()
            for step in phase.steps
            for field in step.fields
            if field.key == "raises" and isinstance(field.value, tuple)
            for value in field.value
        )
        return frozenset(SignalKind) | {_event(value).lower() for value in raised}

    def class_of(self, name: str) -> ObjectClass | None:
        """Return the class of an object, template or family; None where it has none."""
        if name in self.classes:
            return self.classes[name]
        return self.family_class.get(name)

    def knows(self, kind: RefKind, name: str, steps: frozenset[str] | None) -> bool:
        """Say whether ``name`` is declared; ``steps`` are those of the phase around it."""
        if kind is RefKind.DATA:
            return name in self.classes or name in self.family_class
        if kind is RefKind.STEP:
            return name in (self.all_steps if steps is None else steps)
        if kind is RefKind.MACHINE:
            return self.machines is None or name in self.machines or name.endswith(".toml")
        return name in self.names(kind, steps)

    def names(self, kind: RefKind, steps: frozenset[str] | None) -> Iterable[str]:
        """Return all names of a kind in a fixed order."""
        if kind is RefKind.DATA:
            return tuple(self.classes)
        if kind is RefKind.STEP:
            return sorted(self.all_steps if steps is None else steps)
        if kind is RefKind.PHASE:
            return tuple(self.phases)
        sets = {
            RefKind.COALITION: self.coalitions,
            RefKind.TENANT: self.tenants,
            RefKind.CLAIM: self.claims,
            RefKind.MACHINE: self.machines or (),
        }
        return sorted(sets[kind])


def _event(value: object) -> str:
    if isinstance(value, Call):
        return value.name
    return value.text if isinstance(value, Name) else ""


def class_of(block: Block) -> ObjectClass | None:
    """Return the class that a block gives itself; None where it gives none of ours."""
    written = block.value("class")
    if isinstance(written, Name) and written.text in ObjectClass.__members__:
        return ObjectClass(written.text)
    return None
