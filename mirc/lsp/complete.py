"""A cursor into what may be written there: keywords, keys, words, calls, units and names."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice

import attrs

from mirc.diagnostics import Span
from mirc.grammar.literals import print_name, print_string
from mirc.ir.enums import SignalKind
from mirc.ir.fields import FIELD_BY_KEY, KEYS_WHERE, FieldSpec
from mirc.ir.module import Phase
from mirc.ir.types import ListOf, RefKind, Type
from mirc.lsp.cursor import Cursor, Expects
from mirc.lsp.expected import Choice, choices, references_of, types_at
from mirc.lsp.skeletons import NESTED, TOP, Skeleton
from mirc.lsp.symbols import Symbol, Symbols
from mirc.lsp.words import Shape, written
from mirc.machine.load import names as machine_names

MOST = 500  # items sent at once; more typing asks again
_UNITS = {
    "bytes": ("KiB", "MiB", "GiB", "KB", "MB", "GB"),
    "us": ("us", "ms", "s", "ns"),
}
_DIGITS = re.compile(r"[A-Za-z]+$")
_FAR = 1 << 14  # characters of the block that are read after the cursor
_DECLARING = {"override": RefKind.DATA, "phase": RefKind.PHASE, "step": RefKind.STEP}


class ItemKind(StrEnum):
    """What an item is, for the icon beside it."""

    KEYWORD = "keyword"
    KEY = "key"
    WORD = "word"
    CALL = "call"
    NAME = "name"
    UNIT = "unit"


@attrs.frozen(kw_only=True)
class Item:
    """One thing that may be written; ``order`` sorts it before others.

    ``text`` is a snippet with ``$1`` marks where ``snippet`` says so.
    """

    label: str
    kind: ItemKind
    text: str
    detail: str = ""
    about: str = ""
    order: int = 5
    snippet: str | None = None


@attrs.frozen
class Completion:
    """The items, and the characters that each replaces; ``more`` says that some were left out."""

    span: Span
    items: tuple[Item, ...]
    more: bool = False


def completion(symbols: Symbols, offset: int) -> Completion:
    """Return what may be written at an offset, the likeliest first."""
    cursor = symbols.analysis.cursor(offset)
    span = _replaced(cursor, offset)
    typed = symbols.analysis.source.text[span.start : offset].lstrip('"').casefold()
    found = (item for item in _items(symbols, cursor, offset) if typed in item.label.casefold())
    items = tuple(islice(dict.fromkeys(found), MOST + 1))
    in_order = sorted(items[:MOST], key=lambda item: item.order)
    return Completion(span, tuple(in_order), len(items) > MOST)


def _replaced(cursor: Cursor, offset: int) -> Span:
    word = cursor.word
    if word is None or word.shape is Shape.COMMENT:
        return Span(offset, offset)
    # A string is replaced whole: editors write its closing quote ahead of the cursor.
    return Span(word.span.start, word.span.end if word.shape is Shape.STRING else offset)


def _items(symbols: Symbols, cursor: Cursor, offset: int) -> Iterator[Item]:
    match cursor.expects:
        case Expects.KEY:
            yield from _keys(symbols, cursor, offset)
        case Expects.NAME:
            yield from _block_names(symbols, cursor)
        case Expects.VALUE:
            yield from _values(symbols, cursor, offset)
        case Expects.CONFIDENCE:
            for text in ("0.5", "0.7", "0.9", "0.99"):
                yield Item(label=text, kind=ItemKind.WORD, text=text, detail="a confidence")
        case Expects.NOTHING:
            return


def _keys(symbols: Symbols, cursor: Cursor, offset: int) -> Iterator[Item]:
    text = symbols.analysis.source.text
    if not cursor.frames:
        if not text[:offset].strip().removeprefix("mir"):
            about = "The version of the language; the first line of a file."
            yield Item(label="mir 1.0", kind=ItemKind.KEYWORD, text="mir 1.0\n", about=about)
        yield from map(_skeleton, TOP)
        return
    if cursor.where is None:
        return
    end = cursor.word.span.end if cursor.word is not None else offset
    taken = {*cursor.taken, *_keys_after(text, end)}
    klass = symbols.analysis.class_of(cursor.frames[-1].name)
    written_out = text[end : end + 40].lstrip(" \t").startswith("=")
    for spec in KEYS_WHERE[cursor.where].values():
        if spec.key in taken or (spec.classes and klass is not None and klass not in spec.classes):
            continue
        first = cursor.where in spec.required
        yield Item(
            label=spec.key,
            kind=ItemKind.KEY,
            text=spec.key if written_out else f"{spec.key} = ",
            detail=spec.type.describe(),
            about=spec.doc,
            order=0 if first else 2,
        )
    yield from map(_skeleton, NESTED.get(tuple(f.keyword for f in cursor.frames), ()))


def _skeleton(known: Skeleton) -> Item:
    return Item(
        label=known.label,
        kind=ItemKind.KEYWORD,
        text=known.plain,
        snippet=known.snippet,
        about=known.about,
        order=4,
    )


def _keys_after(text: str, offset: int) -> Iterator[str]:
    """Yield the keys of the block that stand after an offset, to its brace or the next block."""
    last = ""
    for word in written(text, offset, min(len(text), offset + _FAR)):
        if word.text == "}" or word.declares:
            return
        if word.text == "=":
            yield last
        last = word.text


def _block_names(symbols: Symbols, cursor: Cursor) -> Iterator[Item]:
    keyword = cursor.keyword
    if keyword == "on":
        for signal in sorted({*SignalKind, *symbols.analysis.index.signals}):
            yield Item(label=signal, kind=ItemKind.NAME, text=print_name(signal), detail="a signal")
    elif keyword == "override" or (keyword == "phase" and cursor.frames):
        yield from _names(symbols, _DECLARING[keyword], cursor)
    elif keyword == "step" and cursor.frames:
        own = symbols.analysis.index.steps.get(cursor.frames[-1].name, frozenset())
        for name, noun in symbols.names(RefKind.STEP):
            if name not in own:
                yield _name(name, f"{noun} of another phase")
    else:
        kind = {"coalition": RefKind.COALITION, "tenant": RefKind.TENANT, "claim": RefKind.CLAIM}
        yield from _undeclared(symbols, kind.get(keyword, _DECLARING.get(keyword, RefKind.DATA)))


def _undeclared(symbols: Symbols, kind: RefKind) -> Iterator[Item]:
    for symbol in symbols.uses:
        if symbol.kind is kind and not any(
            m in symbols.declarations for m in symbols.meant(symbol)
        ):
            yield _name(symbol.name, "used, not declared yet")


def _values(symbols: Symbols, cursor: Cursor, offset: int) -> Iterator[Item]:
    spec = FIELD_BY_KEY.get(cursor.key or "")
    if spec is None:
        return
    kinds = types_at(spec.type, cursor.path)
    yield from _of_types(symbols, cursor, spec, kinds)
    bracketed = symbols.analysis.source.text[offset : offset + 1] == "["
    for kind in kinds:
        if isinstance(kind, ListOf) and not bracketed:
            inner = types_at(kind, ((None, 0),))
            for item in _of_types(symbols, cursor, spec, inner):
                snippet = item.snippet and f"[{item.snippet}$0]"
                yield attrs.evolve(item, text=f"[{item.text}]", snippet=snippet)


def _of_types(
    symbols: Symbols, cursor: Cursor, spec: FieldSpec, kinds: tuple[Type, ...]
) -> Iterator[Item]:
    for reference in references_of(kinds):
        yield from _names(symbols, reference, cursor)
    yield from (_choice(choice) for choice in choices(kinds))
    number = cursor.word.text if cursor.word is not None else ""
    if number[:1].isdigit():
        digits = _DIGITS.sub("", number)
        for unit in dict.fromkeys(kind.unit for kind in kinds if kind.unit):
            for suffix in _UNITS[unit]:
                text = f"{digits}{suffix}"
                yield Item(label=text, kind=ItemKind.UNIT, text=text, detail=spec.type.describe())


def _choice(choice: Choice) -> Item:
    if choice.call:
        names = choice.call[1:-1].split(", ")
        marks = ", ".join(f"${{{i}:{name}}}" for i, name in enumerate(names, 1))
        return Item(
            label=choice.word + choice.call,
            kind=ItemKind.CALL,
            text=f"{choice.word}(",
            snippet=f"{choice.word}({marks})",
            detail=choice.noun,
            about=choice.about,
            order=3,
        )
    text = print_string(choice.word) if choice.quoted else choice.word
    return Item(
        label=choice.word,
        kind=ItemKind.WORD,
        text=text,
        detail=choice.noun,
        about=choice.about,
        order=1,
    )


def _names(symbols: Symbols, kind: RefKind, cursor: Cursor) -> Iterator[Item]:
    if kind is RefKind.MACHINE:
        for name in machine_names():
            text = print_string(name)
            yield Item(label=name, kind=ItemKind.NAME, text=text, detail="a machine")
    elif kind is RefKind.STEP:
        for name in _steps(symbols, cursor):
            yield _name(name, "step")
    else:
        for name, noun in symbols.names(kind):
            yield _name(name, _class_of(symbols, name, noun) if kind is RefKind.DATA else noun)
        if kind is RefKind.DATA:
            for family in symbols.families():
                parts = len(symbols.meant(Symbol(kind, family)))
                yield _name(family, f"family of {parts:,} parts")


def _name(name: str, detail: str) -> Item:
    return Item(label=name, kind=ItemKind.NAME, text=print_name(name), detail=detail)


def _class_of(symbols: Symbols, name: str, noun: str) -> str:
    klass = symbols.analysis.class_of(name)
    return f"{noun}, {klass}" if klass is not None else noun


def _steps(symbols: Symbols, cursor: Cursor) -> Iterable[str]:
    """Return the steps of the phase around the cursor in their order; all of them outside one."""
    around = next((f.name for f in reversed(cursor.frames) if f.keyword == "phase"), None)
    phase = symbols.analysis.index.phases.get(around or "")
    if isinstance(phase, Phase):
        return [step.name for step in phase.steps]
    return [name for name, _ in symbols.names(RefKind.STEP)]
