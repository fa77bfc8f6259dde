"""Changes into groups that say the same of a family of objects: ``layers.*.w``."""

import re
from collections.abc import Iterable

import attrs

from mirc.changes.model import Change, ChangeRule, Judgement

_NUMBER = re.compile(r"\d+")
_ORDER = {judgement: place for place, judgement in enumerate(Judgement)}


@attrs.frozen(kw_only=True)
class Group:
    """Changes under one rule, of one key, of declarations whose names differ in numbers alone.

    ``name`` has ``*`` where the numbers differ; ``values`` are the different (old, new) pairs.
    """

    rule: ChangeRule
    kind: str
    name: str
    where: str
    key: str | None
    values: tuple[tuple[str | None, str | None], ...]
    changes: tuple[Change, ...]


def grouped(changes: Iterable[Change]) -> tuple[Group, ...]:
    """Group changes, the worst first, then by rule, then in the order of the files."""
    found: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        masks = (_NUMBER.sub("*", change.name), _NUMBER.sub("*", change.where))
        key = (change.rule.code, change.kind, *masks, change.key)
        found.setdefault(key, []).append(change)
    groups = (_group(tuple(alike)) for alike in found.values())
    return tuple(sorted(groups, key=lambda g: (_ORDER[g.rule.judgement], g.rule.code)))


def _group(changes: tuple[Change, ...]) -> Group:
    first = changes[0]
    return Group(
        rule=first.rule,
        kind=first.kind,
        name=_shared([change.name for change in changes]),
        where=_shared([change.where for change in changes]),
        key=first.key,
        values=tuple(dict.fromkeys((change.old, change.new) for change in changes)),
        changes=changes,
    )


def _shared(names: list[str]) -> str:
    """Return what names have in common, ``*`` for the numbers in which they differ."""
    first = names[0]
    if all(name == first for name in names):
        return first
    columns = zip(*(_NUMBER.findall(name) for name in names), strict=True)
    numbers = iter([column[0] if len({*column}) == 1 else "*" for column in columns])
    return _NUMBER.sub(lambda _: next(numbers), first)
