"""Signals of the runtime into hints about the blocks of conversations, and into forks."""

import heapq
from collections.abc import Collection, Iterable

from mirc.controller.keeping import Hint
from mirc.controller.kv.events import What, Why
from mirc.controller.kv.orchestrator import Decision, Orchestrator
from mirc.controller.kv.sequences import Phase, Request, Sequence
from mirc.controller.kv.signals import ALL, Signal

PATIENCE = 2  # a tool that takes this many times as long as was expected is no longer waited for


class Conversations:
    """What a runtime says of conversations, beside an orchestrator that serves their turns.

    A turn is a sequence, a conversation its ``session``. A signal about a conversation whose turn
    runs holds from the moment that the turn lets go of its blocks. ``heard`` are the signals that
    are listened to: one that is not changes nothing, except that a fork still has to be served,
    and computes again what it could have shared. No hint is a promise: claims are.
    """

    def __init__(self, orchestrator: Orchestrator, heard: Collection[Signal] = ALL) -> None:
        self.heard = frozenset(heard)
        self._orchestrator = orchestrator
        self._chains = orchestrator.chains
        self._last: dict[str, Sequence] = {}  # the last turn of each conversation
        self._until: list[tuple[int, str, int]] = []  # heap: when a tool is no longer waited for
        self._waits: dict[str, int] = {}

    def request(self, request: Request) -> Decision:
        """Serve a turn of a conversation."""
        decision = self._orchestrator.request(request)
        sequence = self._orchestrator.floor.sequences.get(request.name)
        if sequence is not None:
            self._last[sequence.session] = sequence
        return decision

    def tool_wait(self, session: str, expected: int) -> None:
        """Hear that a conversation waits for a tool, for about ``expected`` ticks."""
        if not self._hears(Signal.TOOL_WAIT, session):
            return
        number = self._waits[session] = self._waits.get(session, 0) + 1
        until = self._orchestrator.tick + PATIENCE * expected
        heapq.heappush(self._until, (until, session, number))
        self._hint(session, live=True)

    def resume(self, session: str) -> None:
        """Hear that the tool has answered: the next turn is on its way, however long it waits."""
        if self._hears(Signal.RESUME, session):
            self._waits[session] = self._waits.get(session, 0) + 1
            self._hint(session, live=True)

    def compact(self, session: str, keep: int) -> None:
        """Hear that what follows the first ``keep`` blocks is replaced by a summary."""
        if self._hears(Signal.COMPACT, session):
            self._dead(session, keep)

    def superseded(self, session: str) -> None:
        """Hear that a conversation was replaced as a whole, by an edit or another branch."""
        if self._hears(Signal.SUPERSEDED, session):
            self._dead(session, 0)

    def sequence_end(self, session: str) -> None:
        """Hear that a conversation is over."""
        if self._hears(Signal.SEQUENCE_END, session):
            self._dead(session, 0)
        self._last.pop(session, None)
        self._waits.pop(session, None)

    def fork(self, parent: str, request: Request) -> Decision:
        """Go on from where a running sequence stands: ``request`` brings what comes after.

        The child shares every whole block of its parent, those that were generated included; the
        tokens of a block that is still being filled it computes into its own. Raises
        ``ValueError`` for a parent that does not run.
        """
        source = self._orchestrator.floor.running.get(parent)
        if source is None:
            raise ValueError(f"`{parent}` does not run and cannot be forked")
        child = self._orchestrator.new(request)
        shares = self._hears(Signal.FORK, source.session)
        whole = source.done if shares else min(source.done, source.sealed)
        self._chains.branch(child, source, whole)
        self._orchestrator.extend(child)
        self._last[child.session] = child
        return self._orchestrator.enqueue(child)

    def advance(self) -> None:
        """Stop expecting those whose tools have taken too long; call it once a step."""
        while self._until and self._until[0][0] <= self._orchestrator.tick:
            _, session, number = heapq.heappop(self._until)
            if self._waits.get(session) == number:
                self._hint(session, live=None)

    def _hears(self, signal: Signal, session: str) -> bool:
        heard = signal in self.heard
        if heard and session in self._last:
            sequence = self._last[session]
            self._orchestrator.floor.tell(What.SIGNALLED, Why(signal.name), sequence)
        return heard

    def _hint(self, session: str, *, live: Hint) -> None:
        sequence = self._last.get(session)
        if sequence is not None:
            sequence.live = live
            self._tell(sequence, sequence.keys[: sequence.dead_from], live=live)

    def _dead(self, session: str, keep: int) -> None:
        sequence = self._last.get(session)
        if sequence is not None:
            sequence.dead_from = keep
            self._tell(sequence, sequence.keys[keep:], live=False)

    def _tell(self, sequence: Sequence, keys: Iterable[int], *, live: Hint) -> None:
        """Tell the pool of a turn that is over; of one that is not, its own end will tell."""
        if sequence.phase is not Phase.ENDED:
            return
        pool = self._chains.pool
        for key in keys:
            for number in range(len(pool.groups)):
                page_id = pool.page_of(key, number)
                page = pool.find(page_id)
                if page is not None and not (live is False and page.shared):
                    pool.told(page_id, live=live)
