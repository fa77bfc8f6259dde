"""Hypothesis strategies over the whole language: values of every field type, every declaration."""

from typing import Any

import attrs
from hypothesis import strategies as st

from mirc.ir import (
    KEYS_WHERE,
    KEYWORDS,
    Block,
    Call,
    Claim,
    Coalition,
    Field,
    FieldSpec,
    Module,
    Name,
    Object,
    ObjectClass,
    Override,
    Phase,
    Plan,
    PlanPhase,
    Signal,
    SignalKind,
    Size,
    Step,
    Template,
    Tenant,
    Text,
    TierKind,
    Time,
    Trivia,
    Where,
    is_bare,
    reference,
)
from mirc.ir import clauses as c
from mirc.ir import forms as f
from mirc.ir import types as t

WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(is_bare)
BARE_NAMES = st.one_of(
    WORDS,
    st.lists(st.from_regex(r"[A-Za-z0-9_]{1,4}", fullmatch=True), min_size=2, max_size=4)
    .map(".".join)
    .filter(is_bare),
    st.builds(lambda word, i: f"{word}[{i}]", WORDS, st.integers(0, 99)),
    st.builds(lambda word, i: f"{word}[{i}:{i + 8}]", WORDS, st.integers(0, 99)),
)
ODD_NAMES = st.one_of(st.text(min_size=1, max_size=8), st.sampled_from(KEYWORDS)).filter(
    lambda name: not is_bare(name)
)
NAMES = st.one_of(BARE_NAMES, ODD_NAMES)
BOUNDED_INTS = st.integers(0, 2**80)
SIZES = st.builds(Size, st.integers(0, 2**60))
TIMES = st.builds(Time, st.integers(0, 10**24))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
CONFIDENCES = st.floats(0, 1)

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**80), 2**80),
    FLOATS,
    st.builds(Text, st.text(max_size=8)),
    st.builds(Name, BARE_NAMES),
    SIZES,
    TIMES,
)
RAW_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.builds(Call, WORDS, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
"""Anything that can be written, whether or not a field takes it."""

COMMENTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    max_size=10,
).map(lambda text: f"//{text}".rstrip())
TRIVIA = st.one_of(
    st.none(),
    st.builds(Trivia, st.lists(COMMENTS, min_size=1, max_size=2).map(tuple), st.none() | COMMENTS),
    st.builds(Trivia, st.just(()), COMMENTS),
)


@attrs.frozen
class World:
    """The names that a module declares, for references to be drawn from."""

    data: tuple[str, ...]
    steps: tuple[str, ...]
    phases: tuple[str, ...]
    coalitions: tuple[str, ...]
    tenants: tuple[str, ...]
    claims: tuple[str, ...]

    def names(self, kind: t.RefKind) -> st.SearchStrategy[str]:
        """Draw a name that exists."""
        known = {
            t.RefKind.DATA: self.data,
            t.RefKind.STEP: self.steps,
            t.RefKind.PHASE: self.phases,
            t.RefKind.COALITION: self.coalitions,
            t.RefKind.TENANT: self.tenants,
            t.RefKind.CLAIM: self.claims,
        }
        return st.sampled_from(known[kind]) if kind in known else NAMES


def values_of(kind: t.Type, world: World) -> st.SearchStrategy[Any]:
    """Draw any value, as written, that a field type accepts."""
    made: st.SearchStrategy[Any] = _MAKERS[type(kind)](kind, world)
    return made


def _int(kind: t.Int, _: World) -> st.SearchStrategy[Any]:
    return st.integers(kind.least, 2**60 if kind.most is None else kind.most)


def _float(kind: t.Float, _: World) -> st.SearchStrategy[Any]:
    most = 1e12 if kind.most is None else kind.most
    return st.floats(kind.least, most) | st.integers(int(kind.least), int(most))


def _word(kind: t.Word, _: World) -> st.SearchStrategy[Any]:
    names = st.sampled_from([str(word) for word in kind.words]).map(Name)
    return names | names.map(lambda name: Text(name.text)) if kind.quoted else names


def _list(kind: t.ListOf, world: World) -> st.SearchStrategy[Any]:
    unique = (lambda value: repr(kind.item.read(value))) if kind.unique else None
    items = values_of(kind.item, world)
    return st.lists(items, min_size=kind.least, max_size=3, unique_by=unique).map(tuple)


