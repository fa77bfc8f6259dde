"""A rule of replacement of one's own: CLOCK, the second chance.

    mirc simulate llama3-70b.mir -M h100-sxm --policy lru,samples/policies/second_chance.py:Clock

Source: Corbato, A paging experiment with the Multics system, MIT Project MAC, 1968.
"""

from collections import deque

from mirc.controller.own import Policy


class Clock(Policy):
    """What came first leaves, unless it was used since it was looked at last."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self._round: deque[int] = deque()
        self._used: set[int] = set()

    def admitted(self, x: int) -> None:
        self._round.append(x)

    def touched(self, x: int) -> None:
        self._used.add(x)

    def evicted(self, x: int) -> None:
        self._round.remove(x)
        self._used.discard(x)

    def removed(self, x: int) -> None:
        if x in self._round:
            self.evicted(x)

    def choose(self) -> int | None:
        for _ in range(2 * len(self._round)):
            x = self._round[0]
            if self.may_leave(x) and x not in self._used:
                return x
            self._used.discard(x)
            self._round.rotate(-1)
        return None
