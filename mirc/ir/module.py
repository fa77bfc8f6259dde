"""The declarations of a .mir file, frozen; spans and comments take no part in equality."""

from functools import cached_property

import attrs

from mirc.diagnostics import Span
from mirc.ir.names import families_of
from mirc.ir.values import Value

Fields = tuple["Field", ...]


@attrs.frozen(slots=True)
class Trivia:
    """Comments around a line: those on the lines above it, and the one at its end.

    Each begins with ``//``; an empty string above is a blank line that the author left.
    """

    above: tuple[str, ...] = ()
    trailing: str | None = None


def _span() -> Span | None:
    return attrs.field(default=None, eq=False, repr=False, kw_only=True)  # type: ignore[no-any-return]


def _trivia() -> Trivia | None:
    return attrs.field(default=None, eq=False, repr=False, kw_only=True)  # type: ignore[no-any-return]


@attrs.frozen(slots=True)
class Field:
    """``key = value @ confidence``; equal lines share one node, so it knows no place."""

    key: str
    value: Value
    confidence: float | None = None
    trivia: Trivia | None = _trivia()


@attrs.frozen(slots=True)
class Block:
    """What every braced declaration has: a name and its fields in written order."""

    name: str
    fields: Fields = ()
    trivia: Trivia | None = _trivia()
    closing: Trivia | None = _trivia()  # comments before the closing brace
    extent: Span | None = _span()  # from the keyword to the closing brace

    def value(self, key: str) -> Value | None:
        """Return what was written for ``key``, or None."""
        return next((field.value for field in self.fields if field.key == key), None)


@attrs.frozen(slots=True)
class Object(Block):
    """One piece of data; ``extern`` ones are declared elsewhere and only used here."""

    extern: bool = False


# What adds nothing to a block needs no attrs of its own: each such class costs a start 0.3 ms.
class Template(Block):
    """One object per instance (sequence, block), made as the run goes."""

    __slots__ = ()


class Coalition(Block):
    """Objects that are used together: a hint, never an atomic fetch."""

    __slots__ = ()


class Tenant(Block):
    """A holder of quota and security domain."""

    __slots__ = ()


class Claim(Block):
    """A promise about resident blocks, with its holder and terms."""

    __slots__ = ()


class Step(Block):
    """One unit of progress inside a phase: a leaf module's run of operations."""

    __slots__ = ()


class Override(Block):
    """What changes for one object (``name``) inside the enclosing phase, signal or plan."""

    __slots__ = ()


@attrs.frozen(slots=True)
class Phase(Block):
    """A stretch of execution that reshapes urgency and locality."""

    steps: tuple[Step, ...] = ()
    overrides: tuple[Override, ...] = ()


@attrs.frozen(slots=True)
class Signal(Block):
    """``on EVENT``: like a phase, begun by an event of the run."""

    overrides: tuple[Override, ...] = ()


@attrs.frozen(slots=True)
class PlanPhase(Block):
    """What a plan decides inside one phase."""

    overrides: tuple[Override, ...] = ()


@attrs.frozen(slots=True)
class Plan(Block):
    """What was chosen for one machine; the intent beside it stays true on every machine."""

    overrides: tuple[Override, ...] = ()
    phases: tuple[PlanPhase, ...] = ()


Declaration = Object | Template | Coalition | Tenant | Claim | Phase | Signal | Plan


@attrs.frozen
class Module:
    """A whole file: ``info`` holds the fields of its ``module`` block, if it has one."""

    declarations: tuple[Declaration, ...] = ()
    info: Block | None = None
    version: tuple[int, int] = (1, 0)
    header: Trivia | None = _trivia()  # comments around the version line
    trailing: Trivia | None = _trivia()  # comments after the last declaration

    @cached_property
    def objects(self) -> dict[str, Object]:
        """Objects by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Object)}

    @cached_property
    def templates(self) -> dict[str, Template]:
        """Templates by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Template)}

    @cached_property
    def data(self) -> dict[str, "Object | Template"]:
        """Objects and templates by name: whatever a step may read."""
        return {d.name: d for d in self.declarations if isinstance(d, Object | Template)}

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Parts by family, in written order: ``P`` to ``P[0]``, ``P[1]``, ..."""
        found: dict[str, list[str]] = {}
        for name in self.data:
            if name.endswith("]"):
                for family in families_of(name):
                    found.setdefault(family, []).append(name)
        return {family: tuple(parts) for family, parts in found.items()}

    @cached_property
    def coalitions(self) -> dict[str, Coalition]:
        """Coalitions by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Coalition)}

    @cached_property
    def tenants(self) -> dict[str, Tenant]:
        """Tenants by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Tenant)}

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Claim)}

    def parts(self, name: str) -> tuple[str, ...]:
        """Return what a reference means: the object itself, or all parts of a family.

        A name that is declared means itself; an undeclared one gives nothing.
        """
        return (name,) if name in self.data else self.families.get(name, ())

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """Phases by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Phase)}

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """Plans by name, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Plan)}

    @cached_property
    def signals(self) -> dict[str, Signal]:
        """Signals by event, in written order."""
        return {d.name: d for d in self.declarations if isinstance(d, Signal)}
