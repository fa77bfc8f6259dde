"""The claims in force into what each block owes to whom, and how much room hard ones keep."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import attrs

from mirc.claims.admission import Named
from mirc.claims.events import State
from mirc.claims.terms import HIGHEST_PRIORITY, Block, Key, Terms

UNCLAIMED = -1
HARD = HIGHEST_PRIORITY + 1


class Standing(NamedTuple):
    """How firmly a block stands; the least one yields first.

    ``strength`` is UNCLAIMED, a priority from 0 to 100 under soft claims, or HARD; of equal ones
    the later in its claim yields first (``before`` is minus its place).
    """

    strength: int
    before: int


class Cover(NamedTuple):
    """What one claim in force says of one block."""

    block: Block
    standing: Standing
    end: int


@attrs.define(kw_only=True)
class Held:
    """A claim in force: the blocks that it still covers, in order, and those that are not there."""

    terms: Terms
    state: State
    covers: dict[Key, Cover]
    missing: set[Key]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks that it covers, in order."""
        return tuple(cover.block for cover in self.covers.values())


class Coverage:
    """Which claims in force lie over which block.

    ``owed`` is the size of each block that a hard claim covers, once however many do.
    """

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.owed: dict[Key, int] = {}
        self.claimed = 0  # all that is owed
        self._over: dict[Key, dict[str, Held]] = {}

    def add(self, held: Held) -> None:
        """Put a claim into force."""
        self.held[held.terms.name] = held
        for key, cover in held.covers.items():
            self._over.setdefault(key, {})[held.terms.name] = held
            if held.terms.hard and key not in self.owed:
                self.owed[key] = cover.block.size
                self.claimed += cover.block.size

    def remove(self, held: Held) -> None:
        """Take a claim out of force."""
        self.uncover(held, held.covers)
        del self.held[held.terms.name]

    def uncover(self, held: Held, keys: Iterable[Key]) -> None:
        """Take some of its blocks, or all, from under a claim; it stays in force."""
        for key in keys:
            over = self._over[key]
            del over[held.terms.name]
            if held.terms.hard and not _hard(over):
                self.claimed -= self.owed.pop(key)
            if not over:
                del self._over[key]

    def over(self, key: Key) -> list[Held]:
        """Return the claims over a block, by name."""
        return [held for _, held in sorted(self._over.get(key, {}).items())]

    def claiming(self, besides: Collection[Key]) -> Named:
        """Return each hard claim and the room that it alone keeps, some blocks left out."""
        return tuple(
            (
                name,
                sum(
                    cover.block.size
                    for key, cover in held.covers.items()
                    if key not in besides and _hard(self._over[key]) == 1
                ),
            )
            for name, held in self.held.items()
            if held.terms.hard
        )

    def of_tenant(self, tenant: str | None) -> Named:
        """Return the hard claims of a tenant, and the size of what each covers."""
        return tuple(
            (name, sum(block.size for block in held.blocks))
            for name, held in self.held.items()
            if held.terms.hard and held.terms.tenant == tenant
        )


def _hard(over: dict[str, Held]) -> int:
    return sum(held.terms.hard for held in over.values())
