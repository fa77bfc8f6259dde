"""A trace of requests through a cache of prefix blocks into the hits that a prompt can use."""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import chain as joined
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.keeping import Hint, Keeping, Parent
from mirc.controller.trust import agreed
from mirc.traces.requests import Request

Bits = NDArray[np.bool_]


@attrs.frozen(kw_only=True, eq=False)
class Asked:
    """Requests as one sequence of accesses; blocks are numbered by their first appearance.

    Request ``r`` asks for ``blocks[starts[r]:starts[r + 1]]``, root first. ``parents`` is what each
    block stands on, -1 for a root; ``uses`` how often it is asked for; ``turn`` how often it was
    before each access.
    """

    starts: NDArray[np.int64]  # [R + 1]
    blocks: NDArray[np.int64]  # [A]
    turn: NDArray[np.int64]  # [A]
    parents: NDArray[np.int64]  # [B]
    uses: NDArray[np.int64]  # [B]

    @property
    def chains(self) -> list[list[int]]:
        """The blocks of each request."""
        every = self.blocks.tolist()
        ends = self.starts.tolist()
        return [every[begin:end] for begin, end in pairwise(ends)]

    @property
    def used_again(self) -> Bits:
        """Tell of each access whether its block is asked for later: an oracle's bit."""
        found: Bits = self.turn + 1 < self.uses[self.blocks]
        return found


def asked_by(requests: Sequence[Request]) -> Asked:
    """Lay the accesses of a trace out."""
    number: dict[int, int] = {}
    blocks: list[int] = []
    parents: list[int] = []
    starts = [0]
    for request in requests:
        below = -1
        for name in request.blocks:
            if name not in number:
                number[name] = len(number)
                parents.append(below)
            below = number[name]
            blocks.append(below)
        starts.append(len(blocks))
    uses = [0] * len(number)
    turn = []
    for block in blocks:
        turn.append(uses[block])
        uses[block] += 1
    return Asked(
        starts=np.array(starts, dtype=np.int64),
        blocks=np.array(blocks, dtype=np.int64),
        turn=np.array(turn, dtype=np.int64),
        parents=np.array(parents, dtype=np.int64),
        uses=np.array(uses, dtype=np.int64),
    )


def half_true(asked: Asked, share: float, seed: int) -> Bits:
    """Return the oracle's bits, with those of a share of the blocks redrawn from another block's.

    A block whose bits are redrawn says at its n-th use what a block drawn at random says at its
    own n-th: whether it has a further one. ``share`` of the blocks do, whatever that makes of
    their bits: some come out right.
    """
    rng = np.random.default_rng(seed)
    count = len(asked.uses)
    donors = np.arange(count)
    wrong = rng.permutation(count)[: round(share * count)]
    donors[wrong] = rng.integers(0, count, len(wrong))
    found: Bits = asked.turn + 1 < asked.uses[donors[asked.blocks]]
    return found


def usable_hits(asked: Asked, capacity: int, keeping: Keeping, hints: Bits | None = None) -> int:
    """Return how many accesses find their block, and all that it stands on, in the cache.

    The cache holds ``capacity`` blocks. A block leaves only when none that stands on it is there
    and its request has ended; of those that may leave, ``keeping`` says which does. What does not
    fit of a request is not kept. ``hints`` (None: none) are told as the request is served, after
    those of its blocks that contradict each other have been reconciled.
    """
    cache = _Cache(capacity, asked.parents.tolist(), keeping)
    for chain, said in zip(asked.chains, _reconciled(asked, hints), strict=True):
        cache.serve(chain[:capacity], said[:capacity])
    return cache.hits


def _reconciled(asked: Asked, hints: Bits | None) -> list[list[Hint]]:
    """Return the hints of each request's blocks, none of which contradicts another."""
    every: list[Hint] = [None] * len(asked.blocks) if hints is None else hints.tolist()
    return [agreed(every[begin:end]) for begin, end in pairwise(asked.starts.tolist())]


