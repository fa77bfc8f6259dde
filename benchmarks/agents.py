"""Write samples/traces/agents.jsonl: conversations of agents that wait, fork and compact.

    python benchmarks/agents.py                 write the sample anew (it is deterministic)
    python benchmarks/agents.py --sessions 400 -o out/agents.jsonl

Two tenants, each with its own system prompt. A conversation takes turns: the model's answer and a
tool's result are added to its context, and while the tool runs nothing of it is computed. A long
context is compacted: only the system prompt stays, and a summary follows. Some conversations begin
as forks of another. Everything is drawn from one seed; no figure in it is anyone's measurement.
"""

import argparse
import json
import random
from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, NamedTuple

BLOCK = 512
SYSTEM = {"support": 12, "research": 20}  # blocks of the system prompts
LONGEST = 72  # blocks, after which a context is compacted
TARGET = Path(__file__).parents[1] / "samples" / "traces" / "agents.jsonl"


class Turn(NamedTuple):
    """What a conversation sends next, and when."""

    at_ms: int
    session: int
    turns_left: int
    parent: str
    context: tuple[int, ...]


def rows(sessions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the requests in the order of time."""
    drawn = random.Random(seed)  # noqa: S311 - a workload, no secret
    blocks = iter(range(1 << 40))
    system = {tenant: tuple(next(blocks) for _ in range(n)) for tenant, n in SYSTEM.items()}
    due: list[Turn] = []
    for session in range(sessions):
        tenant = tenant_of(session)
        question = tuple(next(blocks) for _ in range(drawn.randint(1, 4)))
        at = drawn.randint(0, sessions * 1500)
        heappush(due, Turn(at, session, drawn.randint(2, 9), "", system[tenant] + question))
    forks = sessions
    while due:
        turn = heappop(due)
        tenant = tenant_of(turn.session)
        answer = drawn.randint(40, 900)
        wait = int(drawn.lognormvariate(8.3, 0.9)) if turn.turns_left else 0
        yield {
            "timestamp": turn.at_ms,
            "input_length": len(turn.context) * BLOCK,
            "output_length": answer,
            "hash_ids": list(turn.context),
            "session": f"s{turn.session}",
            "tenant": tenant,
            **({"parent": turn.parent} if turn.parent else {}),
            **({"tool_wait_ms": wait} if wait else {}),
        }
        if not turn.turns_left:
            continue
        made = tuple(next(blocks) for _ in range(-(-answer // BLOCK)))
        result = tuple(next(blocks) for _ in range(drawn.randint(1, 8)))
        context = turn.context + made + result
        if len(context) > LONGEST:
            summary = tuple(next(blocks) for _ in range(3))
            context = system[tenant] + summary + result
        answered = turn.at_ms + 20 * answer + wait
        left = turn.turns_left - 1
        heappush(due, Turn(answered, turn.session, left, "", context))
        if drawn.random() < 0.06:
            other = context + tuple(next(blocks) for _ in range(2))
            heappush(due, Turn(answered + 500, forks, left, f"s{turn.session}", other))
            forks += 1


def tenant_of(session: int) -> str:
    """Return the tenant of a conversation: one in three is research."""
    return "research" if session % 3 == 0 else "support"


def main() -> None:
    """Write the trace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    given = parser.parse_args()
    lines = [json.dumps(row, separators=(",", ":")) for row in rows(given.sessions, given.seed)]
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(lines)} requests in {given.output}")


if __name__ == "__main__":
    main()
