"""Candidates and hints into who leaves first: by age, by the hint, or by what proved true."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Protocol, TypeAlias

_SPARE = 64  # stale entries that a queue keeps before it is built anew

Hint: TypeAlias = bool | None  # it will be used again, it will not, nobody knows
Parent: TypeAlias = Callable[[int], int | None]


class Keeping(Protocol):
    """A rule that orders what may leave; keys are whole numbers of the caller's own.

    A candidate is what may leave now: nobody holds it, and nothing that needs it stays. ``live`` is
    a hint: True, it will be used again; False, it will not; None, nobody knows.
    """

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate, last used at a time that never decreases for a key: O(log n).

        A key that was offered before stands where the new time and hint put it.
        """

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate; does nothing if it is none."""

    def victim(self) -> int | None:
        """Take out and return the candidate that leaves first, None without one: O(log n)."""

    def told(self, key: int, live: Hint) -> None:
        """Hear a hint about any key, candidate or not; it replaces what was said before."""

    def found(self, key: int) -> None:
        """Learn that a key was asked for, and was there."""

    def missed(self, key: int) -> None:
        """Learn that a key was asked for, and was not there; it is brought in now."""

    def ended(self, key: int) -> None:
        """Learn that a key, which is no candidate, is gone; nothing if this order let it go."""


class _Queue:
    """Keys by a pair of numbers, lowest first; equal ones in the order in which they came."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int]] = []
        self._entry: dict[int, int] = {}
        self._count = 0

    def __contains__(self, key: int) -> bool:
        return key in self._entry

    def put(self, key: int, group: int, used_at: int) -> None:
        self._count += 1
        self._entry[key] = self._count
        heappush(self._heap, (group, used_at, self._count, key))
        if len(self._heap) > 2 * len(self._entry) + _SPARE:
            self._heap = [each for each in self._heap if self._entry.get(each[3]) == each[2]]
            heapify(self._heap)

    def drop(self, key: int) -> None:
        self._entry.pop(key, None)

    def take(self) -> int | None:
        while self._heap:
            _, _, number, key = heappop(self._heap)
            if self._entry.get(key) == number:
                del self._entry[key]
                return key
        return None


class Recency:
    """The least recently used leaves first, whatever the hints say."""

    def __init__(self) -> None:
        self._queue = _Queue()

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate."""
        del live
        self._queue.put(key, 0, used_at)

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        self._queue.drop(key)

    def victim(self) -> int | None:
        """Take out the candidate that was used longest ago."""
        return self._queue.take()

    def told(self, key: int, live: Hint) -> None:
        """Ignore a hint."""

    def found(self, key: int) -> None:
        """Learn nothing."""

    def missed(self, key: int) -> None:
        """Learn nothing."""

    def ended(self, key: int) -> None:
        """Learn nothing."""


class Hinted:
    """What is hinted dead leaves first, oldest first; then the least recently used. It believes."""

    def __init__(self) -> None:
        self._queue = _Queue()
        self._used_at: dict[int, int] = {}  # of candidates

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate."""
        self._used_at[key] = used_at
        self._queue.put(key, int(live is not False), used_at)

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        self._used_at.pop(key, None)
        self._queue.drop(key)

    def victim(self) -> int | None:
        """Take out the oldest that is hinted dead, else the oldest."""
        key = self._queue.take()
        if key is not None:
            del self._used_at[key]
        return key

    def told(self, key: int, live: Hint) -> None:
        """Put a candidate where the new hint wants it."""
        used_at = self._used_at.get(key)
        if used_at is not None:
            self._queue.put(key, int(live is not False), used_at)

    def found(self, key: int) -> None:
        """Learn nothing."""

    def missed(self, key: int) -> None:
        """Learn nothing."""

    def ended(self, key: int) -> None:
        """Learn nothing."""


