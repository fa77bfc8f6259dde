"""Field types with a syntax of their own: residencies, protections, events, schedules, ranges."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import attrs

from mirc.ir.enums import TierKind
from mirc.ir.forms import Form
from mirc.ir.meaning import Applied, Condition, EveryNth, Repeat, Residency, Retain
from mirc.ir.places import Path
from mirc.ir.types import Fault, Int, Micros, Mismatch, Ref, Reference, RefKind, Type
from mirc.ir.values import Call, Name


@attrs.frozen
class TierSpan(Type):
    """``HBM`` or ``HBM(first_step, last_step)``."""

    def matches(self, value: object) -> bool:
        return isinstance(value, Name | Call)

    def read(self, value: object) -> Residency:
        if not isinstance(value, Name | Call):
            raise self.refuse(value)
        word = value.text if isinstance(value, Name) else value.name
        if word not in TierKind.__members__:
            text = f"`{word}` is not a tier"
            raise Mismatch(Fault.WORD, text, words=self.words, found=word)
        if isinstance(value, Name):
            return Residency(TierKind(word))
        step = Ref(RefKind.STEP)
        first, last = Form(word, (step, step), build=lambda a, b: (a, b)).read(value)
        return Residency(TierKind(word), first, last)

    def describe(self) -> str:
        return "a tier, or `TIER(first_step, last_step)`"

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(TierKind)

    def references(self, value: object) -> Iterator[Reference]:
        if isinstance(value, Call):
            step = Ref(RefKind.STEP)
            yield from Form(value.name, (step, step)).references(value)


class Predicate(StrEnum):
    """What ``WHILE_...`` may test."""

    FANOUT_GT = "FANOUT_GT"
    """More than n sequences share it (``WHILE_FANOUT_GT_1``)."""
    FANOUT_GE = "FANOUT_GE"
    """At least n sequences share it."""
    REUSED = "REUSED"
    """Its next use is known."""
    DIRTY = "DIRTY"
    """It has bytes that no lower tier has."""
    SPECULATIVE = "SPECULATIVE"
    """Drafts that depend on it are undecided."""


_COUNTED = (Predicate.FANOUT_GT, Predicate.FANOUT_GE)
_WHILE = re.compile(r"WHILE_([A-Z][A-Z_]*?)(?:_([0-9]{1,9}))?", re.ASCII)
_UNTIL = re.compile(r"UNTIL_([A-Z][A-Z0-9_]*)", re.ASCII)


@attrs.frozen
class Protection(Type):
    """``WHILE_predicate``, ``UNTIL_EVENT``, ``UNTIL_EVENT(names)``."""

    def matches(self, value: object) -> bool:
        return isinstance(value, Name | Call)

    def read(self, value: object) -> Condition:
        if not isinstance(value, Name | Call):
            raise self.refuse(value)
        word = value.text if isinstance(value, Name) else value.name
        args = () if isinstance(value, Name) else self._args(value)
        until = _UNTIL.fullmatch(word)
        if until is not None:
            return Condition(until=True, word=until[1], args=args)
        holds = _WHILE.fullmatch(word)
        if holds is None or holds[1] not in Predicate.__members__:
            text = f"`{word}` is not {self.describe()}"
            raise Mismatch(Fault.WORD, text, words=self.words, found=word)
        if (holds[1] in _COUNTED) != (holds[2] is not None):
            needs = "needs a number" if holds[1] in _COUNTED else "takes no number"
            raise Mismatch(Fault.RANGE, f"`WHILE_{holds[1]}` {needs}")
        bound = None if holds[2] is None else int(holds[2])
        return Condition(until=False, word=holds[1], bound=bound, args=args)

    def _args(self, value: Call) -> tuple[str, ...]:
        args: tuple[str, ...] = Form(
            value.name, rest=Ref(RefKind.FREE), build=lambda *names: names
        ).read(value)
        return args

    def describe(self) -> str:
        return "a protection (`WHILE_` a predicate, or `UNTIL_` an event)"

    @property
    def words(self) -> tuple[str, ...]:
        tests = tuple(f"WHILE_{p}_1" if p in _COUNTED else f"WHILE_{p}" for p in Predicate)
        return (*tests, "UNTIL_ALLREDUCE_COMPLETE", "UNTIL_SEQUENCE_END", "UNTIL_RESUME")


@attrs.frozen
class Event(Type):
    """An event that a step raises: ``NAME`` or ``NAME(names)``."""

    def matches(self, value: object) -> bool:
        return isinstance(value, Name | Call)

    def read(self, value: object) -> Applied:
        if isinstance(value, Name):
            return Applied(value.text)
        if isinstance(value, Call):
            built = Form(value.name, rest=Ref(RefKind.FREE)).read(value)
            return Applied(built.word, built.args)
        raise self.refuse(value)

    def describe(self) -> str:
        return "an event"


@attrs.frozen
class ScheduleItem(Type):
    """A phase, ``REPEAT(n, ...)``, ``LOOP(...)`` or ``EVERY(n, phase)``, nested.

    The count may also stand last, as in ``REPEAT(decode_step, 128)``.
    """

    def matches(self, value: object) -> bool:
        return isinstance(value, Name | Call) or Ref(RefKind.PHASE).matches(value)

    def _form(self, word: str) -> Form | None:
        count = Int(least=1)
        forms = {
            "REPEAT": Form(
                "REPEAT", (count, self), rest=self, build=lambda n, *body: Repeat(body, n)
            ),
            "LOOP": Form("LOOP", (self,), rest=self, build=lambda *body: Repeat(body)),
            "EVERY": Form("EVERY", (count, self), build=EveryNth),
        }
        return forms.get(word)

    def read(self, value: object) -> Any:
        if not isinstance(value, Call):
            return Ref(RefKind.PHASE).read(value)
        form = self._form(value.name)
        if form is None:
            text = f"`{value.name}(...)` is not {self.describe()}"
            words = ("REPEAT", "LOOP", "EVERY")
            raise Mismatch(Fault.WORD, text, words=words, found=value.name)
        try:
            return form.read(_count_first(value))
        except Mismatch as error:
            if error.path:
                error.path = _as_written(value, error.path)
            raise

    def describe(self) -> str:
        return "a phase, `REPEAT(n, ...)`, `LOOP(...)` or `EVERY(n, phase)`"

    def references(self, value: object) -> Iterator[Reference]:
        if not isinstance(value, Call):
            yield from Ref(RefKind.PHASE).references(value)
        elif (form := self._form(value.name)) is not None:
            for found in form.references(_count_first(value)):
                yield attrs.evolve(found, path=_as_written(value, found.path))


def _count_first(value: Call) -> Call:
    """Move a count that stands last to the front."""
    *body, last = value.args or (None,)
    if value.name == "LOOP" or not body or type(last) is not int:
        return value
    return Call(value.name, (last, *body))


def _as_written(value: Call, path: Path) -> Path:
    """Return the way to an element of a call from the one in the call with its count in front."""
    if _count_first(value) is value:
        return path
    first, *rest = path
    return ((first or len(value.args)) - 1, *rest)


@attrs.frozen
class TokenRange(Type):
    """``RANGE(start, end)``, with priority and time where ``terms`` allows them."""

    terms: bool = False

    def _form(self) -> Form:
        params: tuple[Type, ...] = (Int(), Int())
        if self.terms:
            params = (*params, Int(most=100), Micros())
        return Form("RANGE", params, optional=len(params) - 2, build=Retain)

    def matches(self, value: object) -> bool:
        return self._form().matches(value)

    def read(self, value: object) -> Retain:
        read: Retain = self._form().read(value)
        if read.start >= read.end:
            raise Mismatch(Fault.RANGE, f"the range {read.start} to {read.end} is empty")
        return read

    def describe(self) -> str:
        if self.terms:
            return "`RANGE(start, end, priority, time)`"
        return "`RANGE(start, end)`"

    @property
    def words(self) -> tuple[str, ...]:
        return ("RANGE",)
