"""A module and one of its plans into the rows that the controller decides by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import (
    DROPPABLE,
    ELSEWHERE,
    GUARDED,
    HELD_FAST,
    RELUCTANT,
    SPENT,
    SPILLABLE,
    UNSAID,
    Descriptors,
    Ints,
    PhaseRows,
)
from mirc.ir import Module, Phase
from mirc.ir.enums import Level, ObjectClass, PinLevel, SpillPolicy
from mirc.ir.levels import probability_of
from mirc.ir.meaning import Applied, Residency
from mirc.ir.names import families_of
from mirc.ir.resolve import View, read
from mirc.machine import Machine, TierKind

PS_PER_US = 1_000_000
_TIERS = tuple(TierKind)
_WEIGHTS = (ObjectClass.WEIGHT_TILE, ObjectClass.EXPERT_WEIGHT, ObjectClass.CONSTANT)


def ingest(
    module: Module,
    machine: Machine,
    plan: str | None,
    names: Sequence[str],
    runs: Mapping[str, float] | None = None,
) -> Descriptors:
    """Make the rows of ``names``, which are objects, ``template(instance)`` or ``object(rows)``.

    Instances inherit their template's row. Rows gathered from an object inherit its strength, and
    no planned use: which rows are next is not known before. ``plan`` may be None: then no phase
    says when anything is used. Steps and schedule are not looked at; ``runs``, how often each phase
    is declared to run (once, if None), is passed on for the static opponent.
    """
    owners = tuple(_owner(module, name) for name in names)
    gathered = [owner != name and owner in module.objects for owner, name in _pairs(owners, names)]
    view = View(module, plan=plan)
    near = str(machine.near.kind)
    facts = {owner: _facts(view, owner, near) for owner in dict.fromkeys(owners)}
    rows = [facts[owner] for owner in owners]
    usual = np.array([row.strength for row in rows], dtype=np.int64)
    probability = np.array([row.probability for row in rows], dtype=np.float64)
    return Descriptors(
        names=tuple(names),
        probability=probability,
        fragment_bytes=np.array([row.fragment_bytes for row in rows], dtype=np.int64),
        backing=tuple(row.backing for row in rows),
        strength=usual,
        phases=tuple(
            _phase_rows(
                module,
                machine,
                plan,
                phase,
                owners=owners,
                gathered=gathered,
                usual=usual,
                probability=probability,
                runs=1.0 if runs is None else float(runs.get(phase.name, 0)),
            )
            for phase in module.phases.values()
        ),
    )


@attrs.frozen
class _Facts:
    strength: int
    probability: float
    fragment_bytes: int
    backing: tuple[str, ...]


def _pairs(owners: Sequence[str], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(owners, names, strict=True)


def _owner(module: Module, name: str) -> str:
    """Return the declaration that an id's name comes from."""
    if name in module.data or not name.endswith(")"):
        return name
    return name[: name.rindex("(")]


def _facts(view: View, name: str, near: str) -> _Facts:
    layout = view.value(name, "layout")
    paged = isinstance(layout, Applied) and layout.word == "PAGED"
    return _Facts(
        strength=strength_of(view, name, near),
        probability=_probability(view, name),
        fragment_bytes=_second(layout) if paged else 0,
        backing=tuple(str(tier) for tier in view.value(name, "backing") or ()),
    )


def _second(layout: Any) -> int:
    return int(layout.args[1])


def strength_of(view: View, name: str, near: str = TierKind.HBM) -> int:
    """Place an object among those that must leave when room is short.

    What prefers lower tiers alone than ``near`` (an optimizer's states) is only there to be used,
    and goes early; what nothing reads again besides (a checkpoint's fragment) goes first.
    """
    weight = view.class_of(name) in _WEIGHTS
    spill = view.value(name, "spill_policy")
    pin = view.value(name, "pin_level")
    if pin is PinLevel.WIRED or (spill is SpillPolicy.NEVER and not weight):
        return HELD_FAST
    if pin is PinLevel.SOFT or view.value(name, "anti_evict_rule") is not None:
        return GUARDED
    wanted = [_TIERS.index(tier) for tier in view.value(name, "preferred_tiers") or ()]
    if wanted and min(wanted) > _TIERS.index(TierKind(near)):
        return SPENT if view.value(name, "reuse") is Level.NONE else ELSEWHERE
    if weight:
        return DROPPABLE  # a clean copy with a master below: dropping it spills nothing
    return RELUCTANT if spill is SpillPolicy.SEVERE_PRESSURE_ONLY else SPILLABLE


def _probability(view: View, name: str) -> float:
    if view.class_of(name) is not ObjectClass.EXPERT_WEIGHT:
        return 1.0
    value = view.value(name, "route_probability")
    if isinstance(value, Level):
        return probability_of("route_probability", value)
    return 1.0 if value is None else float(value)


def _phase_rows(
    module: Module,
    machine: Machine,
    plan: str | None,
    phase: Phase,
    *,
    owners: Sequence[str],
    gathered: Sequence[bool],
    usual: Ints,
    probability: NDArray[np.float64],
    runs: float,
) -> PhaseRows:
    planned = (
        next((p for p in module.plans[plan].phases if p.name == phase.name), None) if plan else None
    )
    spoken = dict.fromkeys(
        override.name for part in (planned, phase) if part for override in part.overrides
    )
    view = View(module, phase=phase.name, plan=plan)
    near = str(machine.near.kind)
    rows: dict[str, tuple[int, ...]] = {}
    likely: dict[str, float] = {}
    for owner in dict.fromkeys(owners):
        if any(name in spoken for name in (owner, *families_of(owner))):
            rows[owner] = _row(view, owner, near)
            likely[owner] = _probability(view, owner)
    silent = (UNSAID,) * 3 + (0, UNSAID)
    table = np.array([rows.get(owner, silent) for owner in owners], dtype=np.int64).reshape(-1, 5)
    chances = [
        likely.get(owner, base) for owner, base in zip(owners, probability.tolist(), strict=True)
    ]
    table[np.array(gathered, dtype=np.bool_), :3] = UNSAID
    period = read(planned, "period_us") if planned else None
    return PhaseRows(
        name=phase.name,
        period_ps=round((period or 0.0) * PS_PER_US),
        first_ps=table[:, 0].copy(),
        last_ps=table[:, 1].copy(),
        horizon_ps=table[:, 2].copy(),
        stays=table[:, 3] == 1,
        strength=np.where(table[:, 4] == UNSAID, usual, table[:, 4]),
        probability=np.array(chances, dtype=np.float64),
        runs=runs,
    )


def _row(view: View, name: str, near: str) -> tuple[int, ...]:
    first, last, horizon = (
        _ps(view.value(name, key)) for key in ("first_use_us", "last_use_us", "prefetch_horizon_us")
    )
    stays = 0
    for stay in view.value(name, "residency") or ():
        if isinstance(stay, Residency) and str(stay.tier) == near:
            stays = int(stay.first_step is None)
    return (
        first,
        last if last != UNSAID else first,
        horizon,
        stays,
        strength_of(view, name, near),
    )


def _ps(microseconds: float | None) -> int:
    return UNSAID if microseconds is None else round(microseconds * PS_PER_US)
