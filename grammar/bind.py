"""A Document into an ir.Module, which holds only what is right, and everything that is wrong."""

from collections.abc import Mapping

import attrs

from mirc.diagnostics import Diagnostic, Span
from mirc.grammar.document import Document
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.memory import collection_paused
from mirc.ir.module import Module
from mirc.ir.rules import MISPLACED_KEY
from mirc.ir.verify import verify

_ABOUT_BRACES = ("missing-brace", "unclosed-declaration", "stray-bracket", "unknown-block")


@attrs.frozen
class Bound:
    """The module, and every finding: syntax first, then names, keys and types, by place."""

    module: Module
    diagnostics: tuple[Diagnostic, ...]
    kept: Mapping[tuple[Span, str], tuple[int, ...]] = attrs.field(factory=dict)
    """Which elements are left of a list that holds wrong ones, by its block's extent and key."""


def bind(document: Document, machines: frozenset[str] | None = None) -> Bound:
    """Check a document; ``machines`` are the known machines' names, None to accept any."""
    with collection_paused():
        verified = verify(
            document.blocks,
            machines=machines,
            lost=document.lost,
            places=SourcePlaces(document.text),
        )
    module = attrs.evolve(
        verified.module,
        version=document.version or (1, 0),
        header=document.header,
        trailing=document.trailing,
    )
    if not document.diagnostics:
        return Bound(module, verified.diagnostics, verified.kept)
    return Bound(module, document.diagnostics + _certain(document, verified.diagnostics))


def _certain(document: Document, found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Leave out what judges a guess.

    That is what stands on a line with a syntax error, and where braces are wrong, what a block
    may hold.
    """
    position = document.source.position
    broken = {position(each.span.start)[0] for each in document.diagnostics}
    braces = any(each.rule.name in _ABOUT_BRACES for each in document.diagnostics)
    return tuple(
        each
        for each in found
        if position(each.span.start)[0] not in broken
        and not (braces and each.rule is MISPLACED_KEY)
    )
