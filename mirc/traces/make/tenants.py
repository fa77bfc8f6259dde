"""A seed into tenants of one server who want different things of its memory.

``agents`` take turns with tools between them and come back to all of their context; ``chat`` comes
back after a reader's pause, or never; ``batch`` reads long documents once, and only its instruction
is ever used again. What ``batch`` brings in is what a cache should let go.
"""

import random
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

import attrs
from attrs import validators as v

from mirc.traces.requests import Request

BLOCK = 512  # tokens
_TOKEN_MS = 20


@attrs.frozen(kw_only=True)
class Tenants:
    """How many conversations in all, one of which begins every ``every_ms`` on the average."""

    sessions: int = attrs.field(default=900, validator=v.ge(1))
    every_ms: int = attrs.field(default=800, validator=v.ge(1))
    seed: int = 0


@attrs.frozen(kw_only=True)
class _Habit:
    """How conversations of one tenant go; ranges are inclusive, lengths in blocks."""

    share: float
    system: int
    question: tuple[int, int]
    turns: tuple[int, int]
    answer: tuple[int, int]  # tokens
    pause: tuple[float, float] | None  # of a lognormal, ms; None: no tool, no pause
    by_tool: bool


_HABITS = {
    "agents": _Habit(
        share=0.3,
        system=16,
        question=(1, 6),
        turns=(3, 10),
        answer=(40, 700),
        pause=(8.5, 0.8),
        by_tool=True,
    ),
    "chat": _Habit(
        share=0.4,
        system=4,
        question=(1, 3),
        turns=(1, 6),
        answer=(100, 900),
        pause=(10.5, 0.7),
        by_tool=False,
    ),
    "batch": _Habit(
        share=0.3,
        system=2,
        question=(20, 80),
        turns=(1, 1),
        answer=(20, 200),
        pause=None,
        by_tool=False,
    ),
}


class _Turn(NamedTuple):
    """What a conversation sends next, and when."""

    at_ms: int
    session: int
    turns_left: int
    tenant: str
    context: tuple[int, ...]


def tenants(asked: Tenants) -> Iterator[Request]:
    """Yield the requests in the order of time."""
    drawn = random.Random(asked.seed)  # noqa: S311 - a workload, no secret
    fresh = count()
    system = {name: _blocks(fresh, habit.system) for name, habit in _HABITS.items()}
    shares = [habit.share for habit in _HABITS.values()]
    due: list[_Turn] = []
    for session in range(asked.sessions):
        tenant = drawn.choices(list(_HABITS), shares)[0]
        habit = _HABITS[tenant]
        context = system[tenant] + _blocks(fresh, drawn.randint(*habit.question))
        at = drawn.randint(0, asked.sessions * asked.every_ms)
        heappush(due, _Turn(at, session, drawn.randint(*habit.turns) - 1, tenant, context))
    while due:
        turn = heappop(due)
        habit = _HABITS[turn.tenant]
        answer = drawn.randint(*habit.answer)
        pause = 0
        if habit.pause is not None and turn.turns_left:
            pause = int(drawn.lognormvariate(*habit.pause))
        yield Request(
            at_ms=turn.at_ms,
            input_tokens=len(turn.context) * BLOCK,
            output_tokens=answer,
            blocks=turn.context,
            session=f"s{turn.session}",
            tenant=turn.tenant,
            tool_wait_ms=pause if habit.by_tool else 0,
        )
        if turn.turns_left:
            context = turn.context + _blocks(fresh, -(-answer // BLOCK))
            context += _blocks(fresh, drawn.randint(*habit.question))
            at = turn.at_ms + _TOKEN_MS * answer + pause
            heappush(due, _Turn(at, turn.session, turn.turns_left - 1, turn.tenant, context))


def _blocks(fresh: Iterator[int], number: int) -> tuple[int, ...]:
    return tuple(next(fresh) for _ in range(number))
