"""The uses of a set's ways into the victim among those that may be evicted.

Every policy answers for the candidates that it is given. A wired way is never among them.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from mirc.machine import Replacement

_WORD = 0xFFFF_FFFF
_DISTANT = 3  # the largest 2-bit re-reference prediction value


class Policy(Protocol):
    """What one set remembers of its ways' uses."""

    def fill(self, way: int) -> None:
        """Note that a new line was put into the way."""

    def use(self, way: int) -> None:
        """Note that the line in the way was used."""

    def victim(self, candidates: Sequence[int]) -> int:
        """Choose one of the candidates, which are ways in ascending order, at least one."""


@attrs.define
class Lru:
    """The least recently used way."""

    _ways: int
    _clock: int = 0
    _used: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._used = [0] * self._ways

    def fill(self, way: int) -> None:
        """Count as a use."""
        self.use(way)

    def use(self, way: int) -> None:
        """Stamp the way."""
        self._clock += 1
        self._used[way] = self._clock

    def victim(self, candidates: Sequence[int]) -> int:
        """Return the way with the oldest stamp."""
        return min(candidates, key=self._used.__getitem__)


@attrs.define
class TreePlru:
    """A binary tree over the ways, each node pointing at the half that was not used last.

    Source: Handy, The Cache Memory Book (2nd ed., 1998), 2.2. Where the half that a node points at
    holds no candidate, the other half is taken. Ways need not be a power of two.
    """

    _ways: int
    _leaves: int = attrs.field(init=False)
    _right: list[bool] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._leaves = 1 << (self._ways - 1).bit_length()
        self._right = [False] * self._leaves

    def fill(self, way: int) -> None:
        """Count as a use."""
        self.use(way)

    def use(self, way: int) -> None:
        """Turn every node on the way's path away from it."""
        node = self._leaves + way
        while node > 1:
            self._right[node // 2] = node % 2 == 0
            node //= 2

    def victim(self, candidates: Sequence[int]) -> int:
        """Follow the nodes from the root to a candidate."""
        node, size = 1, self._leaves
        leaves = [self._leaves + way for way in candidates]
        while size > 1:
            size //= 2
            node = 2 * node + self._right[node]
            if all(leaf // size != node for leaf in leaves):
                node ^= 1
        return node - self._leaves


@attrs.define
class Rrip:
    """Static re-reference interval prediction, 2 bits a way, hit priority.

    Source: Jaleel, Theobald, Steely and Emer, ISCA 2010, 3.1 (SRRIP-HP): a fill is predicted long
    (2), a hit near (0), and the first way that is distant (3) is the victim, all ageing until one
    is. Only candidates age here.
    """

    _ways: int
    _interval: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._interval = [_DISTANT] * self._ways

    def fill(self, way: int) -> None:
        """Predict a long interval."""
        self._interval[way] = _DISTANT - 1

    def use(self, way: int) -> None:
        """Predict a near one."""
        self._interval[way] = 0

    def victim(self, candidates: Sequence[int]) -> int:
        """Age the candidates until one is distant, and return the first such."""
        longest = max(candidates, key=self._interval.__getitem__)
        age = _DISTANT - self._interval[longest]
        for way in candidates:
            self._interval[way] += age
        return longest


@attrs.define
class Xorshift:
    """A 32-bit generator of pseudo-random numbers; ``state`` is never 0.

    Source: Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003, (13, 17, 5).
    """

    state: int = attrs.field(validator=[attrs.validators.gt(0), attrs.validators.le(_WORD)])

    def below(self, bound: int) -> int:
        """Return the next number modulo ``bound``."""
        value = self.state
        value ^= value << 13 & _WORD
        value ^= value >> 17
        value ^= value << 5 & _WORD
        self.state = value
        return value % bound


@attrs.define
class Random:
    """Any of the candidates, by a generator that all sets share."""

    _generator: Xorshift

    def fill(self, way: int) -> None:
        """Remember nothing."""

    def use(self, way: int) -> None:
        """Remember nothing."""

    def victim(self, candidates: Sequence[int]) -> int:
        """Draw one."""
        return candidates[self._generator.below(len(candidates))]


def policies(replacement: Replacement, ways: int, seed: int) -> Callable[[], Policy]:
    """Return what makes the policy of one set; ``seed`` concerns RANDOM alone, 1 to 2^32 - 1."""
    generator = Xorshift(seed)
    makers: dict[Replacement, Callable[[], Policy]] = {
        Replacement.LRU: lambda: Lru(ways),
        Replacement.TREE_PLRU: lambda: TreePlru(ways),
        Replacement.RRIP: lambda: Rrip(ways),
        Replacement.RANDOM: lambda: Random(generator),
    }
    return makers[replacement]
