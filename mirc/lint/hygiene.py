"""Rules about what is written and serves nobody."""

from collections.abc import Iterator

from mirc.diagnostics import Diagnostic, Severity
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Object, Phase, Plan, Signal, Template
from mirc.ir.names import families_of
from mirc.ir.types import RefKind
from mirc.lint.context import Context
from mirc.lint.rule import LintRule


class UnusedObject(LintRule):
    """No step reads or writes the object, and nothing else speaks of it.

    Only in files whose phases have steps: without them, nobody can tell what is used.
    """

    code = "MIR901"
    name = "unused-object"
    severity = Severity.HINT
    message = "`{object}` is declared, but nothing uses it"
    hint = "name it in a step's `reads` or `writes`, or remove it"
    bad = """
object x { class = WEIGHT_TILE }
object y { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
"""
    good = """
object x { class = WEIGHT_TILE }
object y { class = WEIGHT_TILE }
phase p { step s { reads = [x, y] } }
"""

    def _findings(self, context: Context) -> Iterator[Diagnostic]:
        if not context.has_steps:
            return
        used = set(_used(context))
        for block in context.module.declarations:
            if not isinstance(block, Object | Template):
                continue
            if block.name not in used and used.isdisjoint(families_of(block.name)):
                yield self.at(block, object=block.name)


def _used(context: Context) -> Iterator[str]:
    """Yield every name that a reference or an override speaks of, families as they stand."""
    for block in context.module.declarations:
        yield from _referenced(block)
        if isinstance(block, Phase):
            for step in block.steps:
                yield from _referenced(step)
        if isinstance(block, Phase | Signal | Plan):
            yield from (override.name for override in block.overrides)
        if isinstance(block, Plan):
            for phase in block.phases:
                yield from (override.name for override in phase.overrides)


def _referenced(block: Block) -> Iterator[str]:
    for field in block.fields:
        for reference in FIELD_BY_KEY[field.key].type.references(field.value):
            if reference.kind is RefKind.DATA:
                yield reference.name
