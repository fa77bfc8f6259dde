"""A row of the field table into what a person asks about a key."""

from mirc.explain.examples import line_of
from mirc.explain.kinds import bare_words_of, enums_of
from mirc.explain.members import meanings
from mirc.explain.model import Example, Meaning, Subject, Table
from mirc.grammar.shown import shown
from mirc.ir.enums import ObjectClass
from mirc.ir.fields import FieldSpec, Strength, Where
from mirc.ir.levels import LEVELS


def key(spec: FieldSpec) -> Meaning:
    """Explain a key."""
    return Meaning(
        subject=Subject.KEY,
        name=spec.key,
        summary=spec.doc,
        facts=tuple(_facts(spec)),
        tables=tuple(table for table in (_words(spec), _levels(spec), _defaults(spec)) if table),
        examples=(Example("example", line_of(spec)),),
    )


def default_of(spec: FieldSpec, klass: ObjectClass | None) -> str | None:
    """Return what holds where nothing is written, as it would be written."""
    value = spec.default_for(klass)
    return None if value is None else shown(spec, value)


def _facts(spec: FieldSpec) -> list[tuple[str, str]]:
    facts = [("takes", spec.type.describe())]
    if spec.unit:
        facts.append(("unit", {"us": "microseconds"}.get(spec.unit, spec.unit)))
    facts.append(("stands in", ", ".join(where for where in Where if where in spec.where)))
    if spec.classes:
        classes = ", ".join(klass for klass in ObjectClass if klass in spec.classes)
        facts.append(("only for", classes))
    facts.append(("strength", f"{spec.strength}: {meanings(Strength)[spec.strength]}"))
    if spec.required:
        facts.append(("required in", ", ".join(where for where in Where if where in spec.required)))
    default = default_of(spec, None) or "none"
    facts.append(("default", f"{default}, or by class" if spec.class_defaults else default))
    facts.append(("confidence", "may follow: `@ 0.9`" if spec.estimate else "never"))
    if not spec.portable:
        facts.append(("portable", "no: a fact of one machine, which belongs in a plan"))
    if spec.bits is not None:
        facts.append(("packed", f"{spec.bits} bits of the descriptor"))
    return facts


def _words(spec: FieldSpec) -> Table | None:
    rows = [
        (str(member), meanings(word.enum)[member])
        for word in enums_of(spec.type)
        for member in word.enum
    ]
    rows += [(word, "") for word in bare_words_of(spec.type)]
    return Table("words", ("word", "means"), tuple(rows)) if rows else None


def _levels(spec: FieldSpec) -> Table | None:
    levels = LEVELS.get(spec.key)
    if levels is None:
        return None
    rows = tuple(
        (str(level), f"{e.low:g} to {e.high:g}", f"{e.probability:g}")
        for level, e in levels.items()
    )
    event = next(iter(levels.values())).event
    return Table(f"how often {event}", ("level", "between", "counts as"), rows)


def _defaults(spec: FieldSpec) -> Table | None:
    if not spec.class_defaults:
        return None
    rows = tuple(
        (str(klass), default_of(spec, klass) or "none")
        for klass in ObjectClass
        if not spec.classes or klass in spec.classes
    )
    return Table("default by class", ("class", "default"), rows)
