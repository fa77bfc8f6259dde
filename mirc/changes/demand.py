"""A module into the bytes that it asks for in each tier, at the busiest step of each."""

import math
from collections.abc import Iterable, Iterator

import attrs

from mirc.bounds.peak import Interval, live_bytes
from mirc.changes.model import Demand, TierChange
from mirc.ir.enums import InstanceAxis, ObjectClass, PersistenceScope, TierKind
from mirc.ir.meaning import PerSequence, PerToken, evaluate
from mirc.ir.module import Module, Phase, Step, Template
from mirc.ir.resolve import View, read

# What lives on when the phase ends is there at every step of every phase.
_LONG = frozenset(
    {
        PersistenceScope.TOKEN_PROGRESS,
        PersistenceScope.UPDATE_WINDOW,
        PersistenceScope.SESSION,
        PersistenceScope.PERSISTENT,
    }
)
_KEYS = ("size_bytes", "preferred_tiers", "persistence_scope", "block_tokens", "instance")


@attrs.frozen
class _Run:
    """How much one run of a phase does, as it was captured."""

    sequences: int = 1
    tokens: int = 1
    context: int = 0


@attrs.frozen(slots=True)
class _Ask:
    """What one object asks for: how much, where, and whether all the time."""

    tier: TierKind
    size: int | PerToken | PerSequence
    lasting: bool
    axes: tuple[InstanceAxis, ...] | None
    block_tokens: int | None
    cache: bool

    def size_bytes(self, run: _Run) -> int:
        """Return the bytes of all instances together, while a phase runs."""
        if self.axes is None:
            return evaluate(self.size, sequences=run.sequences, tokens=run.sequences * run.tokens)
        sequences = run.sequences if InstanceAxis.SEQUENCE in self.axes else 1
        held = run.context + run.tokens if self.cache else run.tokens
        if InstanceAxis.BLOCK in self.axes and self.block_tokens:
            blocks = math.ceil(held / self.block_tokens)
            one = evaluate(self.size, sequences=1, tokens=self.block_tokens)
            return one * blocks * sequences
        whole = 1 if InstanceAxis.SEQUENCE in self.axes else run.sequences
        return evaluate(self.size, sequences=whole, tokens=held * whole) * sequences


def demands(module: Module) -> dict[TierKind, Demand]:
    """Return what a module asks for in the first preferred tier of each object, by tier.

    No lower bound for any controller: it is what the file wants, not what must be.
    """
    asks = _asks(View(module), module.data)
    found: dict[TierKind, Demand] = {}
    for phase in module.phases.values() or (Phase("the file"),):
        for demand in _of_phase(module, phase, asks):
            best = found.get(demand.tier)
            if best is None or demand.size_bytes > best.size_bytes:
                found[demand.tier] = demand
    return {tier: found[tier] for tier in TierKind if tier in found}


def tier_changes(
    old: dict[TierKind, Demand], new: dict[TierKind, Demand]
) -> tuple[TierChange, ...]:
    """Put the demands of two files beside each other, nearest tier first."""
    tiers = (tier for tier in TierKind if tier in old or tier in new)
    return tuple(TierChange(tier=tier, old=old.get(tier), new=new.get(tier)) for tier in tiers)


def assumptions(old: Module, new: Module) -> tuple[str, ...]:
    """Return what the demands rest on, in sentences."""
    said = [
        "each object in the first of its preferred tiers, no plan applied",
        "sizes per token and per sequence by each phase's batch, tokens and context",
        "`transient_bytes` of a step in HBM",
        "what outlives a phase is there all the time, anything else from its first use to its last",
    ]
    for name, module in (("old", old), ("new", new)):
        view = View(module)
        unsized = sum(view.value(each, "size_bytes") is None for each in module.data)
        if unsized:
            objects = "1 object" if unsized == 1 else f"{unsized:,} objects"
            said.append(f"{objects} of the {name} file without `size_bytes` left out")
        if any(not phase.steps for phase in module.phases.values()) or not module.phases:
            said.append(f"a phase without steps in the {name} file uses what it overrides, at once")
    return tuple(said)


def _asks(view: View, names: Iterable[str]) -> dict[str, _Ask]:
    found = {}
    for name in names:
        size, tiers, scope, block_tokens, axes = (view.value(name, key) for key in _KEYS)
        if size is not None and tiers:
            template = isinstance(view.module.data[name], Template)
            found[name] = _Ask(
                tiers[0],
                size,
                scope in _LONG,
                (axes or ()) if template else None,
                block_tokens,
                view.class_of(name) is ObjectClass.KV_BLOCK,
            )
    return found


def _of_phase(module: Module, phase: Phase, asks: dict[str, _Ask]) -> Iterator[Demand]:
    run = _Run(read(phase, "batch"), read(phase, "tokens"), read(phase, "context"))
    # Only what the phase overrides asks for something else than everywhere.
    changed = dict.fromkeys(
        part for override in phase.overrides for part in module.parts(override.name)
    )
    here = {**asks, **_asks(View(module, phase.name), changed)} if changed else asks
    steps = phase.steps or (Step("its only step"),)
    spans = _spans(module, phase, steps)
    intervals: dict[TierKind, list[Interval]] = {}
    for name, ask in here.items():
        first, last = (0, len(steps) - 1) if ask.lasting else spans.get(name, (-1, -1))
        if first >= 0:
            size_bytes = ask.size_bytes(run)
            intervals.setdefault(ask.tier, []).append(Interval(first, last, size_bytes))
    for at, step in enumerate(steps):
        amount = read(step, "transient_bytes")
        inner = evaluate(amount, sequences=run.sequences, tokens=run.sequences * run.tokens)
        if inner:
            intervals.setdefault(TierKind.HBM, []).append(Interval(at, at, inner))
    for tier, asked in intervals.items():
        live = live_bytes(asked, len(steps))
        busiest = max(range(len(steps)), key=live.__getitem__)
        if live[busiest]:
            yield Demand(
                tier=tier,
                size_bytes=live[busiest],
                phase=phase.name,
                step=steps[busiest].name,
            )


def _spans(module: Module, phase: Phase, steps: tuple[Step, ...]) -> dict[str, tuple[int, int]]:
    """Return the first and the last step at which each object is used."""
    if not phase.steps:
        parts = [part for o in phase.overrides for part in module.parts(o.name)]
        return dict.fromkeys(parts if module.phases else module.data, (0, 0))
    found: dict[str, tuple[int, int]] = {}
    for at, step in enumerate(steps):
        for key in ("reads", "writes"):
            for access in read(step, key) or ():
                for name in module.parts(access.name):
                    found[name] = (found.get(name, (at, at))[0], at)
    return found
