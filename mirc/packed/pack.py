"""A verified module into the tables of a packed file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mirc.grammar.memory import collection_paused
from mirc.ir import (
    Block,
    Field,
    Module,
    Object,
    Override,
    Phase,
    Plan,
    Signal,
    Step,
    Template,
    reference,
    text_of,
)
from mirc.packed.codec import dumps, loads
from mirc.packed.columns import (
    BESIDE_COUNT,
    BESIDE_FIRST,
    COLUMN_BY_KEY,
    INDEXED,
    ORDER,
    ROW_WORDS,
    SPOTS,
    WHAT,
    Spot,
)
from mirc.packed.model import Packed
from mirc.packed.tables import (
    BLOCK,
    NODE,
    NOTHING,
    WHAT_EXTERN,
    WHAT_OBJECT,
    WHAT_TEMPLATE,
    Kind,
    Records,
    Tables,
    Tag,
)
from mirc.packed.values import Flat, flat

_SCHEDULE, _RAISES, _TENANT = "schedule", "raises", "tenant_id"
_Node = tuple[int, int, Flat]
_Row = tuple[int, int, int, int]


def seal(module: Module) -> Packed:
    """Return what a module's packed file says, written and read in memory.

    Raises CouldNotRun for a module that a packed file cannot hold.
    """
    return Packed(loads(dumps(pack(module)), "the packed module"))


def pack(module: Module) -> Tables:
    """Return the tables of a module that ``verify`` found right.

    All is kept but comments, the order of fields and of declarations of different kinds, the
    schedule, and what steps do: of a step stay the name, if anything else mentions it, and the
    events that it raises. Equal modules give equal tables. O(the module).
    """
    with collection_paused():
        return _packed(module)


def _packed(module: Module) -> Tables:
    packer = _Packer(module)
    rows = [packer.row(data) for data in module.data.values()]
    if module.info is not None:
        left = tuple(field for field in module.info.fields if field.key != _SCHEDULE)
        packer.block(Kind.MODULE, module.info.name, left)
    for kind, declared in (
        (Kind.TENANT, module.tenants),
        (Kind.COALITION, module.coalitions),
        (Kind.CLAIM, module.claims),
    ):
        packer.blocks_of(kind, declared)
    phases = [(packer.block_with(Kind.PHASE, each), each) for each in module.phases.values()]
    for signal in module.signals.values():
        packer.block_with(Kind.SIGNAL, signal)
    for plan in module.plans.values():
        within = packer.block_with(Kind.PLAN, plan)
        for phase in plan.phases:
            inside = packer.block(Kind.PLAN_PHASE, phase.name, phase.fields, within)
            packer.overrides(phase.overrides, inside)
    packer.steps(phases)
    return packer.tables(rows)


class _Packer:
    """The tables so far; every method adds one thing to them."""

    def __init__(self, module: Module) -> None:
        self.version = module.version
        self.strings = {name: index for index, name in enumerate(module.data)}
        self.domains: dict[str, int] = {}
        self.tenants = {name: index for index, name in enumerate(module.tenants, 1)}
        self.keys: dict[str, int] = {}
        self.confidences: dict[float, int] = {}
        self.nodes: list[_Node] = []
        self.made: list[tuple[int, int, int, int, int]] = []  # blocks
        self._ranges: dict[tuple[_Node, ...], int] = {}
        # By the ids of fields that the module holds: equal lines and bodies share one.
        self._known: dict[int, tuple[int, int]] = {}
        self._rows: dict[tuple[int, int], _Row] = {}
        self._nodes: dict[int, _Node] = {}

    def string(self, text: str) -> int:
        """Return the number of a text."""
        return self.strings.setdefault(text, len(self.strings))

    def row(self, data: Object | Template) -> _Row:
        """Return the four words of an object or template."""
        what = WHAT_TEMPLATE
        if isinstance(data, Object):
            what = WHAT_EXTERN if data.extern else WHAT_OBJECT
        key = (what, id(data.fields))
        known = self._rows.get(key)
        if known is None:
            known = self._rows[key] = self._row(what, data.fields)
        return known

    def _row(self, what: int, fields: tuple[Field, ...]) -> _Row:
        words = [0] * ROW_WORDS
        beside = []

        def put(spot: Spot, number: int) -> None:
            words[spot.word] |= spot.put(number)

        for field in fields:
            spot, code = self._coded(field)
            if spot is None:
                beside.append(field)
            elif code is None:
                put(spot, spot.ones)
                beside.append(field)
            else:
                put(spot, code)
        first, count = self.range(tuple(beside))
        put(SPOTS[WHAT], what)
        put(SPOTS[BESIDE_FIRST], first)
        put(SPOTS[BESIDE_COUNT], count)
        return (words[0], words[1], words[2], words[3])

    def _coded(self, field: Field) -> tuple[Spot | None, int | None]:
        """Return where a field stands in a row, and its code unless it is beside the row."""
        if field.key in INDEXED:
            spot = INDEXED[field.key]
            return spot, None if field.confidence is not None else self._index(field, spot)
        if field.key not in COLUMN_BY_KEY:
            return None, None
        column, spot = COLUMN_BY_KEY[field.key]
        return spot, None if field.confidence is not None else column.encode(field.value)

    def _index(self, field: Field, spot: Spot) -> int | None:
        name = text_of(field.value)
        if field.value != reference(name):
            return None  # quoted without need: the index would not say so
        if field.key == _TENANT:
            index = self.tenants[name]
        else:
            index = self.domains.setdefault(name, len(self.domains) + 1)
        return index if index < spot.ones else None

    def range(self, fields: Iterable[Field]) -> tuple[int, int]:
        """Add the nodes of some fields, unless equal ones are there; return the first, how many."""
        nodes = tuple(map(self._node, sorted(fields, key=lambda field: ORDER[field.key])))
        first = self._ranges.get(nodes)
        if first is None:
            first = self._ranges[nodes] = len(self.nodes) if nodes else 0
            self.nodes.extend(nodes)
        return first, len(nodes)

    def _node(self, field: Field) -> _Node:
        known = self._nodes.get(id(field))
        if known is None:
            key = self.keys.setdefault(field.key, len(self.keys) + 1)
            confidence = 0
            if field.confidence is not None:
                next_one = len(self.confidences) + 1
                confidence = self.confidences.setdefault(float(field.confidence), next_one)
            known = self._nodes[id(field)] = (key, confidence, flat(field.value, self.string))
        return known

    def block(self, kind: Kind, name: str, fields: tuple[Field, ...], parent: int = NOTHING) -> int:
        """Add a block; return its number."""
        known = self._known.get(id(fields))
        if known is None:
            known = self._known[id(fields)] = self.range(fields)
        first, count = known
        self.made.append((kind, count, self.string(name), first, parent))
        return len(self.made) - 1

    def blocks_of(self, kind: Kind, declared: Mapping[str, Block]) -> None:
        """Add declarations that hold nothing but fields."""
        for block in declared.values():
            self.block(kind, block.name, block.fields)

    def block_with(self, kind: Kind, block: Phase | Signal | Plan) -> int:
        """Add a declaration and its overrides; return its number."""
        made = self.block(kind, block.name, block.fields)
        self.overrides(block.overrides, made)
        return made

    def overrides(self, overrides: tuple[Override, ...], parent: int) -> None:
        """Add the overrides of a block."""
        for override in overrides:
            self.block(Kind.OVERRIDE, override.name, override.fields, parent)

    def steps(self, phases: list[tuple[int, Phase]]) -> None:
        """Add the steps that are mentioned by now, and those that raise something."""
        mentioned = frozenset(self.strings)
        for number, phase in phases:
            for step in phase.steps:
                raised = _raises(step)
                if raised or step.name in mentioned:
                    first, count = self.range(raised)
                    self.made.append((Kind.STEP, count, self.string(step.name), first, number))

    def tables(self, rows: list[_Row]) -> Tables:
        """Return all that was added, as arrays."""
        cells: list[Flat] = []
        fields = [
            (key, confidence, *_placed(value, cells)) for key, confidence, value in self.nodes
        ]
        within = [_placed(value, cells) for value in _growing(cells)]
        domains = [self.string(name) for name in self.domains]
        keys = [self.string(key) for key in self.keys]
        return Tables(
            version=self.version,
            rows=np.array(rows, dtype=np.uint64).reshape(-1, ROW_WORDS),
            blocks=_records(BLOCK, ("kind", "count", "name", "first", "parent"), self.made),
            fields=_records(NODE, ("key", "confidence", "tag", "payload"), fields),
            cells=_records(NODE, ("tag", "payload"), within),
            confidences=np.array(list(self.confidences), dtype=np.float64),
            domains=np.array(domains, dtype=np.uint32),
            keys=np.array(keys, dtype=np.uint32),
            strings=tuple(self.strings),
        )


def _raises(step: Step) -> tuple[Field, ...]:
    return tuple(field for field in step.fields if field.key == _RAISES)


def _placed(value: Flat, cells: list[Flat]) -> tuple[Tag, int]:
    """Return tag and payload of a value whose elements, if any, are added to ``cells``."""
    tag, payload = value
    if isinstance(payload, int):
        return tag, payload
    first = len(cells)
    cells.extend(payload)
    return tag, first | len(payload) << 32


def _growing(cells: list[Flat]) -> Iterator[Flat]:
    """Yield the elements, also those that are added meanwhile."""
    index = 0
    while index < len(cells):
        yield cells[index]
        index += 1


def _records(kind: np.dtype[np.void], names: tuple[str, ...], made: Sequence[Any]) -> Records:
    records = np.zeros(len(made), dtype=kind)
    for name, column in zip(names, zip(*made, strict=True), strict=False):
        records[name] = column
    return records
