"""A Document into an ir.Module, which holds only what is right, and everything that is wrong."""

import attrs

from mirc.diagnostics import Diagnostic
from mirc.grammar.document import Document
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.memory import collection_paused
from mirc.ir.module import Module
from mirc.ir.verify import verify


@attrs.frozen
class Bound:
    """The module, and every finding: syntax first, then names, keys and types, by place."""

    module: Module
    diagnostics: tuple[Diagnostic, ...]


def bind(document: Document, machines: frozenset[str] | None = None) -> Bound:
    """Check a document; ``machines`` are the known machines' names, None to accept any."""
    with collection_paused():
        verified = verify(
            document.blocks,
            machines=machines,
            lost=document.lost,
            places=SourcePlaces(document.source),
        )
    module = attrs.evolve(
        verified.module,
        version=document.version or (1, 0),
        header=document.header,
        trailing=document.trailing,
    )
    return Bound(module, document.diagnostics + verified.diagnostics)
