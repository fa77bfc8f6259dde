"""The tables of a packed file into its declarations, each read when it is asked for."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeAlias, TypeVar

import attrs

from mirc.ir import (
    Block,
    Claim,
    Coalition,
    Field,
    Override,
    Phase,
    Plan,
    PlanPhase,
    Signal,
    Step,
    Tenant,
    Value,
    families_of,
    reference,
)
from mirc.ir.resolve import Written
from mirc.packed.columns import (
    BESIDE_COUNT,
    BESIDE_FIRST,
    COLUMN_BY_KEY,
    INDEXED,
    ORDER,
    SPOTS,
    UNSAID,
    WHAT,
)
from mirc.packed.tables import NESTED, NOTHING, WHAT_TEMPLATE, Kind, Tables
from mirc.packed.values import value_of

_Block = TypeVar("_Block", bound=Block)
_Words: TypeAlias = tuple[int, ...]
_LOW_BITS, _LOW = 32, 0xFFFF_FFFF
_PARENT = 4  # of a block as it is taken apart here


@attrs.frozen(eq=False)
class Packed:
    """A packed file, sound: objects by name, and the other declarations as ``mirc.ir`` has them.

    Phases have no steps but those that something mentions, and those without reads and writes.
    What is equal in the file is one object here: a body, its fields.
    """

    tables: Tables
    _bodies: dict[tuple[int, int], dict[str, Field]] = attrs.field(factory=dict, repr=False)
    _tuples: dict[tuple[int, int], tuple[Field, ...]] = attrs.field(factory=dict, repr=False)
    _rows: dict[_Words, dict[str, Field]] = attrs.field(factory=dict, repr=False)
    _row_fields: dict[_Words, tuple[Field, ...]] = attrs.field(factory=dict, repr=False)

    @cached_property
    def data(self) -> dict[str, int]:
        """The rows of objects and templates by name, in written order."""
        names = self.tables.strings[: len(self.tables.rows)]
        return {name: row for row, name in enumerate(names)}

    @cached_property
    def objects(self) -> dict[str, int]:
        """The rows of objects by name."""
        kinds = map(self.what, range(len(self.tables.rows)))
        rows = zip(self.data.items(), kinds, strict=True)
        return {name: row for (name, row), kind in rows if kind != WHAT_TEMPLATE}

    @cached_property
    def templates(self) -> dict[str, int]:
        """The rows of templates by name."""
        return {name: row for name, row in self.data.items() if name not in self.objects}

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Parts by family, in written order: ``P`` to ``P[0]``, ``P[1]``, ..."""
        found: dict[str, list[str]] = {}
        for name in self.data:
            if name.endswith("]"):
                for family in families_of(name):
                    found.setdefault(family, []).append(name)
        return {family: tuple(parts) for family, parts in found.items()}

    def parts(self, name: str) -> tuple[str, ...]:
        """Return what a reference means: the object itself, or all parts of a family."""
        return (name,) if name in self.data else self.families.get(name, ())

    def what(self, row: int) -> int:
        """Return whether a row is an object, an extern one, or a template."""
        return SPOTS[WHAT].of(self._words[row])

    def written(self, name: str) -> dict[str, Field]:
        """Return what an object or template writes, by key; raise KeyError for an unknown one."""
        words = self._words[self.data[name]]
        known = self._rows.get(words)
        if known is None:
            known = self._rows[words] = self._row(words)
        return known

    def fields(self, name: str) -> tuple[Field, ...]:
        """Return the same as a tuple, in the order of the field table."""
        words = self._words[self.data[name]]
        known = self._row_fields.get(words)
        if known is None:
            known = self._row_fields[words] = tuple(self.written(name).values())
        return known

    def overrides(self, block: int) -> dict[str, Written]:
        """Return what the overrides inside a block write, by name."""
        return {
            self.tables.strings[name]: self._body(first, count)
            for name, first, count in self._inside.get((block, Kind.OVERRIDE), ())
        }

    def number(self, kind: Kind, name: str, parent: int | None = None) -> int | None:
        """Return the number of a block of that name, inside of another if one is given."""
        for number in self._by_kind.get(kind, ()):
            _, _, named, _, within = self._blocks[number]
            if self.tables.strings[named] == name and parent in (None, within):
                return number
        return None

    def planned(self, plan: str, phase: str) -> Block | None:
        """Return what a plan says of a phase, without its overrides; None if nothing."""
        outer = self.number(Kind.PLAN, plan)
        number = None if outer is None else self.number(Kind.PLAN_PHASE, phase, outer)
        return None if number is None else Block(*self._named(number))

    @cached_property
    def info(self) -> Block | None:
        """The module block, without its schedule."""
        return next(self._declared(Kind.MODULE, Block), None)

    @cached_property
    def tenants(self) -> dict[str, Tenant]:
        """Tenants by name, in written order."""
        return _by_name(self._declared(Kind.TENANT, Tenant))

    @cached_property
    def coalitions(self) -> dict[str, Coalition]:
        """Coalitions by name, in written order."""
        return _by_name(self._declared(Kind.COALITION, Coalition))

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims by name, in written order."""
        return _by_name(self._declared(Kind.CLAIM, Claim))

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """Phases by name, in written order."""
        made = (
            Phase(
                *self._named(number),
                steps=tuple(Step(*each) for each in self._held(number, Kind.STEP)),
                overrides=self._overriding(number),
            )
            for number in self._by_kind.get(Kind.PHASE, ())
        )
        return _by_name(made)

    @cached_property
    def signals(self) -> dict[str, Signal]:
        """Signals by event, in written order."""
        made = (
            Signal(*self._named(number), overrides=self._overriding(number))
            for number in self._by_kind.get(Kind.SIGNAL, ())
        )
        return _by_name(made)

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """Plans by name, in written order."""
        return _by_name(map(self._plan, self._by_kind.get(Kind.PLAN, ())))

    def _plan(self, number: int) -> Plan:
        phases = tuple(
            PlanPhase(*self._named(inside), overrides=self._overriding(inside))
            for inside in self._by_kind.get(Kind.PLAN_PHASE, ())
            if self._blocks[inside][_PARENT] == number
        )
        return Plan(*self._named(number), overrides=self._overriding(number), phases=phases)

    def _overriding(self, number: int) -> tuple[Override, ...]:
        return tuple(Override(*each) for each in self._held(number, Kind.OVERRIDE))

    def _declared(self, kind: Kind, made: type[_Block]) -> Iterator[_Block]:
        for number in self._by_kind.get(kind, ()):
            yield made(*self._named(number))

    def _named(self, number: int) -> tuple[str, tuple[Field, ...]]:
        _, count, name, first, _ = self._blocks[number]
        return self.tables.strings[name], self._fields_of(first, count)

    def _held(self, number: int, kind: Kind) -> Iterator[tuple[str, tuple[Field, ...]]]:
        for name, first, count in self._inside.get((number, kind), ()):
            yield self.tables.strings[name], self._fields_of(first, count)

    def _fields_of(self, first: int, count: int) -> tuple[Field, ...]:
        known = self._tuples.get((first, count))
        if known is None:
            known = self._tuples[first, count] = tuple(self._body(first, count).values())
        return known

    def _body(self, first: int, count: int) -> dict[str, Field]:
        known = self._bodies.get((first, count))
        if known is None:
            made = map(self._field, range(first, first + count))
            known = self._bodies[first, count] = {field.key: field for field in made}
        return known

    def _field(self, index: int) -> Field:
        key, tag, confidence, payload = self._nodes[index]
        said = float(self.tables.confidences[confidence - 1]) if confidence else None
        return Field(self._keys[key], self._value(tag, payload), said)

    def _value(self, tag: int, payload: int) -> Value:
        inside: list[Value] = []
        if tag in NESTED:
            first, count = payload & _LOW, payload >> _LOW_BITS
            inside = [self._value(*self._cells[index]) for index in range(first, first + count)]
        return value_of(tag, payload, self.tables.strings, inside)

    def _row(self, words: _Words) -> dict[str, Field]:
        found = dict(self._body(SPOTS[BESIDE_FIRST].of(words), SPOTS[BESIDE_COUNT].of(words)))
        for key, (column, spot) in COLUMN_BY_KEY.items():
            code = spot.of(words)
            if code not in (UNSAID, spot.ones):
                found[key] = Field(key, column.decode(code))
        for key, spot in INDEXED.items():
            index = spot.of(words)
            if index not in (UNSAID, spot.ones):
                found[key] = Field(key, reference(self._listed[key][index - 1]))
        return dict(sorted(found.items(), key=lambda item: ORDER[item[0]]))

    @cached_property
    def _listed(self) -> dict[str, tuple[str, ...]]:
        strings = self.tables.strings
        domains = tuple(strings[number] for number in self.tables.domains.tolist())
        return {"security_domain": domains, "tenant_id": tuple(self.tenants)}

    @cached_property
    def _words(self) -> list[_Words]:
        return list(map(tuple, self.tables.rows.tolist()))

    @cached_property
    def _nodes(self) -> list[tuple[int, int, int, int]]:
        found: list[tuple[int, int, int, int]] = self.tables.fields.tolist()
        return found

    @cached_property
    def _cells(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = self.tables.cells[["tag", "payload"]].tolist()
        return found

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return ("", *(self.tables.strings[number] for number in self.tables.keys.tolist()))

    @cached_property
    def _blocks(self) -> list[tuple[int, ...]]:
        columns = ["kind", "count", "name", "first", "parent"]
        found: list[tuple[int, ...]] = self.tables.blocks[columns].tolist()
        return found

    @cached_property
    def _by_kind(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, block in enumerate(self._blocks):
            found.setdefault(block[0], []).append(number)
        return found

    @cached_property
    def _inside(self) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
        """What stands inside a block, by the block and its own kind: name, first field, fields."""
        found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for kind, count, name, first, parent in self._blocks:
            if parent != NOTHING:
                found.setdefault((parent, kind), []).append((name, first, count))
        return found


def _by_name(blocks: Iterable[_Block]) -> dict[str, _Block]:
    return {block.name: block for block in blocks}
