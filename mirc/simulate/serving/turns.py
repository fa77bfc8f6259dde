"""The requests of a trace into turns of conversations, each with the signals around it."""

from collections.abc import Sequence

import attrs

from mirc.controller.kv.sequences import Request
from mirc.controller.kv.signals import Signal
from mirc.diagnostics import CouldNotRun
from mirc.traces.requests import Request as Arrival

NOBODY = "everyone"  # the tenant of requests that name none


@attrs.frozen(kw_only=True)
class Turn:
    """One request, and what its client knows when it sends it and when it is answered.

    ``keeps`` is how many blocks of the turn before it begins with, None where it takes up all of
    them. ``waits_ms`` is how long the tool will take that it ends with, 0 without one; ``ends``
    says that no other turn follows: the client closes the conversation.
    """

    request: Request
    at_ms: int
    resumes: bool = False
    keeps: int | None = None
    waits_ms: int = 0
    ends: bool = False

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that go with it, in order."""
        held = (
            (Signal.RESUME, self.resumes),
            (Signal.COMPACT, self.keeps is not None),
            (Signal.TOOL_WAIT, self.waits_ms > 0),
            (Signal.SEQUENCE_END, self.ends),
        )
        return tuple(signal for signal, holds in held if holds)


def turns_of(arrivals: Sequence[Arrival], block_tokens: int) -> tuple[Turn, ...]:
    """Return a turn for each request; those of one session follow one another.

    A block that a turn generates bears the name that the session's next turn calls it by: the
    tokens are the same, and an engine that made them knows them. Requests without a session say no
    more than their prompts. Raises CouldNotRun for a trace with blocks of another length.
    """
    after: list[Arrival | None] = [None] * len(arrivals)
    before: list[Arrival | None] = [None] * len(arrivals)
    last: dict[tuple[str, str], int] = {}
    for number, arrival in enumerate(arrivals):
        _check(arrival, number, block_tokens)
        if arrival.session:
            whose = arrival.tenant, arrival.session
            if whose in last:
                after[last[whose]] = arrival
                before[number] = arrivals[last[whose]]
            last[whose] = number
    return tuple(
        _turn(arrival, number, before[number], after[number], block_tokens)
        for number, arrival in enumerate(arrivals)
    )


def _turn(
    arrival: Arrival, number: int, before: Arrival | None, after: Arrival | None, block_tokens: int
) -> Turn:
    generated: tuple[int, ...] = ()
    if after is not None and after.blocks[: len(arrival.blocks)] == arrival.blocks:
        made = -(-arrival.output_tokens // block_tokens)
        generated = after.blocks[len(arrival.blocks) : len(arrival.blocks) + made]
    return Turn(
        request=Request(
            name=f"{number}",
            tenant=arrival.tenant or NOBODY,
            blocks=arrival.blocks,
            tokens=arrival.input_tokens,
            new_tokens=arrival.output_tokens,
            generated=generated,
            session=f"{arrival.tenant}/{arrival.session}" if arrival.session else "",
        ),
        at_ms=arrival.at_ms,
        resumes=before is not None and before.tool_wait_ms > 0,
        keeps=_kept(before, arrival),
        waits_ms=arrival.tool_wait_ms,
        ends=bool(arrival.session) and after is None,
    )


def _kept(before: Arrival | None, arrival: Arrival) -> int | None:
    """Return how many blocks of the turn before stay, if not all of them do."""
    if before is None:
        return None
    pairs = zip(before.blocks, arrival.blocks, strict=False)
    kept = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    if kept is None and len(arrival.blocks) >= len(before.blocks):
        return None
    return len(arrival.blocks) if kept is None else kept


def _check(arrival: Arrival, number: int, block_tokens: int) -> None:
    if len(arrival.blocks) != -(-arrival.input_tokens // block_tokens):
        raise CouldNotRun(
            f"request {number + 1} of the trace has {arrival.input_tokens} tokens in "
            f"{len(arrival.blocks)} blocks, which are not blocks of {block_tokens}",
            "say how long its blocks are: `--trace-block N`",
        )
