"""A .mir text into a Document; what cannot be read becomes diagnostics."""

from typing import TYPE_CHECKING, TypedDict

from mirc.diagnostics import Source, Span
from mirc.grammar.builder import Start
from mirc.grammar.document import Document
from mirc.grammar.lexer import Misread
from mirc.grammar.limits import refuse_too_long
from mirc.grammar.lines import read
from mirc.grammar.memory import collection_paused

if TYPE_CHECKING:
    from mirc.grammar.recover import Recovered

_MAJOR = 1


def parse(source: Source) -> Document:
    """Read a text; the document holds what could be read, and what is wrong with the syntax.

    Raises ``CouldNotRun`` for a text, or a line, of a length that nobody means.
    """
    refuse_too_long(source)
    with collection_paused():
        try:
            start = read(source.text)
        except Misread:
            return _recovered(source)
    document = _document(source, start)
    if document.version is not None and document.version[0] != _MAJOR:
        return _recovered(source)
    return document


def _recovered(source: Source) -> Document:
    # Lark costs more than all the rest of a small check, and only errors need it.
    from mirc.grammar.parser import lark  # noqa: PLC0415
    from mirc.grammar.recover import recover  # noqa: PLC0415

    recovered = recover(lark(), source)
    if recovered.text is None:
        return Document(source, diagnostics=recovered.diagnostics)
    try:
        start = read(recovered.text)
    except Misread:  # the correction was not one
        return Document(source, diagnostics=recovered.diagnostics)
    return _document(source, start, recovered)


def _document(source: Source, start: Start, recovered: "Recovered | None" = None) -> Document:
    if recovered is None:
        return Document(source, start.blocks, **_version(start))
    return Document(
        source,
        start.blocks,
        diagnostics=recovered.diagnostics,
        lost=recovered.lost,
        mended=recovered.text,
        **_version(start),
    )


class _Version(TypedDict, total=False):
    version: tuple[int, int]
    version_span: Span


def _version(start: Start) -> _Version:
    if start.header is None:
        return {}
    major, minor = str(start.header.value).split()[1].split(".")
    span = Span(start.header.start_pos or 0, start.header.end_pos or 0)
    return {"version": (int(major[:9]), int(minor[:9])), "version_span": span}
