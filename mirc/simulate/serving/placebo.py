"""Signals of conversations into the same signals about other conversations: what nobody can use."""

import random
from collections.abc import Collection

from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.orchestrator import Decision, Orchestrator
from mirc.controller.kv.sequences import Request
from mirc.controller.kv.signals import Signal

SEED = 1


class Shuffled(Conversations):
    """Hears as many signals at the same times, each about another conversation that goes on.

    Which one is drawn, of those that have begun and are not over, and stays until it is over; where
    no other goes on, nothing is heard. A policy that gains by these does not gain by what they say.
    """

    def __init__(self, orchestrator: Orchestrator, heard: Collection[Signal]) -> None:
        super().__init__(orchestrator, heard)
        self._dice = random.Random(SEED)  # noqa: S311 - a workload, no secret
        self._go_on: dict[str, None] = {}
        self._other: dict[str, str] = {}

    def request(self, request: Request) -> Decision:
        """Serve a turn; its conversation goes on from now."""
        if request.session:
            self._go_on[request.session] = None
        return super().request(request)

    def tool_wait(self, session: str, expected: int) -> None:
        """Hear it of another conversation."""
        super().tool_wait(self._of(session), expected)

    def resume(self, session: str) -> None:
        """Hear it of another conversation."""
        super().resume(self._of(session))

    def compact(self, session: str, keep: int) -> None:
        """Hear it of another conversation."""
        super().compact(self._of(session), keep)

    def superseded(self, session: str) -> None:
        """Hear it of another conversation."""
        super().superseded(self._of(session))

    def sequence_end(self, session: str) -> None:
        """Hear it of another conversation."""
        self._go_on.pop(session, None)
        super().sequence_end(self._of(session))

    def _of(self, session: str) -> str:
        """Return whom a signal is said to be about; "", of whom nothing is known, for nobody."""
        other = self._other.get(session, "")
        if other not in self._go_on:
            others = [each for each in self._go_on if each != session]
            other = self._other[session] = self._dice.choice(others) if others else ""
        return other
