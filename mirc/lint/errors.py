"""A source into a module, or into its errors: all that are no matter of a machine's room."""

from mirc.diagnostics import Diagnostic, Severity, Source
from mirc.grammar import Bound, MirRejected, SourcePlaces, bind, parse
from mirc.grammar.memory import collection_paused
from mirc.ir import Module
from mirc.lint.context import Context
from mirc.lint.registry import RULES
from mirc.lint.suppress import suppressed

_OF_ROOM = "MIR6"
_JUDGED = tuple(
    rule
    for rule in RULES
    if rule.severity is Severity.ERROR and rule.default and not rule.code.startswith(_OF_ROOM)
)
"""Whether something has room on a machine is what the commands that ask here answer themselves."""


def errors(source: Source) -> tuple[Module, tuple[Diagnostic, ...]]:
    """Return what a source says, and what ``mirc check`` calls an error in it.

    Syntax, names and types first; only what has none of these errors is judged by lint rules.
    Warnings and hints are left out, and what an ignore in the text takes away.
    """
    with collection_paused():
        document = parse(source)
        bound = bind(document)
        if bound.diagnostics:
            return bound.module, bound.diagnostics
        found = _found(source, bound)
        if found:
            codes = frozenset(rule.code for rule in _JUDGED)
            left = suppressed(source, found, codes, document.blocks)
            found = tuple(each for each in left if each.rule.code in codes)
    return bound.module, found


def load_right(source: Source) -> Module:
    """Return the module of a source that has no errors; raise ``MirRejected`` for another."""
    module, found = errors(source)
    if found:
        raise MirRejected(source, found)
    return module


def _found(source: Source, bound: Bound) -> tuple[Diagnostic, ...]:
    context = Context(bound.module, (), SourcePlaces(source.text, bound.kept))
    return tuple(each for rule in _JUDGED for each in rule.check(context))
