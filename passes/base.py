"""What a pass is, and the typed table of facts that passes hand on."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

import attrs

from mirc.bounds.certificate import Certificate
from mirc.diagnostics import CouldNotRun
from mirc.graph import Program


class Fact(Protocol):
    """What a pass establishes: immutable, and able to say so in a few lines with counts."""

    def sentences(self) -> Iterator[str]:
        """Yield what was established, one sentence a line, without seconds or paths."""
        ...


F = TypeVar("F")


class MissingFactError(CouldNotRun):
    """A pass asked for a fact that nothing established before it."""


@attrs.frozen
class Facts:
    """Facts by their type: ``facts[Live]`` is a ``Live``. Adding one makes a new table."""

    _by_type: dict[type, object] = attrs.field(factory=dict)

    @classmethod
    def seeded(cls, *facts: object) -> "Facts":
        """Return a table that holds ``facts``, each under its own type."""
        return cls({type(fact): fact for fact in facts})

    def __getitem__(self, kind: type[F]) -> F:
        """Return the fact of type ``kind``; raises MissingFactError if there is none."""
        if kind not in self._by_type:
            known = ", ".join(sorted(each.__name__ for each in self._by_type)) or "nothing"
            raise MissingFactError(
                f"the fact `{kind.__name__}` was not established (there is {known})",
                "run the pass that writes it first: PIPELINE holds the order",
            )
        return cast("F", self._by_type[kind])

    def __contains__(self, kind: type) -> bool:
        return kind in self._by_type

    def __iter__(self) -> Iterator[object]:
        return iter(self._by_type.values())

    def having(self, fact: object) -> "Facts":
        """Return these facts and ``fact``, which must be of a new type."""
        kind = type(fact)
        if kind in self._by_type:
            raise ValueError(f"the fact {kind.__name__} is established twice")
        return Facts({**self._by_type, kind: fact})


class Pass(ABC, Generic[F]):
    """A function from a program and earlier facts to one new kind of fact; it mutates nothing.

    Its docstring says what it establishes in a paragraph, then ``reads``, ``writes``, ``cost`` and
    ``source``: docs/passes.md is made of these.
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[type, ...]]
    writes: ClassVar[type]

    @abstractmethod
    def run(self, program: Program, facts: Facts) -> F:
        """Establish the fact; raises MissingFactError where something in ``reads`` is absent."""

    def certify(self, program: Program, facts: Facts) -> Iterator[Certificate]:
        """Yield a certificate for each decision made, its bound computed now: it may take long.

        ``facts`` hold what this pass wrote. A pass that decides nothing yields nothing.
        """
        del program, facts
        yield from ()

    def unbounded(self, facts: Facts) -> str:
        """Return why what this pass wrote has no bound, where it certifies nothing."""
        del facts
        return "it says what is, and decides nothing"


AnyPass = Pass[Any]
