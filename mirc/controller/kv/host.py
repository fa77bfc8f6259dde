"""The memory below near memory: pages that were swapped out, oldest first to leave."""

from mirc.controller.keeping import Recency


class Host:
    """Swapped pages within ``capacity`` units; a page leaves after all that stand on it."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self._sizes: dict[int, int] = {}
        self._order = Recency()

    def __contains__(self, page_id: int) -> bool:
        return page_id in self._sizes

    def victim(self) -> int | None:
        """Return the oldest page on which nothing stands; the caller drops it."""
        return self._order.victim()

    def put(self, page_id: int, size: int, used_at: int, *, leaf: bool) -> None:
        """Take in a page; only a ``leaf``, on which nothing stands, may leave."""
        self._sizes[page_id] = size
        self.used += size
        if leaf:
            self._order.offer(page_id, used_at, None)

    def offer(self, page_id: int, used_at: int) -> None:
        """Let a page leave when it is the oldest: nothing stands on it any more."""
        if page_id in self._sizes:
            self._order.offer(page_id, used_at, None)

    def withdraw(self, page_id: int) -> None:
        """Let a page stay: it is about to go back."""
        self._order.withdraw(page_id)

    def take(self, page_id: int) -> None:
        """Take a page out: it goes back, or is dropped."""
        self.used -= self._sizes.pop(page_id)
        self._order.withdraw(page_id)
