"""A .mir text into an ir.Module, or a refusal that holds every finding."""

from mirc.diagnostics import CouldNotRun, Diagnostic, Source
from mirc.grammar.bind import bind
from mirc.grammar.memory import collection_paused
from mirc.grammar.parse import parse
from mirc.ir.module import Module


class MirRejected(CouldNotRun):
    """The text is not well-formed; ``diagnostics`` say why."""

    def __init__(self, source: Source, diagnostics: tuple[Diagnostic, ...]) -> None:
        count = len(diagnostics)
        errors = "an error" if count == 1 else f"{count} errors"
        first = diagnostics[0]
        line, column = source.position(first.span.start)
        super().__init__(
            f"`{source.name}` has {errors}, first {line}:{column} {first.message}",
            "run `mirc check -` on the same text to see where"
            if source.name == "<stdin>"
            else f"run `mirc check {source.name}` to see where",
        )
        self.source = source
        self.diagnostics = diagnostics


def load(source: Source, machines: frozenset[str] | None = None) -> Module:
    """Parse and bind; raise ``MirRejected`` on any finding."""
    with collection_paused():
        bound = bind(parse(source), machines)
    if bound.diagnostics:
        raise MirRejected(source, bound.diagnostics)
    return bound.module
