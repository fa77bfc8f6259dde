"""A .mir text into a Document; what cannot be read becomes diagnostics."""

import re
from typing import TypedDict, cast

from lark import UnexpectedInput

from mirc.diagnostics import Source, Span
from mirc.grammar.builder import Start
from mirc.grammar.comments import attach
from mirc.grammar.document import Document
from mirc.grammar.lines import read_lines
from mirc.grammar.memory import collection_paused
from mirc.grammar.parser import lark
from mirc.grammar.recover import MAX_DEPTH, Recovered, recover, unknown_version

_MANY_LINES = 200  # from here on a second parser table is worth its 30 ms
_BRACKETS = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|[\[\]()]')


def parse(source: Source) -> Document:
    """Read a text; the document holds what could be read, and what is wrong with the syntax."""
    refusal = unknown_version(source)
    if refusal is not None:
        return Document(source, diagnostics=(refusal,))
    if _nests_deeper(source.text, MAX_DEPTH):
        return _recovered(source)
    with collection_paused():
        try:
            start = _read(source.text)
        except UnexpectedInput:
            start = None
    return _recovered(source) if start is None else _document(source, start, Recovered((), None))


def _read(text: str) -> Start:
    if text.count("\n") > _MANY_LINES:
        start = read_lines(text)
        if start is not None:
            return start
    return cast("Start", lark().parse(text))  # the transformer's, where Lark's types say Tree


def _recovered(source: Source) -> Document:
    recovered = recover(lark(), source)
    if recovered.text is None:
        return Document(source, diagnostics=recovered.diagnostics)
    try:
        start = _read(recovered.text)
    except UnexpectedInput:  # the correction was not one
        return Document(source, diagnostics=recovered.diagnostics)
    return _document(source, start, recovered)


def _document(source: Source, start: Start, recovered: Recovered) -> Document:
    document = Document(
        source,
        start.blocks,
        diagnostics=recovered.diagnostics,
        lost=recovered.lost,
        **_version(start),
    )
    return attach(document) if "//" in source.text else document


class _Version(TypedDict, total=False):
    version: tuple[int, int]
    version_span: Span


def _version(start: Start) -> _Version:
    if start.header is None:
        return {}
    major, minor = str(start.header.value).split()[1].split(".")
    span = Span(start.header.start_pos or 0, start.header.end_pos or 0)
    return {"version": (int(major[:9]), int(minor[:9])), "version_span": span}


def _nests_deeper(text: str, limit: int) -> bool:
    """Say whether brackets nest deeper than ``limit``, before any parser builds them."""
    if text.count("[") + text.count("(") <= limit:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[(":
            depth += 1
            if depth > limit:
                return True
        elif match[0] in "])":
            depth = max(0, depth - 1)
    return False
