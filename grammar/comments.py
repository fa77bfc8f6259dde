"""Comments of a text onto the declarations and fields beside them."""

import re
from bisect import bisect_left, bisect_right
from typing import TypeVar

import attrs

from mirc.diagnostics import Span
from mirc.grammar.document import Document
from mirc.grammar.locate import SourcePlaces
from mirc.ir.module import Block, Field, Override, Phase, Plan, PlanPhase, Signal, Step, Trivia

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')
_Block = TypeVar("_Block", bound=Block)


@attrs.define
class _Beside:
    """What has been found beside one place so far."""

    above: list[str] = attrs.field(factory=list)
    trailing: str | None = None

    def trivia(self) -> Trivia:
        return Trivia(tuple(self.above), self.trailing)


def attach(document: Document) -> Document:
    """Give each comment to what ends on its line, else to what begins next.

    Places are the version line, the head of a block, a field, a closing brace and the end of the
    text; a comment inside one of them moves above it.
    """
    text = document.text
    if "//" not in text:
        return document
    where = SourcePlaces(text)
    places = _places(document, where)
    starts = [place.start for place in places]
    found: dict[int, _Beside] = {}
    for match in _COMMENT.finditer(text):
        if match[0].startswith('"'):
            continue
        comment = match[0].rstrip()
        before = bisect_right(starts, match.start()) - 1
        if before >= 0:
            place = places[before]
            if match.start() < place.end:
                found.setdefault(place.start, _Beside()).above.append(comment)
                continue
            if "\n" not in text[place.end : match.start()]:
                found.setdefault(place.start, _Beside()).trailing = comment
                continue
        after = starts[before + 1] if before + 1 < len(starts) else len(text)
        above = found.setdefault(after, _Beside()).above
        above.append(comment)
        if _blank_line_follows(text, match.end()) and after < len(text):
            above.append("")
    return _Attacher(found, where).document(document)


def _blank_line_follows(text: str, offset: int) -> bool:
    rest = text[offset : offset + 1000]
    blanks = rest[: len(rest) - len(rest.lstrip())]
    return blanks.count("\n") > 1


def _children(block: Block) -> tuple[Block, ...]:
    if isinstance(block, Phase):
        return (*block.steps, *block.overrides)
    if isinstance(block, Plan):
        return (*block.overrides, *block.phases)
    if isinstance(block, Signal | PlanPhase):
        return block.overrides
    return ()


def _is_closed(block: Block, where: SourcePlaces) -> bool:
    return block.extent is not None and block.extent.end > where.name(block).end


def _places(document: Document, where: SourcePlaces) -> list[Span]:
    found = [document.version_span] if document.version_span is not None else []
    todo = list(document.blocks)
    while todo:
        block = todo.pop()
        place = where.block(block)
        if place is None or block.extent is None:
            continue
        found.append(Span(block.extent.start, place.name.end))
        if _is_closed(block, where):
            found.append(Span(block.extent.end - 1, block.extent.end))
        found += [field.span for _, field in place.fields]
        todo += _children(block)
    return sorted(found)


class _Attacher:
    """Rebuilds exactly the blocks that have comments in or beside them."""

    def __init__(self, found: dict[int, _Beside], where: SourcePlaces) -> None:
        self.found = found
        self.where = where
        self.offsets = sorted(found)

    def document(self, document: Document) -> Document:
        header = document.version_span
        return attrs.evolve(
            document,
            blocks=tuple(self.block(block) for block in document.blocks),
            header=self.at(header.start) if header is not None else None,
            trailing=self.at(len(document.text)),
        )

    def at(self, offset: int) -> Trivia | None:
        beside = self.found.get(offset)
        return beside.trivia() if beside is not None else None

    def block(self, block: _Block) -> _Block:
        extent = block.extent
        if extent is None:
            return block
        first = bisect_left(self.offsets, extent.start)
        if first == len(self.offsets) or self.offsets[first] >= extent.end:
            return block
        changes: dict[str, object] = {
            "fields": self.fields(block),
            "trivia": self.at(extent.start),
            "closing": self.at(extent.end - 1) if _is_closed(block, self.where) else None,
        }
        for part in ("steps", "overrides", "phases"):
            inner: tuple[Step | Override | PlanPhase, ...] | None = getattr(block, part, None)
            if inner is not None:
                changes[part] = tuple(self.block(child) for child in inner)
        return attrs.evolve(block, **changes)  # type: ignore[arg-type]

    def fields(self, block: Block) -> tuple[Field, ...]:
        place = self.where.block(block)
        places = place.fields if place is not None else ()
        return tuple(
            attrs.evolve(field, trivia=self.at(there.span.start))
            for field, (_, there) in zip(block.fields, places, strict=True)
        )
