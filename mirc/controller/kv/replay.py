"""Drafts of a speculating sequence into windows that are committed or undone, byte for byte.

Essay 002, primitive 6. What others share is immutable in a window; what grows is logged and can be
rolled back. The room for the drafts is found before the window opens, so undoing them
finds everything as it was: nothing was evicted meanwhile for their sake.
"""

import attrs

from mirc.controller.kv.events import What, Why
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.sequences import Phase, Sequence
from mirc.controller.kv.state import digest


@attrs.frozen
class _Step:
    """What one draft token changed: whether it opened a block, and whether it filled it."""

    opened: bool
    turned: bool


@attrs.define
class _Window:
    sequence: Sequence
    checkpoint: str
    room: int  # units still kept for drafts
    first: int  # the block that was being filled when it opened
    new: int  # the first block that it opens itself
    steps: list[_Step] = attrs.field(factory=list)


class Replay:
    """Replay windows over the sequences of an orchestrator, one each.

    ``drafted`` and ``wasted`` count tokens: those of rejected drafts were written for nothing.
    """

    def __init__(self, orchestrator: Orchestrator) -> None:
        self.drafted = 0
        self.wasted = 0
        self._orchestrator = orchestrator
        self._chains = orchestrator.chains
        self._pool = orchestrator.pool
        self._windows: dict[str, _Window] = {}

    @property
    def wasted_amount(self) -> float:
        """What rejected drafts wrote, in the pool's unit: their tokens' share of a block."""
        block = sum(group.size for group in self._pool.groups)
        return self.wasted * block / self._chains.block_tokens

    def open(self, name: str, tokens: int) -> str | None:
        """Begin a window for up to ``tokens`` drafts; return the checkpoint's digest.

        None, with a row, if there is no room for them without sending others back. Raises
        ``ValueError`` for a sequence that does not decode, or drafts already.
        """
        sequence = self._orchestrator.floor.running.get(name)
        if sequence is None or sequence.phase is not Phase.DECODE or sequence.drafting:
            raise ValueError(f"`{name}` cannot speculate: it does not decode, or drafts already")
        blocks = -(-(sequence.part + tokens) // self._chains.block_tokens)
        room = (blocks - int(sequence.opened)) * sum(group.size for group in self._pool.groups)
        if not self._pool.make_room(room, sequence.request.tenant, name):
            self._tell(What.REFUSED, Why.ROOM, sequence, tokens)
            return None
        sequence.drafting = True
        self._pool.reserved += room
        checkpoint = digest(self._orchestrator)
        self._windows[name] = _Window(sequence, checkpoint, room, sequence.done, len(sequence.keys))
        self._tell(What.WINDOW_OPENED, Why.ASKED, sequence, tokens)
        return checkpoint

    def draft(self, name: str, tokens: int) -> int:
        """Append drafts; return how many there was room for."""
        window = self._windows[name]
        for count in range(tokens):
            if not self._append(window):
                return count
            self.drafted += 1
        return tokens

    def write(self, name: str, block: int) -> bool:
        """Say whether a block may be written over in a window; a refusal is a row.

        Only what the window itself has begun may: all before is read by others, or by the replay.
        """
        window = self._windows[name]
        allowed = block >= window.new
        if not allowed:
            self._tell(What.REFUSED, Why.IMMUTABLE, window.sequence, block)
        return allowed

    def settle(self, name: str, accepted: int) -> None:
        """Close a window: keep the first ``accepted`` drafts, undo the others."""
        window = self._windows.pop(name)
        sequence = window.sequence
        rejected = len(window.steps) - accepted
        if rejected < 0:
            raise ValueError(f"`{name}` drafted {len(window.steps)} tokens, fewer than {accepted}")
        for _ in range(rejected):
            self._undo(window, window.steps.pop())
        self.wasted += rejected
        if rejected:
            self._tell(What.ROLLED_BACK, Why.REJECTED, sequence, rejected)
        self._pool.reserved -= window.room
        sequence.drafting = False
        self._orchestrator.accept(sequence, accepted, window.first)
        if accepted:
            self._tell(What.COMMITTED, Why.ACCEPTED, sequence, accepted)

    def _append(self, window: _Window) -> bool:
        sequence, pool = window.sequence, self._pool
        opened = not sequence.opened
        size = sum(group.size for group in pool.groups) if opened else 0
        if size > window.room:
            return False
        window.room -= size
        pool.reserved -= size
        if not self._chains.append_own(sequence):
            window.room += size
            pool.reserved += size
            return False
        turned = self._chains.full(sequence)
        if turned:
            self._chains.turn(sequence)
        window.steps.append(_Step(opened, turned))
        return True

    def _undo(self, window: _Window, step: _Step) -> None:
        sequence, pool = window.sequence, self._pool
        if step.turned:
            self._chains.turn_back(sequence)
        sequence.fill[sequence.done] -= 1
        sequence.part -= 1
        if step.opened:
            self._chains.unopen(sequence)
            size = sum(group.size for group in pool.groups)
            window.room += size
            pool.reserved += size

    def _tell(self, what: What, why: Why, sequence: Sequence, amount: int) -> None:
        self._orchestrator.floor.tell(what, why, sequence, amount)
