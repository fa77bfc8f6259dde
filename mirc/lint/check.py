"""A source into findings: syntax, then names and types, then every lint rule."""

from mirc.diagnostics import Diagnostic, FileFindings, Source, Span
from mirc.grammar.bind import bind
from mirc.grammar.document import Document
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.memory import collection_paused
from mirc.grammar.parse import parse
from mirc.grammar.syntax_rules import EMPTY_FILE
from mirc.ir.rules import MISSING_KEY
from mirc.ir.verify import MOST_FINDINGS
from mirc.lint.context import Context
from mirc.lint.registry import ALL_RULES, RULES
from mirc.lint.settings import DEFAULT, Settings
from mirc.machine import Machine
from mirc.machine.load import names

_IGNORES = "mirc:"  # what every ignore's comment holds


def check_source(
    source: Source,
    machines: tuple[Machine, ...] = (),
    settings: Settings = DEFAULT,
) -> FileFindings:
    """Return the findings of one source that ``settings`` ask for and no ignore takes away.

    Of the settings, ``machines`` and ``baseline`` are the caller's to load. Lint rules judge only
    what parses: in a file with syntax errors half a declaration may be missing, and what is said
    about the rest would be wrong.
    """
    wanted = _wanted(settings, source.name)
    document = parse(source)
    found = _found(document, machines, wanted)
    cut = len(found) >= MOST_FINDINGS and sum(map(_is_about_meaning, found)) >= MOST_FINDINGS
    found = tuple(diagnostic for diagnostic in found if diagnostic.rule.code in wanted)
    # A syntax error keeps the other rules from having their say.
    ran = wanted if document.blocks and not document.diagnostics else frozenset[str]()
    if _IGNORES in source.text.lower():
        # Start-up: few files hold ignores.
        from mirc.lint.suppress import suppressed  # noqa: PLC0415

        left = suppressed(source, found, ran, document.blocks)
        found = tuple(diagnostic for diagnostic in left if diagnostic.rule.code in wanted)
    reported = MOST_FINDINGS if cut else None
    return FileFindings(source, found, fail_level=settings.fail_level, reported=reported, ran=ran)


def _is_about_meaning(finding: Diagnostic) -> bool:
    return finding.rule.code.startswith(("MIR2", "MIR3"))


def _found(
    document: Document, machines: tuple[Machine, ...], wanted: frozenset[str]
) -> tuple[Diagnostic, ...]:
    bound = bind(document, frozenset(names()))
    if document.diagnostics:
        # A key that seems to be missing may stand in a part that could not be read.
        return tuple(d for d in bound.diagnostics if d.rule is not MISSING_KEY)
    if not document.blocks:
        return (_empty(document.source),)
    context = Context(bound.module, machines, SourcePlaces(document.source.text, bound.kept))
    with collection_paused():
        judged = tuple(
            found for rule in RULES if rule.code in wanted for found in rule.check(context)
        )
    return bound.diagnostics + judged


def _wanted(settings: Settings, name: str) -> frozenset[str]:
    if settings is not DEFAULT:
        # Start-up: only those who have settings choose.
        from mirc.lint.selection import chosen  # noqa: PLC0415

        choice = chosen(settings, name)
        if choice is not None:
            return choice
    return frozenset(rule.code for rule in ALL_RULES if rule.default)


def _empty(source: Source) -> Diagnostic:
    what = "declares nothing" if source.text.strip() else "is empty"
    return Diagnostic(
        EMPTY_FILE, Span(0, 0), f"the file {what}", "begin with `mir 1.0` and declare an `object`"
    )
