"""Field types that are applied words: ``PER_TOKEN(n)``, ``HBM(a, b)``, schedules, conditions."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import attrs

from mirc.ir.meaning import (
    Access,
    Applied,
    PerSequence,
    PerToken,
)
from mirc.ir.types import (
    Fault,
    Int,
    Mismatch,
    Ref,
    Reference,
    RefKind,
    Type,
    Word,
)
from mirc.ir.values import Call, Name

Build = Callable[..., Any]


@attrs.frozen
class Form(Type):
    """A call ``WORD(a, b)``: ``params`` in order, the last ``optional`` of them may be left out.

    With ``rest`` any number of further arguments of that type may follow. ``build`` makes the
    typed value of the typed arguments; without it, it is ``Applied``.
    """

    word: str
    params: tuple[Type, ...] = ()
    optional: int = 0
    rest: Type | None = None
    build: Build | None = None

    def matches(self, value: object) -> bool:
        return isinstance(value, Call) and value.name == self.word

    def _param(self, index: int) -> Type:
        return self.params[index] if index < len(self.params) else self._tail()

    def _tail(self) -> Type:
        assert self.rest is not None  # noqa: S101 - guarded by the count in read
        return self.rest

    def read(self, value: object) -> Any:
        if not isinstance(value, Call) or value.name != self.word:
            raise self.refuse(value)
        least, most = len(self.params) - self.optional, len(self.params)
        count = len(value.args)
        if count < least or (count > most and self.rest is None):
            takes = f"{least}" if least == most else f"{least} to {most}"
            takes = f"at least {least}" if self.rest is not None else takes
            message = f"`{self.word}` takes {takes} argument{'s' * (takes != '1')}, found {count}"
            raise Mismatch(Fault.TYPE, message)
        args = []
        for index, arg in enumerate(value.args):
            try:
                args.append(self._param(index).read(arg))
            except Mismatch as error:
                raise error.inside(index) from None
        return self.build(*args) if self.build else Applied(self.word, tuple(args))

    def describe(self) -> str:
        inner = ["..." for _ in self.params] + (["..."] if self.rest else [])
        return f"`{self.word}({', '.join(inner)})`"

    @property
    def words(self) -> tuple[str, ...]:
        return (self.word,)

    def references(self, value: object) -> Iterator[Reference]:
        if not isinstance(value, Call):
            return
        for index, arg in enumerate(value.args):
            if index < len(self.params) or self.rest is not None:
                for found in self._param(index).references(arg):
                    yield found.inside(index)


@attrs.frozen
class Bare(Type):
    """One word without arguments, beside forms of the same field; ``read`` gives ``Applied``."""

    word: str

    def matches(self, value: object) -> bool:
        return isinstance(value, Name)

    def read(self, value: object) -> Applied:
        if not isinstance(value, Name) or value.text != self.word:
            raise self.refuse(value)
        return Applied(self.word)

    def describe(self) -> str:
        return f"`{self.word}`"

    @property
    def words(self) -> tuple[str, ...]:
        return (self.word,)


def _accepts(option: Type, value: object) -> bool:
    try:
        option.read(value)
    except Mismatch:
        return False
    return True


@attrs.frozen
class OneOf(Type):
    """The first alternative whose kind matches decides what is reported."""

    options: tuple[Type, ...]

    def matches(self, value: object) -> bool:
        return any(option.matches(value) for option in self.options)

    def _option(self, value: object) -> Type | None:
        chosen = None
        for option in self.options:
            if not option.matches(value):
                continue
            if chosen is not None and _accepts(chosen, value):
                return chosen
            chosen = option
        return chosen

    def read(self, value: object) -> Any:
        option = self._option(value)
        if option is None:
            raise self._refuse(value)
        try:
            return option.read(value)
        except Mismatch as error:
            if error.fault is Fault.WORD and not error.path:  # say all that could stand here
                raise self._refuse(value) from None
            raise

    def _refuse(self, value: object) -> Mismatch:
        if isinstance(value, Call) and self.words:
            text = f"`{value.name}(...)` is not {self.describe()}"
            return Mismatch(Fault.WORD, text, words=self.words, found=value.name)
        return self.refuse(value)

    def describe(self) -> str:
        said = [option.describe() for option in self.options]
        return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for option in self.options for word in option.words)

    def references(self, value: object) -> Iterator[Reference]:
        option = self._option(value)
        return option.references(value) if option is not None else iter(())

    @property
    def unit(self) -> str | None:  # type: ignore[override]
        return next((option.unit for option in self.options if option.unit), None)


@attrs.frozen
class Mapped(Type):
    """Another type whose typed value is turned into something richer."""

    inner: Type
    build: Callable[[Any], Any]

    def matches(self, value: object) -> bool:
        return self.inner.matches(value)

    def read(self, value: object) -> Any:
        return self.build(self.inner.read(value))

    def describe(self) -> str:
        return self.inner.describe()

    @property
    def words(self) -> tuple[str, ...]:
        return self.inner.words

    def references(self, value: object) -> Iterator[Reference]:
        return self.inner.references(value)


def applied(word: type[StrEnum], noun: str) -> Type:
    """Take a word of an enum that shares its field with forms; ``read`` gives ``Applied``."""
    return Mapped(Word(word, noun), Applied)


def amount(plain: Type) -> Type:
    """``n``, ``PER_TOKEN(n)`` or ``PER_SEQUENCE(n)``, where ``plain`` reads ``n``."""
    return OneOf(
        (
            plain,
            Form("PER_TOKEN", (plain,), build=PerToken),
            Form("PER_SEQUENCE", (plain,), build=PerSequence),
        )
    )


def uses(plain: Type) -> Type:
    """One entry of ``reads`` or ``writes``; ``plain`` reads the amount of a TOUCH."""
    data = Ref(RefKind.DATA)
    return OneOf(
        (
            Mapped(data, Access),
            Form("TOUCH", (data, amount(plain)), build=lambda n, a: Access(n, touched=a)),
            Form("ROUTED", (data, Int(least=1)), build=lambda n, k: Access(n, top_k=k)),
        )
    )
