"""Texts with a ``|`` where the cursor is."""

from mirc.diagnostics import Edit, Fix, Source
from mirc.diagnostics.apply import applied
from mirc.lsp.analysis import Analysis
from mirc.lsp.symbols import Symbols


def marked(text: str) -> tuple[Symbols, int]:
    """Return the names of a text and the offset of its mark."""
    return symbols(text.replace("|", "", 1)), text.index("|")


def symbols(text: str) -> Symbols:
    return Symbols(Analysis(Source("test.mir", text)))


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    return applied(text, [Fix("edit", edits)])
