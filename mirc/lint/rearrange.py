"""Parts of a block and a new order into edits that move them, each with its comments."""

import re
from itertools import pairwise

from mirc.diagnostics import Edit, Span
from mirc.grammar.locate import SourcePlaces
from mirc.ir.module import Block

Edits = tuple[Edit, ...]
_COMMENT = r"//[^\n]*"  # compiled when a fix needs it: every run of check loads this


def values_swapped(places: SourcePlaces, block: Block, first: str, second: str) -> Edits:
    """Return edits by which two fields change values; none where one is missing."""
    place = places.block(block)
    fields = [place.field(key) for key in (first, second)] if place is not None else []
    spans = [Span(f.value.span.start, f.span.end) for f in fields if f is not None]
    return _moved(places.text, spans, (1, 0)) if len(spans) == len((first, second)) else ()


def elements_in_order(
    places: SourcePlaces, block: Block, key: str, order: tuple[int, ...]
) -> Edits:
    """Return edits after which a list holds element ``order[i]`` at ``i``.

    None where a comment stands in the list: nobody knows which element it is about.
    """
    place = places.block(block)
    field = place.field(key) if place is not None else None
    if field is None:
        return ()
    spans = [element.span for element in field.value.inner]
    bounds = [field.value.span.start, *(at for s in spans for at in (s.start, s.end))]
    bounds.append(field.value.span.end)
    outside = zip(bounds[::2], bounds[1::2], strict=True)
    if any("//" in places.text[start:end] for start, end in outside):
        return ()
    return _moved(places.text, spans, order) if len(spans) == len(order) else ()


def fields_in_order(places: SourcePlaces, block: Block, order: tuple[int, ...]) -> Edits:
    """Return edits after which a block holds field ``order[i]`` at ``i``.

    Fields that share lines change places among themselves. With comments between them, each must
    have lines of its own, which move as a whole; else nothing is done. Neither is it where a
    ``step`` or an ``override`` stands between two fields.
    """
    place = places.block(block)
    spans = [field.span for _, field in place.fields] if place is not None else []
    text = places.text
    gaps = [text[a.end : b.start] for a, b in pairwise(spans)]
    if len(spans) != len(order) or any(re.sub(_COMMENT, "", gap).strip() for gap in gaps):
        return ()
    last_line = text[spans[-1].end : _line_end(text, spans[-1].end)]
    before = text[_line_start(text, spans[0].start) : spans[0].start]
    above = _line_above(text, _line_start(text, spans[0].start))
    if not any("//" in part for part in (*gaps, last_line, above)):
        return _moved(text, spans, order)
    if before.strip() or any("\n" not in gap for gap in gaps) or not _ends_line(last_line):
        return ()
    if not all(_ends_line(gap.partition("\n")[0]) for gap in gaps):
        return ()
    starts = [_first_line(text, spans[0].start)]
    starts += [_line_end(text, span.end) + 1 for span in spans[:-1]]
    ends = [_line_end(text, span.end) for span in spans]
    return _moved(text, [Span(a, b) for a, b in zip(starts, ends, strict=True)], order)


def _moved(text: str, spans: list[Span], order: tuple[int, ...]) -> Edits:
    return tuple(
        Edit(spans[here], text[spans[there].start : spans[there].end])
        for here, there in enumerate(order)
        if here != there
    )


def _ends_line(rest: str) -> bool:
    return not rest.strip() or rest.lstrip().startswith("//")


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _line_above(text: str, start: int) -> str:
    """Return the line before the one that begins at ``start``, if it is nothing but a comment."""
    above = text[_line_start(text, start - 1) : start] if start else ""
    return above if above.lstrip().startswith("//") else ""


def _first_line(text: str, at: int) -> int:
    """Return the start of the line at ``at``, or of the first comment line right above it."""
    start = _line_start(text, at)
    while _line_above(text, start):
        start = _line_start(text, start - 1)
    return start
