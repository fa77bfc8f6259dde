"""Pages that may leave, with what signals said of them, into who leaves first."""

from mirc.controller.keeping import Hint, Recency

_RANK = {False: 0, None: 1, True: 2}


class Foretold:
    """What will not be used again leaves first, then what nobody knows about, then the rest.

    Within each the least recently used leaves first. ``Hinted`` trusts its hints to say no more
    than that a page is dead; a signal such as ``tool_wait`` says that a page will be used again.
    """

    def __init__(self) -> None:
        self._ranks = (Recency(), Recency(), Recency())
        self._offered: dict[int, int] = {}  # when each candidate was used

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Make a key a candidate: O(log n)."""
        self.withdraw(key)
        self._offered[key] = used_at
        self._ranks[_RANK[live]].offer(key, used_at, live)

    def withdraw(self, key: int) -> None:
        """Let a key no longer be a candidate."""
        if self._offered.pop(key, None) is not None:
            for rank in self._ranks:
                rank.withdraw(key)

    def victim(self) -> int | None:
        """Take out the candidate that leaves first: O(log n)."""
        for rank in self._ranks:
            key = rank.victim()
            if key is not None:
                del self._offered[key]
                return key
        return None

    def told(self, key: int, live: Hint) -> None:
        """Put a candidate where a new hint wants it."""
        used_at = self._offered.get(key)
        if used_at is not None:
            self.offer(key, used_at, live)

    def found(self, key: int) -> None:
        """Learn nothing."""

    def missed(self, key: int) -> None:
        """Learn nothing."""

    def ended(self, key: int) -> None:
        """Learn nothing."""
