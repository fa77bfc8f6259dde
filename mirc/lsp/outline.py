"""A document into its outline, and into the parts that can be folded."""

import re
from collections.abc import Iterator

import attrs

from mirc.diagnostics import Span
from mirc.grammar.literals import print_value
from mirc.ir.module import Block
from mirc.lsp.analysis import Analysis, extent_of, noun_of

_COMMENTS = re.compile(r"^[ \t]*//[^\n]*(?:\n[ \t]*//[^\n]*)+", re.MULTILINE)
_TOLD = ("class", "size_bytes", "kind", "machine")


@attrs.frozen
class Entry:
    """A block of the outline: its noun, its name, some words beside it, and what stands in it."""

    noun: str
    name: str
    detail: str
    span: Span
    name_span: Span
    inner: tuple["Entry", ...] = ()


@attrs.frozen
class Fold:
    """Lines (from 0) of which all but the first can be hidden."""

    first: int
    last: int
    comment: bool = False


def outline(analysis: Analysis) -> tuple[Entry, ...]:
    """Return every block of the text, blocks within blocks."""
    return tuple(_entry(analysis, block) for block in analysis.document.blocks)


def _entry(analysis: Analysis, block: Block) -> Entry:
    return Entry(
        noun=noun_of(block),
        name=block.name,
        detail=", ".join(_details(block)),
        span=extent_of(block),
        name_span=analysis.name_span(block),
        inner=tuple(_entry(analysis, inner) for inner in analysis.children(block)),
    )


def _details(block: Block) -> Iterator[str]:
    for key in _TOLD:
        value = block.value(key)
        if value is not None:
            yield print_value(value)


def folds(analysis: Analysis) -> tuple[Fold, ...]:
    """Return the blocks and the runs of comment lines that take several lines."""
    lines = analysis.lines
    found = list(_blocks(analysis, analysis.document.blocks))
    for comment in _COMMENTS.finditer(analysis.source.text):
        first, last = lines.place(comment.start()).line, lines.place(comment.end()).line
        found.append(Fold(first, last, comment=True))
    return tuple(sorted(found, key=lambda fold: (fold.first, fold.last)))


def _blocks(analysis: Analysis, blocks: tuple[Block, ...] | list[Block]) -> Iterator[Fold]:
    for block in blocks:
        extent = extent_of(block)
        first = analysis.lines.place(extent.start).line
        last = analysis.lines.place(extent.end).line
        if last > first:
            yield Fold(first, last - 1 if _closes(analysis, extent) else last)
        yield from _blocks(analysis, analysis.children(block))


def _closes(analysis: Analysis, extent: Span) -> bool:
    """Whether the last line holds the brace alone, which then stays in view."""
    start = analysis.lines.starts[analysis.lines.place(extent.end).line]
    return analysis.source.text[start : extent.end].strip() == "}"
