"""How far a sequence is into the pages that it holds, makes, fills, passes and lets go."""

from collections import deque
from collections.abc import Callable

from mirc.controller.kv.events import Why
from mirc.controller.kv.groups import GroupKind, usable
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.sequences import Phase, Sequence
from mirc.controller.kv.tree import ROOT, PrefixTree


class Chains:
    """The pages of sequences: one pool, one prefix tree, blocks of ``block_tokens``.

    ``pending`` are the blocks that an admitted sequence is going to compute, and who: what one
    computes another does not compute beside it.
    """

    def __init__(self, pool: KvPool, tree: PrefixTree, block_tokens: int) -> None:
        self.pool = pool
        self.tree = tree
        self.block_tokens = block_tokens
        self.pending: dict[int, str] = {}

    # ── Into the pool ───────────────────────────────────────────

    def usable(self, sequence: Sequence) -> int:
        """Return how many of a sequence's first blocks are there for every group."""
        keys, pool = sequence.keys, self.pool

        def resident(group: int, at: int) -> bool:
            return pool.resident(pool.page_of(keys[at], group))

        return usable(pool.groups, len(keys), resident)

    def wanted(self, sequence: Sequence, blocks: int) -> list[int]:
        """Return the pages that a sequence needs to go on after its first ``blocks``."""
        found: list[int] = []
        for number, group in enumerate(self.pool.groups):
            first = blocks - 1 if group.kind is GroupKind.RECURRENT else group.needs(blocks)
            keys = sequence.keys[max(0, first) : blocks]
            found += [self.pool.page_of(key, number) for key in keys]
        return found

    def enter(self, sequence: Sequence, blocks: int) -> int:
        """Hold the first ``blocks``, which are there, bringing back those that lie below.

        Returns how many pages were brought back. Admission has seen to the room.
        """
        pool, back = self.pool, 0
        sequence.held = [deque() for _ in pool.groups]
        wanted = self.wanted(sequence, blocks)
        pages = pool.pages()
        below = [page_id for page_id in wanted if not pages[page_id].near]
        pool.keep_below(below)
        for page_id in wanted:
            if pages[page_id].near:
                pool.hold(page_id, sequence.session)
        for page_id in below:
            if not pool.make(page_id, ROOT, sequence.request.tenant, sequence.session):
                raise ValueError(f"admission promised `{sequence.name}` room that is not there")
            back += 1
        places = {key: at for at, key in enumerate(sequence.keys[:blocks])}
        for page_id in wanted:
            key, number = divmod(page_id, len(pool.groups))
            sequence.held[number].append((places[key], page_id))
        sequence.done = blocks
        sequence.part = 0
        sequence.todo = sum(sequence.fill[blocks:])
        for key in sequence.keys[blocks:]:
            self.pending.setdefault(key, sequence.name)
        return back

    # ── Forward ─────────────────────────────────────────────────

    def compute(self, sequence: Sequence, tokens: int) -> int:
        """Compute up to ``tokens`` that a sequence was given; less where a block finds no room."""
        left = wanted = min(tokens, sequence.todo)
        while left:
            at = sequence.done
            if not sequence.opened and not self.open(sequence):
                break
            step = min(left, sequence.fill[at] - sequence.part)
            sequence.part += step
            sequence.todo -= step
            left -= step
            if sequence.part == sequence.fill[at] and not sequence.grows(at, self.block_tokens):
                self.turn(sequence)
                self.publish(sequence, at)
        return wanted - left

    def append(self, sequence: Sequence) -> bool:
        """Make one token more; False where its block finds no room."""
        if sequence.done == len(sequence.keys):
            self._name_next(sequence)
        if not sequence.opened and not self.open(sequence):
            return False
        sequence.fill[sequence.done] += 1
        sequence.part += 1
        return True

    def append_own(self, sequence: Sequence) -> bool:
        """Make a draft token: a block that it opens is the sequence's own, whatever is in it."""
        if sequence.done == len(sequence.keys):
            sequence.fill.append(0)
            self._name_own(sequence, len(sequence.keys))
        if self.append(sequence):
            return True
        self._unname(sequence)
        return False

    def unopen(self, sequence: Sequence) -> None:
        """Undo the opening of the newest block: its pages go, and so does its name."""
        for held in sequence.held:
            if held and held[-1][0] == sequence.done:
                self.pool.let_go(held.pop()[1], live=None)
        sequence.opened = False
        self._unname(sequence)

    def turn_back(self, sequence: Sequence) -> None:
        """Undo ``turn``."""
        sequence.done -= 1
        sequence.part = sequence.fill[sequence.done]
        sequence.opened = True

    def _unname(self, sequence: Sequence) -> None:
        if not sequence.fill[-1]:
            del sequence.fill[-1]
            sequence.own.pop(sequence.keys.pop(), None)

    def full(self, sequence: Sequence) -> bool:
        """Say whether the block that a sequence appends to has no place for another token."""
        return sequence.part == self.block_tokens

    def turn(self, sequence: Sequence) -> None:
        """Go on to the next block; nobody else sees the one before until it is published."""
        sequence.done += 1
        sequence.part = 0
        sequence.opened = False

    def open(self, sequence: Sequence) -> bool:
        """Give the next block its pages; all of them, or none."""
        pool, at = self.pool, sequence.done
        key = sequence.keys[at]
        below = self.tree.parent(key)
        taken: list[tuple[int, int]] = []
        for number, group in enumerate(pool.groups):
            if not group.makes(at, sequence.sealed):
                continue
            page_id = pool.page_of(key, number)
            page = pool.find(page_id)
            parent = ROOT if below == ROOT else pool.page_of(below, number)
            if page is not None and page.near:
                pool.hold(page_id, sequence.session)
            elif not pool.make(page_id, parent, sequence.request.tenant, sequence.session):
                for _, each in reversed(taken):
                    pool.let_go(each, live=None)
                return False
            taken.append((number, page_id))
        for number, page_id in taken:
            sequence.held[number].append((at, page_id))
        sequence.opened = True
        return True

    def publish(self, sequence: Sequence, at: int) -> None:
        """Let a whole block be used by all; let go of what windows and checkpoints have passed."""
        for held in sequence.held:
            for block, page_id in reversed(held):
                if block <= at:
                    if block == at:
                        self.pool.fill(page_id)
                    break
        self._computed(sequence, sequence.keys[at])
        for group, held in zip(self.pool.groups, sequence.held, strict=True):
            if group.kind is GroupKind.WINDOW:
                while held and held[0][0] < group.needs(at + 1):
                    self.pool.let_go(held.popleft()[1], live=False)
            elif group.kind is GroupKind.RECURRENT:
                while len(held) > 1 and held[1][0] <= at:
                    block, page_id = held.popleft()
                    self.pool.let_go(page_id, live=None if block < sequence.sealed else False)

    def _computed(self, sequence: Sequence, key: int) -> None:
        if self.pending.get(key) == sequence.name:
            del self.pending[key]

    def _name_next(self, sequence: Sequence) -> None:
        """Name the block that new tokens open: as the request says, else as nobody else does."""
        at = len(sequence.keys)
        generated = sequence.request.generated
        place = at - sequence.sealed
        below = sequence.keys[-1] if sequence.keys else ROOT
        sequence.fill.append(0)
        if place < len(generated):
            key = self.tree.key(sequence.domain, below, generated[place])
            if not self._being_made(key):
                sequence.keys.append(key)
                return
        self._name_own(sequence, at)

    def branch(self, child: Sequence, source: Sequence, whole: int) -> None:
        """Let a sequence begin as another stands: its first ``whole`` blocks, copies of the rest.

        A copy is a block of the child's own with the same tokens, which it computes.
        """
        child.keys += source.keys[:whole]
        child.fill += source.fill
        child.own |= {key: None for key in child.keys if key in source.own}
        for at in range(whole, len(source.keys)):
            self._name_own(child, at)
        child.sealed = len(child.keys)

    def _name_own(self, sequence: Sequence, at: int) -> None:
        below = sequence.keys[-1] if sequence.keys else ROOT
        key = self.tree.key(sequence.domain, below, f"{sequence.name}#{sequence.number}.{at}")
        sequence.own[key] = None
        sequence.keys.append(key)

    def _being_made(self, key: int) -> bool:
        page = self.pool.find(self.pool.page_of(key, 0))
        return page is not None and not page.ready

    # ── Out of the pool ─────────────────────────────────────────

    def leave(self, sequence: Sequence, hint: Callable[[int], bool | None]) -> None:
        """Let go of all pages, from the tail; ``hint`` says of each block if it is used again.

        A block that another conversation has read too may be read by a third, whatever this one
        says. What lies after the last whole block is lost.
        """
        pool = self.pool
        for held in sequence.held:
            while held:
                at, page_id = held.pop()
                live = hint(at)
                shared = pool.pages()[page_id].shared
                pool.let_go(page_id, live=None if shared and live is False else live)
        for key in sequence.keys:
            self._computed(sequence, key)
        sequence.done = sequence.part = sequence.promised = sequence.todo = 0
        sequence.opened = False

    def end(self, sequence: Sequence, hint: Callable[[int], bool | None]) -> None:
        """Let go of everything; what only this sequence could name must not be used again."""
        self.leave(sequence, hint)
        sequence.phase = Phase.ENDED
        for key in reversed(sequence.own):
            for number in range(len(self.pool.groups)):
                page_id = self.pool.page_of(key, number)
                page = self.pool.find(page_id)
                if page is not None and not page.users and not page.children:
                    self.pool.retire(page_id, Why.SEQUENCE_END)
