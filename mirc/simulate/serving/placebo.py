"""Signals of conversations into the same signals about other conversations: what nobody can use."""

import random
from collections.abc import Collection, Iterable

from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.signals import Signal

SEED = 1


class Shuffled(Conversations):
    """Hears as many signals at the same times, each about a conversation drawn once for all.

    A policy that gains by these does not gain by what they say.
    """

    def __init__(
        self, orchestrator: Orchestrator, heard: Collection[Signal], sessions: Iterable[str]
    ) -> None:
        super().__init__(orchestrator, heard)
        known = list(dict.fromkeys(session for session in sessions if session))
        drawn = random.Random(SEED)  # noqa: S311 - a workload, no secret
        self._other = dict(zip(known, drawn.sample(known, len(known)), strict=True))

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
        super().sequence_end(self._of(session))

    def _of(self, session: str) -> str:
        return self._other.get(session, session)
