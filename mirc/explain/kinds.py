"""A field's type into the words, the calls and the example that it takes."""

from collections.abc import Iterator

from mirc.ir.clauses import Event, Protection, ScheduleItem, TierSpan, TokenRange
from mirc.ir.enums import TierKind
from mirc.ir.forms import Bare, Form, Mapped, OneOf
from mirc.ir.types import (
    Bool,
    Bytes,
    Float,
    Int,
    Interval,
    ListOf,
    Micros,
    Ref,
    RefKind,
    Type,
    Word,
)

_NAMES = {
    RefKind.DATA: "layers.0.mlp.weight",
    RefKind.STEP: "layers.0.mlp",
    RefKind.PHASE: "decode_step",
    RefKind.COALITION: "layer_0",
    RefKind.TENANT: "support",
    RefKind.CLAIM: "system_prompt",
    RefKind.MACHINE: '"h100-sxm"',
    RefKind.FREE: "tp",
}
_TEXTS: tuple[tuple[type[Type], str], ...] = (
    (TierSpan, "HBM(layers.0.mlp, layers.18.mlp)"),
    (Protection, "WHILE_FANOUT_GT_1"),
    (Event, "ALLREDUCE_COMPLETE"),
    (ScheduleItem, "REPEAT(128, decode_step)"),
    (TokenRange, "RANGE(0, 1_024)"),
    (Bytes, "128MiB"),
    (Micros, "12us"),
    (Interval, "30s"),
    (Bool, "true"),
    (Float, "0.5"),
)


def enums_of(kind: Type) -> Iterator[Word]:
    """Yield each closed list of words that a type takes as a whole value or as a list's item."""
    match kind:
        case Word():
            yield kind
        case Mapped():
            yield from enums_of(kind.inner)
        case ListOf():
            yield from enums_of(kind.item)
        case OneOf():
            for option in kind.options:
                yield from enums_of(option)
        case TierSpan():
            yield Word(TierKind, "a tier")
        case _:
            return


def calls_of(kind: Type) -> Iterator[Form]:
    """Yield each call that a type takes, and those inside its arguments."""
    match kind:
        case Mapped():
            yield from calls_of(kind.inner)
        case ListOf():
            yield from calls_of(kind.item)
        case OneOf():
            for option in kind.options:
                yield from calls_of(option)
        case Form():
            yield kind
            for param in (*kind.params, *((kind.rest,) if kind.rest else ())):
                yield from calls_of(param)
        case _:
            return


def bare_words_of(kind: Type) -> Iterator[str]:
    """Yield the words that a type takes beside its calls: ``CONTIGUOUS``, ``ONCE``."""
    match kind:
        case Bare():
            yield kind.word
        case Mapped():
            yield from bare_words_of(kind.inner)
        case ListOf():
            yield from bare_words_of(kind.item)
        case OneOf():
            for option in kind.options:
                yield from bare_words_of(option)
        case _:
            return


def example_of(kind: Type) -> str:
    """Return a value that the type takes, as it is written."""
    match kind:
        case Mapped():
            text = example_of(kind.inner)
        case OneOf():
            text = example_of(kind.options[0])
        case ListOf():
            text = f"[{example_of(kind.item)}]"
        case Form():
            args = (*kind.params, *((kind.rest,) if kind.rest else ()))
            text = f"{kind.word}({', '.join(map(example_of, args))})"
        case _:
            text = _plain_example(kind)
    return text


def _plain_example(kind: Type) -> str:
    match kind:
        case Word():
            first = str(next(iter(kind.enum)))
            text = first if first.isupper() else f'"{first}"'
        case Bare():
            text = kind.word
        case Ref():
            text = _NAMES[kind.kind]
        case Int():
            text = f"{min(max(kind.least, 16), kind.most or 16):_}"
        case _:
            text = next((text for known, text in _TEXTS if isinstance(kind, known)), '"a text"')
    return text
