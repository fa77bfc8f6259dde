"""A field's type and a path into its value into the types that may stand there, and their words."""

from collections.abc import Iterator

import attrs

from mirc.explain.members import meanings
from mirc.ir.clauses import Event, Protection, ScheduleItem, TierSpan, TokenRange
from mirc.ir.enums import TierKind
from mirc.ir.forms import Bare, Form, Mapped, OneOf
from mirc.ir.types import Bool, ListOf, Ref, RefKind, Type, Word
from mirc.lsp.cursor import Inside

_STEP, _PHASE = Ref(RefKind.STEP), Ref(RefKind.PHASE)
_RANGES = {False: "RANGE(start, end)", True: "RANGE(start, end, priority, time)"}


@attrs.frozen(slots=True)
class Choice:
    """A word that may stand somewhere; ``call`` is how it is applied, if it takes arguments."""

    word: str
    noun: str
    about: str = ""
    call: str = ""
    quoted: bool = False


def types_at(kind: Type, path: tuple[Inside, ...]) -> tuple[Type, ...]:
    """Return the types of an element; none where the path leads nowhere."""
    kinds: tuple[Type, ...] = tuple(_options(kind))
    for inside in path:
        kinds = tuple(o for outer in kinds for t in _inner(outer, inside) for o in _options(t))
    return kinds


def _options(kind: Type) -> Iterator[Type]:
    if isinstance(kind, OneOf):
        for option in kind.options:
            yield from _options(option)
    elif isinstance(kind, Mapped):
        yield from _options(kind.inner)
    else:
        yield kind


def _inner(kind: Type, inside: Inside) -> Iterator[Type]:
    word, index = inside
    match kind:
        case ListOf() if word is None:
            yield kind.item
        case Form() if word == kind.word:
            if index < len(kind.params):
                yield kind.params[index]
            elif kind.rest is not None:
                yield kind.rest
        case TierSpan() if word in TierKind.__members__:
            yield _STEP
        case ScheduleItem() if word is not None:
            yield kind
        case _:
            return


def references_of(kinds: tuple[Type, ...]) -> tuple[RefKind, ...]:
    """Return what names may refer to where one of these types stands."""
    found = [kind.kind for kind in kinds if isinstance(kind, Ref)]
    found += [RefKind.PHASE for kind in kinds if isinstance(kind, ScheduleItem)]
    return tuple(dict.fromkeys(found))


def choices(kinds: tuple[Type, ...]) -> Iterator[Choice]:
    """Yield the words and calls of types, each once."""
    found: dict[str, Choice] = {}
    for kind in kinds:
        for choice in _choices(kind):
            found.setdefault(choice.word + choice.call, choice)
    yield from found.values()


def _choices(kind: Type) -> Iterator[Choice]:
    match kind:
        case Word():
            yield from _members(kind)
        case TierSpan():
            for choice in _members(Word(TierKind, "a tier")):
                yield choice
                yield attrs.evolve(choice, call="(first_step, last_step)")
        case Form():
            yield Choice(kind.word, "a call", kind.describe(), call=_arguments(kind))
        case Bare() | Bool() | Protection():
            yield from (Choice(word, kind.describe()) for word in kind.words)
        case ScheduleItem():
            for word, call in (
                ("REPEAT", "(count, phase)"),
                ("LOOP", "(phase)"),
                ("EVERY", "(count, phase)"),
            ):
                yield Choice(word, "a schedule", kind.describe(), call=call)
        case TokenRange():
            text = _RANGES[kind.terms]
            yield Choice("RANGE", "a range of tokens", kind.describe(), call=text[len("RANGE") :])
        case Event():
            yield Choice("ALLREDUCE_COMPLETE", "an event", kind.describe())
        case _:
            return


def _members(kind: Word) -> Iterator[Choice]:
    said = meanings(kind.enum)
    for member in kind.enum:
        quoted = kind.quoted and not member.isupper()
        yield Choice(str(member), kind.noun, said[member], quoted=quoted)


def _arguments(kind: Form) -> str:
    params = [_param(param) for param in kind.params]
    rest = [f"{_param(kind.rest)}"] if kind.rest is not None else []
    return f"({', '.join([*params, *rest])})"


def _param(kind: Type) -> str:
    option = next(_options(kind))
    if isinstance(option, Ref):
        return str(option.kind)
    return {"bytes": "bytes", "us": "time"}.get(option.unit or "", "n")
