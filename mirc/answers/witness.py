"""A peak into what makes it: weights, caches, activations and the rest, each with its largest."""

from collections.abc import Iterable, Iterator

import attrs
import numpy as np

from mirc.answers.fit import Question
from mirc.ir import families_of
from mirc.ir.enums import ObjectClass
from mirc.simulate.admission import Peak, Scope, step_name
from mirc.simulate.census import CLASS_ORDER, Life

MOST_NAMED = 5
"""Objects that are named of each kind; the rest are counted."""

_WORDS = {
    ObjectClass.EXPERT_WEIGHT: "experts",
    ObjectClass.KV_BLOCK: "caches",
    ObjectClass.GRADIENT_SHARD: "gradients",
    ObjectClass.OPTIMIZER_STATE: "optimizer states",
    ObjectClass.CHECKPOINT_FRAGMENT: "checkpoint",
    ObjectClass.RECURRENT_STATE: "states",
    ObjectClass.INPUT: "inputs",
}
_KINDS = (
    "weights",
    "experts",
    "caches",
    "states",
    "activations",
    "inner peak",
    "gradients",
    "optimizer states",
    "checkpoint",
    "inputs",
    "gathered rows",
    "what must stay beside",
)


@attrs.frozen(kw_only=True)
class Share:
    """What one kind of data adds to a peak; ``largest`` are its largest objects by name."""

    kind: str
    size_bytes: int
    objects: int
    largest: tuple[tuple[str, int], ...]


@attrs.frozen
class _Entry:
    kind: str
    name: str
    size_bytes: int
    objects: int = 1


def witness(asked: Question, scope: Scope, found: Peak) -> tuple[Share, ...]:
    """Return what is near at the peak, by kind in a fixed order; the shares add up to it."""
    near = scope is Scope.NEAR
    entries = [entry for entry in (_held if near else _used)(asked, found) if entry.size_bytes]
    missing = found.size_bytes - sum(entry.size_bytes for entry in entries)
    if missing:
        kind = "weights" if near else "what must stay beside"
        names = _gathered(asked) if near else _beside(asked, found)
        entries.append(_Entry(kind, names[0], missing, len(names)))
    return tuple(share for kind in _KINDS for share in _share(kind, entries))


def _share(kind: str, entries: Iterable[_Entry]) -> Iterator[Share]:
    mine = [entry for entry in entries if entry.kind == kind]
    if mine:
        ordered = sorted(mine, key=lambda entry: (-entry.size_bytes, entry.name))
        yield Share(
            kind=kind,
            size_bytes=sum(entry.size_bytes for entry in mine),
            objects=sum(entry.objects for entry in mine),
            largest=tuple((entry.name, entry.size_bytes) for entry in ordered[:MOST_NAMED]),
        )


def _held(asked: Question, found: Peak) -> Iterator[_Entry]:
    """Yield all that is near where near memory holds everything."""
    demanded, spell = asked.demanded, found.spell
    part = demanded.phases[found.phase]
    sizes = demanded.sizes_at(spell.sequences)
    for ident in np.flatnonzero(part.used).tolist():
        if demanded.lives[ident] is Life.MASTER:
            yield _Entry(_kind(asked, ident), demanded.names[ident], int(sizes[ident]))
    objects, first, last = part.lives
    for ident in objects[(first <= found.step) & (found.step <= last)].tolist():
        yield _Entry(_kind(asked, ident), demanded.names[ident], int(sizes[ident]))
    for name, size in demanded.blocks(spell).items():
        yield _Entry(_kind_of(asked, name), name, size)
    yield _inner(asked, found)


def _used(asked: Question, found: Peak) -> Iterator[_Entry]:
    """Yield what the step uses."""
    demanded, spell = asked.demanded, found.spell
    part = demanded.phases[found.phase]
    sizes, fixed = demanded.sizes_at(spell.sequences), part.table.fixed
    for ident in fixed.object[fixed.step == found.step].tolist():
        yield _Entry(_kind(asked, ident), demanded.names[ident], int(sizes[ident]))
    for name, size in demanded.cached_at(found.phase, spell)[found.step].items():
        yield _Entry(_kind_of(asked, name), name, size)
    for route, (position, chosen, largest) in zip(part.table.routes, part.experts, strict=True):
        if position == found.step:
            drawn = min(len(largest) - 1, chosen * spell.sequences * part.table.batch.tokens)
            member = demanded.names[int(route.members[0][0])]
            name = f"{(*families_of(member), member)[0]}[*]"
            yield _Entry("experts", name, int(largest[drawn]), drawn)
    yield _inner(asked, found)


def _inner(asked: Question, found: Peak) -> _Entry:
    base, slope = asked.demanded.inner[found.phase]
    grown = (found.spell.sequences - asked.demanded.base) * slope
    return _Entry("inner peak", step_name(asked.module, found), int((base + grown)[found.step]))


def _gathered(asked: Question) -> list[str]:
    """Return the tables of which rows are gathered; such rows bear the table's name."""
    demanded = asked.demanded
    used = np.logical_or.reduce([part.used for part in demanded.phases.values()])
    rows = (
        demanded.names[ident]
        for ident in np.flatnonzero(used).tolist()
        if demanded.lives[ident] is Life.FETCHED
    )
    declared = asked.module.objects  # what comes from outside has a declaration, rows have none
    return sorted({name.rpartition("(")[0] for name in rows if name not in declared}) or ["tables"]


def _beside(asked: Question, found: Peak) -> list[str]:
    """Return what is alive, or held, and not an operand of the step, the largest first."""
    demanded = asked.demanded
    part, sizes = demanded.phases[found.phase], demanded.sizes_at(found.spell.sequences)
    objects, first, last = part.lives
    alive = np.zeros(len(sizes), dtype=np.bool_)
    alive[objects[(first <= found.step) & (found.step <= last)]] = True
    alive = (alive & demanded.made) | (demanded.kept & part.used)
    fixed = part.table.fixed
    alive[fixed.object[fixed.step == found.step]] = False
    left = {demanded.names[ident]: int(sizes[ident]) for ident in np.flatnonzero(alive).tolist()}
    cached = demanded.cached_at(found.phase, found.spell)[found.step]
    for name, size in demanded.blocks(found.spell).items():
        left[name] = size - cached.get(name, 0)
    return sorted(filter(left.__getitem__, left), key=lambda name: (-left[name], name)) or [
        "caches"
    ]


def _kind_of(asked: Question, template: str) -> str:
    (pattern,) = (pattern for pattern in asked.demanded.found if pattern.name == template)
    return _WORDS.get(CLASS_ORDER[pattern.klass], "caches")


def _kind(asked: Question, ident: int) -> str:
    demanded = asked.demanded
    klass = CLASS_ORDER[int(demanded.classes[ident])]
    if klass in _WORDS:
        return _WORDS[klass]
    if demanded.lives[ident] is Life.MASTER:
        return "weights"
    return "gathered rows" if demanded.lives[ident] is Life.FETCHED else "activations"
