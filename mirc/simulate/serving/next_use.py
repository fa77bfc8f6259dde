"""The requests that use each block into which page is used last of all: an oracle's order."""

from collections.abc import Callable, Collection, Sequence
from heapq import heappop, heappush

from mirc.controller.keeping import Hint

NEVER = 1 << 62


class Farthest:
    """What is used farthest in the future leaves first; ``uses`` gives every use of a key.

    A use is a request's place among all, by when it comes; those in ``begun`` are over. A block's
    next use is never later than that of what stands on it, so leaves go first and what stays is a
    usable beginning. Source: Belady, IBM Systems Journal 5(2), 1966.
    """

    def __init__(self, uses: Callable[[int], Sequence[int]], begun: Collection[int]) -> None:
        self._uses = uses
        self._begun = begun
        self._heap: list[tuple[int, int, int]] = []
        self._current: dict[int, int] = {}
        self._count = 0

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate: O(log n) and as many uses as are over."""
        del used_at, live
        ahead = (use for use in self._uses(key) if use not in self._begun)
        self._count += 1
        self._current[key] = self._count
        heappush(self._heap, (-next(ahead, NEVER), self._count, key))

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        self._current.pop(key, None)

    def victim(self) -> int | None:
        """Take out the candidate whose next use is the farthest."""
        while self._heap:
            _, number, key = heappop(self._heap)
            if self._current.get(key) == number:
                del self._current[key]
                return key
        return None

    def told(self, key: int, live: Hint) -> None:
        """Know better than any hint."""

    def found(self, key: int) -> None:
        """Learn nothing."""

    def missed(self, key: int) -> None:
        """Learn nothing."""

    def ended(self, key: int) -> None:
        """Learn nothing."""
