"""A rule of replacement written by a user, in Python."""

from abc import ABC, abstractmethod


class Policy(ABC):
    """Who leaves a cache first; subclass it, and name it by ``--policy my.py:Mine``.

    Ids are whole numbers from 0; ``capacity`` and ``size`` are in the same unit, which the
    workload sets: bytes for a schedule, blocks for a trace. Everything else is told as it happens,
    and nothing of the future is. A rule must be as deterministic as it wants its results to be.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._sizes: dict[int, int] = {}
        self._held: set[int] = set()

    @abstractmethod
    def choose(self) -> int | None:
        """Return the id that leaves next, of those that came and ``may_leave``; None without one.

        It stays until ``evicted`` says that it left.
        """

    def missed(self, x: int) -> None:  # noqa: B027 - a rule may be deaf to any of these
        """Hear that an id was asked for and is not there; nothing has left for it yet."""

    def admitted(self, x: int) -> None:  # noqa: B027
        """Hear that an id came in: it had been missed, or is fetched ahead of its use."""

    def touched(self, x: int) -> None:  # noqa: B027
        """Hear that an id was used, and was there."""

    def evicted(self, x: int) -> None:  # noqa: B027
        """Hear that an id left to make room."""

    def removed(self, x: int) -> None:  # noqa: B027
        """Hear that an id ended."""

    def may_leave(self, x: int) -> bool:
        """Tell whether nobody holds an id now."""
        return x not in self._held

    def size(self, x: int) -> int:
        """Return the size of an id, 1 where all are alike."""
        return self._sizes.get(x, 1)

    def sized(self, x: int, size: int) -> None:
        """Set the size of an id; called by the simulation alone."""
        self._sizes[x] = size

    def forbid(self, x: int) -> None:
        """Let an id be held; called by the simulation alone."""
        self._held.add(x)

    def allow(self, x: int) -> None:
        """Let an id be held no longer; called by the simulation alone."""
        self._held.discard(x)
