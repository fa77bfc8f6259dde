"""The grammar's terminals and the field table into the word lists that highlighters need."""

from collections.abc import Iterator
from functools import cache

from mirc.grammar.tables import TERMINALS, WORDS
from mirc.ir.clauses import ScheduleItem, TierSpan, TokenRange
from mirc.ir.enums import SignalKind, TierKind
from mirc.ir.fields import FIELDS
from mirc.ir.forms import Bare, Form, Mapped, OneOf
from mirc.ir.types import ListOf, Type, Word

PROTECTION = r"(?:WHILE|UNTIL)_[A-Z][A-Z0-9_]*"
BLOCKS = tuple(word for word in sorted(WORDS) if word not in ("true", "false"))
"""Keywords that begin a declaration."""


@cache
def terminal(name: str) -> str:
    """Return a terminal's pattern, without possessive repeats, which few engines know."""
    return dict(TERMINALS)[name].replace(")*+", ")*")


def keys() -> tuple[str, ...]:
    """Return every key of the language, in order of the alphabet."""
    return tuple(sorted(spec.key for spec in FIELDS))


def words() -> tuple[str, ...]:
    """Return every word of a closed list, signals among them, in order of the alphabet."""
    found = {str(signal) for signal in SignalKind}
    for spec in FIELDS:
        for kind in _leaves(spec.type):
            if isinstance(kind, Word):
                found.update(map(str, kind.enum))
            elif isinstance(kind, Bare):
                found.add(kind.word)
            elif isinstance(kind, TierSpan):
                found.update(map(str, TierKind))
    return tuple(sorted(found))


def calls() -> tuple[str, ...]:
    """Return every word that takes arguments, in order of the alphabet."""
    found: set[str] = set()
    for spec in FIELDS:
        for kind in _leaves(spec.type):
            if isinstance(kind, Form):
                found.add(str(kind.word))
            elif isinstance(kind, TierSpan):
                found.update(map(str, TierKind))
            elif isinstance(kind, ScheduleItem):
                found.update(("EVERY", "LOOP", "REPEAT"))
            elif isinstance(kind, TokenRange):
                found.add("RANGE")
    return tuple(sorted(found))


def _leaves(kind: Type) -> Iterator[Type]:
    match kind:
        case Mapped():
            yield from _leaves(kind.inner)
        case ListOf():
            yield from _leaves(kind.item)
        case OneOf():
            for option in kind.options:
                yield from _leaves(option)
        case Form():
            yield kind
            for param in (*kind.params, *((kind.rest,) if kind.rest is not None else ())):
                yield from _leaves(param)
        case _:
            yield kind
