"""A module and the name of an object into every field that holds for it, and who said so."""

from collections.abc import Iterable, Iterator

import attrs

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar.shown import shown
from mirc.ir.fields import FIELDS, FieldSpec, Where
from mirc.ir.fields.spec import OVERRIDES
from mirc.ir.module import Block, Module, Object, Override, Template
from mirc.ir.names import families_of
from mirc.ir.places import Places
from mirc.ir.resolve import Layer, Resolved, View
from mirc.ir.suggest import Names, closest


@attrs.frozen(kw_only=True)
class Query:
    """What is asked for: an object, template or family, and when."""

    name: str
    phase: str | None = None
    signal: str | None = None
    plan: str | None = None


@attrs.frozen(kw_only=True)
class Said:
    """One value of a field as somebody wrote or implied it; ``text`` None where nothing holds.

    ``by`` names the class, phase, signal or plan; ``line`` counts from 1.
    """

    text: str | None
    confidence: float | None
    layer: Layer
    by: str = ""
    line: int | None = attrs.field(default=None, eq=False)


@attrs.frozen(kw_only=True)
class Row:
    """What holds for a key, and what it took the place of, the strongest of those first.

    ``parts`` are the parts of a family for which it holds; empty for one object.
    """

    spec: FieldSpec
    holds: Said
    replaced: tuple[Said, ...] = ()
    parts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ObjectView:
    """Everything that holds for an object, template or family while a query's phase lasts.

    ``rows`` stand in the order of the field table; of a key of a family one for each different
    answer. ``elsewhere`` says in which phases, signals and plans not asked for it is overridden.
    """

    query: Query
    kind: str
    source: str
    line: int | None
    rows: tuple[Row, ...]
    parts: tuple[str, ...]
    elsewhere: tuple[tuple[str, tuple[str, ...]], ...]


def view_of(
    module: Module, query: Query, source: Source, places: Places | None = None
) -> ObjectView:
    """Resolve every field of the object's class; raise ``CouldNotRun`` for unknown names."""
    names = module.parts(query.name)
    if not names:
        raise _unknown_object(module, query.name, source.name)
    for kind, asked, known in (
        ("phase", query.phase, module.phases),
        ("signal", query.signal, module.signals),
        ("plan", query.plan, module.plans),
    ):
        if asked is not None and asked not in known:
            raise _unknown(kind, asked, known, source.name)
    reader = _Reader(module, query, source, places or Places())
    declared = module.data.get(query.name)
    return ObjectView(
        query=query,
        kind="family" if declared is None else _kind(declared),
        source=source.name,
        line=reader.line(module.data[names[0]], None),
        rows=tuple(row for spec in FIELDS for row in reader.rows(spec, names)),
        parts=() if declared is not None else names,
        elsewhere=tuple(_elsewhere(module, query)),
    )


def _kind(block: Block) -> str:
    if isinstance(block, Object):
        return "extern object" if block.extern else "object"
    return "template"


