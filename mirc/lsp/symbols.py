"""A document into its names: where each is declared, and where it is referred to."""

import re
from collections.abc import Iterator
from functools import cached_property

import attrs

from mirc.diagnostics import Span
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Field,
    Object,
    Override,
    Phase,
    PlanPhase,
    Step,
    Template,
    Tenant,
)
from mirc.ir.names import families_of
from mirc.ir.places import Path
from mirc.ir.types import Reference, RefKind
from mirc.lsp.analysis import Analysis, noun_of
from mirc.lsp.cursor import Cursor, Expects
from mirc.lsp.expected import references_of, types_at
from mirc.lsp.words import Shape

_PARTS = re.compile(r"(?:\[[0-9]+(?::[0-9]+)?\])+$")
_DECLARED: dict[type[Block], RefKind] = {
    Object: RefKind.DATA,
    Template: RefKind.DATA,
    Coalition: RefKind.COALITION,
    Tenant: RefKind.TENANT,
    Claim: RefKind.CLAIM,
    Phase: RefKind.PHASE,
    Step: RefKind.STEP,
}
_NAMED = {Override: RefKind.DATA, PlanPhase: RefKind.PHASE}
_BY_KEYWORD = {
    "object": RefKind.DATA,
    "extern": RefKind.DATA,
    "template": RefKind.DATA,
    "override": RefKind.DATA,
    "coalition": RefKind.COALITION,
    "tenant": RefKind.TENANT,
    "claim": RefKind.CLAIM,
    "phase": RefKind.PHASE,
    "step": RefKind.STEP,
}


@attrs.frozen(slots=True)
class Symbol:
    """A name that something declares. Steps of one name are one symbol, in whatever phase."""

    kind: RefKind
    name: str

    @property
    def family(self) -> str:
        """The name without the brackets of a part: ``P`` of ``P[3][0:8]``."""
        return (self.kind is RefKind.DATA and _PARTS.sub("", self.name)) or self.name


@attrs.frozen(slots=True)
class Use:
    """One place of a name: a block's own name, or with ``key`` an element of that value."""

    symbol: Symbol
    block: Block
    declares: bool
    key: str | None = None
    nth: int = 0
    path: Path = ()


@attrs.frozen
class Symbols:
    """All names of a text and their uses, in the order of the text."""

    analysis: Analysis

    @cached_property
    def uses(self) -> dict[Symbol, list[Use]]:
        """Every place of every name."""
        found: dict[Symbol, list[Use]] = {}
        walk = _Walk(self.analysis)
        for block in self.analysis.document.blocks:
            for use in walk.block(block):
                found.setdefault(use.symbol, []).append(use)
        return found

    @cached_property
    def declarations(self) -> dict[Symbol, list[Block]]:
        """The blocks that declare each name; several where it is declared twice."""
        found = {}
        for symbol, uses in self.uses.items():
            blocks = [use.block for use in uses if use.declares]
            if blocks:
                found[symbol] = blocks
        return found

    @cached_property
    def relatives(self) -> dict[str, list[Symbol]]:
        """Names of data by family: ``P`` to ``P``, ``P[0]``, ``P[1]`` ..., used or declared."""
        found: dict[str, list[Symbol]] = {}
        for symbol in self.uses:
            if symbol.kind is RefKind.DATA:
                found.setdefault(symbol.family, []).append(symbol)
        return found

    def names(self, kind: RefKind) -> Iterator[tuple[str, str]]:
        """Yield each declared name of a kind, with what declares it."""
        for symbol, blocks in self.declarations.items():
            if symbol.kind is kind:
                yield symbol.name, noun_of(blocks[0])

    def families(self) -> Iterator[str]:
        """Yield the families that may be referred to as a whole."""
        seen: dict[str, None] = {}
        for symbol in self.declarations:
            if symbol.kind is RefKind.DATA and symbol.name.endswith("]"):
                seen.update(dict.fromkeys(families_of(symbol.name)))
        yield from (name for name in seen if Symbol(RefKind.DATA, name) not in self.declarations)

    def meant(self, symbol: Symbol) -> tuple[Symbol, ...]:
        """Return the declared names that a reference means: itself, or the parts of a family."""
        if symbol in self.declarations or symbol.kind is not RefKind.DATA:
            return (symbol,)
        return tuple(
            other
            for other in self.relatives.get(symbol.family, ())
            if other in self.declarations and symbol.name in families_of(other.name)
        )

    def concerning(self, symbol: Symbol) -> list[Use]:
        """Return the uses of a name, of its parts, and of the families that it is a part of."""
        if symbol.kind is not RefKind.DATA:
            return self.uses.get(symbol, [])
        return [
            use
            for other in self.relatives.get(symbol.family, ())
            if other == symbol
            or symbol.name in families_of(other.name)
            or (other.name in families_of(symbol.name) and other not in self.declarations)
            for use in self.uses[other]
        ]

    def span(self, use: Use) -> Span:
        """Return where a use stands, quotes included."""
        if use.key is None:
            return self.analysis.name_span(use.block)
        places = self.analysis.places
        place = places.block(use.block)
        field = place.field(use.key, use.nth) if place is not None else None
        if field is None:
            return self.analysis.name_span(use.block)
        element = field.value
        for index in use.path:
            element = element.inner[index] if index < len(element.inner) else element
        return element.span


def symbol_at(cursor: Cursor) -> Symbol | None:
    """Return the name at a cursor: that of a block, or one that a value refers to."""
    word = cursor.word
    if word is None or word.shape is Shape.COMMENT or word.shape is Shape.MARK:
        return None
    if cursor.expects is Expects.NAME and not word.declares:
        kind = _BY_KEYWORD.get(cursor.keyword)
        return Symbol(kind, word.name) if kind is not None else None
    spec = FIELD_BY_KEY.get(cursor.key or "")
    if cursor.expects is not Expects.VALUE or spec is None:
        return None
    kinds = references_of(types_at(spec.type, cursor.path))
    known = [kind for kind in kinds if kind is not RefKind.FREE]
    return Symbol(known[0], word.name) if known else None


class _Walk:
    """Goes through blocks; what equal lines refer to is found once."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._references: dict[int, tuple[tuple[Symbol, Path], ...]] = {}

    def block(self, block: Block) -> Iterator[Use]:
        """Yield the names of a block and of the blocks in it."""
        declares = _DECLARED.get(type(block))
        kind = declares or _NAMED.get(type(block))
        if kind is not None:
            yield Use(Symbol(kind, block.name), block, declares is not None)
        seen: dict[str, int] = {}
        for field in block.fields:
            nth = seen[field.key] = seen.get(field.key, -1) + 1
            for symbol, path in self._field(field):
                yield Use(symbol, block, declares=False, key=field.key, nth=nth, path=path)
        for inner in self.analysis.children(block):
            yield from self.block(inner)

    def _field(self, field: Field) -> tuple[tuple[Symbol, Path], ...]:
        found = self._references.get(id(field))
        if found is None:
            spec = FIELD_BY_KEY.get(field.key)
            made: Iterator[Reference] = (
                iter(()) if spec is None else spec.type.references(field.value)
            )
            found = tuple((Symbol(r.kind, r.name), r.path) for r in made)
            self._references[id(field)] = found
        return found
