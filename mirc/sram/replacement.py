"""The uses of a set's ways into the victim among those that may be evicted.

Every policy answers for the candidates that it is given. A wired way is never among them. The rules
are those of ``mirc.kernels.lines.rules``: what stands here is one set of its own that obeys one.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import numpy as np

from mirc.kernels.lines.rules import DISTANT, drawn, filled, used, victim
from mirc.kernels.lines.state import (
    CLOCK,
    LEAVES,
    LRU,
    OPEN,
    PIN,
    RRIP,
    TENANT_ROWS,
    TREE_PLRU,
    USED,
    WAYS,
    WIRED,
    Lines,
    sparse_lines,
)
from mirc.machine import Replacement

_WORD = 0xFFFF_FFFF


class Policy(Protocol):
    """What one set remembers of its ways' uses."""

    def fill(self, way: int) -> None:
        """Note that a new line was put into the way."""

    def use(self, way: int) -> None:
        """Note that the line in the way was used."""

    def victim(self, candidates: Sequence[int]) -> int:
        """Choose one of the candidates, which are ways in ascending order, at least one."""


class _Ruled:
    """The policy of one set of an array, by default the only one of an array of its own."""

    _rule: int

    def __init__(self, ways: int, lines: Lines | None = None, index: int = 0) -> None:
        """Begin with no use."""
        nobody = np.zeros((TENANT_ROWS, 1), dtype=np.int64)
        self._lines = sparse_lines(self._rule, ways, 1, 1, nobody) if lines is None else lines
        self._index = index

    def fill(self, way: int) -> None:
        """Note that a new line was put into the way."""
        filled(self._lines, self._slots()[way])

    def use(self, way: int) -> None:
        """Note that the line in the way was used."""
        used(self._lines, self._slots()[way])

    def victim(self, candidates: Sequence[int]) -> int:
        """Choose one of the candidates, which are ways in ascending order, at least one."""
        for way, slot in enumerate(self._slots()):
            self._lines.line[PIN, slot] = OPEN if way in candidates else WIRED
        return int(victim(self._lines, self._index, OPEN)) - self._slots().start

    def _slots(self) -> range:
        ways = int(self._lines.now[WAYS])
        return range(self._index * ways, (self._index + 1) * ways)

    def _used(self) -> list[int]:
        return [int(self._lines.line[USED, slot]) for slot in self._slots()]


class Lru(_Ruled):
    """The least recently used way."""

    _rule = LRU

    def __repr__(self) -> str:
        """Say all that it remembers."""
        clock = int(self._lines.sets[CLOCK, self._index])
        return f"Lru(_ways={len(self._slots())}, _clock={clock}, _used={self._used()})"


class TreePlru(_Ruled):
    """A binary tree over the ways, each node pointing at the half that was not used last."""

    _rule = TREE_PLRU

    def __repr__(self) -> str:
        """Say all that it remembers."""
        leaves = int(self._lines.now[LEAVES])
        base = self._index * leaves
        right = [bool(self._lines.node[node]) for node in range(base, base + leaves)]
        return f"TreePlru(_ways={len(self._slots())}, _leaves={leaves}, _right={right})"


class Rrip(_Ruled):
    """Static re-reference interval prediction, 2 bits a way, hit priority."""

    _rule = RRIP

    def __repr__(self) -> str:
        """Say all that it remembers."""
        interval = [DISTANT - nearer for nearer in self._used()]
        return f"Rrip(_ways={len(self._slots())}, _interval={interval})"


@attrs.define
class Xorshift:
    """A 32-bit generator of pseudo-random numbers; ``state`` is never 0."""

    state: int = attrs.field(validator=[attrs.validators.gt(0), attrs.validators.le(_WORD)])

    def below(self, bound: int) -> int:
        """Return the next number modulo ``bound``."""
        self.state = drawn(self.state)
        return self.state % bound


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


RULES = {
    Replacement.LRU: Lru,
    Replacement.TREE_PLRU: TreePlru,
    Replacement.RRIP: Rrip,
}
"""The policies that remember something of each way."""


def policies(replacement: Replacement, ways: int, seed: int) -> Callable[[], Policy]:
    """Return what makes the policy of one set; ``seed`` concerns RANDOM alone, 1 to 2^32 - 1."""
    generator = Xorshift(seed)
    if replacement is Replacement.RANDOM:
        return lambda: Random(generator)
    return lambda: RULES[replacement](ways)