class _Reader:
    """Reads fields in one view, and finds the lines on which they stand."""

    def __init__(self, module: Module, query: Query, source: Source, places: Places) -> None:
        self.module = module
        self.query = query
        self.source = source
        self.places = places
        self.view = View(module, query.phase, query.signal, query.plan)

    def rows(self, spec: FieldSpec, names: tuple[str, ...]) -> Iterator[Row]:
        """Yield what holds for a key: once for all parts that answer alike."""
        answers: dict[tuple[Said, ...], list[str]] = {}
        for name in names:
            if self._takes(spec, name):
                answers.setdefault(self._history(name, spec), []).append(name)
        for (holds, *rest), parts in answers.items():
            replaced = tuple(said for said in rest if said.text is not None)
            family = tuple(parts) if len(names) > 1 or names[0] != self.query.name else ()
            yield Row(spec=spec, holds=holds, replaced=replaced, parts=family)

    def line(self, block: Block, key: str | None) -> int | None:
        """Return the line of a field of a block, or of the block's name."""
        if block.extent is None:
            return None
        span = self.places.name(block) if key is None else self.places.field(block, key)
        return self.source.position(span.start)[0]

    def _takes(self, spec: FieldSpec, name: str) -> bool:
        klass = self.view.class_of(name)
        template = isinstance(self.module.data[name], Template)
        places = OVERRIDES | {Where.TEMPLATE if template else Where.OBJECT}
        return bool(spec.where & places) and (
            not spec.classes or klass is None or klass in spec.classes
        )

    def _history(self, name: str, spec: FieldSpec) -> tuple[Said, ...]:
        used: list[Block] = []
        return tuple(
            self._said(name, spec, resolved, used) for resolved in self.view.history(name, spec.key)
        )

    def _said(self, name: str, spec: FieldSpec, resolved: Resolved, used: list[Block]) -> Said:
        origin = resolved.origin
        if origin.field is None:
            value = spec.default_for(self.view.class_of(name))
            text = None if value is None else shown(spec, value)
            return Said(text=text, confidence=None, layer=origin.layer, by=origin.name)
        # Equal lines share one node: of two overrides in one layer, the nearer name spoke first.
        block = next(
            block
            for block in self._blocks(origin.layer, name)
            if block not in used and any(field is origin.field for field in block.fields)
        )
        used.append(block)
        own = origin.layer is Layer.OBJECT
        return Said(
            text=shown(spec, origin.field.value),
            confidence=resolved.confidence,
            layer=origin.layer,
            by="" if own else origin.name,
            line=self.line(block, spec.key),
        )

    def _blocks(self, layer: Layer, name: str) -> Iterable[Block]:
        if layer is Layer.OBJECT:
            return (self.module.data[name],)
        overrides = {override.name: override for override in self._overrides(layer)}
        targets = (name, *families_of(name))
        return [overrides[target] for target in targets if target in overrides]

    def _overrides(self, layer: Layer) -> tuple[Override, ...]:
        query, module = self.query, self.module
        if layer is Layer.PHASE:
            return module.phases[query.phase or ""].overrides
        if layer is Layer.SIGNAL:
            return module.signals[query.signal or ""].overrides
        plan = module.plans[query.plan or ""]
        if layer is Layer.PLAN:
            return plan.overrides
        return tuple(o for part in plan.phases if part.name == query.phase for o in part.overrides)


def _elsewhere(module: Module, query: Query) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield where else the object is overridden, as options of the command, and in which keys."""
    for phase in module.phases.values():
        if phase.name != query.phase:
            yield from _keys(phase.overrides, query.name, f"--phase {phase.name}")
    for signal in module.signals.values():
        if signal.name != query.signal:
            yield from _keys(signal.overrides, query.name, f"--signal {signal.name}")
    for plan in module.plans.values():
        if plan.name != query.plan:
            yield from _keys(plan.overrides, query.name, f"--plan {plan.name}")
        for part in plan.phases:
            if (plan.name, part.name) != (query.plan, query.phase):
                options = f"--plan {plan.name} --phase {part.name}"
                yield from _keys(part.overrides, query.name, options)


def _keys(
    overrides: tuple[Override, ...], name: str, options: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    targets = (name, *families_of(name))
    keys = dict.fromkeys(f.key for o in overrides if o.name in targets for f in o.fields)
    if keys:
        yield options, tuple(keys)


def _unknown_object(module: Module, name: str, source: str) -> CouldNotRun:
    near = Names({**module.data, **module.families}).closest(name) or _containing(module, name)
    if near is not None:
        return CouldNotRun(f"`{source}` declares no object `{name}`", f"did you mean `{near}`?")
    count = len(module.data)
    some = ", ".join(f"`{each}`" for each in list(module.data)[:5])
    more = f" and {count - 5} more" if count > 5 else ""
    hint = f"name one of {some}{more}" if count else "declare one: `object x { class = INPUT }`"
    return CouldNotRun(f"`{source}` declares no object `{name}`", hint)


def _containing(module: Module, name: str) -> str | None:
    """Return the first object whose name holds the unknown one, or the nearest of a few."""
    found = next(
        (each for each in module.data if name and name.casefold() in each.casefold()), None
    )
    return found or (closest(name, module.data) if len(module.data) <= 1_000 else None)


def _unknown(kind: str, name: str, known: Iterable[str], source: str) -> CouldNotRun:
    names = tuple(known)
    near = closest(name, names)
    some = ", ".join(f"`{each}`" for each in names[:8])
    hint = f"did you mean `{near}`?" if near else f"name one of {some}" if names else None
    said = "says nothing about a" if kind == "signal" else "has no"
    return CouldNotRun(f"`{source}` {said} {kind} `{name}`", hint)
