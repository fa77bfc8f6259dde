"""Rules of replacement written again, each on its own and as its paper says, to compare with."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence

NEVER = 1 << 62
Victims = list[int]


def by_key(ids: Sequence[int], capacity: int, worst: Callable[[dict[str, int]], object]) -> Victims:
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
                victim = min(there, key=lambda each: worst(there[each]))  # type: ignore[arg-type, return-value]
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
            victim = queue.pop(hand)  # the hand now points at the next newer
            left.append(victim)
            del visited[victim]
        queue.append(x)
        visited[x] = False
    return left


def s3_fifo(ids: Sequence[int], capacity: int, *, direct: bool) -> Victims:
    """Algorithm 1 of the paper on deques, oldest first, and a way to fill the first time."""
    share, ghosts = capacity // 10, capacity * 9 // 10
    small: deque[int] = deque()
    main: deque[int] = deque()
    ghost: deque[int] = deque()
    uses: dict[int, int] = {}
    left: Victims = []

    def from_small() -> bool:
        while small:
            x = small.popleft()
            if uses[x] >= 2:
                uses[x] = 0
                main.append(x)
                continue
            del uses[x]
            left.append(x)
            while ghost and len(ghost) >= ghosts:
                ghost.popleft()
            if ghosts:
                ghost.append(x)
            return True
        return False

    def from_main() -> bool:
        while main:
            x = main.popleft()
            if uses[x]:
                uses[x] = min(uses[x], 3) - 1
                main.append(x)
                continue
            del uses[x]
            left.append(x)
            return True
        return False

    for x in ids:
        if x in uses:
            uses[x] += 1
            continue
        again = x in ghost
        if again:
            ghost.remove(x)
        if len(uses) == capacity:
            if len(main) > capacity - share:
                _ = from_main() or from_small()
            else:
                _ = from_small() or from_main()
        uses[x] = 0
        filling = direct and not left and len(small) >= share
        (main if again or filling else small).append(x)
    return left


def arc(ids: Sequence[int], capacity: int) -> Victims:
    """Figure 4 of the paper, case by case."""
    t1, t2, b1, b2 = (OrderedDict[int, None]() for _ in range(4))
    p = 0.0
    left: Victims = []

    def replace(x: int) -> None:
        if t1 and ((x in b2 and len(t1) == p) or len(t1) > p):
            source, ghosts = t1, b1
        else:
            source, ghosts = t2, b2
        victim, _ = source.popitem(last=False)
        ghosts[victim] = None
        left.append(victim)

    for x in ids:
        if x in t1 or x in t2:
            t1.pop(x, None)
            t2.pop(x, None)
            t2[x] = None
        elif x in b1:
            p = min(capacity, p + max(1, len(b2) / len(b1)))
            replace(x)
            del b1[x]
            t2[x] = None
        elif x in b2:
            p = max(0, p - max(1, len(b1) / len(b2)))
            replace(x)
            del b2[x]
            t2[x] = None
        else:
            if len(t1) + len(b1) == capacity:
                if len(t1) < capacity:
                    b1.popitem(last=False)
                    replace(x)
                else:
                    left.append(t1.popitem(last=False)[0])
            elif (known := len(t1) + len(t2) + len(b1) + len(b2)) >= capacity:
                if known == 2 * capacity:
                    b2.popitem(last=False)
                replace(x)
            t1[x] = None
    return left


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
