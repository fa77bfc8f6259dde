"""A rule of replacement into an order of the blocks that may leave a cache."""

from typing import Protocol

from mirc.controller.keeping import Hint
from mirc.kernels.replacement import rule
from mirc.kernels.replacement.names import RULES
from mirc.kernels.replacement.state import STAMP, TIME, Replacement, meet, sparse_replacement
from mirc.kernels.world import NONE


class Following(Protocol):
    """A rule of replacement, told of ids one at a time: ``mirc.controller.own.Policy`` is one."""

    def missed(self, x: int) -> None:
        """Hear that an id was asked for and is not there."""

    def admitted(self, x: int) -> None:
        """Hear that an id came in."""

    def touched(self, x: int) -> None:
        """Hear that an id was used, and was there."""

    def evicted(self, x: int) -> None:
        """Hear that an id left to make room."""

    def removed(self, x: int) -> None:
        """Hear that an id ended."""

    def choose(self) -> int | None:
        """Return the id that leaves next, None without one."""

    def forbid(self, x: int) -> None:
        """Let an id not leave."""

    def allow(self, x: int) -> None:
        """Let an id leave again."""


class Tabled:
    """A rule of the kernels on tables that grow; ``capacity`` ids fit."""

    def __init__(self, name: str, capacity: int) -> None:
        known = RULES[name]
        self.table: Replacement = sparse_replacement(known.number, capacity, known.variant)
        self._met: set[int] = set()

    def missed(self, x: int) -> None:
        """Hear that an id was asked for and is not there."""
        self._meet(x)
        rule.missed(self.table, x)

    def admitted(self, x: int) -> None:
        """Hear that an id came in."""
        self._meet(x)
        rule.admitted(self.table, x)

    def touched(self, x: int) -> None:
        """Hear that an id was used, and was there."""
        rule.touched(self.table, x)

    def evicted(self, x: int) -> None:
        """Hear that an id left to make room."""
        rule.evicted(self.table, x)

    def removed(self, x: int) -> None:
        """Hear that an id ended."""
        rule.removed(self.table, x)

    def choose(self) -> int | None:
        """Return the id that leaves next, None without one."""
        x = int(rule.choose(self.table))
        return None if x == NONE else x

    def forbid(self, x: int) -> None:
        """Let an id not leave."""
        rule.forbid(self.table, x)

    def allow(self, x: int) -> None:
        """Let an id leave again."""
        rule.allow(self.table, x)

    def retain(self, x: int, priority: int, expires: int) -> None:
        """Set by hand how an id is kept, 0 to 100, and until when by ``tell_time``."""
        self._meet(x)
        rule.retain(self.table, x, priority, expires)

    def tell_time(self, now: int) -> None:
        """Set the clock that retention is read against."""
        self.table.now[TIME] = now

    def here(self, x: int) -> bool:
        """Tell whether an id is in, or held to be."""
        return bool(self.table.cell[STAMP, x])

    def _meet(self, x: int) -> None:
        if x not in self._met:
            self._met.add(x)
            meet(self.table, x)


class Ruled:
    """Blocks in the order of a rule of replacement; a ``Keeping``.

    A use is being asked for: what is found is touched, what is missed comes in. A block that nobody
    asked for, and that is offered, has just been made. What is missed although it never left cannot
    be used where it lies, and comes anew.
    """

    def __init__(self, following: Following) -> None:
        self.following = following
        self._in: set[int] = set()

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        """Let a key leave; O(log n), amortised."""
        del used_at, live
        if key not in self._in:
            self._come(key)
        self.following.allow(key)

    def withdraw(self, key: int) -> None:
        """Let a key not leave."""
        if key in self._in:
            self.following.forbid(key)

    def victim(self) -> int | None:
        """Take out the key that the rule lets go, None if none may leave."""
        key = self.following.choose()
        if key is not None:
            self.following.evicted(key)
            self._in.discard(key)
        return key

    def told(self, key: int, live: Hint) -> None:
        """Ignore a hint: these rules know none."""

    def found(self, key: int) -> None:
        """Count a use."""
        if key in self._in:
            self.following.touched(key)
        else:
            self._come(key)

    def missed(self, key: int) -> None:
        """Let a key come in; it may leave once it is offered."""
        if key in self._in:
            self.following.removed(key)
        self.following.missed(key)
        self._come(key)

    def ended(self, key: int) -> None:
        """Forget a key that went in another way than by this order."""
        if key in self._in:
            self._in.discard(key)
            self.following.removed(key)
            self.following.allow(key)

    def _come(self, key: int) -> None:
        self._in.add(key)
        self.following.forbid(key)
        self.following.admitted(key)
