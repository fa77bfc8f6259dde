"""Declarations that are gone and declarations that are new into those that only changed names."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from mirc.changes.scales import comparable
from mirc.ir.clauses import ScheduleItem
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.forms import Form, Mapped, OneOf
from mirc.ir.module import Block, Declaration, Field, Module, Object, Phase, Plan, Signal, Template
from mirc.ir.resolve import read_field
from mirc.ir.types import ListOf, Ref, RefKind, Type
from mirc.ir.values import Call, Name, Text, Value

Names = Mapping[str, str]
_B = TypeVar("_B", bound=Block)

# In the order in which they are told apart: what others refer to comes first.
_KINDS = {
    "tenant": RefKind.TENANT,
    "phase": RefKind.PHASE,
    "object": RefKind.DATA,
    "template": RefKind.DATA,
    "coalition": RefKind.COALITION,
    "claim": RefKind.CLAIM,
    "plan": RefKind.FREE,
}


def kind_of(block: Block) -> RefKind | None:
    """Return the space of names that a declaration's name stands in; None for signals."""
    return _KINDS.get(type(block).__name__.lower())


def renamed(old: Module, new: Module) -> dict[RefKind, dict[str, str]]:
    """Return which names became which: old to new, by space of names.

    Only what is certain: one declaration gone and one new mean exactly the same, no other of
    either does, and data is used in the same places. An object that says nothing but its class is
    never certain.
    """
    found: dict[RefKind, dict[str, str]] = {}
    for kind in dict.fromkeys(_KINDS.values()):
        before, after = _by_name(old, kind), _by_name(new, kind)
        gone = [block for name, block in before.items() if name not in after]
        come = [block for name, block in after.items() if name not in before]
        if gone and come:
            pairs = dict(_certain(gone, come))
            if pairs and kind is RefKind.DATA:
                pairs = _used_alike(old, new, pairs)
            if pairs:
                found[kind] = pairs
                old = apply(old, {kind: pairs})
    return found


def apply(module: Module, names: Mapping[RefKind, Names]) -> Module:
    """Return a module with declarations renamed, and every reference to them."""
    if not names:
        return module
    return attrs.evolve(
        module,
        declarations=tuple(_rename(block, names) for block in module.declarations),
        info=None if module.info is None else _with_fields(module.info, names),
    )


def _by_name(module: Module, kind: RefKind) -> dict[str, Declaration]:
    return {block.name: block for block in module.declarations if kind_of(block) is kind}


def _certain(gone: Iterable[Block], come: Iterable[Block]) -> Iterator[tuple[str, str]]:
    by_meaning: defaultdict[Hashable, tuple[list[str], list[str]]]
    by_meaning = defaultdict(lambda: ([], []))
    for side, blocks in enumerate((gone, come)):
        for block in blocks:
            if len(block.fields) > 1 or not isinstance(block, Object | Template):
                by_meaning[_meaning(block)][side].append(block.name)
    for before, after in by_meaning.values():
        if len(before) == len(after) == 1:
            yield before[0], after[0]


def _meaning(block: Block) -> Hashable:
    inner = tuple(
        _meaning_of_all(getattr(block, part))
        for part in ("steps", "overrides", "phases")
        if hasattr(block, part)
    )
    extern = isinstance(block, Object) and block.extern
    return type(block).__name__, extern, _fields(block), inner


def _meaning_of_all(blocks: tuple[Block, ...]) -> Hashable:
    return tuple((block.name, _meaning(block)) for block in blocks)


def _fields(block: Block) -> Hashable:
    return frozenset(
        (field.key, comparable(FIELD_BY_KEY[field.key], read_field(field)), field.confidence)
        for field in block.fields
    )


def _used_alike(old: Module, new: Module, pairs: Names) -> dict[str, str]:
    before = _uses(old, frozenset(pairs))
    after = _uses(new, frozenset(pairs.values()))
    return {a: b for a, b in pairs.items() if before[a] == after[b]}


