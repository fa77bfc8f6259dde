"""Rules about the order in which a module's phases run."""

from collections.abc import Iterator
from typing import NamedTuple

from mirc.diagnostics import Severity
from mirc.ir.module import Block
from mirc.ir.places import Path
from mirc.ir.values import Call, Name, Text, Value
from mirc.lint.context import Context
from mirc.lint.rule import Found, LintRule


class NeverReached(LintRule):
    """Something is scheduled after a LOOP, which has no end.

    A LOOP as the last thing that a schedule does is how a server runs. Whatever follows one never
    comes, and neither does a second turn of a repetition around it.
    """

    code = "MIR504"
    name = "never-reached"
    severity = Severity.WARNING
    message = "{what} is never reached: {loop} has no end"
    hint = "give the LOOP a count, `REPEAT(n, ...)`, or move it to the end"
    bad = """
module m { schedule = [LOOP(p), q] }
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
phase q { step s { reads = [x] } }
"""
    good = """
module m { schedule = [q, LOOP(p)] }
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
phase q { step s { reads = [x] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for info, item in _items(context):
            later = item.after_endless
            if later or (item.turns != 1 and any(_endless(body) for _, body in item.body)):
                yield self.at(
                    info,
                    "schedule",
                    path=item.path,
                    what=_words(item.value) if later else f"a second turn of `{_call(item)}(...)`",
                    loop="the LOOP before it" if later else "the LOOP inside it",
                )


class EveryNeverComes(LintRule):
    """``EVERY(n, phase)`` that is reached fewer than n times: its phase never runs.

    It counts over the whole schedule, and what it holds runs each n-th time that it is reached.
    """

    code = "MIR506"
    name = "every-never-comes"
    severity = Severity.WARNING
    message = "{what} never runs: the schedule comes to this {times} in all, not {nth}"
    hint = "lower the n of EVERY, or put it inside the repetition that it counts"
    bad = """
module m { schedule = [REPEAT(8, p), EVERY(8, q)] }
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
phase q { step s { reads = [x] } }
"""
    good = """
module m { schedule = [REPEAT(8, p, EVERY(8, q))] }
object x { class = WEIGHT_TILE }
phase p { step s { reads = [x] } }
phase q { step s { reads = [x] } }
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for info, item in _items(context):
            nth, times = item.nth, item.times
            if nth is None or times is None or not 0 < times < nth:
                continue
            yield self.at(
                info,
                "schedule",
                path=item.path,
                what=_words(item.body[0][1]),
                times="once" if times == 1 else f"{times:_} times",
                nth=f"{nth:_}",
            )


class _Item(NamedTuple):
    """A part of a schedule; ``times`` it is reached in all, None without end.

    ``after_endless`` is set for the first of what follows a LOOP in the same list.
    """

    value: Value
    path: Path
    times: int | None
    after_endless: bool

    @property
    def body(self) -> tuple[tuple[int, Value], ...]:
        """What it repeats, with the index of each among the arguments."""
        if not isinstance(self.value, Call):
            return ()
        return tuple((i, arg) for i, arg in enumerate(self.value.args) if not isinstance(arg, int))

    @property
    def turns(self) -> int | None:
        """How often a REPEAT runs its body each time, None for a LOOP, else 1."""
        if not isinstance(self.value, Call) or self.value.name == "EVERY":
            return 1
        return None if self.value.name == "LOOP" else _count(self.value)

    @property
    def nth(self) -> int | None:
        """The n of an EVERY."""
        every = isinstance(self.value, Call) and self.value.name == "EVERY"
        return _count(self.value) if every and isinstance(self.value, Call) else None

    @property
    def inner_times(self) -> int | None:
        """How often the body is reached in all."""
        if self.times == 0:
            return 0
        if self.nth is not None:
            return None if self.times is None else self.times // self.nth
        if any(_endless(value) for _, value in self.body):
            return 1  # the first round never ends
        return None if self.times is None or self.turns is None else self.times * self.turns


def _items(context: Context) -> Iterator[tuple[Block, _Item]]:
    """Yield every part of the schedule, outer ones first."""
    info = context.module.info
    schedule = None if info is None else info.value("schedule")
    if info is None or not isinstance(schedule, tuple):
        return
    waiting = list(_in_list(tuple(enumerate(schedule)), (), 1))
    for item in waiting:  # it grows
        yield info, item
        waiting += _in_list(item.body, item.path, item.inner_times)


def _in_list(
    values: tuple[tuple[int, Value], ...], path: Path, times: int | None
) -> Iterator[_Item]:
    ended = False
    for index, value in values:
        first = ended and times != 0
        times = 0 if ended else times
        yield _Item(value, (*path, index), times, first)
        ended = ended or _endless(value)


def _endless(value: Value) -> bool:
    """Whether what comes after it is never reached. An EVERY lets others pass until it fires."""
    if not isinstance(value, Call) or value.name == "EVERY":
        return False
    return value.name == "LOOP" or any(_endless(arg) for arg in value.args)


def _count(value: Call) -> int:
    return next((arg for arg in value.args if isinstance(arg, int)), 1)


def _call(item: _Item) -> str:
    return item.value.name if isinstance(item.value, Call) else ""


def _words(value: Value) -> str:
    if isinstance(value, Name | Text):
        return f"the phase `{value.text}`"
    return f"`{value.name}(...)`" if isinstance(value, Call) else "this"
