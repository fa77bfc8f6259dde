"""A packed file and one of its plans into the rows that the controller decides by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

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
from mirc.ir.enums import Level, ObjectClass, PinLevel, SpillPolicy
from mirc.ir.levels import probability_of
from mirc.ir.meaning import Applied, Residency
from mirc.ir.names import families_of
from mirc.ir.resolve import Layer, Resolver, read
from mirc.machine import Machine, TierKind
from mirc.machine.roofline import step_ps
from mirc.packed.model import Packed
from mirc.packed.view import PackedView

PS_PER_US = 1_000_000
_TIERS = tuple(TierKind)
_Made = TypeVar("_Made")
_WEIGHTS = (ObjectClass.WEIGHT_TILE, ObjectClass.EXPERT_WEIGHT, ObjectClass.CONSTANT)


def ingest(
    packed: Packed,
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
    owners = tuple(_owner(packed, name) for name in names)
    gathered = [owner != name and owner in packed.objects for owner, name in _pairs(owners, names)]
    near = str(machine.near.kind)
    facts_of = _once(PackedView(packed, plan=plan), lambda view, name: _facts(view, name, near))
    facts = {owner: facts_of(owner) for owner in dict.fromkeys(owners)}
    rows = [facts[owner] for owner in owners]
    quotas = _quotas(packed)
    numbers = {name: number for number, (name, _) in enumerate(quotas)}
    usual = np.array([row.strength for row in rows], dtype=np.int64)
    probability = np.array([row.probability for row in rows], dtype=np.float64)
    return Descriptors(
        names=tuple(names),
        probability=probability,
        fragment_bytes=np.array([row.fragment_bytes for row in rows], dtype=np.int64),
        backing=tuple(row.backing for row in rows),
        strength=usual,
        unpack_ps=np.array([row.unpack_ps for row in rows], dtype=np.int64),
        quotas=quotas,
        tenant=np.array([numbers.get(row.tenant or "", UNSAID) for row in rows], dtype=np.int64),
        **_coalitions(packed, owners),
        phases=tuple(
            _phase_rows(
                packed,
                machine,
                plan,
                phase,
                owners=owners,
                gathered=gathered,
                usual=usual,
                probability=probability,
                runs=1.0 if runs is None else float(runs.get(phase, 0)),
            )
            for phase in packed.phases
        ),
    )


def _coalitions(packed: Packed, owners: Sequence[str]) -> dict[str, Any]:
    """Return the ids of each coalition's members, and how many bytes of it are worth fetching.

    Members are objects, templates or families, named by the coalition or naming it; one without a
    cap counts as 0. O(ids x coalitions of each).
    """
    groups: dict[str, list[str]] = {}
    view = PackedView(packed)
    for name, coalition in packed.coalitions.items():
        for member in read(coalition, "members") or ():
            groups.setdefault(member, []).append(name)
    found: dict[str, list[int]] = {name: [] for name in packed.coalitions}
    for o, owner in enumerate(owners):
        said = [group for part in (owner, *families_of(owner)) for group in groups.get(part, ())]
        said += view.value(owner, "coalition_hints") or ()
        for group in dict.fromkeys(said):
            if group in found:
                found[group].append(o)
    caps = [read(coalition, "cap_bytes") for coalition in packed.coalitions.values()]
    return {
        "mates": tuple(map(tuple, found.values())),
        "caps_bytes": tuple(cap if isinstance(cap, int) else 0 for cap in caps),
    }


def _once(view: Resolver, make: Callable[[Resolver, str], _Made]) -> Callable[[str], _Made]:
    """Return ``make`` for the names of a view, called once for all of which the same is said."""
    known: dict[tuple[int, ...], _Made] = {}

    def made(name: str) -> _Made:
        said = tuple(map(id, view.said(name)))
        if said not in known:
            known[said] = make(view, name)
        return known[said]

    return made


@attrs.frozen
class _Facts:
    strength: int
    probability: float
    fragment_bytes: int
    backing: tuple[str, ...]
    unpack_ps: int
    tenant: str | None


def _quotas(packed: Packed) -> tuple[tuple[str, int], ...]:
    """Return the tenants whose near bytes are limited, in written order."""
    said = ((name, read(tenant, "quota_bytes")) for name, tenant in packed.tenants.items())
    return tuple((name, limit) for name, limit in said if limit is not None)


def _pairs(owners: Sequence[str], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(owners, names, strict=True)


def _owner(packed: Packed, name: str) -> str:
    """Return the declaration that an id's name comes from."""
    if name in packed.data or not name.endswith(")"):
        return name
    return name[: name.rindex("(")]


