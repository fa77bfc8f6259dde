"""What a lint rule is: metadata, two examples, and a function from a module to findings."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

import attrs

from mirc.diagnostics import Diagnostic, Fix, Related, Rule, Severity
from mirc.grammar.locate import SourcePlaces
from mirc.ir.module import Block
from mirc.ir.places import Mark, Path, Places, subject_of
from mirc.lint.context import Context
from mirc.lint.repair import Repair


@attrs.frozen(slots=True, eq=False, repr=False)
class Found:
    """A finding whose places are not looked up yet: where, in which words, and a way out."""

    mark: Mark
    words: Mapping[str, Any]
    related: tuple[tuple[Mark, str], ...] = ()
    repair: Repair | None = None


class LintRule(ABC):
    """One judgement about a module.

    The subclass's docstring says what is wrong and why it matters. ``message`` and ``hint`` are
    templates; ``bad`` is a text (or several) on which exactly this rule speaks, ``good`` the first
    of them put right; ``machine`` names the machine on which they are checked, if the rule needs
    one. ``fixable`` rules give their findings a repair, where one is certain.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    message: ClassVar[str]
    hint: ClassVar[str | None] = None
    bad: ClassVar[str | tuple[str, ...]]
    good: ClassVar[str]
    machine: ClassVar[str | None] = None
    default: ClassVar[bool] = True
    fixable: ClassVar[bool] = False

    @cached_property
    def rule(self) -> Rule:
        """The rule's identity and page, as findings carry it."""
        bad = (self.bad,) if isinstance(self.bad, str) else self.bad
        return Rule(
            self.code,
            self.name,
            self.severity,
            about=inspect.cleandoc(self.__doc__ or ""),
            message=self.message,
            hint=self.hint,
            bad=tuple(text.lstrip("\n") for text in bad),
            good=self.good.lstrip("\n"),
            machine=self.machine,
            default=self.default,
            fixable=self.fixable,
        )

    def check(self, context: Context) -> tuple[Diagnostic, ...]:
        """Return what is to be said about a module, on the machines if any are given."""
        return tuple(self._diagnostic(found, context) for found in self._findings(context))

    @abstractmethod
    def _findings(self, context: Context) -> Iterator[Found]: ...

    def at(
        self,
        block: Block,
        key: str | None = None,
        /,
        *,
        path: Path | None = None,
        related: tuple[tuple[Mark, str], ...] = (),
        repair: Repair | None = None,
        **words: Any,
    ) -> Found:
        """Return a finding at a block's name, at a field of it, or at an element of the value.

        ``words`` fill the templates.
        """
        return Found(Mark(block, key, path), words, related, repair)

    def _diagnostic(self, found: Found, context: Context) -> Diagnostic:
        places = context.places
        return Diagnostic(
            self.rule,
            places.of(found.mark),
            self.message.format(**found.words),
            self.hint and self.hint.format(**found.words),
            tuple(Related(places.of(mark), message) for mark, message in found.related),
            _fix_of(found, places),
            subject=subject_of(found.mark),
        )


def _fix_of(found: Found, places: Places) -> Fix | None:
    """Return the edits of a finding's repair; a module that was built has no text to edit."""
    if found.repair is None or not isinstance(places, SourcePlaces):
        return None
    return found.repair.fix(places)


def seen_at(mark: Mark | None, message: str) -> tuple[tuple[Mark, str], ...]:
    """Return the related place, or nothing where there is none."""
    return ((mark, message),) if mark is not None else ()
