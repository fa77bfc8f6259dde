"""What a serving stack knows of a block into who leaves first: the one least worth its room.

It knows how deep a prompt is, who shares a block and how often it was read, whether it ends the
prompt, and what signals said of its conversation; what follows from these it learns from the blocks
that it saw, those that left included, and of the future it knows nothing.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from heapq import heapify, heappop, heappush

import attrs
import numpy as np

from mirc.controller.keeping import Hint, Parent
from mirc.controller.kv.lifetimes import AGES, EDGES, Lifetimes, Reals, ranks

_LEARN_EVERY = 20  # requests
_FORGETS = 0.95  # what was seen counts for that much less each time that tables are reckoned
_SPARE = 64  # stale entries that a queue keeps before it is built anew
_SAID: dict[Hint, int] = {None: 0, False: 1, True: 2}
_EXPECTED: Mapping[Hint, float] = {False: 0.02, True: 4.0}  # until seen what signals are worth
_MOST_FAN_OUT = 3
_DEPTHS = 12  # powers of two, in blocks, by which it is told apart what computing again costs
_NOWHERE = -1


class Fact(StrEnum):
    """What is known of a block, each of which can be left out."""

    SIGNAL = "signal"
    """What signals said of its conversation: it goes on, it is over, nothing."""
    USES = "uses"
    """Whether it was read before, and at what intervals."""
    FAN_OUT = "fan-out"
    """How many different blocks were seen to follow it, and whether it ended a prompt."""
    DEPTH = "depth"
    """How long the prompt was that it stands in."""


@attrs.define
class _Block:
    """What is remembered of one block; ``stamp`` is the request that used it last."""

    first: int
    stamp: int
    depth: int
    uses: int = 0
    followers: int = 0
    length: int = 0  # of the prompt that used it last
    ends: bool = False  # that prompt
    said: int = 0
    kind: int = _NOWHERE
    age: int = 0


class Density:
    """A ``Keeping`` that lets go of what is worth least; equally worthy ones by age, tails first.

    A key is what one of ``groups`` caches keeps of a block: ``block * groups + group``.
    ``parent_of`` says what a block stands on. ``without`` are facts that it does not look at.
    ``again`` is what computing a block costs that stands on so many: a use is worth that, in any
    unit; without it all uses are worth the same. ``expected`` is how many times as often as others
    what signals speak of is thought to be used before anything was seen. It remembers every block
    that was ever asked for: some ten words each.
    """

    def __init__(
        self,
        parent_of: Parent,
        *,
        groups: int = 1,
        without: Collection[Fact] = (),
        again: Callable[[int], float] | None = None,
        expected: Mapping[Hint, float] | None = None,
    ) -> None:
        self._parent_of = parent_of
        self._groups = groups
        self._signal = Fact.SIGNAL not in without
        self._uses = Fact.USES not in without
        self._fan_out = Fact.FAN_OUT not in without
        self._depth = Fact.DEPTH not in without
        prior = {**_EXPECTED, **(expected or {})}
        self._lifetimes = Lifetimes(6, {_SAID[live]: times for live, times in prior.items()})
        self._costs = np.ones(1) if again is None else _by_depth(again)
        self._blocks: dict[int, _Block] = {}
        self._prompt: list[int] = []  # the blocks of the one that is being asked for
        self._now = 0  # requests so far
        self._ageing: list[deque[tuple[int, int]]] = [deque() for _ in EDGES]
        self._queues: dict[int, list[tuple[int, int, int, int]]] = {}  # by kind, age and cost
        self._entry: dict[int, int] = {}  # of each candidate: its newest place in a queue
        self._ranks: list[int] = []
        self._order: list[int] = []
        self._lowest = 0  # no queue before this rank holds a candidate
        self._entries = 0

    # ── Who may leave ───────────────────────────────────────────

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate: O(log n). One that nobody asked for was generated just now."""
        del used_at
        self._close()
        at = key // self._groups
        block = self._blocks.get(at)
        if block is None:
            block = self._meet(at)
            block.uses, block.ends = 1, True
            block.length = block.depth + 1
            self._enter(at, block)
        self._hear(at, block, live)
        self._queue(key, block)

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        self._entry.pop(key, None)

    def victim(self) -> int | None:
        """Take out the candidate that is worth least: O(log n), amortised."""
        self._close()
        while self._lowest < len(self._order):
            queue = self._queues.get(self._order[self._lowest], [])
            while queue:
                _, _, entry, key = heappop(queue)
                if self._entry.get(key) == entry:
                    del self._entry[key]
                    return key
            self._lowest += 1
        return None

    def told(self, key: int, live: Hint) -> None:
        """Hear what signals say of a block."""
        at = key // self._groups
        block = self._blocks.get(at)
        if block is not None:
            self._hear(at, block, live)

    # ── What is asked for ───────────────────────────────────────

    def found(self, key: int) -> None:
        """Learn that a key was asked for; a prompt's come one after another, root first."""
        self._ask(key // self._groups)

    def missed(self, key: int) -> None:
        """Learn that a key was asked for; that it is not there says nothing of the block."""
        self._ask(key // self._groups)

    def ended(self, key: int) -> None:
        """Learn nothing: what a block is worth does not hang on whether it is there."""

    def _ask(self, at: int) -> None:
        if self._prompt and self._parent_of(at) != self._prompt[-1]:
            self._close()
        block = self._blocks.get(at) or self._meet(at)
        if block.kind != _NOWHERE:
            self._lifetimes.use(block.kind, block.age)
            block.kind = _NOWHERE
        block.uses += 1
        block.said = 0
        self._prompt.append(at)

    def _meet(self, at: int) -> _Block:
        parent = self._parent_of(at)
        below = None if parent is None else self._blocks.get(parent)
        depth = 0
        if below is not None:
            below.followers += 1
            depth = below.depth + 1
        found = self._blocks[at] = _Block(self._now, self._now, depth)
        return found

    def _close(self) -> None:
        """Let a prompt be over: its blocks begin to age."""
        if not self._prompt:
            return
        self._now += 1
        prompt, self._prompt = self._prompt, []
        for at in prompt:
            block = self._blocks[at]
            block.length, block.ends = len(prompt), at == prompt[-1]
            block.stamp = self._now
            self._enter(at, block)
        self._grow_older()
        if self._now % _LEARN_EVERY == 0:
            self._lifetimes.forget(_FORGETS)
            self._learn()

    # ── Kinds and ages ──────────────────────────────────────────

    def _kind(self, block: _Block) -> int:
        again = self._uses and block.uses > 1
        interval = (block.stamp - block.first) // block.uses if again else 0
        kind = (
            block.said if self._signal else 0,
            int(again),
            block.length.bit_length() if self._depth and not again else 0,
            interval.bit_length(),
            min(block.followers, _MOST_FAN_OUT) if self._fan_out else 0,
            int(block.ends) if self._fan_out else 0,
        )
        known = len(self._lifetimes)
        number = self._lifetimes.number(kind)
        if number == known:
            self._learn()
        return number

    def _enter(self, at: int, block: _Block) -> None:
        """Let a block begin to age, from its last use on."""
        block.kind, block.age = self._kind(block), 0
        self._lifetimes.reach(block.kind, 0)
        self._ageing[0].append((at, block.stamp))
        self._move(at, block)

    def _grow_older(self) -> None:
        for age in range(AGES - 1):
            line = self._ageing[age]
            while line and self._now - line[0][1] >= EDGES[age + 1]:
                at, stamp = line.popleft()
                block = self._blocks[at]
                if block.stamp == stamp and block.kind != _NOWHERE and block.age == age:
                    block.age = age + 1
                    self._lifetimes.reach(block.kind, age + 1)
                    self._ageing[age + 1].append((at, stamp))
                    self._move(at, block)

    def _hear(self, at: int, block: _Block, live: Hint) -> None:
        """Let a block be of another kind; it leaves the old one as if it had never been so old."""
        if block.said == _SAID[live] or not self._signal:
            return
        block.said = _SAID[live]
        if block.kind != _NOWHERE:
            self._lifetimes.reach(block.kind, block.age, -1)
            block.kind = self._kind(block)
            self._lifetimes.reach(block.kind, block.age)
            self._move(at, block)

    # ── Queues ──────────────────────────────────────────────────

    def _move(self, at: int, block: _Block) -> None:
        """Let those keys of a block that are candidates stand where its kind and age want them."""
        for key in range(at * self._groups, (at + 1) * self._groups):
            if key in self._entry:
                self._queue(key, block)

    def _queue(self, key: int, block: _Block) -> None:
        """Give a candidate its place; older places are stale."""
        costs = len(self._costs)
        place = block.kind * AGES + block.age
        place = place * costs + min(costs - 1, block.depth.bit_length())
        self._entries += 1
        self._entry[key] = self._entries
        queue = self._queues.setdefault(place, [])
        heappush(queue, (block.stamp, -block.depth, self._entries, key))
        if len(queue) > 2 * len(self._entry) + _SPARE:
            queue[:] = [each for each in queue if self._entry.get(each[3]) == each[2]]
            heapify(queue)
        self._lowest = min(self._lowest, self._ranks[place])

    def _learn(self) -> None:
        self._lifetimes.learn()
        self._ranks = list(ranks(self._lifetimes.worth[:, :, None] * self._costs))
        self._order = [0] * len(self._ranks)
        for place, rank in enumerate(self._ranks):
            self._order[rank] = place
        self._lowest = 0


def _by_depth(again: Callable[[int], float]) -> Reals:
    """Return what a block costs to compute, by powers of two of its depth: in their middles."""
    costs = [max(1.0, again((3 << power) >> 2)) for power in range(_DEPTHS)]
    return np.array(costs, dtype=np.float64)
