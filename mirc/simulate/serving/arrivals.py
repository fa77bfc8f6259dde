"""Turns of conversations into when each is sent: by the trace's clock, or as soon as there is room.

A turn that follows another of its session is never sent before that one is answered.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import isfinite
from typing import Protocol

from mirc.diagnostics import CouldNotRun
from mirc.simulate.serving.turns import Turn

AS_PER_MS = 10**15
LATEST_DAYS = 100  # later times are no longer told apart to the nanosecond
_AS_PER_DAY = 86_400_000 * AS_PER_MS
_NEVER = 1 << 200


class Arrivals(Protocol):
    """Where turns come from; they are called by their number, times are attoseconds."""

    def next_at(self) -> int | None:
        """Return when the next turn comes, as far as that is known; None if it is not."""

    def take(self, now: int, *, queued: bool) -> tuple[int, int] | None:
        """Return a turn that has come, and when it came; ``queued`` says that others wait."""

    def answered(self, number: int, now: int) -> None:
        """Hear that a turn has its last token, or was refused."""

    def gone(self, number: int) -> None:
        """Hear that a turn has let go of its blocks."""


class ByTheClock:
    """Open loop: the world sends what it sends, however long the queue is.

    A session's first turn comes at its timestamp over ``speedup``, counted from the first of all. A
    later one comes the tool's time after the answer before it, where the trace says how long that
    took; else at its timestamp, or with the answer if that is later. Raises CouldNotRun for a turn
    that comes more than ``LATEST_DAYS`` after the first.
    """

    def __init__(self, turns: Sequence[Turn], speedup: float) -> None:
        self._turns = turns
        self._speedup = speedup
        self._start = min((turn.at_ms for turn in turns), default=0)
        self._next = _followers(turns)
        follows = {after for after in self._next if after is not None}
        self._due = [
            (self._written(turn), number)
            for number, turn in enumerate(turns)
            if number not in follows
        ]
        heapify(self._due)

    def next_at(self) -> int | None:
        """Return when the next turn comes."""
        return self._due[0][0] if self._due else None

    def take(self, now: int, *, queued: bool) -> tuple[int, int] | None:
        """Return the earliest turn that has come."""
        del queued
        if not self._due or self._due[0][0] > now:
            return None
        at, number = heappop(self._due)
        return number, at

    def answered(self, number: int, now: int) -> None:
        """Let the next turn of the session come."""
        after = self._next[number]
        if after is not None:
            wait = self._turns[number].waits_ms
            at = now + wait * AS_PER_MS if wait else max(now, self._written(self._turns[after]))
            heappush(self._due, (_told_apart(at, after), after))

    def gone(self, number: int) -> None:
        """Learn nothing."""

    def _written(self, turn: Turn) -> int:
        found = (turn.at_ms - self._start) * AS_PER_MS / self._speedup
        return _told_apart(round(found) if isfinite(found) else _NEVER, int(turn.request.name))


class AsThereIsRoom:
    """Closed loop: turns in the trace's order, each once nobody queues and the one before is gone.

    So memory is always as full as it can be, and timestamps and tools' times play no part.
    """

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._count = len(turns)
        self._number = 0
        self._before: dict[int, int] = {
            after: number for number, after in enumerate(_followers(turns)) if after is not None
        }
        self._gone: set[int] = set()

    def next_at(self) -> int | None:
        """Return that the next turn may come now, once there is one."""
        return 0 if self._number < self._count else None

    def take(self, now: int, *, queued: bool) -> tuple[int, int] | None:
        """Return the next turn if it may come: it comes now."""
        number = self._number
        if queued or number == self._count or self._before.get(number, -1) not in {-1, *self._gone}:
            return None
        self._number += 1
        return number, now

    def answered(self, number: int, now: int) -> None:
        """Learn nothing: the turn holds its blocks still."""

    def gone(self, number: int) -> None:
        """Let the next turn of the session come."""
        self._gone.add(number)


def _told_apart(at: int, number: int) -> int:
    if at > LATEST_DAYS * _AS_PER_DAY:
        raise CouldNotRun(
            f"request {number + 1} of the trace comes more than {LATEST_DAYS} days after the first",
            "give a part of the trace, or let requests come faster: `--speedup X`",
        )
    return at


def _followers(turns: Sequence[Turn]) -> list[int | None]:
    """Return the number of the turn that follows each in its session."""
    found: list[int | None] = [None] * len(turns)
    last: dict[str, int] = {}
    for number, turn in enumerate(turns):
        session = turn.request.session
        if session:
            if session in last:
                found[last[session]] = number
            last[session] = number
    return found
