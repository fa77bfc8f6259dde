"""What holds for a field before and after into a judged change, or into nothing."""

from collections.abc import Callable
from typing import Any

import attrs

from mirc.changes.model import Change, Direction
from mirc.changes.rules import rule_of_field
from mirc.changes.scales import comparable, direction
from mirc.grammar.shown import shown
from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FIELD_BY_KEY, FieldSpec, Strength
from mirc.ir.module import Block
from mirc.ir.resolve import Resolved, read_field


@attrs.frozen
class Holding:
    """A typed value, its confidence, and how it is written (only asked for where it changed)."""

    typed: Any
    confidence: float | None
    text: Callable[[], str | None]


@attrs.frozen
class Site:
    """Where a field stands: kind and name of its declaration, and what is around it."""

    kind: str
    name: str
    where: str = ""


def holding_of(spec: FieldSpec, resolved: Resolved, klass: ObjectClass | None) -> Holding:
    """Return what holds for an object, as a view resolved it."""
    field = resolved.origin.field

    def text() -> str | None:
        value = spec.default_for(klass) if field is None else field.value
        return None if value is None else shown(spec, value)

    return Holding(resolved.value, resolved.confidence, text)


def holding_in(spec: FieldSpec, block: Block) -> Holding:
    """Return what holds for a declaration that nothing overrides."""
    field = next((field for field in block.fields if field.key == spec.key), None)
    if field is None:
        value = spec.default
        typed = None if value is None else spec.type.read(value)
        return Holding(typed, None, lambda: None if value is None else shown(spec, value))
    return Holding(read_field(field), field.confidence, lambda: shown(spec, field.value))


def change_of(
    site: Site, spec: FieldSpec, old: Holding, new: Holding, way: Direction | None = None
) -> Change | None:
    """Judge the difference between two holdings; None if they mean the same.

    ``way`` is the direction, where more than the two values decides it.
    """
    if comparable(spec, old.typed) == comparable(spec, new.typed):
        if old.confidence == new.confidence:
            return None
        way = Direction.CONFIDENCE
    elif way is None:
        way = direction(spec, old.typed, new.typed)
    return Change(
        rule=rule_of_field(spec.key, strength_at(spec, site.kind), way),
        kind=site.kind,
        name=site.name,
        where=site.where,
        key=spec.key,
        old=_text(old),
        new=_text(new),
    )


def strength_at(spec: FieldSpec, kind: str) -> Strength:
    """Return how binding a key is where it stands: all terms of a claim are promises."""
    if kind == "claim" and spec.strength is Strength.HINT:
        return Strength.SOFT
    return spec.strength


def block_changes(site: Site, old: Block, new: Block) -> list[Change]:
    """Compare two declarations by the fields that either writes."""
    if old.fields == new.fields:
        return []
    keys = dict.fromkeys(field.key for block in (old, new) for field in block.fields)
    found = (
        change_of(site, spec, holding_in(spec, old), holding_in(spec, new))
        for spec in map(FIELD_BY_KEY.__getitem__, keys)
    )
    return [change for change in found if change is not None]


def _text(holding: Holding) -> str | None:
    text = holding.text()
    if text is None or holding.confidence is None:
        return text
    return f"{text} @ {holding.confidence:g}"