def _facts(view: Resolver, name: str, near: str) -> _Facts:
    layout = view.value(name, "layout")
    paged = isinstance(layout, Applied) and layout.word == "PAGED"
    return _Facts(
        strength=strength_of(view, name, near),
        probability=_probability(view, name),
        fragment_bytes=_second(layout) if paged else 0,
        backing=tuple(str(tier) for tier in view.value(name, "backing") or ()),
        unpack_ps=max(0, _ps(view.value(name, "decompress_us"))),
        tenant=view.value(name, "tenant_id"),
    )


def _second(layout: Any) -> int:
    return int(layout.args[1])


def strength_of(view: Resolver, name: str, near: str) -> int:
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
    if weight or spill is SpillPolicy.DROP_RECOMPUTE:
        return DROPPABLE  # a master lies below, or it is made again: nothing is spilled
    return RELUCTANT if spill is SpillPolicy.SEVERE_PRESSURE_ONLY else SPILLABLE


def _probability(view: Resolver, name: str) -> float:
    if view.class_of(name) is not ObjectClass.EXPERT_WEIGHT:
        return 1.0
    value = view.value(name, "route_probability")
    if isinstance(value, Level):
        return probability_of("route_probability", value)
    return 1.0 if value is None else float(value)


def _phase_rows(
    packed: Packed,
    machine: Machine,
    plan: str | None,
    phase: str,
    *,
    owners: Sequence[str],
    gathered: Sequence[bool],
    usual: Ints,
    probability: NDArray[np.float64],
    runs: float,
) -> PhaseRows:
    planned = packed.planned(plan, phase) if plan else None
    view = PackedView(packed, phase=phase, plan=plan)
    spoken = view.spoken_of(Layer.PLAN_PHASE, Layer.PHASE)
    row_of = _once(view, lambda view, name: _row(view, name, machine))
    chance_of = _once(view, _probability)
    rows: dict[str, tuple[int, ...]] = {}
    likely: dict[str, float] = {}
    for owner in dict.fromkeys(owners):
        if any(name in spoken for name in (owner, *families_of(owner))):
            rows[owner] = row_of(owner)
            likely[owner] = chance_of(owner)
    usually = PackedView(packed, plan=plan)
    remade_of = _once(usually, lambda view, name: remake_ps(view, name, machine))
    for owner in dict.fromkeys(owners):
        if owner not in rows:
            rows[owner] = (*(UNSAID,) * 3, 0, UNSAID, remade_of(owner), 0)
    table = np.array([rows[owner] for owner in owners], dtype=np.int64).reshape(-1, 7)
    chances = [
        likely.get(owner, base) for owner, base in zip(owners, probability.tolist(), strict=True)
    ]
    table[np.array(gathered, dtype=np.bool_), :3] = UNSAID
    period = read(planned, "period_us") if planned else None
    return PhaseRows(
        name=phase,
        period_ps=round((period or 0.0) * PS_PER_US),
        first_ps=table[:, 0].copy(),
        last_ps=table[:, 1].copy(),
        horizon_ps=table[:, 2].copy(),
        stays=table[:, 3] == 1,
        strength=np.where(table[:, 4] == UNSAID, usual, table[:, 4]),
        probability=np.array(chances, dtype=np.float64),
        runs=runs,
        remake_ps=table[:, 5].copy(),
        departs=table[:, 6] == 1,
    )


def remake_ps(view: Resolver, name: str, machine: Machine) -> int:
    """Return what computing an object again takes, UNSAID where it may not be dropped for that.

    Its declared time on this machine, else its FLOPs at the rate of other work, where they are
    known: those that grow with the batch are not, without a time beside them.
    """
    if view.value(name, "spill_policy") is not SpillPolicy.DROP_RECOMPUTE:
        return UNSAID
    cost = view.value(name, "recompute_cost_us")
    if cost is not None:
        return _ps(cost)
    flops = view.value(name, "recompute_flops")
    if not isinstance(flops, int):
        return UNSAID
    dtype = str(view.value(name, "dtype") or "bfloat16")
    return step_ps(machine, flops, "other", dtype, 0)


def _row(view: Resolver, name: str, machine: Machine) -> tuple[int, ...]:
    near = str(machine.near.kind)
    first, last, horizon = (
        _ps(view.value(name, key)) for key in ("first_use_us", "last_use_us", "prefetch_horizon_us")
    )
    stays = departs = 0
    for stay in view.value(name, "residency") or ():
        if isinstance(stay, Residency) and str(stay.tier) == near:
            stays = int(stay.first_step is None)
            departs = 1 - stays
    return (
        first,
        last if last != UNSAID else first,
        horizon,
        stays,
        strength_of(view, name, near),
        remake_ps(view, name, machine),
        departs,
    )


def _ps(microseconds: float | None) -> int:
    return UNSAID if microseconds is None else round(microseconds * PS_PER_US)
