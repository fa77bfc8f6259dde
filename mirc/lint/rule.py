"""What a lint rule is: metadata, two examples, and a function from a module to findings."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from mirc.diagnostics import Diagnostic, Related, Rule, Severity, Span
from mirc.ir.module import Block, Field
from mirc.lint.context import Context

NOWHERE = Span(0, 0)  # of what was built, not read


class LintRule(ABC):
    """One judgement about a module.

    The subclass's docstring says what is wrong and why it matters. ``message`` and ``hint`` are
    templates; ``bad`` is a text on which exactly this rule speaks, ``good`` the same text put
    right; ``machine`` names the machine on which they are checked, if the rule needs one.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    message: ClassVar[str]
    hint: ClassVar[str | None] = None
    bad: ClassVar[str]
    good: ClassVar[str]
    machine: ClassVar[str | None] = None

    @property
    def rule(self) -> Rule:
        """The rule's identity, as findings carry it."""
        return Rule(self.code, self.name, self.severity)

    def check(self, context: Context) -> tuple[Diagnostic, ...]:
        """Return what is to be said about a module, on the machines if any are given."""
        return tuple(self._findings(context))

    @abstractmethod
    def _findings(self, context: Context) -> Iterator[Diagnostic]: ...

    def at(
        self, place: Block | Field, *, related: tuple[Related, ...] = (), **words: Any
    ) -> Diagnostic:
        """Return a finding at a declaration's name or at a field, the templates filled."""
        return Diagnostic(
            self.rule,
            place.span or NOWHERE,
            self.message.format(**words),
            self.hint and self.hint.format(**words),
            related,
        )


def seen_at(place: Block | Field | None, message: str) -> tuple[Related, ...]:
    """Return the related place, or nothing where there is none."""
    return (Related(place.span, message),) if place is not None and place.span else ()