class _Cache:
    """Prefix blocks in a tree; a leaf that no request holds may leave."""

    def __init__(self, capacity: int, parents: list[int], keeping: Keeping) -> None:
        self.hits = 0
        self._capacity = capacity
        self._parents = parents
        self._keeping = keeping
        self._children: dict[int, int] = {}
        self._used_at: dict[int, int] = {}
        self._hints: dict[int, Hint] = {}
        self._clock = 0

    def serve(self, chain: list[int], hints: list[Hint]) -> None:
        """Let one request use its blocks, and bring in those that were missing."""
        self._clock += 1
        held = set(chain)
        for block in chain:
            if block in self._children:
                self.hits += 1
                self._keeping.withdraw(block)
                self._keeping.found(block)
            else:
                self._keeping.missed(block)
        for block, hint in zip(chain, hints, strict=True):
            self._keeping.told(block, hint)
            self._hints[block] = hint
            self._used_at[block] = self._clock
            if block not in self._children:
                self._bring_in(block, held)
        if chain and not self._children[chain[-1]]:
            self._offer(chain[-1])

    def _bring_in(self, block: int, held: set[int]) -> None:
        while len(self._children) >= self._capacity:
            victim = self._keeping.victim()
            if victim is None:
                raise AssertionError("a request holds more blocks than the cache has")
            del self._children[victim]
            parent = self._parents[victim]
            if parent >= 0:
                self._children[parent] -= 1
                if not self._children[parent] and parent not in held:
                    self._offer(parent)
        self._children[block] = 0
        parent = self._parents[block]
        if parent >= 0:
            self._children[parent] += 1
            self._keeping.withdraw(parent)

    def _offer(self, block: int) -> None:
        self._keeping.offer(block, self._used_at[block], self._hints[block])


def parents_of(asked: Asked) -> Parent:
    """Return the function by which a shadow asks what a block stands on."""
    parents = asked.parents.tolist()

    def parent_of(block: int) -> int | None:
        return parents[block] if parents[block] >= 0 else None

    return parent_of


def most_hits(asked: Asked, capacity: int) -> int:
    """Return the hits of an oracle that evicts the block whose next use is farthest: the bound.

    It need not even keep what stands on a block before that block: no cache has more hits. Source:
    Belady, A study of replacement algorithms, IBM Systems Journal 5 (1966).
    """
    never = len(asked.blocks)
    next_use = np.full(never, never, dtype=np.int64)
    by_block = np.lexsort((asked.turn, asked.blocks))
    same = asked.blocks[by_block[1:]] == asked.blocks[by_block[:-1]]
    next_use[by_block[:-1][same]] = by_block[1:][same]
    due: dict[int, int] = {}
    farthest: list[tuple[int, int]] = []
    hits = 0
    for block, use in zip(asked.blocks.tolist(), next_use.tolist(), strict=True):
        hits += block in due
        due[block] = use
        heappush(farthest, (-use, block))
        while len(due) > capacity:
            negated, victim = heappop(farthest)
            if due.get(victim) == -negated:
                del due[victim]
    return hits


def placed_hits(asked: Asked, capacity: int, hints: Bits) -> int:
    """Return the hits of a static placement that is told the same bits, and no more.

    The first blocks that are said to be used again, and stand on such, are kept for good while
    there is room.
    """
    kept: set[int] = set()
    hits = 0
    parents = asked.parents.tolist()
    told = joined.from_iterable(_reconciled(asked, hints))
    for block, live in zip(asked.blocks.tolist(), told, strict=True):
        if block in kept:
            hits += 1
        elif live and len(kept) < capacity and (parents[block] < 0 or parents[block] in kept):
            kept.add(block)
    return hits


def hindsight_hits(asked: Asked, capacity: int) -> int:
    """Return the hits of the best static placement, which is told how often each block is used.

    An oracle: a block's name is a hash of its tokens, and nobody knows it before it comes.
    """
    most = np.sort(asked.uses)[::-1][:capacity]
    return int((most - 1).sum())
