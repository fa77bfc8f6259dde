"""Names of token blocks into keys of a prefix tree: equal beginnings share their keys."""

from collections.abc import Iterable

import attrs

ROOT = -1


@attrs.frozen(slots=True)
class Block:
    """One node: the block ``name`` after the node ``parent``, ``depth`` blocks from the root."""

    parent: int
    depth: int
    domain: str
    name: str | int


class PrefixTree:
    """Keys of blocks by what stands before them; blocks of two security domains are never one.

    A key stands for a block and all blocks before it, so what is equal can be shared and what
    follows something else is another. Keys are given in the order in which blocks are first
    named, and outlive the bytes: telling a block that was evicted from one that never was takes 3
    words a block.
    """

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._keys: dict[tuple[str, int, str | int], int] = {}

    def key(self, domain: str, parent: int, name: str | int) -> int:
        """Return the key of a block after ``parent`` (``ROOT`` for the first): O(1)."""
        found = self._keys.get((domain, parent, name))
        if found is not None:
            return found
        depth = 0 if parent == ROOT else self._blocks[parent].depth + 1
        made = len(self._blocks)
        self._blocks.append(Block(parent, depth, domain, name))
        self._keys[domain, parent, name] = made
        return made

    def chain(self, domain: str, names: Iterable[str | int]) -> list[int]:
        """Return the keys of a row of blocks from the root."""
        found: list[int] = []
        parent = ROOT
        for name in names:
            parent = self.key(domain, parent, name)
            found.append(parent)
        return found

    def parent(self, key: int) -> int:
        """Return the key before; ``ROOT`` for a first block."""
        return self._blocks[key].parent

    def block(self, key: int) -> Block:
        """Return what a key stands for."""
        return self._blocks[key]
