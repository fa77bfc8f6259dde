"""A .mir text into its canonical layout: same module, same comments, same spellings."""

from mirc.diagnostics import Source
from mirc.grammar.document import Document
from mirc.grammar.format_items import read_items
from mirc.grammar.format_layout import laid_out
from mirc.grammar.load import MirRejected
from mirc.grammar.parse import parse
from mirc.grammar.tokens import comments


def formatted(source: Source) -> str:
    """Return the text in canonical layout: the very same text if it is that already.

    Raises ``MirRejected``, which holds the diagnostics, where the syntax is wrong; words and types
    may be. What is returned was parsed again: it has the same declarations and comments.
    """
    document = parse(source)
    if document.diagnostics:
        raise MirRejected(source, document.diagnostics)
    text = laid_out(read_items(source.text))
    if text == source.text:
        return source.text
    _compare(document, parse(Source(source.name, text)))
    return text


def _compare(before: Document, after: Document) -> None:
    same = (
        not after.diagnostics
        and after.version == before.version
        and after.blocks == before.blocks
        and list(comments(after.text)) == list(comments(before.text))
    )
    if not same:
        raise AssertionError(f"formatting `{before.source.name}` would change what it means")