def _form(kind: f.Form, world: World) -> st.SearchStrategy[Any]:
    count = st.integers(len(kind.params) - kind.optional, len(kind.params))
    params = [values_of(param, world) for param in kind.params]
    args = count.flatmap(lambda n: st.tuples(*params[:n]))
    if kind.rest is not None:
        more = st.lists(values_of(kind.rest, world), max_size=2).map(tuple)
        args = st.builds(lambda a, b: a + b, st.tuples(*params), more)
    return args.map(lambda items: Call(str(kind.word), items))


def _tier_span(_: c.TierSpan, world: World) -> st.SearchStrategy[Any]:
    tiers = st.sampled_from([tier.value for tier in TierKind])
    step = st.sampled_from(world.steps).map(reference)
    spans = st.builds(lambda tier, a, b: Call(tier, (a, b)), tiers, step, step)
    return tiers.map(Name) | spans


def _protection(_: c.Protection, __: World) -> st.SearchStrategy[Any]:
    words = st.sampled_from(
        ("WHILE_FANOUT_GT_1", "WHILE_FANOUT_GE_12", "WHILE_DIRTY", "UNTIL_ALLREDUCE_COMPLETE")
    )
    calls = st.builds(lambda w, n: Call(w, (reference(n),)), words, NAMES)
    return words.map(Name) | calls


def _event(_: c.Event, __: World) -> st.SearchStrategy[Any]:
    return st.builds(Name, WORDS) | st.builds(lambda w, n: Call(w, (reference(n),)), WORDS, NAMES)


def _schedule(_: c.ScheduleItem, world: World) -> st.SearchStrategy[Any]:
    phase = st.sampled_from(world.phases).map(reference)
    count = st.integers(1, 9)
    return st.recursive(
        phase,
        lambda inner: st.one_of(
            st.builds(lambda n, body: Call("REPEAT", (n, body)), count, inner),
            st.builds(lambda a, b: Call("LOOP", (a, b)), inner, inner),
            st.builds(lambda n, body: Call("EVERY", (n, body)), count, inner),
        ),
        max_leaves=4,
    )


def _token_range(kind: c.TokenRange, _: World) -> st.SearchStrategy[Any]:
    start = st.integers(0, 99)
    plain = st.builds(lambda a, n: Call("RANGE", (a, a + n)), start, st.integers(1, 99))
    if not kind.terms:
        return plain
    return plain | st.builds(lambda a, p: Call("RANGE", (a, a + 1, p)), start, st.integers(0, 100))


_MAKERS: dict[type[t.Type], Any] = {
    t.Int: _int,
    t.Float: _float,
    t.Bool: lambda _, __: st.booleans(),
    t.Str: lambda _, __: NAMES.map(reference),
    t.Bytes: lambda _, __: BOUNDED_INTS | SIZES,
    t.Micros: lambda _, __: BOUNDED_INTS | TIMES | st.floats(0, 1e12),
    t.Interval: lambda _, __: TIMES,
    t.Word: _word,
    t.Ref: lambda kind, world: world.names(kind.kind).map(reference),
    t.ListOf: _list,
    f.Form: _form,
    f.Bare: lambda kind, _: st.just(Name(kind.word)),
    f.OneOf: lambda kind, world: st.one_of([values_of(o, world) for o in kind.options]),
    f.Mapped: lambda kind, world: values_of(kind.inner, world),
    c.TierSpan: _tier_span,
    c.Protection: _protection,
    c.Event: _event,
    c.ScheduleItem: _schedule,
    c.TokenRange: _token_range,
}


def _fits(spec: FieldSpec, klass: ObjectClass | None) -> bool:
    return not spec.classes or klass is None or klass in spec.classes


@st.composite
def fields(
    draw: st.DrawFn, world: World, where: Where, klass: ObjectClass | None = None
) -> tuple[Field, ...]:
    """Draw the fields of one declaration: the required ones and up to four others."""
    specs = [spec for spec in KEYS_WHERE[where].values() if _fits(spec, klass)]
    must = [spec for spec in specs if where in spec.required]
    may = [spec for spec in specs if where not in spec.required]
    some = st.lists(st.sampled_from(may), max_size=4, unique_by=lambda s: s.key) if may else None
    made = []
    for spec in [*must, *(draw(some) if some is not None else [])]:
        value = (
            Name(klass.value)
            if spec.key == "class" and klass
            else draw(values_of(spec.type, world))
        )
        confidence = draw(st.none() | CONFIDENCES) if spec.estimate else None
        made.append(Field(spec.key, value, confidence, trivia=draw(TRIVIA)))
    return tuple(made)