class Shadow:
    """The keys that a cache of ``capacity`` would hold if it had followed one rule from the start.

    It holds names, no bytes. ``parent_of`` says what a key stands on, if keys form a tree: a key
    leaves only when nothing stands on it. ``misses`` counts the keys that it was
    asked for and did not hold.
    """

    def __init__(self, capacity: int, keeping: Keeping, parent_of: Parent | None = None) -> None:
        self.misses = 0
        self._capacity = capacity
        self._keeping = keeping
        self._parent_of = parent_of
        self._used_at: dict[int, int] = {}
        self._children: dict[int, int] = {}  # of a key it holds: how many of them it holds
        self._hints: dict[int, Hint] = {}

    def __contains__(self, key: int) -> bool:
        return key in self._used_at

    def told(self, key: int, live: Hint) -> None:
        """Hear a hint about a key that it holds."""
        if key in self._used_at:
            self._hints[key] = live
            self._keeping.told(key, live)

    def ask(self, key: int, now: int) -> list[int]:
        """Use a key, bringing it in if need be; return what left for it: O(log n)."""
        if key in self._used_at:
            self._keeping.found(key)
        else:
            self.misses += 1
            self._keeping.missed(key)
            self._hints[key] = None
            self._children[key] = 0
            parent = self._below(key)
            if parent is not None:
                self._children[parent] += 1
                self._keeping.withdraw(parent)
        self._used_at[key] = now
        self._keeping.withdraw(key)  # in use: it is not what makes room for itself
        left = self._make_room()
        if not self._children[key]:
            self._keeping.offer(key, now, self._hints[key])
        return left

    def _make_room(self) -> list[int]:
        left: list[int] = []
        while len(self._used_at) > self._capacity:
            key = self._keeping.victim()
            if key is None:
                break
            left.append(key)
            del self._used_at[key], self._children[key], self._hints[key]
            parent = self._below(key)
            if parent is not None:
                self._children[parent] -= 1
                if not self._children[parent]:
                    self._keeping.offer(parent, self._used_at[parent], self._hints[parent])
        return left

    def _below(self, key: int) -> int | None:
        """Return what a key stands on, if this cache holds that."""
        parent = None if self._parent_of is None else self._parent_of(key)
        return parent if parent in self._used_at else None


class Trusted:
    """Follows the hints for as long as they prove better than recency.

    Two shadows of the same capacity see every request, one by recency and one believing every hint;
    the one that missed less leads. What the leader would not hold leaves first, then what it would
    let go. Following another leader costs a miss for each key that it holds and this cache does
    not: those misses are counted in ``switching_misses``, and a new leader is followed only when
    it has saved ``patience`` of the capacity since the last change. Thus hints that are
    worth nothing cost a bounded number of misses over recency. Source: combining of online
    algorithms, Fiat, Karp, Luby, McGeoch, Sleator and Young, Competitive paging algorithms,
    J. Algorithms 12 (1991); Blum and Burch, On-line learning and the metrical task system problem,
    Machine Learning 39 (2000).
    """

    def __init__(
        self, capacity: int, parent_of: Parent | None = None, *, patience: float = 0.01
    ) -> None:
        self.switches = 0
        self.switching_misses = 0
        self._shadows = (
            Shadow(capacity, Recency(), parent_of),
            Shadow(capacity, Hinted(), parent_of),
        )
        self._orders: tuple[Keeping, Keeping] = (Recency(), Hinted())
        self._strays = (_Queue(), _Queue())  # candidates that a shadow does not hold
        self._candidates: dict[int, tuple[int, Hint]] = {}
        self._leader = 1
        self._price = max(1, round(capacity * patience))
        self._clock = 0

    @property
    def believes(self) -> bool:
        """Whether the hints lead now."""
        return self._leader == 1

    @property
    def shadow_misses(self) -> tuple[int, int]:
        """The misses of recency alone and of the believed hints alone, on the same requests."""
        return self._shadows[0].misses, self._shadows[1].misses

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate, and hear its hint."""
        self._candidates[key] = used_at, live
        for shadow, order, strays in zip(self._shadows, self._orders, self._strays, strict=True):
            shadow.told(key, live)
            order.offer(key, used_at, live)
            if key not in shadow:
                strays.put(key, 0, used_at)

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        if self._candidates.pop(key, None) is not None:
            for order, strays in zip(self._orders, self._strays, strict=True):
                order.withdraw(key)
                strays.drop(key)

    def victim(self) -> int | None:
        """Take out what the leader does not hold, else what it would let go."""
        key = self._strays[self._leader].take()
        if key is None:
            key = self._orders[self._leader].victim()
        if key is not None:
            self.withdraw(key)
        return key

    def told(self, key: int, live: Hint) -> None:
        """Pass a hint on to the shadows, and to the order of the candidates."""
        for shadow, order in zip(self._shadows, self._orders, strict=True):
            shadow.told(key, live)
            order.told(key, live)

    def found(self, key: int) -> None:
        """Let the shadows be asked for a key."""
        self._ask(key)

    def missed(self, key: int) -> None:
        """Let the shadows be asked for a key; a miss that the leader would not have had counts."""
        if key in self._shadows[self._leader]:
            self.switching_misses += 1
        self._ask(key)

    def ended(self, key: int) -> None:
        """Learn nothing: the shadows go by what is asked for."""

    def _ask(self, key: int) -> None:
        self._clock += 1
        for shadow, strays in zip(self._shadows, self._strays, strict=True):
            strays.drop(key)
            for left in shadow.ask(key, self._clock):
                if left in self._candidates:
                    strays.put(left, 0, self._candidates[left][0])
        other = 1 - self._leader
        if self._shadows[self._leader].misses - self._shadows[other].misses >= self._price:
            self._leader = other
            self.switches += 1