def _uses(module: Module, names: frozenset[str]) -> dict[str, Counter[Hashable]]:
    """Count where each of some objects is named: the block, and the key or override."""
    found: dict[str, Counter[Hashable]] = {name: Counter() for name in names}
    for path, block in _blocks(module):
        if path and path[-1] == "override" and block.name in names:
            found[block.name][(path, _fields(block))] += 1
        for field in block.fields:
            if RefKind.DATA in _REFERS[field.key]:
                for name in _names_in(field.value):
                    if name in names:
                        found[name][(path, block.name, field.key)] += 1
    return found


def _blocks(module: Module) -> Iterator[tuple[tuple[str, ...], Block]]:
    for block in module.declarations:
        if isinstance(block, Object | Template):
            continue
        path = (type(block).__name__, block.name)
        yield path, block
        if isinstance(block, Phase):
            yield from (((*path, "step"), step) for step in block.steps)
        if isinstance(block, Phase | Signal | Plan):
            yield from (((*path, "override"), override) for override in block.overrides)
        if isinstance(block, Plan):
            for part in block.phases:
                yield (*path, part.name), part
                yield from (((*path, part.name, "override"), over) for over in part.overrides)


def _names_in(value: Value) -> Iterator[str]:
    if isinstance(value, Name | Text):
        yield value.text
    elif isinstance(value, Call | tuple):
        for item in value.args if isinstance(value, Call) else value:
            yield from _names_in(item)


def _kinds_in(kind: Type) -> frozenset[RefKind]:
    """Return the spaces of names that a type's values refer to."""
    found: frozenset[RefKind] = frozenset()
    match kind:
        case Ref():
            found = frozenset({kind.kind})
        case ScheduleItem():
            found = frozenset({RefKind.PHASE})
        case Mapped():
            found = _kinds_in(kind.inner)
        case ListOf():
            found = _kinds_in(kind.item)
        case OneOf():
            found = found.union(*map(_kinds_in, kind.options))
        case Form():
            rest = (kind.rest,) if kind.rest is not None else ()
            found = found.union(*map(_kinds_in, (*kind.params, *rest)))
    return found


_REFERS = {
    key: _kinds_in(spec.type) - {RefKind.FREE, RefKind.STEP, RefKind.MACHINE}
    for key, spec in FIELD_BY_KEY.items()
}


def _rename(block: Declaration, names: Mapping[RefKind, Names]) -> Declaration:
    own = names.get(kind_of(block) or RefKind.FREE, {}) if kind_of(block) is not None else {}
    made = _with_fields(block, names)
    return attrs.evolve(made, name=own.get(block.name, block.name), **_inner(block, names))


def _inner(block: Block, names: Mapping[RefKind, Names]) -> dict[str, Any]:
    data, phases = names.get(RefKind.DATA, {}), names.get(RefKind.PHASE, {})
    inner: dict[str, Any] = {}
    if isinstance(block, Phase):
        inner["steps"] = tuple(_with_fields(step, names) for step in block.steps)
    if isinstance(block, Phase | Signal | Plan):
        inner["overrides"] = tuple(
            attrs.evolve(_with_fields(o, names), name=data.get(o.name, o.name))
            for o in block.overrides
        )
    if isinstance(block, Plan):
        inner["phases"] = tuple(
            attrs.evolve(
                _with_fields(part, names),
                name=phases.get(part.name, part.name),
                overrides=tuple(
                    attrs.evolve(_with_fields(o, names), name=data.get(o.name, o.name))
                    for o in part.overrides
                ),
            )
            for part in block.phases
        )
    return inner


def _with_fields(block: _B, names: Mapping[RefKind, Names]) -> _B:
    return attrs.evolve(block, fields=tuple(_field(field, names) for field in block.fields))


def _field(field: Field, names: Mapping[RefKind, Names]) -> Field:
    for kind in _REFERS[field.key]:
        if kind in names:
            return attrs.evolve(field, value=_value(field.value, names[kind]))
    return field


def _value(value: Value, names: Names) -> Value:
    if isinstance(value, Name | Text):
        return Name(names[value.text]) if value.text in names else value
    if isinstance(value, tuple):
        return tuple(_value(item, names) for item in value)
    if isinstance(value, Call):
        return Call(value.name, tuple(_value(item, names) for item in value.args))
    return value