@st.composite
def overrides(
    draw: st.DrawFn, world: World, where: Where, classes: dict[str, ObjectClass]
) -> tuple[Override, ...]:
    """Draw overrides of different declared objects."""
    names = draw(st.lists(st.sampled_from(world.data), max_size=2, unique=True))
    made = []
    for name in names:
        inner = draw(fields(world, where, classes[name]))
        made.append(Override(name, inner, trivia=draw(TRIVIA), closing=draw(TRIVIA)))
    return tuple(made)


def _some_names(least: int = 1, most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(NAMES, min_size=least, max_size=most, unique=True)


@st.composite
def modules(draw: st.DrawFn) -> Module:
    """Draw a well-formed module: every reference is declared, every field has its type."""
    data, steps, phases = draw(_some_names(most=3)), draw(_some_names()), draw(_some_names())
    groups, tenants, claims = draw(_some_names()), draw(_some_names()), draw(_some_names())
    parts = (data, steps, phases, groups, tenants, claims)
    world = World(*(tuple(part) for part in parts))
    classes = {name: draw(st.sampled_from(list(ObjectClass))) for name in data}

    def block(kind: type[Any], name: str, where: Where, **more: Any) -> Any:
        klass = classes.get(name) if where in (Where.OBJECT, Where.TEMPLATE) else None
        inner = draw(fields(world, where, klass))
        return kind(name, inner, trivia=draw(TRIVIA), closing=draw(TRIVIA), **more)

    made: list[Any] = []
    for name in data:
        if draw(st.booleans()):
            made.append(block(Template, name, Where.TEMPLATE))
        else:
            made.append(block(Object, name, Where.OBJECT, extern=draw(st.booleans())))
    made += [block(Coalition, name, Where.COALITION) for name in groups]
    made += [block(Tenant, name, Where.TENANT) for name in tenants]
    made += [block(Claim, name, Where.CLAIM) for name in claims]
    for name in phases:
        inner = tuple(block(Step, step, Where.STEP) for step in steps)
        changed = draw(overrides(world, Where.OVERRIDE, classes))
        made.append(block(Phase, name, Where.PHASE, steps=inner, overrides=changed))
    signal = draw(st.sampled_from(list(SignalKind))).value
    changed = draw(overrides(world, Where.OVERRIDE, classes))
    made.append(block(Signal, signal, Where.SIGNAL, overrides=changed))
    planned = []
    for name in phases:
        changed = draw(overrides(world, Where.PLAN_PHASE_OVERRIDE, classes))
        planned.append(block(PlanPhase, name, Where.PLAN_PHASE, overrides=changed))
    changed = draw(overrides(world, Where.PLAN_OVERRIDE, classes))
    plan = block(Plan, draw(NAMES), Where.PLAN, overrides=changed, phases=tuple(planned))
    made.append(plan)
    info = draw(st.none() | st.builds(lambda: block(Block, draw(NAMES), Where.MODULE)))
    above = draw(st.lists(COMMENTS, min_size=1, max_size=2).map(tuple))
    return Module(
        tuple(draw(st.permutations(made))),
        info,
        header=draw(TRIVIA),
        trailing=draw(st.sampled_from((None, Trivia(above)))),
    )


RAW_FIELDS = st.lists(
    st.builds(Field, BARE_NAMES, RAW_VALUES, st.none() | CONFIDENCES), max_size=3
).map(tuple)


@st.composite
def raw_modules(draw: st.DrawFn) -> Module:
    """Draw declarations of every kind whose keys and values mean nothing."""

    def blocks(kind: type[Any], **more: Any) -> st.SearchStrategy[Any]:
        return st.builds(kind, NAMES, RAW_FIELDS, **more)

    changed = st.lists(blocks(Override), max_size=2).map(tuple)
    steps = st.lists(blocks(Step), max_size=2).map(tuple)
    planned = st.lists(blocks(PlanPhase, overrides=changed), max_size=2).map(tuple)
    declaration = st.one_of(
        blocks(Object, extern=st.booleans()),
        blocks(Template),
        blocks(Coalition),
        blocks(Tenant),
        blocks(Claim),
        blocks(Phase, steps=steps, overrides=changed),
        blocks(Signal, overrides=changed),
        blocks(Plan, overrides=changed, phases=planned),
    )
    return Module(tuple(draw(st.lists(declaration, max_size=4))))
