"""Two modules into all changes between them, each judged, in the order of the files."""

from collections.abc import Iterator, Mapping
from itertools import chain

from mirc.changes.demand import assumptions, demands, tier_changes
from mirc.changes.holding import Site, block_changes
from mirc.changes.model import Change, Diff, Direction
from mirc.changes.objects import Objects, Pair, kind_of
from mirc.changes.renames import apply, renamed
from mirc.changes.renames import kind_of as names_of
from mirc.changes.rules import rule_of_kind
from mirc.ir.module import (
    Block,
    Module,
    Object,
    Phase,
    Plan,
    PlanPhase,
    Signal,
    Template,
)
from mirc.ir.types import RefKind
from mirc.lint.sizes import human


def diff(old: Module, new: Module) -> Diff:
    """Compare two modules by what they mean: written defaults, units and order say nothing.

    Cost: O(declarations + fields), and what changed twice over.
    """
    names = renamed(old, new)
    demanded = tier_changes(demands(old), demands(new))
    tiers = (
        Change(
            rule=rule_of_kind("tier", Direction.GROWN if t.gained_bytes > 0 else Direction.SHRUNK),
            kind="tier",
            name=t.tier,
            old=human(t.old.size_bytes if t.old is not None else 0),
            new=human(t.new.size_bytes if t.new is not None else 0),
        )
        for t in demanded
        if t.gained_bytes
    )
    found = chain(_renames(new, names), _changes(apply(old, names), new), tiers)
    return Diff(
        changes=tuple(found),
        tiers=demanded,
        assumptions=assumptions(old, new) if demanded else (),
    )


def _renames(new: Module, names: Mapping[RefKind, Mapping[str, str]]) -> Iterator[Change]:
    before = {(kind, b): a for kind, pairs in names.items() for a, b in pairs.items()}
    for block in new.declarations:
        kind = names_of(block)
        if kind is not None and (kind, block.name) in before:
            yield Change(
                rule=rule_of_kind(_kind(block), Direction.RENAMED),
                kind=_kind(block),
                name=block.name,
                old=before[kind, block.name],
                new=block.name,
            )


def _changes(old: Module, new: Module) -> Iterator[Change]:
    if old.version != new.version:
        before, after = (".".join(map(str, module.version)) for module in (old, new))
        rule = rule_of_kind("file", Direction.OTHER)
        yield Change(rule=rule, kind="file", name="version", old=before, new=after)
    yield from _info(old.info or Block(""), new.info or Block(""))
    yield from _come_and_gone(old, new)
    objects = Objects(old, new)
    yield from objects.declarations()
    for kind, before_by, after_by in (
        ("coalition", old.coalitions, new.coalitions),
        ("tenant", old.tenants, new.tenants),
        ("claim", old.claims, new.claims),
    ):
        for name, block in after_by.items():
            if name in before_by:
                yield from block_changes(Site(kind, name), before_by[name], block)
    for name, phase in new.phases.items():
        if name in old.phases:
            yield from _phase(old.phases[name], phase, objects)
    for name in dict.fromkeys((*new.signals, *old.signals)):
        yield from _signal(name, objects)
    for name, plan in new.plans.items():
        if name in old.plans:
            yield from _plan(old.plans[name], plan, objects)


def _kind(block: Block) -> str:
    if isinstance(block, Object | Template):
        return kind_of(block)
    return type(block).__name__.lower()


def _info(old: Block, new: Block) -> Iterator[Change]:
    if old.name and new.name and old.name != new.name:
        rule = rule_of_kind("module", Direction.RENAMED)
        yield Change(rule=rule, kind="module", name=new.name, old=old.name, new=new.name)
    yield from block_changes(Site("module", new.name or old.name), old, new)


def _come_and_gone(old: Module, new: Module) -> Iterator[Change]:
    before = {_identity(block): block for block in old.declarations}
    after = {_identity(block): block for block in new.declarations}
    for way, blocks, others in (
        (Direction.REMOVED, before, after),
        (Direction.ADDED, after, before),
    ):
        for identity, block in blocks.items():
            if identity not in others:
                yield Change(
                    rule=rule_of_kind(_kind(block), way), kind=_kind(block), name=block.name
                )


def _identity(block: Block) -> tuple[str, str]:
    data = isinstance(block, Object | Template)
    return ("data" if data else type(block).__name__, block.name)


def _phase(old: Phase, new: Phase, objects: Objects) -> Iterator[Change]:
    yield from block_changes(Site("phase", new.name), old, new)
    where = f"phase {new.name}"
    yield from _steps(old, new, where)
    pair = Pair.of(objects.old, objects.new, where=where, phase=new.name)
    yield from objects.overrides(pair, old.overrides, new.overrides)


def _steps(old: Phase, new: Phase, where: str) -> Iterator[Change]:
    if old.steps == new.steps:
        return
    before = {step.name: step for step in old.steps}
    after = {step.name: step for step in new.steps}
    for way, steps, others in (
        (Direction.REMOVED, before, after),
        (Direction.ADDED, after, before),
    ):
        for name in steps:
            if name not in others:
                rule = rule_of_kind("step", way)
                yield Change(rule=rule, kind="step", name=name, where=where)
    both = [name for name in after if name in before]
    if both != [name for name in before if name in after]:
        rule = rule_of_kind("phase", Direction.REORDERED)
        yield Change(rule=rule, kind="phase", name=new.name)
    for name in both:
        yield from block_changes(Site("step", name, where), before[name], after[name])


def _signal(name: str, objects: Objects) -> Iterator[Change]:
    """Compare signals; one that a file does not declare is one that changes nothing."""
    nothing = Signal(name)
    old = objects.old.signals.get(name, nothing)
    new = objects.new.signals.get(name, nothing)
    yield from block_changes(Site("signal", name), old, new)
    pair = Pair.of(objects.old, objects.new, where=f"on {name}", signal=name)
    yield from objects.overrides(pair, old.overrides, new.overrides)


def _plan(old: Plan, new: Plan, objects: Objects) -> Iterator[Change]:
    yield from block_changes(Site("plan", new.name), old, new)
    where = f"plan {new.name}"
    pair = Pair.of(objects.old, objects.new, where=where, plan=new.name)
    yield from objects.overrides(pair, old.overrides, new.overrides)
    before = {part.name: part for part in old.phases}
    after = {part.name: part for part in new.phases}
    for name in dict.fromkeys((*after, *before)):
        # A phase of a plan that is not there decides nothing.
        parts = (before.get(name, PlanPhase(name)), after.get(name, PlanPhase(name)))
        yield from _plan_phase(parts[0], parts[1], new.name, objects)


def _plan_phase(old: PlanPhase, new: PlanPhase, plan: str, objects: Objects) -> Iterator[Change]:
    yield from block_changes(Site("plan phase", new.name, f"plan {plan}"), old, new)
    where = f"plan {plan}, phase {new.name}"
    pair = Pair.of(objects.old, objects.new, where=where, phase=new.name, plan=plan)
    yield from objects.overrides(pair, old.overrides, new.overrides)
