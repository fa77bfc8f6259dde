"""Rules of replacement written again, each on its own and as its paper says, to compare with."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

NEVER = 1 << 62
Victims = list[int]


def by_key(ids: Sequence[int], capacity: int, worst: Callable[[dict[str, int]], Any]) -> Victims:
    """Let the member of the lowest ``worst`` leave, found by looking at all of them."""
    there: dict[int, dict[str, int]] = {}
    left = []
    last: dict[int, int] = {}
    nexts = [NEVER] * len(ids)
    for n in reversed(range(len(ids))):
        nexts[n] = last.get(ids[n], NEVER)
        last[ids[n]] = n
    for now, x in enumerate(ids):
        if x in there:
            there[x]["count"] += 1
        else:
            if len(there) == capacity:
                victim = min(there, key=lambda each: worst(there[each]))
                left.append(victim)
                del there[victim]
            there[x] = {"came": now, "count": 1}
        there[x] |= {"used": now, "next": nexts[now]}
    return left


def fifo(ids: Sequence[int], capacity: int) -> Victims:
    return by_key(ids, capacity, lambda each: each["came"])


def lru(ids: Sequence[int], capacity: int) -> Victims:
    return by_key(ids, capacity, lambda each: each["used"])


def mru(ids: Sequence[int], capacity: int) -> Victims:
    return by_key(ids, capacity, lambda each: -each["used"])


def lfu(ids: Sequence[int], capacity: int) -> Victims:
    return by_key(ids, capacity, lambda each: (each["count"], each["used"]))


def belady(ids: Sequence[int], capacity: int) -> Victims:
    return by_key(ids, capacity, lambda each: (-each["next"], each["used"]))


def sieve(ids: Sequence[int], capacity: int) -> Victims:
    """A list, oldest first, and a hand that is an index into it."""
    queue: list[int] = []
    visited: dict[int, bool] = {}
    left, hand = [], 0
    for x in ids:
        if x in visited:
            visited[x] = True
            continue
        if len(queue) == capacity:
            while True:
                hand = 0 if hand >= len(queue) else hand
                if not visited[queue[hand]]:
                    break
                visited[queue[hand]] = False
                hand += 1
            victim = queue.pop(hand)  # the hand now points at the next newer, or at the oldest
            hand = 0 if hand == len(queue) else hand
            left.append(victim)
            del visited[victim]
        queue.append(x)
        visited[x] = False
    return left


class S3Fifo:
    """Algorithm 1 of the paper on deques, oldest first, and a way to fill the first time."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.share, self.ghosts = capacity, capacity // 10, capacity * 9 // 10
        self.small, self.main, self.ghost = deque[int](), deque[int](), deque[int]()
        self.uses: dict[int, int] = {}
        self.left: Victims = []

    def use(self, x: int, *, direct: bool) -> None:
        if x in self.uses:
            self.uses[x] += 1
            return
        again = x in self.ghost
        if again:
            self.ghost.remove(x)
        if len(self.uses) == self.capacity:
            self.make_room()
        filling = direct and not self.left and len(self.small) >= self.share
        (self.main if again or filling else self.small).append(x)
        self.uses[x] = 0

    def make_room(self) -> None:
        if len(self.main) > self.capacity - self.share:
            _ = self.from_main() or self.from_small()
        else:
            _ = self.from_small() or self.from_main()

    def from_small(self) -> bool:
        while self.small:
            x = self.small.popleft()
            if self.uses[x] < 2:
                self.go(x)
                self.ghost.append(x)
                while len(self.ghost) > self.ghosts:
                    self.ghost.popleft()
                return True
            self.uses[x] = 0
            self.main.append(x)
        return False

    def from_main(self) -> bool:
        while self.main:
            x = self.main.popleft()
            if not self.uses[x]:
                self.go(x)
                return True
            self.uses[x] = min(self.uses[x], 3) - 1
            self.main.append(x)
        return False

    def go(self, x: int) -> None:
        del self.uses[x]
        self.left.append(x)


def s3_fifo(ids: Sequence[int], capacity: int, *, direct: bool) -> Victims:
    cache = S3Fifo(capacity)
    for x in ids:
        cache.use(x, direct=direct)
    return cache.left


class Arc:
    """Figure 4 of the paper, case by case."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.p = capacity, 0.0
        self.t1, self.t2, self.b1, self.b2 = (OrderedDict[int, None]() for _ in range(4))
        self.left: Victims = []

    def use(self, x: int) -> None:
        t1, t2, b1, b2 = self.t1, self.t2, self.b1, self.b2
        if x in t1 or x in t2:
            t1.pop(x, None)
            t2.pop(x, None)
        elif x in b1:
            self.p = min(self.capacity, self.p + max(1, len(b2) / len(b1)))
            self.replace(x)
            del b1[x]
        elif x in b2:
            self.p = max(0, self.p - max(1, len(b1) / len(b2)))
            self.replace(x)
            del b2[x]
        else:
            self.come(x)
            return
        t2[x] = None

    def come(self, x: int) -> None:
        known = len(self.t1) + len(self.t2) + len(self.b1) + len(self.b2)
        if len(self.t1) == self.capacity:
            self.left.append(self.t1.popitem(last=False)[0])
        elif len(self.t1) + len(self.b1) == self.capacity:
            self.b1.popitem(last=False)
            self.replace(x)
        elif known >= self.capacity:
            if known == 2 * self.capacity:
                self.b2.popitem(last=False)
            self.replace(x)
        self.t1[x] = None

    def replace(self, x: int) -> None:
        tie = x in self.b2 and len(self.t1) == self.p
        once = bool(self.t1) and (tie or len(self.t1) > self.p)
        source, ghosts = (self.t1, self.b1) if once else (self.t2, self.b2)
        victim, _ = source.popitem(last=False)
        ghosts[victim] = None
        self.left.append(victim)


def arc(ids: Sequence[int], capacity: int) -> Victims:
    cache = Arc(capacity)
    for x in ids:
        cache.use(x)
    return cache.left


def ttl(
    ids: Sequence[int], capacity: int, said: Callable[[int], tuple[int, int]], times: Iterable[int]
) -> Victims:
    """Lowest priority in force, then least recently used; ``said`` gives priority and expiry."""
    there: dict[int, int] = {}
    left = []
    for n, (x, now) in enumerate(zip(ids, times, strict=True)):
        if x not in there and len(there) == capacity:
            ranks = {
                each: (said(each)[0] if now < said(each)[1] else 35, used)
                for each, used in there.items()
            }
            victim = min(there, key=ranks.__getitem__)
            left.append(victim)
            del there[victim]
        there[x] = n
    return left
