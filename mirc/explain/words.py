"""Words in value position into what they mean: members of enums, classes, signals, strengths."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache

from mirc.explain.keys import default_of
from mirc.explain.kinds import enums_of
from mirc.explain.members import about, meanings
from mirc.explain.model import Example, Meaning, Subject, Table
from mirc.ir.enums import DType, Level, ObjectClass, SignalKind, bits_of
from mirc.ir.fields import FIELDS, KEYS_WHERE, FieldSpec, Strength, Where
from mirc.ir.levels import LEVELS


@cache
def enums() -> dict[type[StrEnum], tuple[FieldSpec, ...]]:
    """Return every closed list of words, and the keys that take its words."""
    found: dict[type[StrEnum], list[FieldSpec]] = {}
    for spec in FIELDS:
        for word in enums_of(spec.type):
            specs = found.setdefault(word.enum, [])
            if spec not in specs:
                specs.append(spec)
    return {enum: tuple(specs) for enum, specs in found.items()}


def members() -> Iterator[Meaning]:
    """Explain every member of every enum but the classes."""
    for enum, specs in enums().items():
        if enum is not ObjectClass:
            (noun,) = dict.fromkeys(w.noun for w in enums_of(specs[0].type) if w.enum is enum)
            yield from (_member(word, noun, specs) for word in enum)


def classes() -> Iterator[Meaning]:
    """Explain every object class with all that it implies."""
    yield from map(_class, ObjectClass)


def signals() -> Iterator[Meaning]:
    """Explain every event of the run."""
    for signal in SignalKind:
        yield Meaning(
            subject=Subject.SIGNAL,
            name=signal,
            summary=f"{meanings(SignalKind)[signal]} What an `on {signal}` block says holds from "
            "then on.",
            examples=(Example("example", f"on {signal} {{ override kv {{ retain_us = 30s }} }}"),),
        )


def strengths() -> Iterator[Meaning]:
    """Explain every strength, with the keys that have it."""
    for strength in Strength:
        keys = ", ".join(spec.key for spec in FIELDS if spec.strength is strength)
        facts = (("keys", keys),) if keys else ()
        summary = meanings(Strength)[strength]
        yield Meaning(subject=Subject.STRENGTH, name=strength, summary=summary, facts=facts)


def _member(word: StrEnum, noun: str, specs: tuple[FieldSpec, ...]) -> Meaning:
    enum = type(word)
    facts = [
        ("taken by", ", ".join(spec.key for spec in specs)),
        ("one of", ", ".join(enum)),
        ("which say", _first_sentence(about(enum))),
    ]
    implied = [
        f"`{spec.key}` of {', '.join(implying)}"
        for spec in specs
        if (implying := [klass for klass in ObjectClass if _implies(spec, klass, word)])
    ]
    if implied:
        facts.append(("default for", "; ".join(implied)))
    if isinstance(word, DType):
        facts.append(("width", f"{bits_of(word)} bits"))
    packed = [f"`{spec.key}`: {spec.bits}" for spec in specs if spec.bits is not None]
    if packed:
        facts.append(("bits packed", ", ".join(packed)))
    tables = (_events(word),) if isinstance(word, Level) else ()
    return Meaning(
        subject=Subject.WORD,
        name=word,
        summary=meanings(enum)[word],
        noun=noun,
        facts=tuple(facts),
        tables=tables,
    )


def _implies(spec: FieldSpec, klass: ObjectClass, word: StrEnum) -> bool:
    return klass in spec.class_defaults and default_of(spec, klass) in (word, f"[{word}]")


def _first_sentence(text: str) -> str:
    return text.partition("\n\n")[0].partition(";")[0].removesuffix(".")


def _events(level: Level) -> Table:
    rows = tuple(
        (key, f"{levels[level].low:g} to {levels[level].high:g}", levels[level].event)
        for key, levels in LEVELS.items()
    )
    return Table("how often what happens, by key", ("key", "between", "event"), rows)


def _class(klass: ObjectClass) -> Meaning:
    rows = tuple(
        (spec.key, default_of(spec, klass) or "", "class" if klass in spec.class_defaults else "")
        for spec in KEYS_WHERE[Where.OBJECT].values()
        if (not spec.classes or klass in spec.classes) and spec.default_for(klass) is not None
    )
    special = ", ".join(spec.key for spec in FIELDS if klass in spec.classes)
    without = ", ".join(
        spec.key
        for spec in KEYS_WHERE[Where.OBJECT].values()
        if (not spec.classes or klass in spec.classes)
        and spec.default_for(klass) is None
        and not spec.required
    )
    facts = [("no default", without)]
    if special:
        facts.insert(0, ("only here", special))
    return Meaning(
        subject=Subject.CLASS,
        name=klass,
        summary=meanings(ObjectClass)[klass],
        facts=tuple(facts),
        tables=(Table("defaults", ("key", "default", "implied by the"), rows),),
        examples=(Example("example", f"object x {{ class = {klass}  size_bytes = 128MiB }}"),),
    )
