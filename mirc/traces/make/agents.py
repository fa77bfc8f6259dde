"""A seed into conversations of agents that wait for tools, fork and compact.

Two tenants, each with its own system prompt. A conversation takes turns: the model's answer and a
tool's result are added to its context, and while the tool runs nothing of it is computed. A long
context is compacted: only the system prompt stays, and a summary follows. Some conversations begin
as forks of another.
"""

import random
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

import attrs
from attrs import validators as v

from mirc.traces.requests import Request

BLOCK = 512  # tokens
SYSTEM = {"support": 12, "research": 20}  # blocks of the system prompts
LONGEST = 72  # blocks, after which a context is compacted
FORKS = 0.06  # of turns
_TOKEN_MS = 20


@attrs.frozen(kw_only=True)
class Agents:
    """How many conversations, one of which begins every ``every_ms`` on the average."""

    sessions: int = attrs.field(default=400, validator=v.ge(1))
    every_ms: int = attrs.field(default=1500, validator=v.ge(1))
    seed: int = 0


class _Turn(NamedTuple):
    """What a conversation sends next, and when."""

    at_ms: int
    session: int
    turns_left: int
    parent: str
    context: tuple[int, ...]


def agents(asked: Agents) -> Iterator[Request]:
    """Yield the requests in the order of time."""
    drawn = random.Random(asked.seed)  # noqa: S311 - a workload, no secret
    blocks = iter(range(1 << 40))
    system = {tenant: tuple(next(blocks) for _ in range(n)) for tenant, n in SYSTEM.items()}
    due: list[_Turn] = []
    for session in range(asked.sessions):
        question = tuple(next(blocks) for _ in range(drawn.randint(1, 4)))
        at = drawn.randint(0, asked.sessions * asked.every_ms)
        context = system[_tenant(session)] + question
        heappush(due, _Turn(at, session, drawn.randint(2, 9), "", context))
    forks = asked.sessions
    while due:
        turn = heappop(due)
        answer = drawn.randint(40, 900)
        wait = int(drawn.lognormvariate(8.3, 0.9)) if turn.turns_left else 0
        yield Request(
            at_ms=turn.at_ms,
            input_tokens=len(turn.context) * BLOCK,
            output_tokens=answer,
            blocks=turn.context,
            session=f"s{turn.session}",
            tenant=_tenant(turn.session),
            parent=turn.parent,
            tool_wait_ms=wait,
        )
        if not turn.turns_left:
            continue
        made = tuple(next(blocks) for _ in range(-(-answer // BLOCK)))
        result = tuple(next(blocks) for _ in range(drawn.randint(1, 8)))
        context = turn.context + made + result
        if len(context) > LONGEST:
            summary = tuple(next(blocks) for _ in range(3))
            context = system[_tenant(turn.session)] + summary + result
        answered = turn.at_ms + _TOKEN_MS * answer + wait
        left = turn.turns_left - 1
        heappush(due, _Turn(answered, turn.session, left, "", context))
        if drawn.random() < FORKS:
            other = context + tuple(next(blocks) for _ in range(2))
            heappush(due, _Turn(answered + 500, forks, left, f"s{turn.session}", other))
            forks += 1


def _tenant(session: int) -> str:
    """Return the tenant of a conversation: one in three is research."""
    return "research" if session % 3 == 0 else "support"
